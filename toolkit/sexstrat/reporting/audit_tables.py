"""The tables of the audit: every metric by group, and the gaps between groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.number_format import count, is_number
from sexstrat.reporting.rows import Rows, age_order
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, estimate_cell, table_view
from sexstrat.reporting.texts import METRICS, sentence_case

__all__ = ["audit_table", "gap_table", "metric_table"]

_SHOWN = (
    "correct_among_men",
    "correct_among_women",
    "auc",
    "predicted_minus_observed_male_share",
    "calibration_in_the_large",
    "ungradable",
)


_CAVEATS = {
    "ece": "never tested",
    "predicted_male_share": "not a defect by itself: the true share differs by age",
}
_METRICS_NOTE = (
    "Male is the positive class. A group too small for a metric's own denominator is not defined there, and takes no "
    "part in any gap."
)


def audit_table(audit: Rows, group: str) -> TableView | None:
    """Return every metric of one grouping, the whole cohort first.

    Parameters
    ----------
    audit : released rows of the audit.
    group : the grouping variable, for instance ``age_band``.

    Returns
    -------
    The table, or None when the grouping has no row.

    Examples
    --------
    >>> audit_table(Rows(()), "age_band") is None
    True
    """
    levels = sorted(map(str, audit.where(group=group).values("level_name")), key=age_order)
    if not levels:
        return None
    metrics = [name for name in _SHOWN if audit.where(metric=name).rows]
    everyone = [("overall", str(name)) for name in audit.where(group="overall").values("level_name")]
    lines = tuple(_line(audit.where(group=g, level_name=name), g, name, metrics) for g, name in
                  [*everyone, *((group, level) for level in levels)])  # fmt: skip
    shown = tuple(row for row in audit.rows if row["group"] in {"overall", group})
    columns = [_group_name(group), "Patients, and their recorded sex", *(METRICS[name] for name in metrics)]
    caption = f"The model against recorded sex, by {_group_name(group).lower()}"
    file = f"audit-{''.join(c if c.isascii() and c.isalnum() else '-' for c in group)}.csv"
    return table_view(caption, columns, [Group(heading="", rows=lines)], file=file, rows=shown)


def metric_table(audit: Rows, group: str) -> TableView | None:
    """Return every metric as a line and every group as a column, the whole cohort first.

    Parameters
    ----------
    audit : released rows of the audit.
    group : the grouping variable.

    Returns
    -------
    The table, or None when the grouping has no row, or no metric beyond those of :func:`audit_table`.

    Examples
    --------
    >>> metric_table(Rows(()), "age_band") is None
    True
    """
    levels = sorted(map(str, audit.where(group=group).values("level_name")), key=age_order)
    metrics = [name for name in METRICS if audit.where(metric=name, group="overall").rows]
    if not levels or not set(metrics) - {*_SHOWN, "n_images", "n_patients"}:
        return None
    places = [("overall", "all"), *((group, level) for level in levels)]
    lines = tuple(
        (
            Cell(text=METRICS[name], note=_CAVEATS.get(name, ""), kind="head"),
            *(estimate_cell(audit.first(metric=name, group=one, level_name=level), name) for one, level in places),
        )
        for name in metrics
    )
    columns = ["", "All", *(level.replace("-", "\N{EN DASH}") if group == "age_band" else level for level in levels)]
    caption = f"Every metric by {_group_name(group).lower()}"
    return table_view(caption, columns, [Group(heading="", rows=lines)], note=_METRICS_NOTE)


def _group_name(group: str) -> str:
    return "Age" if group == "age_band" else sentence_case(group)


def _line(rows: Rows, group: str, level: str, metrics: list[str]) -> tuple[Cell, ...]:
    label = "All" if group == "overall" else level.replace("-", "\N{EN DASH}") if group == "age_band" else level
    known = rows.first(metric="n_patients")
    if known is not None:
        patients = count_cell({**known, "n_patients": known["point"]}, "n_patients")
        patients = Cell(text=patients.text, note=_sexes(known), kind=patients.kind)
    else:
        first = rows.first(metric="auc") or (rows.rows[0] if rows.rows else None)
        patients = count_cell(first, "n_patients")
        patients = Cell(text=patients.text, note=_sexes(first), kind=patients.kind)
    return (
        Cell(text=label, kind="head"),
        patients,
        *(estimate_cell(rows.first(metric=name), name) for name in metrics),
    )


def _sexes(row: Mapping[str, Any] | None) -> str:
    """Print how many men and women there are, when both may be printed."""
    if row is None or not (is_number(row.get("n_male")) and is_number(row.get("n_female"))):
        return ""
    return f"{count(row['n_male'])} men, {count(row['n_female'])} women"


def gap_table(gaps: Rows) -> TableView | None:
    """Return the gaps between groups, or None when there is none.

    Examples
    --------
    >>> gap_table(Rows(())) is None
    True
    """
    compared = gaps.where(comparison="reference", scale="difference")
    if not compared.rows:
        return None
    groups = []
    for metric in compared.values("metric"):
        rows = sorted(
            compared.where(metric=metric).rows, key=lambda row: (str(row["group"]), age_order(str(row["level_name"])))
        )  # fmt: skip
        lines = tuple(
            (
                Cell(text=f"{_group_name(str(row['group']))} {_level(row, 'level_name')}", kind="head"),
                Cell(text=_level(row, "reference"), kind="text"),
                count_cell(row, "n_patients"),
                count_cell(row, "n_patients_reference"),
                _difference(row),
            )
            for row in rows
        )
        groups.append(Group(heading=METRICS.get(str(metric), sentence_case(str(metric))), rows=lines))
    columns = ("Group", "Compared with", "Patients in the group", "Patients compared with", "Difference")
    return table_view("Gaps between groups", columns, groups, file="gaps.csv", rows=gaps.rows)


def _level(row: Mapping[str, Any], name: str) -> str:
    """Print a group's name; an age band with the dash that epidemiologists use."""
    text = str(row[name])
    return text.replace("-", "\N{EN DASH}") if row["group"] == "age_band" else text


def _difference(row: Mapping[str, Any]) -> Cell:
    """Print a gap of shares in percentage points, any other in its own unit."""
    metric = str(row["metric"])
    own = {"auc": "auc_difference", "calibration_in_the_large": "calibration_in_the_large"}
    return estimate_cell(row, own.get(metric, "predicted_minus_observed_male_share"))
