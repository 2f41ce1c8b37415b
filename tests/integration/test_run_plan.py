"""A run does what its plan says, neither more nor less, and keeps a log of it that no result depends on."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.errors import StudyError
from sexstrat.scores.sole_run import sole_run
from sexstrat.study import StagePlan, load_study, plan_study, run_study, versions
from sexstrat.study.left_behind import left_behind
from sexstrat.study.manifest import verify_run
from sexstrat.study.run_log import LOG
from sexstrat.study.stages import RUNNERS

STAGES = ("scores", "cohort", "estimates", "audit", "report")


@pytest.fixture
def study(small_study: Path) -> Iterator[Path]:
    """Return the small study, whose files a test may change: they are put back after it."""
    kept = {path: path.read_bytes() for path in (small_study, small_study.with_name("conditions.csv"))}
    yield small_study
    for path, data in kept.items():
        path.write_bytes(data)


@pytest.fixture
def out(unbroken_run: Path, tmp_path: Path) -> Path:
    """Return a copy of its finished run folder."""
    return Path(shutil.copytree(unbroken_run, tmp_path / "out"))


def executed(out: Path) -> list[tuple[str, str]]:
    """Return the stages that the last run began, and why, as its log tells."""
    log = (out / LOG).read_text(encoding="utf-8").rsplit(" run: ", 1)[1]
    return re.findall(r"Z (\w+): begins \((.*)\)$", log, flags=re.MULTILINE)


def planned(study: Path, out: Path) -> list[tuple[str, str]]:
    return [(stage.name, stage.why) for stage in plan_study(load_study(study), out) if stage.stale]


def one_row(study: Path) -> None:
    """Give one well patient the disease."""
    path = study.with_name("conditions.csv")
    table = pd.read_csv(path)
    table.loc[table.index[~table["present"].astype(bool)][0], "present"] = True
    table.to_csv(path, index=False)


def one_setting(study: Path) -> None:
    study.write_text(study.read_text(encoding="utf-8") + "\n[audit]\nmin_patients = 12\n", encoding="utf-8")


CHANGES = {
    "a row of the conditions": (one_row, STAGES[1:], {"cohort": "input conditions.csv"}),
    "a setting of the audit": (one_setting, ("audit", "report"), {"audit": "setting audit.min_patients"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_executes_its_plan_after_a_change_and_nothing_else(study: Path, out: Path, change: str) -> None:
    """Each stale stage runs once, in order, for the reason that was told; then nothing is stale any more."""
    made, stages, causes = CHANGES[change]
    made(study)
    plan = planned(study, out)
    assert tuple(name for name, _ in plan) == stages
    assert {name: why for name, why in plan if name in causes} == {n: f"changed: {c}" for n, c in causes.items()}
    run_study(load_study(study), out)
    assert executed(out) == plan
    assert planned(study, out) == []
    assert verify_run(out).holds


def test_a_new_version_of_a_package_makes_stale_what_it_computes(
    study: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of seaborn draws the page anew and estimates nothing; another numpy estimates anew."""
    real: Callable[[str], str] = versions.version
    for package, stages in (("numpy", ("estimates", "audit", "report")), ("seaborn", ("report",))):
        with monkeypatch.context() as patched:
            patched.setattr(versions, "version", lambda name, new=package: "99" if name == new else real(name))
            plan = planned(study, out)
            assert tuple(name for name, _ in plan) == stages
            assert plan[0][1] == f"changed: version of {package}"
            if package == "seaborn":
                run_study(load_study(study), out)
                assert executed(out) == plan
                assert planned(study, out) == []
                told = json.loads((out / "tables" / "results.json").read_text(encoding="utf-8"))
                assert told["provenance"]["versions"]["seaborn"] == "99"
    assert [name for name, _ in planned(study, out)] == ["report"]  # the version is what it was before


def test_a_stage_whose_result_is_gone_runs_again(study: Path, out: Path, unbroken_run: Path) -> None:
    """Deleted by hand or lost in a copy: the plan names the file, and the run makes it again."""
    (out / "report.html").unlink()
    (out / "private" / "gaps.parquet").unlink()
    assert planned(study, out) == [
        ("audit", "its result is gone: private/gaps.parquet"),
        ("report", "its result is gone: report.html"),
    ]
    run_study(load_study(study), out)
    assert (out / "private" / "gaps.parquet").read_bytes() == (unbroken_run / "private" / "gaps.parquet").read_bytes()
    assert verify_run(out).holds


