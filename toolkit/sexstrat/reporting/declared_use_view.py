"""What a study declares about photographs and ages, as tables: who is lost to quality, how far predicted ages err."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.number_format import plain
from sexstrat.reporting.rows import Rows, age_order, has_number
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, estimate_cell, table_view
from sexstrat.reporting.texts import METRICS, sentence_case

__all__ = ["DECLARED_METRICS", "age_error_table", "age_sentences", "quality_table"]

DECLARED_METRICS = ("below_declared_quality", "age_bias", "age_absolute_error", "age_band_agreement")
_AGE = DECLARED_METRICS[1:]
_AGE_HEADINGS = {
    "overall": "",
    "recorded_age_band": "By band of recorded age: where people of an age are put",
    "predicted_age_band": "By band of predicted age: who the people put there are",
}
_CONDITION = "condition: "


def quality_table(audit: Rows) -> TableView | None:
    """Return the share of photographs below the declared quality by age, sex and disease; None where none is declared.

    Parameters
    ----------
    audit : released rows of the audit.

    Examples
    --------
    >>> quality_table(Rows(())) is None
    True
    """
    rows = audit.where(metric=DECLARED_METRICS[0])
    if not rows.rows:
        return None
    groups = []
    for group in map(str, rows.values("group")):
        inside = rows.where(group=group)
        levels = map(str, inside.values("level_name"))
        ordered = sorted(levels, key=age_order) if group == "age_band" else list(levels)
        lines = tuple(_quality_line(inside.first(level_name=level), group, level) for level in ordered)
        groups.append(Group(heading=_heading(group), rows=lines))
    columns = ("", "Patients", "Photographs", METRICS[DECLARED_METRICS[0]])
    return table_view(
        "Photographs below the declared quality, counted as ungradable", columns, groups, file="below-quality.csv",
        rows=rows.rows,
    )  # fmt: skip


def _heading(group: str) -> str:
    known = {"overall": "", "age_band": "Age", "recorded_sex": "Recorded sex"}
    return known.get(group, sentence_case(group.removeprefix(_CONDITION)))


def _quality_line(row: Mapping[str, Any] | None, group: str, level: str) -> tuple[Cell, ...]:
    return (
        Cell(text=_label(group, level), kind="head"),
        count_cell(row, "n_patients"),
        count_cell(row, "n_images"),
        estimate_cell(row, DECLARED_METRICS[0]),
    )


def _label(group: str, level: str) -> str:
    if group == "overall":
        return "All"
    return level.replace("-", "\N{EN DASH}") if group.endswith("age_band") else sentence_case(level)


def age_error_table(audit: Rows) -> TableView | None:
    """Return the errors of predicted age by band; None where no age is predicted.

    Parameters
    ----------
    audit : released rows of the audit.

    Examples
    --------
    >>> age_error_table(Rows(())) is None
    True
    """
    chosen = Rows(tuple(row for row in audit.rows if row["metric"] in _AGE))
    if not chosen.rows:
        return None
    groups = []
    for group, heading in _AGE_HEADINGS.items():
        levels = sorted(map(str, chosen.where(group=group).values("level_name")), key=age_order)
        lines = tuple(_age_line(chosen.where(group=group, level_name=level), group, level) for level in levels)
        groups.append(Group(heading=heading, rows=lines))
    columns = ("Age", "Patients with both ages", *(METRICS[name] for name in _AGE))
    return table_view(
        "Predicted against recorded age", columns, groups, file="predicted-age-errors.csv", rows=chosen.rows
    )  # fmt: skip


def _age_line(rows: Rows, group: str, level: str) -> tuple[Cell, ...]:
    return (
        Cell(text=_label(group, level), kind="head"),
        count_cell(rows.first(metric="age_bias"), "n_patients"),
        *(estimate_cell(rows.first(metric=name), name) for name in _AGE),
    )


def age_sentences(audit: Rows) -> tuple[str, ...]:
    """Say in words what errors of predicted age do to age bands; nothing where no age is predicted or may be shown.

    Parameters
    ----------
    audit : released rows of the audit.

    Examples
    --------
    >>> row = {"metric": "age_band_agreement", "group": "overall", "level_name": "all", "point": 0.62}
    >>> age_sentences(Rows((row | {"state": "measured", "low": None, "high": None},)))[0]
    'Of the patients who have both ages, 62.0% are put in the age band of their recorded age.'
    """
    overall = audit.first(metric="age_band_agreement", group="overall")
    told = []
    if overall is not None and has_number(overall):
        share = plain("age_band_agreement", float(overall["point"]))
        told.append(f"Of the patients who have both ages, {share}% are put in the age band of their recorded age.")
    bands = [
        row for row in audit.where(metric="age_bias", group="recorded_age_band").rows
        if has_number(row) and row["low"] is not None and row["low"] * row["high"] > 0
    ]  # fmt: skip
    for row in bands:
        size, side = abs(float(row["point"])), "older" if float(row["point"]) > 0 else "younger"
        band = str(row["level_name"]).replace("-", "\N{EN DASH}")
        told.append(f"People of {band} are taken for {size:.1f} years {side} than recorded, on average.")
    return tuple(told)
