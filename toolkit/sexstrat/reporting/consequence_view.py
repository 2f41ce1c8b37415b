"""What the measured errors do to each disease's naive ratio, as a table that an author can cite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.number_format import is_number, quantity
from sexstrat.reporting.rows import Rows, age_order, has_number
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, estimate_cell, table_view
from sexstrat.reporting.texts import sentence_case

__all__ = ["consequence_sentences", "consequence_table"]

ALL_AGES = "all"
COLUMNS: Mapping[str, str] = {
    "true_prevalence_ratio": "Ratio, recorded sex",
    "naive_prevalence_ratio": "Ratio, predicted sex",
    "relative_bias": "Bias",
    "bias_of_equal_errors": "Of it, equal errors",
    "bias_of_unequal_errors": "Of it, unequal errors",
    "bias_after_equal_correction": "Left by a correction for equal errors",
    "attenuation_factor": "Attenuation factor",
}
REPAIRS: Mapping[str, str] = {"recorded": "counting", "none": "nothing"}
_NOTE = (
    "Both ratios, men to women, are of the same patients of known sex, so their difference is the errors' doing. "
    "Biases are in percent of the true ratio. The two parts of the bias multiply: errors that strike diseased and well "
    "equally often, and the rest. The attenuation factor multiplies a difference of prevalences when errors are equal. "
    "Over all ages, errors that change with age act like unequal ones. Repaired by: the estimator that the decision "
    "table gives for this design and these numbers."
)


def consequence_table(consequences: Rows) -> TableView | None:
    """Return a line for all ages and one an age band for each disease, or None where nothing was measured.

    Parameters
    ----------
    consequences : released rows.

    Examples
    --------
    >>> consequence_table(Rows(())) is None
    True
    """
    if not consequences.rows:
        return None
    groups = []
    for condition in map(str, consequences.values("condition")):
        here = consequences.where(condition=condition)
        names = sorted(map(str, here.values("age_band")), key=lambda name: (name != ALL_AGES, age_order(name)))
        lines = tuple(_line(here.where(age_band=name), name) for name in names)
        groups.append(Group(heading=sentence_case(condition), rows=lines, lead=True))
    columns = ("Age", "Diseased men, women", *COLUMNS.values(), "Repaired by")
    return table_view(
        "What the errors do to the naive prevalence ratio", columns, groups, note=_NOTE, file="consequences.csv",
        rows=consequences.rows,
    )  # fmt: skip


def _line(rows: Rows, age_band: str) -> tuple[Cell, ...]:
    first = rows.first(quantity="true_prevalence_ratio")
    label = "All" if age_band == ALL_AGES else age_band.replace("-", "\N{EN DASH}")
    cases = [count_cell(first, name) for name in ("n_diseased_men", "n_diseased_women", "n_patients")]
    shown = all(cell.kind == "number" for cell in cases)
    people = Cell(text=f"{cases[0].text}, {cases[1].text}", note=f"of {cases[2].text}") if shown else cases[0]
    repaired = str((first or {}).get("repaired_by") or "")
    return (
        Cell(text=label, kind="head"),
        people,
        *(estimate_cell(rows.first(quantity=name), name) for name in COLUMNS),
        Cell(text=REPAIRS.get(repaired, repaired), kind="text"),
    )


def consequence_sentences(consequences: Rows) -> tuple[str, ...]:
    """Say for each disease over all ages what the naive ratio is biased by, and what a wrong correction would leave.

    Examples
    --------
    >>> row = {"condition": "cataract", "age_band": "all", "quantity": "relative_bias", "state": "measured"}
    >>> row |= {"point": -0.136, "low": -0.2, "high": -0.05}
    >>> consequence_sentences(Rows((row,)))
    ('Cataract: the naive ratio is 14% too low (5% to 20%).',)
    """
    found = []
    for condition in map(str, consequences.values("condition")):
        rows = consequences.where(condition=condition, age_band=ALL_AGES)
        bias = rows.first(quantity="relative_bias")
        if not has_number(bias) or bias is None:
            continue
        text = f"{sentence_case(condition)}: the naive ratio {_bias(bias)}"
        left = rows.first(quantity="bias_after_equal_correction")
        if left is not None and has_number(left) and _apart(left):
            text += f"; a correction that takes the errors as equal leaves {quantity('relative_bias', left['point'])}"
        found.append(text + ".")
    return tuple(found)


def _apart(row: Mapping[str, Any]) -> bool:
    """Tell whether the interval leaves out no bias at all."""
    return is_number(row["low"]) and is_number(row["high"]) and not float(row["low"]) <= 0 <= float(row["high"])


def _bias(row: Mapping[str, Any]) -> str:
    point, low, high = (float(row[name]) for name in ("point", "low", "high"))
    if not _apart(row):
        limits = " to ".join(quantity("relative_bias", value) for value in (low, high))
        return f"is not shown to be biased ({limits})"
    size, near, far = (f"{100 * value:.0f}%" for value in (abs(point), *sorted((abs(low), abs(high)))))
    limits = f"({near} to {far})"
    return f"is {size} too {'low' if point < 0 else 'high'} {limits}"
