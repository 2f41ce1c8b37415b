"""Who was lost at each step against who remained, by sex, age and disease, as the page draws it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, table_view
from sexstrat.reporting.texts import sentence_case

__all__ = ["losses_table"]

LARGE = 0.1  # Austin 2009, section 3.1: from here on groups are commonly called imbalanced

NOTE = (
    "Standardised difference: mean or share of those lost less that of those who remain, over the square root of the "
    "mean of their two variances; of sex as a whole the Mahalanobis distance of the shares, which has no sign. It "
    "describes these patients, whatever their number, and has no interval. Differences of 0.1 or more are commonly "
    "taken as imbalance. Known: patients whose age, sex or disease is known. References: Austin PC, Stat Med "
    "2009;28:3083; Yang D, Dalton JE, SAS Global Forum 2012, paper 335."
)


def losses_table(flow: Rows) -> TableView | None:
    """Return the table of those lost, or None where no step of the flow is told by characteristic.

    Examples
    --------
    >>> losses_table(Rows(())) is None
    True
    """
    told = [row for row in flow.rows if row["variable"] is not None]
    if not told:
        return None
    lost = {row["step"]: row for row in flow.rows if row["variable"] is None and row["patients_lost"] != 0}
    groups = []
    for step, whole in sorted(lost.items()):
        lines = tuple(_line(row) for row in told if row["step"] == step)
        if lines:
            groups.append(Group(heading=_heading(whole), rows=lines))
    if not groups:
        return None
    columns = ("", "Lost", "of known", "Remain", "of known", "Standardised difference")
    rows = [row for row in told if row["step"] in lost]
    caption = "Who was lost, against who remained"
    return table_view(caption, columns, groups, note=NOTE, file="flow_losses.csv", rows=rows)


def _heading(whole: Mapping[str, Any]) -> str:
    text = count_cell(whole, "patients_lost").text
    return f"{sentence_case(str(whole['name']))}: {text} not counted further"


def _line(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    kinds = {"age": "Age, mean of completed years", "sex": "Sex: male, female, other"}
    name = kinds.get(str(row["variable"]), "") if row["category"] is None else str(row["category"])
    if row["variable"] == "age" and row["category"] is not None:
        name = f"Age {row['category']}"
    whole = row["category"] is None  # of a characteristic as a whole all are those known
    cells = (
        Cell(text="", kind="text") if whole and counted in {"patients_lost", "n_patients"} else count_cell(row, counted)
        for counted in ("patients_lost", "known_lost", "n_patients", "n_known")
    )
    return (Cell(text=name, kind="head"), *cells, _difference(row))


def _difference(row: Mapping[str, Any]) -> Cell:
    value = row["standardised_difference"]
    if is_number(value):
        text = f"{float(value):.2f}".replace("-", "\N{MINUS SIGN}")
        return Cell(text=text, note="0.1 or more" if abs(float(value)) >= LARGE else "")
    withheld = row["state"] == "suppressed" or "standardised_difference" in str(row.get("withheld") or "").split()
    return Cell(text="suppressed" if withheld else "not defined", note=str(row["difference_note"] or ""), kind="word")
