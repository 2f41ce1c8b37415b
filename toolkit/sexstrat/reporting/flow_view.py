"""The flow of patients and photographs, step by step, as the page draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, table_view
from sexstrat.reporting.texts import sentence_case

__all__ = ["FlowPart", "FlowStep", "flow_steps", "flow_table"]

_SEXES = (
    ("n_male", "Men", "male"),
    ("n_female", "Women", "female"),
    ("n_other", "Other", "other"),
    ("n_unknown", "Sex not recorded", "unknown"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPart:
    """One recorded sex at one step; ``percent`` is its share of the bar, or None where a count is withheld."""

    label: str
    role: str
    text: str
    percent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One step: what remains, who it is, and what was lost on the way to it.

    Parameters
    ----------
    name : what remains.
    patients, images : printed counts; ``images`` may be empty.
    parts : recorded sex of those who remain.
    lost : what was lost on the way here, in words; empty when nothing.
    reason : why.
    unchanged : whether everybody of the step before is still there, so that nothing needs to be said again.
    """

    name: str
    patients: str
    images: str
    parts: tuple[FlowPart, ...]
    lost: str
    reason: str
    unchanged: bool = False


def flow_steps(flow: Rows) -> tuple[FlowStep, ...]:
    """Return the steps in order.

    Examples
    --------
    >>> flow_steps(Rows(()))
    ()
    """
    steps = [_step(row) for row in _whole(flow)]
    return tuple(replace(step, unchanged=_same(steps[place - 1], step) if place else False)
                 for place, step in enumerate(steps))  # fmt: skip


def _whole(flow: Rows) -> list[Mapping[str, Any]]:
    """Return the rows of whole steps, in order."""
    return sorted((row for row in flow.rows if row["variable"] is None), key=lambda row: row["step"] or 0)


def _same(before: FlowStep, step: FlowStep) -> bool:
    """Tell whether a step lost nobody and shows the same counts as the one before."""
    return not step.lost and (before.patients, before.images, before.parts) == (step.patients, step.images, step.parts)


def _step(row: Mapping[str, Any]) -> FlowStep:
    lost = [
        f"{text} {one if text == '1' else many}"
        for name, one, many in (("patients_lost", "patient", "patients"), ("images_lost", "photograph", "photographs"))
        if (text := count_cell(row, name).text) not in {"0", "missing"}
    ]
    images = count_cell(row, "n_images").text
    return FlowStep(
        name=sentence_case(str(row["name"])),
        patients=count_cell(row, "n_patients").text,
        images="" if images == "missing" else images,
        parts=_parts(row),
        lost=" and ".join(lost),
        reason=str(row["reason"] or ""),
    )


def _parts(row: Mapping[str, Any]) -> tuple[FlowPart, ...]:
    """Return the recorded sexes; the bar is drawn only where every count may be shown."""
    counts = [row[name] for name, _, _ in _SEXES]
    total = sum(float(str(value)) for value in counts) if all(is_number(value) for value in counts) else 0.0
    parts = []
    for (name, label, role), value in zip(_SEXES, counts, strict=True):
        text = count_cell(row, name).text
        if text in {"missing", "0"}:
            continue
        percent = f"{100 * float(str(value)) / total:.2f}" if total > 0 else None
        parts.append(FlowPart(label=label, role=role, text=text, percent=percent))
    return tuple(parts)


def flow_table(flow: Rows) -> TableView:
    """Return the flow as a table, every count in it.

    Examples
    --------
    >>> flow_table(Rows(())).columns[:2]
    ('Step', 'Patients')
    """
    names = ("n_patients", "n_images", "n_male", "n_female", "n_other", "n_unknown", "patients_lost", "images_lost")
    rows = _whole(flow)
    lines = tuple(
        (
            Cell(text=sentence_case(str(row["name"])), kind="head"),
            *(count_cell(row, name) for name in names),
            Cell(text=str(row["reason"] or "\N{EM DASH}"), kind="text"),
        )
        for row in rows
    )
    columns = (
        "Step", "Patients", "Photographs", "Men", "Women", "Other", "Sex not recorded", "Patients not counted further",
        "Photographs not counted further", "Why",
    )  # fmt: skip
    groups = [Group(heading="", rows=lines)]
    return table_view("Patients and photographs at every step", columns, groups, file="flow.csv", rows=rows)
