"""What a notebook shows of where to validate next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.estimates import Allocation, Anticipated
from sexstrat.reporting.notebook_view import NotebookView, view_of
from sexstrat.reporting.number_format import count, is_number
from sexstrat.reporting.table_view import Cell, Group, table_view

__all__: list[str] = []

_COUNTS = ("patients", "validated", "further", "proportional")


def _width(one: Anticipated) -> str:
    return f"{one.width:.2f} times its lower limit" if one.on_log else f"{100 * one.width:.1f} points wide"


def _line(row: Mapping[Any, Any]) -> tuple[Cell, ...]:
    bounds = (row["score_low"], row["score_high"])
    score = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if all(map(is_number, bounds)) else "any, or none"
    return (
        Cell(text=str(row["age_band"]), note="with the condition" if row["diseased"] else "without", kind="head"),
        Cell(text=score, kind="text"),
        *(Cell(text=count(row[name])) for name in _COUNTS),
        Cell(text=f"{row['further_probability']:.4f}"),
        Cell(text=f"{row['validation_probability']:.4f}"),
    )


@view_of.register
def _(result: Allocation) -> NotebookView:
    frame = result.to_frame()
    lines = tuple(_line(row) for row in frame.to_dict("records"))
    columns = (
        "Age", "prob_male", "Patients", "Sex recorded", "Further, placed best", "Further, in proportion",
        "Chance of those left", "validation_probability",
    )  # fmt: skip
    best, even = result.expected, result.expected_proportional
    upper = "upper limit of the interval" if best.on_log else "interval"
    worth = count(result.equivalent_further) if result.equivalent_further is not None else "more than all there are"
    return NotebookView(
        tables=(table_view("Where to validate next", columns, [Group(heading="", rows=lines)]),),
        sentences=(
            f"{count(result.further.sum())} further patients placed so: {upper} to expect {_width(best)}; placed in "
            f"proportion {_width(even)}. They are worth {worth} placed in proportion.",
        ),
    )
