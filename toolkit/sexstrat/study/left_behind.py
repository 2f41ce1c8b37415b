"""Name the files that a stage leaves in the run folder: without them it has no result."""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.study.file import Study

__all__ = ["left_behind"]

_PRIVATE: Mapping[str, tuple[str, ...]] = {
    "scores": (),
    "cohort": ("cohort.duckdb",),
    "estimates": (
        *("cells.parquet", "estimates.parquet", "diagnostics.parquet", "sensitivity.parquet", "imputation.parquet"),
        "choices.json",
    ),
    "audit": (
        *("audit.parquet", "gaps.parquet", "age_curves.parquet", "age_trends.parquet", "missingness.parquet"),
        *("consequences.parquet", "group_tests.parquet", "shrunken.parquet", "parity.parquet", "rules.parquet"),
    ),
    "report": (),
}
_FURTHER_COHORTS = {"truth": "truth", "external": "external_persons"}  # file -> section that asks for it


def left_behind(study: Study, stage: str) -> tuple[str, ...]:
    """Return the files of a stage's result, relative to the run folder.

    Parameters
    ----------
    study : the study, which says whether photographs are scored, and whether there is a truth or another cohort.
    stage : name of a stage.

    Examples
    --------
    >>> from pathlib import Path
    >>> left_behind(Study(path=Path("study.toml"), settings={"scores": {}, "truth": {}}), "cohort")
    ('private/cohort.duckdb', 'private/truth.duckdb')
    """
    names = list(_PRIVATE[stage])
    if stage == "scores" and "scores" not in study:
        names.append("scores.parquet")
    if stage == "cohort":
        names += [f"{name}.duckdb" for name, section in _FURTHER_COHORTS.items() if section in study]
    released = ("report.html", "tables/results.json") if stage == "report" else ()
    return (*(f"private/{name}" for name in names), *released)
