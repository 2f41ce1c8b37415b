"""Asking for help is quick, because nothing heavy is imported for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

HEAVY = {
    "dask",
    "distributed",
    "duckdb",
    "h5py",
    "jinja2",
    "keras",
    "matplotlib",
    "openvino",
    "pandas",
    "pyarrow",
    "scipy",
    "seaborn",
    "sklearn",
    "statsmodels",
    "tensorflow",
}
HELP_SECONDS = 0.3


def imported_for(*arguments: str) -> set[str]:
    """Return the top-level packages that a run of the command line imports."""
    command = [sys.executable, "-X", "importtime", "-m", "sexstrat", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in re.findall(r"^import time:.*\| +(\S+)$", done.stderr, flags=re.MULTILINE)}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """``sexstrat --help`` imports no network, database, table or drawing library."""
    imported = imported_for(*arguments)
    assert "sexstrat" in imported
    assert imported & HEAVY == set()


def test_help_answers_at_once() -> None:
    """``sexstrat --help`` takes less than 0.3 s of processor time, whatever else the machine is doing."""
    seconds = []
    for _ in range(12):
        before = os.times()
        subprocess.run([sys.executable, "-m", "sexstrat", "--help"], capture_output=True, check=True, timeout=60)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        seconds.append(spent)
        if spent < HELP_SECONDS:
            break
    assert min(seconds) < HELP_SECONDS
