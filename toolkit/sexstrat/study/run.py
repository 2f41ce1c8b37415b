"""Run a study: only the stages that are stale, everything written for people through the disclosure gate."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sexstrat.cohort import CheckedInputs
from sexstrat.scores.replacing import clear_leftovers, refusal_told, replace_file
from sexstrat.scores.sole_run import sole_run
from sexstrat.study.file import Study
from sexstrat.study.manifest import MANIFEST, write_manifest
from sexstrat.study.plan import STAGES_FILE, StagePlan, code_digest, digest_file, plan_study, read_stages
from sexstrat.study.referenced import check_conditions, check_references
from sexstrat.study.rules import rule_outcomes
from sexstrat.study.run_log import RunLog
from sexstrat.study.stages import RUNNERS, check_tables, table_input
from sexstrat.study.versions import package_versions
from sexstrat.values.one_thread import one_thread

if TYPE_CHECKING:
    from sexstrat.study.headlines import Headlines

__all__ = ["RunSummary", "check_study", "run_stages", "run_study"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run left behind.

    Parameters
    ----------
    out : the run folder.
    report : the HTML page.
    stages : what was planned, in order.
    released : path of the released results (JSON).
    """

    out: Path
    report: Path
    stages: tuple[StagePlan, ...]
    released: Path

    def document(self) -> dict[str, Any]:
        """Return the run as plain values for ``--json``."""
        stages = [{"stage": stage.name, "ran": stage.stale, "why": stage.why} for stage in self.stages]
        return {"report": str(self.report), "results": str(self.released), "stages": stages}

    def rules(self) -> tuple[dict[str, str], ...]:
        """Return each declared rule in words, with its outcome and what must be said of it."""
        return rule_outcomes(json.loads(self.released.read_text(encoding="utf-8"))["tables"]["rules"]["rows"])

    def headlines(self) -> tuple[Headlines, ...]:
        """Return the prevalence ratios that the page leads with, naive and truth beside them."""
        from sexstrat.study.headlines import headline_tables

        return headline_tables(json.loads(self.released.read_text(encoding="utf-8")))


def check_study(study: Study) -> CheckedInputs:
    """Check every input of a study against its contract without writing anything.

    Parameters
    ----------
    study : the study.

    Returns
    -------
    The warnings, and how many rows of each table were read, kept and left out.

    Raises
    ------
    StudyError : the study names a file, model or disease that is not there.
    SchemaError : an input breaks its contract; all problems at once.
    """
    check_references(study)
    found = check_tables(study)
    if study.section("analysis")["conditions"]:
        from sexstrat.cohort.condition_names import condition_names

        check_conditions(study, condition_names(table_input(study, "conditions")))
    return found


def run_study(study: Study, out: str | Path, *, tell: Callable[[str], None] = lambda text: None) -> RunSummary:
    """Run the stale stages of a study: exactly those that ``plan_study`` names.

    A run that was killed, or that ended for want of space, goes on where it was when it is started again, and ends
    with the same bytes as one that nothing happened to. What ran, when and why is added to ``private/run.log``.

    Parameters
    ----------
    study : the study, from :func:`sexstrat.study.load_study`.
    out : the run folder; results for people lie in it, ``private/`` holds what must not leave.
    tell : called with one line a stage.

    Returns
    -------
    Where the report and the released results are, and what ran.

    Raises
    ------
    StudyError : the study names a file, model or disease that is not there; the folder cannot be written, the disk is
        full, or another run is at the folder.
    SchemaError, EstimationError, ModelError, DisclosureError : as each stage finds.
    """
    check_references(study)
    folder = Path(out)
    sealed = folder / MANIFEST
    with _held(folder):
        plans = plan_study(study, folder)
        if any(stage.stale for stage in plans):
            sealed.unlink(missing_ok=True)  # what is rewritten is not sealed until it is whole
        _run(study, folder, plans, tell)
        if not sealed.exists():
            write_manifest(folder)
            RunLog(folder=folder).add(f"sealed: {MANIFEST} holds the digest of every released file")
    return RunSummary(
        out=folder, report=folder / "report.html", stages=tuple(plans), released=folder / "tables" / "results.json"
    )


def run_stages(
    study: Study, folder: Path, names: Sequence[str], *, tell: Callable[[str], None] = lambda text: None
) -> list[StagePlan]:
    """Run those of the named stages that are stale, in the order of a run.

    Parameters
    ----------
    study, tell : as in :func:`run_study`.
    folder : the run folder.
    names : stages, each after those it needs.

    Returns
    -------
    What was planned for them.

    Raises
    ------
    StudyError : the folder cannot be written, the disk is full, or another run is at the folder.
    """
    with _held(folder):
        plans = [stage for stage in plan_study(study, folder) if stage.name in names]
        _run(study, folder, plans, tell)
    return plans


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the run folder for this process, and clear what killed runs left half written."""
    private = folder / "private"
    with refusal_told(folder):
        private.mkdir(mode=0o700, parents=True, exist_ok=True)  # for whoever holds the data
        holding = sole_run(private)
        holding.__enter__()
    try:
        with refusal_told(folder):
            for path in (folder / MANIFEST, folder / "report.html"):
                clear_leftovers(path)
            for leftover in (*private.glob(".*.tmp"), *folder.glob("tables/.*.tmp")):
                leftover.unlink(missing_ok=True)
        yield
    finally:
        holding.__exit__(None, None, None)


def _run(study: Study, folder: Path, plans: Sequence[StagePlan], tell: Callable[[str], None]) -> None:
    log = RunLog(folder=folder)
    log.add(_heading(study, plans))
    finished = read_stages(folder)
    for stage in plans:
        if not stage.stale:
            tell(f"{stage.name}: up to date")
            continue
        started = time.monotonic()
        finished.pop(stage.name, None)
        _store_stages(folder, finished)
        with log.stage(stage.name, stage.why) as told, one_thread():
            detail = RUNNERS[stage.name](study, folder, tell)
            told(detail)
        finished[stage.name] = dict(stage.components)
        _store_stages(folder, finished)
        tell(f"{stage.name}: {detail} ({time.monotonic() - started:.1f} s; {stage.why})")


def _heading(study: Study, plans: Sequence[StagePlan]) -> str:
    """Say what runs on what: the study file by its digest, seed, code and versions."""
    stale = [stage.name for stage in plans if stage.stale]
    versions = ", ".join(f"{name} {found}" for name, found in package_versions().items())
    return "\n".join(
        (
            f"run: {study.path.name} (sha256 {digest_file(study.path)}), seed {study.seed}",
            f"versions: {versions}; code sha256 {code_digest()}",
            f"plan: {', '.join(stale) if stale else 'nothing, all is up to date'}",
        )
    )


def _store_stages(folder: Path, stages: dict[str, dict[str, str]]) -> None:
    text = json.dumps(stages, indent=1, sort_keys=True)
    replace_file(folder / STAGES_FILE, lambda target: target.write_text(text, encoding="utf-8"))
