"""A run killed at any moment: the next one succeeds, finds the same results and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.study import load_study, plan_study, run_study
from sexstrat.study.simulated import write_simulated_study

STAGES = ("scores", "cohort", "estimates", "audit", "report")


def run_command(study: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "sexstrat", "run", str(study), "--out", str(out)]


def kill_when(study: Path, out: Path, reached: Callable[[str], bool]) -> str:
    """Start a run in a process of its own and kill it, without any warning, when a moment is reached.

    Returns what it had told until then.
    """
    told = out.with_suffix(".log")
    with told.open("wb") as log:
        process = subprocess.Popen(run_command(study, out), stderr=log, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not reached(told.read_text("utf-8", errors="replace")):
        assert process.poll() is None, f"the run ended before the moment came: {told.read_text('utf-8')}"
        assert time.monotonic() < end, "the moment never came"
        time.sleep(0.002)
    process.kill()
    assert process.wait(timeout=60) != 0
    return told.read_text("utf-8", errors="replace")


def files_of(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))


def assert_same_results(killed: Path, unbroken: Path) -> None:
    """Compare all that people see, and what was left lying about."""
    assert files_of(killed) == files_of(unbroken)
    for path in [unbroken / "report.html", *(unbroken / "tables").iterdir()]:
        assert (killed / path.relative_to(unbroken)).read_bytes() == path.read_bytes(), path.name


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study file on 3,000 simulated patients."""
    return write_simulated_study(tmp_path_factory.mktemp("study"), setting="error_by_disease", n_patients=3000, seed=11)


@pytest.fixture(scope="module")
def unbroken(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of that study when nothing happens to it."""
    return run_study(load_study(simulated), tmp_path_factory.mktemp("unbroken") / "out").out


def building(out: Path) -> list[Path]:
    return list((out / "private").glob("*.building*"))


def test_a_run_killed_while_the_cohort_is_built_runs_again_and_clears_up(
    simulated: Path, unbroken: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for _ in range(2):  # the second kill finds the leftovers of the first
        kill_when(simulated, out, lambda told: bool(building(out)))
        assert building(out), "the kill must leave something to clear up, or this test shows nothing"
        assert not (out / "private" / "cohort.duckdb").exists()
    assert len({path.name.split(".building")[0] for path in building(out)}) == 1
    subprocess.run(run_command(simulated, out), check=True, capture_output=True, timeout=300)
    assert_same_results(out, unbroken)


def test_a_finished_run_killed_while_it_runs_anew_ends_as_if_nothing_had_happened(
    simulated: Path, unbroken: Path, tmp_path: Path
) -> None:
    """The old cohort stays whole until the new one is; no result of the old run is taken for one of the new."""
    out = tmp_path / "out"
    other = simulated.with_name("other.toml")
    other.write_text(simulated.read_text("utf-8").replace("[20, 45, 55", "[20, 50, 55"), encoding="utf-8")
    run_study(load_study(other), out)
    before = (out / "private" / "cohort.duckdb").read_bytes()
    kill_when(simulated, out, lambda told: bool(building(out)))
    assert (out / "private" / "cohort.duckdb").read_bytes() == before
    assert [plan.name for plan in plan_study(load_study(simulated), out) if plan.stale] == list(STAGES[1:])
    run_study(load_study(simulated), out)
    assert_same_results(out, unbroken)


def test_a_stage_killed_half_way_is_run_again(simulated: Path, unbroken: Path, tmp_path: Path) -> None:
    """Half a table of a stage that never finished is written anew, not read."""
    out = tmp_path / "out"
    study = load_study(simulated)
    run_study(study, out)
    stages = json.loads((out / "private" / "stages.json").read_text(encoding="utf-8"))
    del stages["estimates"]
    (out / "private" / "stages.json").write_text(json.dumps(stages), encoding="utf-8")
    (out / "private" / "estimates.parquet").write_bytes(b"half a file")
    assert [plan.name for plan in plan_study(study, out) if plan.stale] == ["estimates"]
    run_study(study, out)
    assert_same_results(out, unbroken)


HOLD = """
import sys, time
from pathlib import Path
from sexstrat.cohort.half_built import built_aside
from sexstrat.cohort.sql import connect
with built_aside(Path(sys.argv[1])) as path:
    connection = connect(path)
    connection.execute("CREATE TABLE t AS SELECT 1 AS one")
    print("building", flush=True)
    sys.stdin.readline()
    connection.close()
"""


def test_a_build_not_killed_but_at_work_is_left_alone(tmp_path: Path) -> None:
    """Another process builds the same cohort: its file is no leftover, and it is finished undisturbed."""
    persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    target = tmp_path / "c.duckdb"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "building\n"
    (at_work,) = tmp_path.glob("*.building")
    Cohort.create(target, persons=persons).close()
    assert at_work.exists()
    other.communicate("\n", timeout=60)
    assert other.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["c.duckdb"]
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.execute("SELECT one FROM t").fetchall() == [(1,)]


def test_all_that_a_killed_build_leaves_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    """The half-built file, its log and its spilled results go; files of other names stay."""
    persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    gone = tmp_path / "c.duckdb.0a1b2c3d.building"
    gone.write_bytes(b"half a database")
    gone.with_name(f"{gone.name}.wal").write_bytes(b"half a log")
    spills = [gone.with_name(f"{gone.name}.tmp"), tmp_path / "c.duckdb.ffffffff.building.tmp"]
    for spill in spills:
        spill.mkdir()
        (spill / "block").write_bytes(b"spilled")
    kept = ["d.duckdb.0a1b2c3d.building", "notes.building.txt", "c.duckdb.old"]
    for name in kept:
        (tmp_path / name).write_bytes(b"kept")
    Cohort.create(tmp_path / "c.duckdb", persons=persons).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "c.duckdb"])


@pytest.mark.slow
def test_runs_killed_at_many_moments_all_end_the_same(tmp_path: Path) -> None:
    """Forty thousand patients, killed again and again a little later each time, until one run gets through."""
    study = write_simulated_study(tmp_path / "study", setting="error_by_disease", n_patients=40_000, seed=12)
    for out in ("unbroken", "warm"):  # the second run is timed: the first one also fills the machine's caches
        started = time.monotonic()
        subprocess.run(run_command(study, tmp_path / out), check=True, capture_output=True, timeout=600)
        whole = time.monotonic() - started
    total = 0
    for rounds in (6, 12, 30):
        out = tmp_path / f"killed_{rounds}"
        kills = 0
        for k in range(1, 10 * rounds):
            try:
                subprocess.run(run_command(study, out), check=True, capture_output=True, timeout=whole * k / rounds)
            except subprocess.TimeoutExpired:
                kills += 1
                continue
            break
        assert kills >= 3
        total += kills
        assert_same_results(out, tmp_path / "unbroken")
    assert total >= 10
