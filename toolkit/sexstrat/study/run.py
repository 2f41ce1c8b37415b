"""Run a study: only the stages that are stale, everything written for people through the disclosure gate."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sexstrat.errors import Problem
from sexstrat.study.file import Study
from sexstrat.study.manifest import MANIFEST, write_manifest
from sexstrat.study.plan import STAGES, StagePlan, plan_study, read_stages, stage_components
from sexstrat.study.referenced import check_conditions, check_references
from sexstrat.study.rules import rule_outcomes
from sexstrat.study.stages import RUNNERS, check_tables, table_input

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


def check_study(study: Study) -> list[Problem]:
    """Check every input of a study against its contract without writing anything.

    Parameters
    ----------
    study : the study.

    Returns
    -------
    The warnings.

    Raises
    ------
    StudyError : the study names a file, model or disease that is not there.
    SchemaError : an input breaks its contract; all problems at once.
    """
    check_references(study)
    warnings = check_tables(study)
    if study.section("analysis")["conditions"]:
        from sexstrat.cohort.condition_names import condition_names

        check_conditions(study, condition_names(table_input(study, "conditions")))
    return warnings


def run_study(study: Study, out: str | Path, *, tell: Callable[[str], None] = lambda text: None) -> RunSummary:
    """Run the stale stages of a study.

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
    StudyError : the study names a file, model or disease that is not there.
    SchemaError, EstimationError, ModelError, DisclosureError : as each stage finds.
    """
    check_references(study)
    folder = Path(out)
    sealed = folder / MANIFEST
    if any(stage.stale for stage in plan_study(study, folder)):
        sealed.unlink(missing_ok=True)  # what is rewritten is not sealed until it is whole
    stages = run_stages(study, folder, STAGES, tell=tell)
    if not sealed.exists():
        write_manifest(folder)
    return RunSummary(
        out=folder, report=folder / "report.html", stages=tuple(stages), released=folder / "tables" / "results.json"
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
    """
    (folder / "private").mkdir(parents=True, exist_ok=True)
    stages = [stage for stage in plan_study(study, folder) if stage.name in names]
    finished = read_stages(folder)
    for stage in stages:
        if not stage.stale:
            tell(f"{stage.name}: up to date")
            continue
        started = time.monotonic()
        finished.pop(stage.name, None)
        _store_stages(folder, finished)
        detail = RUNNERS[stage.name](study, folder, tell)
        finished[stage.name] = stage_components(study, stage.name)
        _store_stages(folder, finished)
        tell(f"{stage.name}: {detail} ({time.monotonic() - started:.1f} s; {stage.why})")
    return stages


def _store_stages(folder: Path, stages: dict[str, dict[str, str]]) -> None:
    path = folder / "private" / "stages.json"
    aside = path.with_suffix(".json.part")
    aside.write_text(json.dumps(stages, indent=1, sort_keys=True), encoding="utf-8")
    aside.replace(path)
