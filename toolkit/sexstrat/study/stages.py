"""The stages of a run: each reads the tables of the one before and leaves its own in the run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.cohort import CheckedInputs, Cohort, TableInput, TrainingAges, check_inputs
from sexstrat.cohort.use_frames import n_predicted_ages
from sexstrat.scores.replacing import replace_file
from sexstrat.study.counted import counted
from sexstrat.study.declared_use import score_use
from sexstrat.study.file import Study
from sexstrat.study.omop_section import omop_settings
from sexstrat.study.predicted_ages import on_predicted_ages
from sexstrat.study.referenced import check_conditions

__all__ = ["RUNNERS", "check_tables"]

Tell = Callable[[str], None]


def table_input(study: Study, section: str) -> TableInput:
    """Return where a table of the study is and how to read it."""
    keys = study.section(section)
    source = keys["source"]
    return TableInput(
        source=source,
        name=source.name if isinstance(source, Path) else source,
        section=section,
        table=keys["table"],
        drop=keys["drop"],
        on_conflict=keys.get("on_conflict", "error"),
        omop=omop_settings(study) if section in {"persons", "conditions"} else None,
        columns=keys["columns"],
        encoding=keys["encoding"],
        delimiter=keys["delimiter"],
        decimal=keys["decimal"],
    )


def image_table(study: Study) -> TableInput | None:
    """Return the image table of the study, if it gives one."""
    return table_input(study, "image_table") if "image_table" in study else None


def scores_path(study: Study, folder: Path) -> Path:
    """Return the score table of the run: the one given, or the one the run makes."""
    return Path(study.section("scores")["source"]) if "scores" in study else folder / "private" / "scores.parquet"


def check_tables(study: Study) -> CheckedInputs:
    """Check the inputs of a study against their contracts; return warnings and rows, raise SchemaError otherwise."""
    from sexstrat.errors import SchemaError

    parts = [
        check_inputs(
            persons=table_input(study, "persons"),
            scores=table_input(study, "scores") if "scores" in study else None,
            conditions=table_input(study, "conditions"),
            images=image_table(study),
            sex_coding=study.section("persons")["sex_coding"],
            training_ages=training_ages(study),
            score_use=score_use(study),
            age_scores=table_input(study, "age_scores") if "age_scores" in study else None,
            age_source=study.section("persons")["age_source"],
        )
    ]
    if "external_persons" in study:
        parts.append(
            check_inputs(
                persons=table_input(study, "external_persons"),
                scores=table_input(study, "external_scores"),
                conditions=table_input(study, "external_conditions"),
                sex_coding=study.section("external_persons")["sex_coding"],
                training_ages=training_ages(study),
                score_use=score_use(study),
            )
        )
    found = CheckedInputs(
        problems=tuple(problem for part in parts for problem in part.problems),
        rows=tuple(rows for part in parts for rows in part.rows),
    )
    if any(problem.severity == "error" for problem in found.problems):
        raise SchemaError(found.problems)
    return found


def training_ages(study: Study) -> TrainingAges:
    """Return the ages of the model the study goes by; they concern only patients scored by its very weights."""
    from sexstrat.study.card import study_card

    card = study_card(study)
    low, high = card.training_ages
    return TrainingAges(low=low, high=high, model_sha256=card.weights_sha256)


def run_scores(study: Study, folder: Path, tell: Tell) -> str:
    """Score the listed photographs, or take the given table as it is."""
    if "scores" in study:
        return f"given: {table_input(study, 'scores').label}"
    from sexstrat.scores import ScoreSummary, score_images

    keys = study.section("images")
    model = None if keys["model"] == "shipped" else str(study.path.parent / keys["model"])
    frame = score_images(
        keys["source"], model=model, trust=keys["trust"], out=scores_path(study, folder), progress=tell
    )
    summary = ScoreSummary.of(frame)
    return f"{counted(summary.n_images, 'image')} listed, {summary.n_ok:,} scored"


def run_cohort(study: Study, folder: Path, tell: Tell) -> str:
    """Join scores, persons and conditions in one DuckDB file; others with a hidden truth and with another cohort."""
    scores = (
        table_input(study, "scores")
        if "scores" in study
        else TableInput(source=scores_path(study, folder), name="scores")
    )
    conditions = table_input(study, "conditions")
    with _created(study, folder, "cohort", "persons", scores, conditions, tell) as cohort:
        summary = _cohort_summary(cohort)
        for problem in cohort.problems:
            tell(f"warning: {problem}")
    if "truth" in study:  # it is counted, it judges no score
        _created(study, folder, "truth", "truth", None, conditions, tell).close()
    if "external_persons" in study:
        others = table_input(study, "external_scores"), table_input(study, "external_conditions")
        with _created(study, folder, "external", "external_persons", others[0], others[1], tell) as cohort:
            summary += f"; {cohort.patient_counts()['validated']:,} people of another cohort whose sex is known"
            for problem in cohort.problems:
                tell(f"warning: external cohort: {problem}")
    return summary


def _created(
    study: Study, folder: Path, name: str, persons: str, scores: TableInput | None, conditions: TableInput, tell: Tell
) -> Cohort:
    aged = persons == "persons" and "age_scores" in study
    return Cohort.create(
        folder / "private" / f"{name}.duckdb",
        persons=table_input(study, persons),
        scores=scores,
        conditions=conditions,
        images=image_table(study) if persons == "persons" else None,
        sex_coding=study.section(persons)["sex_coding"],
        bands=study.bands,
        training_ages=training_ages(study),
        score_use=score_use(study),
        age_scores=table_input(study, "age_scores") if aged else None,
        age_source=study.section("persons")["age_source"] if aged else "recorded",
        progress=lambda text: tell(f"  {text}"),
    )


def _cohort_summary(cohort: Cohort) -> str:
    """Say who is analysed and how many of them carry a score and a sex that validates it."""
    counts = cohort.patient_counts()
    return (
        f"{counted(counts['analysed'], 'patient')} in the estimates, {counts['scored']:,} with a usable score, "
        f"{counts['validated']:,} with recorded sex to validate it; {counted(len(cohort.conditions), 'condition')}"
    )


def run_estimates(study: Study, folder: Path, tell: Tell) -> str:
    """Compute every estimate from the cells, what it rests on and what could change it."""
    from sexstrat.estimates.study_tables import study_tables
    from sexstrat.study.beliefs import beliefs_of

    keys = study.section("analysis")
    wanted = tuple(keys["conditions"]) or None
    with Cohort.open(folder / "private" / "cohort.duckdb") as cohort:
        check_conditions(study, cohort.conditions)
        cells = cohort.cells(wanted)
        predicted_ages = n_predicted_ages(cohort)
    truth = external = None
    if "truth" in study:
        with Cohort.open(folder / "private" / "truth.duckdb") as cohort:
            truth = cohort.cells(wanted)
    if "external_persons" in study:
        with Cohort.open(folder / "private" / "external.duckdb") as cohort:
            external = cohort.cells()
    found = study_tables(
        cells,
        conditions=wanted,
        bands=study.bands,
        design=study.section("validation")["design"],
        target=keys["target"],
        standards=tuple(keys["standards"]),
        level=keys["level"],
        seed=study.seed,
        truth=truth,
        external=external,
        beliefs=beliefs_of(study.settings),
    )
    estimates = on_predicted_ages(found.estimates) if predicted_ages else found.estimates
    write_private(folder, {"cells": cells.frame, "estimates": estimates})
    write_private(folder, {name: getattr(found, name) for name in ("diagnostics", "sensitivity", "imputation")})
    choices = found.choices
    text = json.dumps(choices, default=_plain, ensure_ascii=False, indent=1)
    replace_file(folder / "private" / "choices.json", lambda target: target.write_text(text, encoding="utf-8"))
    for choice in choices:
        for advice in choice["advice"][:1]:
            tell(f"{choice['condition']}: {choice['state']}. {advice}")
    refused = sum(choice["state"] == "refused" for choice in choices)
    told = f"{counted(len(cells.frame), 'cell')}, {counted(len(choices), 'condition')}"
    return told + (f", {refused:,} refused" if refused else "")


def run_audit(study: Study, folder: Path, tell: Tell) -> str:
    """Audit the score against recorded sex: by age and group, over age, of what has no score, and what errors do."""
    from sexstrat.study.audit_stage import run_audit as audited

    return audited(study, folder, tell)


def run_report(study: Study, folder: Path, tell: Tell) -> str:
    """Pass everything through the disclosure gate and write what people may see."""
    from sexstrat.disclosure import release
    from sexstrat.reporting import report, write_tables
    from sexstrat.study.results import study_results

    keys = study.section("disclosure")
    released = release(study_results(study, folder), keys["profile"], keys["reason"])
    write_tables(released, folder / "tables")
    page = report(released, folder / "report.html")
    hidden = sum(released.suppressed_counts.values())
    size = f"{page.stat().st_size / 1024:,.0f} KiB"
    return f"page of {size}, {counted(hidden, 'row')} suppressed by profile {keys['profile']}"


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def read_private(folder: Path, name: str) -> pd.DataFrame:
    """Read a table an earlier stage left in the private part of the run folder."""
    return pd.read_parquet(folder / "private" / f"{name}.parquet")


def write_private(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Leave tables in the private part of the run folder, each whole or not at all."""
    for name, table in tables.items():
        replace_file(folder / "private" / f"{name}.parquet", partial(table.to_parquet, index=False))


RUNNERS: Mapping[str, Callable[[Study, Path, Tell], str]] = {
    "scores": run_scores,
    "cohort": run_cohort,
    "estimates": run_estimates,
    "audit": run_audit,
    "report": run_report,
}