def test_every_file_that_a_run_leaves_belongs_to_a_stage(study: Path, out: Path) -> None:
    """What the plan looks for is what there is: no table of a stage is forgotten."""
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    known = {name for stage in STAGES for name in left_behind(load_study(study), stage)}
    rest = {name for name in found - known if not name.startswith("tables/")}
    assert rest == {"manifest.json", LOG, "private/stages.json"}
    assert known <= found


def test_an_input_that_changes_under_a_run_is_found_by_the_next(
    study: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest of what a stage was planned on is kept, not that of what the file has become meanwhile."""
    one_setting(study)
    real = RUNNERS["audit"]

    def slow(*arguments: object) -> str:
        one_row(study)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setitem(RUNNERS, "audit", slow)  # type: ignore[arg-type]
    run_study(load_study(study), out)
    assert ("cohort", "changed: input conditions.csv") in planned(study, out)


def test_notes_of_earlier_runs_that_cannot_be_read_make_everything_run(study: Path, out: Path) -> None:
    """Half a file there is no reason to trust any result; it is none to fail either."""
    (out / "private" / "stages.json").write_text('{"cohort": ', encoding="utf-8")
    assert planned(study, out) == [(name, "never run") for name in STAGES]


def test_two_runs_at_one_folder_are_refused(study: Path, out: Path) -> None:
    """The second would mix its files with those of the first."""
    with sole_run(out / "private"), pytest.raises(StudyError, match=r"another run is writing to .*private"):
        run_study(load_study(study), out)


def test_the_log_tells_what_ran_when_and_with_what_and_no_result_holds_it(
    study: Path, out: Path, unbroken_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begin and end of every stage with its time and memory, versions and digests; outside of what is sealed."""
    log = (unbroken_run / LOG).read_text(encoding="utf-8")
    lines = [line.split("Z ", 1)[1] for line in log.splitlines()]
    assert re.fullmatch(r"run: study\.toml \(sha256 [0-9a-f]{64}\), seed 8", lines[0])
    assert re.match(r"versions: sexstrat .*, python .*, numpy .*; code sha256 [0-9a-f]{64}$", lines[1])
    assert lines[2] == f"plan: {', '.join(STAGES)}"
    steps = [line.split(" ", 2)[:2] for line in lines[3:-1]]
    assert steps == [[f"{name}:", word] for name in STAGES for word in ("begins", "ends")]
    assert all(re.search(r"ends after \d+\.\d s \(\d+\.\d s of processor time\)", line) for line in lines[4:-1:2])
    assert lines[-1].startswith("sealed: ")
    sealed = json.loads((unbroken_run / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert not any(name.startswith("private") for name in sealed)
    monkeypatch.setitem(RUNNERS, "report", failing)  # type: ignore[arg-type]
    (out / "report.html").unlink()
    with pytest.raises(StudyError, match="no"):
        run_study(load_study(study), out)
    assert (out / LOG).read_text(encoding="utf-8").splitlines()[-1].endswith(" StudyError: no")


def failing(*_: object) -> str:
    raise StudyError("no")


def test_the_plan_tells_rough_time_and_memory_of_what_would_run(
    study: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For stale stages, marked as rough; where a table does not tell its rows, that is said."""
    one_setting(study)
    assert run(["plan", str(study), "--out", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["stage", "runs", "time", "memory", "why"]
    assert re.match(r"cohort +no +up to date$", told[2])
    assert re.match(r"audit +yes +about 2 s +about 320 MB +changed: setting audit\.min_patients$", told[4])
    assert told[-1].startswith("time and memory: rough")
    assert run(["plan", str(study), "--out", str(out), "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert [stage["roughly"] is not None for stage in stages] == [False, False, False, True, True]
    study.with_name("conditions.csv").unlink()
    assert run(["plan", str(study), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("time and memory: not known")


def test_a_plan_is_a_plain_value() -> None:
    """A stage that is not stale carries no reason to run."""
    assert StagePlan(name="audit", stale=False, why="up to date").components == {}
