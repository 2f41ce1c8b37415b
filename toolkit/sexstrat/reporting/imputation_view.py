"""The table that compares ways to treat the sexes that are not recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.number_format import count, is_number, share
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.table_view import Cell, Group, TableView, estimate_cell, table_view
from sexstrat.reporting.texts import MEASURES, STANDARDS, sentence_case

__all__ = ["imputation_table"]

METHODS: Mapping[str, str] = {
    "complete_case": "Recorded sex only",
    "single_imputation": "Imputed once",
    "improper_imputation": "Imputed many times, improper",
    "proper_imputation": "Imputed many times, proper",
    "analytic_limit": "Proper, infinitely many",
    "imputation_without_disease": "Imputed without the disease",
}
_VALID = {"valid": "valid", "wrong": "not valid", "if_recorded_at_random": "if recorded at random"}
_NOTE = (
    "W: variance within, B: between imputations, of the log ratio or in squared percentage points. Missing "
    "information: share of the information about the contrast that the unrecorded sexes would add. Efficiency: "
    "against infinitely many imputations. Monte Carlo error: what another run would move the estimate by, as a share "
    "of its standard error."
)


def _percent(value: Any) -> Cell:
    return Cell(text=share(float(value)) if is_number(value) else "")


def _variance(row: Mapping[str, Any], name: str) -> Cell:
    """Print a variance on the scale of the interval: of a log ratio, or in squared percentage points."""
    if not is_number(row[name]):
        return Cell(text="")
    points = str(row["scale"]) == "identity"
    return Cell(text=f"{float(row[name]) * (1e4 if points else 1.0):.3g}")


def _line(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    validity = _VALID.get(str(row["validity"]), str(row["validity"]))
    head = Cell(text=METHODS.get(str(row["method"]), str(row["method"])), note=validity, kind="head")
    return (
        head,
        estimate_cell(row, str(row["measure"])),
        _variance(row, "within"),
        _variance(row, "between"),
        _percent(row["fmi"]),
        _percent(row["relative_efficiency"]),
        _percent(row["monte_carlo_share"]),
        Cell(text=count(row["imputations_needed"]) if is_number(row["imputations_needed"]) else ""),
    )


def imputation_table(imputation: Rows, condition: str, file: str) -> TableView | None:
    """Return one line a method, for the ratio and the difference at each standard, or None where nothing is imputed.

    Parameters
    ----------
    imputation : released rows.
    condition : the disease.
    file : name of the CSV.

    Examples
    --------
    >>> imputation_table(Rows(()), "glaucoma", "i.csv") is None
    True
    """
    rows = imputation.where(condition=condition)
    if not rows.rows:
        return None
    groups = []
    for standard in map(str, rows.values("standard")):
        for measure in map(str, rows.values("measure")):
            here = rows.where(standard=standard, measure=measure).rows
            heading = f"{sentence_case(MEASURES.get(measure, measure))}, {STANDARDS.get(standard, standard)}"
            groups.append(Group(heading=heading, rows=tuple(_line(row) for row in here)))
    columns = ("", "Estimate", "W", "B", "Missing information", "Efficiency", "Monte Carlo error", "Imputations needed")
    caption = f"{sentence_case(condition)}: ways to treat the sexes that are not recorded"
    return table_view(caption, columns, groups, note=_NOTE, file=file, rows=rows.rows)
