"""A disk that is full and a folder that is closed: a clear error, nothing half written, and the next run ends well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FREE = "free space there or name another place, then run the same command again; what is finished is kept"


def assert_clear(found: Any, *words: str) -> None:
    """Hold an error to exit code 2, one line that names place and remedy, and no traceback."""
    assert found.code == 2, found.told
    line = found.told.splitlines()[-1]
    for word in words:
        assert word in line, found.told
    assert "Traceback" not in found.told
    assert "a defect of sexstrat" not in found.told


def leftovers(out: Path) -> list[str]:
    return sorted(path.name for path in out.rglob("*") if path.suffix in {".tmp", ".building", ".part"})


def test_a_disk_that_fills_up_in_any_stage_is_told_and_the_run_goes_on_from_there(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, tmp_path: Path
) -> None:
    """The system refuses to let files grow: first the cohort's, then a table of the audit, then the page."""
    out = tmp_path / "out"
    words = ["run", small_study, "--out", out]
    sizes = {path.name: path.stat().st_size for path in unbroken_run.rglob("*") if path.is_file()}
    assert sizes["cohort.duckdb"] > sizes["report.html"] > 100_000 > sizes["cells.parquet"]
    assert_clear(attempts.outcome(words, limit=100_000), "private/cohort.duckdb cannot be written", FREE)
    assert leftovers(out) == []
    assert not (out / "private" / "cohort.duckdb").exists()
    assert attempts.code(words, "before cells.parquet") == -9  # there is room for the cohort now
    small = sizes["stages.json"] + 1000
    assert sizes["audit.parquet"] > small
    assert_clear(attempts.outcome(words, limit=small), "private/", "cannot be written: File too large", FREE)
    assert_clear(attempts.outcome(words, limit=100_000), "tables/", "cannot be written: File too large", FREE)
    assert leftovers(out) == []
    assert not (out / "manifest.json").exists()
    assert not (out / "report.html").exists()
    assert attempts.code(["verify", out]) == 2
    assert attempts.code(words) == 0
    run_attempts.assert_same_bytes(out, unbroken_run)


def test_a_finished_run_whose_page_finds_no_room_keeps_its_old_page_but_no_seal(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, tmp_path: Path
) -> None:
    """What was there stays whole; nothing of it passes for the new run's result."""
    out = tmp_path / "out"
    shutil.copytree(unbroken_run, out)
    other = small_study.with_name("other_profile.toml")
    other.write_text(small_study.read_text("utf-8").replace('"uk-5"', '"us-cms-11"'), encoding="utf-8")
    assert_clear(attempts.outcome(["run", other, "--out", out], limit=60_000), "cannot be written", FREE)
    assert (out / "report.html").read_bytes() == (unbroken_run / "report.html").read_bytes()
    assert attempts.code(["release", out, "--out", tmp_path / "pack"]) == 2
    assert attempts.code(["run", small_study, "--out", out]) == 0
    run_attempts.assert_same_bytes(out, unbroken_run)


@pytest.mark.parametrize("command", ["run", "cells", "pool", "report", "release"])
def test_a_place_that_cannot_be_written_is_named(
    attempts: Any, small_study: Path, unbroken_run: Path, tmp_path: Path, command: str
) -> None:
    """A folder below a file: exit code 2 and the place, not a defect of the program."""
    closed = tmp_path / "file"
    closed.write_text("", encoding="utf-8")
    out = closed / "out"
    words: list[object] = {
        "run": ["run", small_study, "--out", out],
        "cells": ["cells", small_study, "--site", "A", "--run", unbroken_run, "--out", out],
        "pool": ["pool", tmp_path / "A", tmp_path / "B", "--out", out],
        "report": ["report", unbroken_run, "--out", out / "page.html"],
        "release": ["release", unbroken_run, "--out", out],
    }[command]
    for site in ("A", "B") if command == "pool" else ():
        sent = ["cells", small_study, "--site", site, "--run", unbroken_run, "--out", tmp_path / site]
        assert attempts.code(sent) == 0
    assert_clear(attempts.outcome(words), str(out), "cannot be written: Not a directory", "that you may write to")
    assert closed.read_bytes() == b""


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """Mount something, or skip where this machine does not let us."""
    place.mkdir(exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount on this machine")
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [64, 1024, 4096, 5120, 6144])
def test_a_run_on_a_small_disk_fails_clearly_and_ends_well_when_the_disk_has_grown(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, tmp_path: Path, kilobytes: int
) -> None:
    """A real file system of a few sizes, full at another stage each time."""
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", f"size={kilobytes}k", "none"):
        words = ["run", small_study, "--out", disk / "out"]
        found = attempts.outcome(words)
        if found.code != 0:
            assert_clear(found, "cannot be written", "No space left on device", FREE)
            assert not (disk / "out" / "manifest.json").exists()
            assert leftovers(disk / "out") == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert attempts.code(words) == 0
        run_attempts.assert_same_bytes(disk / "out", unbroken_run)


@pytest.mark.slow
def test_a_read_only_disk_is_told(attempts: Any, small_study: Path, unbroken_run: Path, tmp_path: Path) -> None:
    """A finished run on a disk that became read-only: it can be read and verified, not run anew."""
    disk, out = tmp_path / "disk", tmp_path / "disk" / "out"
    with mounted(disk, "-t", "tmpfs", "-o", "size=64m", "none"):
        shutil.copytree(unbroken_run, out)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert attempts.code(["verify", out]) == 0
        for folder in (out, disk / "new"):
            found = attempts.outcome(["run", small_study, "--out", folder])
            assert_clear(found, "cannot be written: Read-only file system", "that you may write to")
