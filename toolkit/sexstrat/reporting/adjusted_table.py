"""Other ways to compare the sexes: Mantel-Haenszel, regression, trend with age; and eyes against persons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.forest import line_label
from sexstrat.reporting.headline import Headline
from sexstrat.reporting.rows import Rows, has_number
from sexstrat.reporting.table_view import Cell, Group, TableView, estimate_cell, table_view
from sexstrat.reporting.texts import MEASURES, SEXES, STANDARDS, sentence_case

__all__ = ["adjusted_table", "eye_table"]

# heading, key of the choice that names the estimator, measures
_GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Mantel\N{EN DASH}Haenszel over the age bands",
        "mantel_haenszel",
        (
            "mantel_haenszel_prevalence_ratio",
            "mantel_haenszel_prevalence_difference",
            "mantel_haenszel_odds_ratio",
        ),
    ),
    ("Regression on sex and age", "regression", ("regression_prevalence_ratio", "regression_odds_ratio")),
    (
        "Change with age, per decade",
        "trend",
        (
            "odds_ratio_per_decade",
            "ratio_of_odds_ratios_per_decade",
            "prevalence_ratio_per_decade",
            "ratio_of_prevalence_ratios_per_decade",
        ),
    ),
)
_BY_SEX = ("odds_ratio_per_decade", "prevalence_ratio_per_decade")
_BESIDE = ("naive_threshold", "complete_case", "truth")
_EYES = (
    ("prevalence", "eye_prevalence"),
    ("prevalence_ratio", "eye_prevalence_ratio"),
    ("prevalence_difference", "eye_prevalence_difference"),
    ("prevalence_odds_ratio", "eye_prevalence_odds_ratio"),
)
_NOTE = (
    "Mantel\N{EN DASH}Haenszel takes the contrast to be alike in every age band. Regressions impute the sexes that are "
    "not recorded. A ratio of 1 in the last rows of change with age means that it changes alike in men and women."
)


def _lead(rows: Rows, lead: Headline, key: str, measure: str, sex: str | None) -> Mapping[str, Any] | None:
    """Return the row of the estimator that answers for a way of adjusting."""
    here = rows.where(measure=measure, sex=sex)
    if key == "regression":
        return here.first()
    named = ((lead.choice or {}).get("adjusted_estimators") or {}).get(key) or lead.estimator
    return here.first(estimator=named)


def adjusted_table(estimates: Rows, lead: Headline, file: str) -> TableView | None:
    """Return one line a measure: the estimator that leads, predicted sex, recorded sex only and truth, or None.

    Parameters
    ----------
    estimates : released rows.
    lead : the condition.
    file : name of the CSV.

    Examples
    --------
    >>> adjusted_table(Rows(()), Headline(condition="a", standard="crude", estimator=None), "a.csv") is None
    True
    """
    wanted = {measure for _, _, measures in _GROUPS for measure in measures}
    rows = Rows(tuple(row for row in estimates.where(condition=lead.condition).rows if row["measure"] in wanted))
    if not rows.rows:
        return None
    beside = [name for name in _BESIDE if rows.where(estimator=name).rows]
    groups = []
    for heading, key, measures in _GROUPS:
        lines = []
        for measure in measures:
            for sex in SEXES if measure in _BY_SEX else (None,):
                here = rows.where(measure=measure, sex=sex)
                if not here.rows:
                    continue
                main = _lead(rows, lead, key, measure, sex)
                name = MEASURES[measure] if sex is None else f"{SEXES[sex]}: {MEASURES[measure]}"
                cells = [estimate_cell(main, measure, dagger=True)]
                cells += [_beside(here.first(estimator=other), measure) for other in beside]
                lines.append((Cell(text=sentence_case(name), kind="head"), *cells))
        if lines:
            groups.append(Group(heading=heading, rows=tuple(lines)))
    columns = ["", "Estimated", *(line_label(name) for name in beside)]
    caption = f"{sentence_case(lead.condition)}: other ways to compare men and women, and change with age"
    return table_view(caption, columns, groups, note=_NOTE, file=file, rows=rows.rows)


def _beside(row: Mapping[str, Any] | None, measure: str) -> Cell:
    """Return a cell that stays empty where an estimator has no such measure."""
    return Cell(text="") if row is None else estimate_cell(row, measure)


def eye_table(estimates: Rows, lead: Headline, file: str) -> TableView | None:
    """Return persons and eyes side by side, as two named estimands, or None where disease is not known by eye.

    Examples
    --------
    >>> eye_table(Rows(()), Headline(condition="a", standard="crude", estimator=None), "a.csv") is None
    True
    """
    rows = estimates.where(condition=lead.condition, age_low=None, age_high=None)
    eyes = Rows(tuple(row for row in rows.rows if str(row["measure"]).startswith("eye_")))
    if not eyes.rows:
        return None
    groups = []
    for standard in map(str, eyes.values("standard")):
        chosen = lead.standard_estimator(standard)
        lines = []
        for persons, of_eyes in _EYES:
            for sex in SEXES if persons == "prevalence" else (None,):
                pair = [
                    rows.first(measure=measure, sex=sex, standard=standard, estimator=chosen)
                    for measure in (persons, of_eyes)
                ]
                if pair[1] is None:
                    continue
                name = MEASURES[persons] if sex is None else f"{MEASURES[persons]}, {SEXES[sex].lower()}"
                cells = [estimate_cell(row, measure) for row, measure in zip(pair, (persons, of_eyes), strict=True)]
                lines.append((Cell(text=sentence_case(name), kind="head"), *cells))
        heading = "Crude" if standard == "crude" else f"Age-standardised: {STANDARDS.get(standard, standard)}"
        groups.append(Group(heading=heading, rows=tuple(lines)))
    note = "Persons: patients with the condition in at least one eye. Eyes: graded eyes with it, of all graded eyes."
    caption = f"{sentence_case(lead.condition)}: persons and eyes"
    told = any(has_number(row) for row in eyes.rows)
    note = note if told else f"{note} No number among eyes could be given."
    return table_view(caption, ("", "Persons", "Eyes"), groups, note=note, file=file, rows=eyes.rows)
