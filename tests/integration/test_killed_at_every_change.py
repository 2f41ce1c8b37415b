"""A run killed just before and just after it changes the disk: the next one ends with the bytes of an unbroken run."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from sexstrat.simulation import setting, with_knobs
from sexstrat.study.simulated import write_simulated_study

LOG = logging.getLogger(__name__)
SITES = ("A", "B")
STAGES = ("scores", "cohort", "estimates", "audit", "report")

# A process that imports once and forks for every attempt; an attempt kills itself at a moment, which is either the
# number of a change of the disk (each has one moment before it and one after) or "before NAME" or "after NAME", where
# NAME is the file that is put in its place.
DRIVER = """
import json, os, pathlib, signal, sys
import sexstrat.cli.app, sexstrat.study.run, sexstrat.study.site_export, sexstrat.study.site_pooling
import sexstrat.disclosure, sexstrat.reporting, sexstrat.estimates.study_tables, sexstrat.audit
import seaborn, statsmodels.api

sexstrat.study.plan.code_digest()  # once: nobody must edit the code between two attempts
moment = 0

def deadly(name, fatal):
    plain = getattr(pathlib.Path, name)

    def called(self, *arguments, **options):
        global moment
        target = pathlib.Path(arguments[0]).name if name == "replace" else f"removal of {self.name}"
        for when in ("before", "after"):
            moment += 1
            if fatal in (str(moment), f"{when} {target}"):
                os.kill(os.getpid(), signal.SIGKILL)
            done = plain(self, *arguments, **options) if when == "before" else done
        return done

    setattr(pathlib.Path, name, called)

def attempt(words, fatal):
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        if fatal:
            os.dup2(null, 2)
            deadly("replace", fatal)
            deadly("unlink", fatal)
        os._exit(sexstrat.cli.app.run(words))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for line in sys.stdin:
    words, fatal = json.loads(line)
    print(attempt(words, fatal), flush=True)
"""


class Attempts:
    """The process that forks, asked one attempt at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def code(self, words: Iterable[object], fatal: str = "") -> int:
        """Return the exit code of a command that is killed at a moment; -9 when it was."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(map(str, words)), fatal]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def attempts():
    """Start the process once."""
    running = Attempts()
    yield running
    running.close()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study file on 400 simulated patients, of whom enough are validated for a corrected estimate."""
    one = with_knobs(setting("baseline"), validated=0.6, name="well validated")
    return write_simulated_study(tmp_path_factory.mktemp("study"), setting=one, n_patients=400, seed=8)


@pytest.fixture(scope="module")
def unbroken(attempts: Attempts, study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of that study when nothing happens to it."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    assert attempts.code(["run", study, "--out", out]) == 0
    return out


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file but the log, whose times differ, and the databases, whose pages DuckDB places as it likes."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: b"" if path.suffix in {".duckdb", ".log"} else path.read_bytes() for name, path in sorted(files.items())
    }


def assert_same_bytes(killed: Path, unbroken: Path) -> None:
    found, expected = bytes_of(killed), bytes_of(unbroken)
    assert list(found) == list(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_a_run_killed_at_each_of_its_stages_in_turn_ends_with_the_same_bytes(
    attempts: Attempts, study: Path, unbroken: Path, tmp_path: Path
) -> None:
    """One run folder, killed in the cohort, the estimates, the audit, the report and the seal."""
    out = tmp_path / "out"
    words = ["run", study, "--out", out]
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
    assert_same_bytes(out, unbroken)


def test_a_finished_run_killed_while_it_runs_anew_is_not_sealed(
    attempts: Attempts, study: Path, unbroken: Path, tmp_path: Path
) -> None:
    """Tables of the new run beside a page of the old: no command takes them for a result."""
    other = study.with_name("other_title.toml")
    other.write_text(study.read_text("utf-8").replace('title = "', 'title = "Another '), encoding="utf-8")
    out = tmp_path / "out"
    shutil.copytree(unbroken, out)
    assert attempts.code(["run", other, "--out", out], "after results.json") == -9
    assert b"Another" in (out / "tables" / "results.json").read_bytes()
    assert b"Another" not in (out / "report.html").read_bytes()
    for command in (
        ["verify", out],
        ["diff", unbroken, out],
        ["report", out],
        ["release", out, "--out", tmp_path / "p"],
    ):
        assert attempts.code(command) == 2, command
    assert attempts.code(["run", study, "--out", out]) == 0
    assert_same_bytes(out, unbroken)


@pytest.fixture(scope="module")
def sites(attempts: Attempts, study: Path, unbroken: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two site files and what pooling them gives."""
    folder = tmp_path_factory.mktemp("sites")
    for site in SITES:
        assert attempts.code(["cells", study, "--site", site, "--run", unbroken, "--out", folder / site]) == 0
    assert attempts.code(["pool", *(folder / site for site in SITES), "--out", folder / "pooled"]) == 0
    return folder


def test_cells_and_pool_killed_leave_nothing_that_is_taken_for_a_result(
    attempts: Attempts, study: Path, unbroken: Path, sites: Path, tmp_path: Path
) -> None:
    """A site file without its manifest is refused by name; the next attempt writes the very same files."""
    site, pooled = tmp_path / "A", tmp_path / "pooled"
    sent = ["cells", study, "--site", "A", "--run", unbroken, "--out", site]
    last = "manifest.json"
    assert attempts.code(sent, f"before {last}") == -9
    assert attempts.code(["pool", site, sites / "B", "--out", pooled]) == 2
    assert not pooled.exists()
    assert attempts.code(sent) == 0
    assert bytes_of(site) == bytes_of(sites / "A")
    words = ["pool", site, sites / "B", "--out", pooled]
    assert attempts.code(words, "after by_site.csv") == -9
    assert not (pooled / "pool.json").exists()
    assert attempts.code(words) == 0
    assert bytes_of(pooled) == bytes_of(sites / "pooled")


@pytest.mark.slow
def test_a_run_killed_at_every_change_of_the_disk_ends_with_the_same_bytes(
    attempts: Attempts, study: Path, unbroken: Path, tmp_path: Path
) -> None:
    """Every rename and every removal is a moment to die before and after: all of them, each in a folder of its own."""
    for moment in range(1, 400):
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        code = attempts.code(["run", study, "--out", out], str(moment))
        if code == 0:
            break
        assert code == -9
        assert attempts.code(["run", study, "--out", out]) == 0
        assert_same_bytes(out, unbroken)
    assert moment > 100
    LOG.info("killed at each of %d moments", moment - 1)


@pytest.mark.slow
def test_cells_and_pool_killed_at_every_change_of_the_disk_write_the_same_files(
    attempts: Attempts, study: Path, unbroken: Path, sites: Path, tmp_path: Path
) -> None:
    """The load of a site's cohort included: its run folder is new each time."""
    moments = 0
    for name, words in (
        ("site", ["cells", study, "--site", "A", "--run", tmp_path / "run", "--out", tmp_path / "site"]),
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
            assert bytes_of(tmp_path / name) == bytes_of(sites / ("A" if name == "site" else name))
        moments += moment - 1
    assert moments > 30
    LOG.info("killed at each of %d moments", moments)
