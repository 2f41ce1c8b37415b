"""A run killed just before and just after it changes the disk: the next one ends with the bytes of an unbroken run."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LOG = logging.getLogger(__name__)
SITES = ("A", "B")
STAGES = ("scores", "cohort", "estimates", "audit", "report")


def test_a_run_killed_at_each_of_its_stages_in_turn_ends_with_the_same_bytes(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, tmp_path: Path
) -> None:
    """One run folder, killed in the cohort, the estimates, the audit, the report and the seal."""
    out = tmp_path / "out"
    words = ["run", small_study, "--out", out]
    for number, moment in enumerate(
        (
            "before cohort.duckdb",
            "after cells.parquet",
            "before gaps.parquet",
            "after flow.csv",
            "before manifest.json",
        ),
        1,
    ):
        assert attempts.code(words, moment) == -9, moment
        assert not (out / "manifest.json").exists(), "a run that did not end must not be sealed"
        finished = json.loads((out / "private" / "stages.json").read_text(encoding="utf-8"))
        assert sorted(finished) == sorted(STAGES[:number]), "what had ended is kept, and nothing else"
    assert attempts.code(words) == 0
    run_attempts.assert_same_bytes(out, unbroken_run)


def test_a_finished_run_killed_while_it_runs_anew_is_not_sealed(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, tmp_path: Path
) -> None:
    """Tables of the new run beside a page of the old: no command takes them for a result."""
    other = small_study.with_name("other_title.toml")
    other.write_text(small_study.read_text("utf-8").replace('title = "', 'title = "Another '), encoding="utf-8")
    out = tmp_path / "out"
    shutil.copytree(unbroken_run, out)
    assert attempts.code(["run", other, "--out", out], "after results.json") == -9
    assert b"Another" in (out / "tables" / "results.json").read_bytes()
    assert b"Another" not in (out / "report.html").read_bytes()
    for command in (
        ["verify", out],
        ["diff", unbroken_run, out],
        ["report", out],
        ["release", out, "--out", tmp_path / "p"],
    ):
        assert attempts.code(command) == 2, command
    assert attempts.code(["run", small_study, "--out", out]) == 0
    run_attempts.assert_same_bytes(out, unbroken_run)


@pytest.fixture(scope="module")
def sites(attempts: Any, small_study: Path, unbroken_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two site files and what pooling them gives."""
    folder = tmp_path_factory.mktemp("sites")
    for site in SITES:
        assert attempts.code(["cells", small_study, "--site", site, "--run", unbroken_run, "--out", folder / site]) == 0
    assert attempts.code(["pool", *(folder / site for site in SITES), "--out", folder / "pooled"]) == 0
    return folder


def test_cells_and_pool_killed_leave_nothing_that_is_taken_for_a_result(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, sites: Path, tmp_path: Path
) -> None:
    """A site file without its manifest is refused by name; the next attempt writes the very same files."""
    site, pooled = tmp_path / "A", tmp_path / "pooled"
    sent = ["cells", small_study, "--site", "A", "--run", unbroken_run, "--out", site]
    last = "manifest.json"
    assert attempts.code(sent, f"before {last}") == -9
    assert attempts.code(["pool", site, sites / "B", "--out", pooled]) == 2
    assert not pooled.exists()
    assert attempts.code(sent) == 0
    assert run_attempts.bytes_of(site) == run_attempts.bytes_of(sites / "A")
    words = ["pool", site, sites / "B", "--out", pooled]
    assert attempts.code(words, "after by_site.csv") == -9
    assert not (pooled / "pool.json").exists()
    assert attempts.code(words) == 0
    assert run_attempts.bytes_of(pooled) == run_attempts.bytes_of(sites / "pooled")


@pytest.mark.slow
def test_a_run_killed_at_every_change_of_the_disk_ends_with_the_same_bytes(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, tmp_path: Path
) -> None:
    """Every rename and every removal is a moment to die before and after: all of them, each in a folder of its own."""
    for moment in range(1, 400):
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        code = attempts.code(["run", small_study, "--out", out], str(moment))
        if code == 0:
            break
        assert code == -9
        assert attempts.code(["run", small_study, "--out", out]) == 0
        run_attempts.assert_same_bytes(out, unbroken_run)
    assert moment > 100
    LOG.info("killed at each of %d moments", moment - 1)


@pytest.mark.slow
def test_cells_and_pool_killed_at_every_change_of_the_disk_write_the_same_files(
    attempts: Any, run_attempts: ModuleType, small_study: Path, unbroken_run: Path, sites: Path, tmp_path: Path
) -> None:
    """The load of a site's cohort included: its run folder is new each time."""
    moments = 0
    for name, words in (
        ("site", ["cells", small_study, "--site", "A", "--run", tmp_path / "run", "--out", tmp_path / "site"]),
        ("pooled", ["pool", sites / "A", sites / "B", "--out", tmp_path / "pooled"]),
    ):
        for moment in range(1, 200):
            for folder in (tmp_path / "run", tmp_path / name):
                shutil.rmtree(folder, ignore_errors=True)
            code = attempts.code(words, str(moment))
            if code == 0:
                break
            assert code == -9
            assert attempts.code(words) == 0
            assert run_attempts.bytes_of(tmp_path / name) == run_attempts.bytes_of(
                sites / ("A" if name == "site" else name)
            )
        moments += moment - 1
    assert moments > 30
    LOG.info("killed at each of %d moments", moments)
