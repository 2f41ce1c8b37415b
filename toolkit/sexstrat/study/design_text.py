"""A design's answer for people: tables that fit 80 columns, and what they must know to read them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sexstrat.estimates import Anticipated
from sexstrat.estimates.planning.anticipated import is_ratio
from sexstrat.reporting.number_format import quantity
from sexstrat.study.design import DesignPlan
from sexstrat.study.design_answers import Answer, Reached

__all__ = ["TextTable", "design_notes", "design_tables"]

_PRINTED = {
    "ratio": "prevalence_ratio",
    "odds_ratio": "prevalence_odds_ratio",
    "difference": "prevalence_difference",
    "prevalence_male": "prevalence",
    "prevalence_female": "prevalence",
    "male_share": "male_share",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of words.

    Parameters
    ----------
    title : what it shows.
    header : names of the columns.
    rows : the cells.
    numeric : columns aligned to the right.

    Examples
    --------
    >>> TextTable(title="t", header=("a",), rows=(("1",),), numeric=(0,)).rows
    (('1',),)
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...]


def _score(auc: float | None) -> str:
    return "pilot" if auc is None else f"{auc:g}"


def _interval(one: Anticipated) -> str:
    kind = _PRINTED[one.measure]
    return f"{quantity(kind, one.value)} ({quantity(kind, one.low)} to {quantity(kind, one.high)})"


def _width(one: Anticipated | None) -> str:
    if one is None:
        return ""
    return f"{one.width:.2f}" if one.on_log else f"{100 * one.width:.1f}"


def _reached_row(row: Reached, compared: bool) -> tuple[str, ...]:
    if row.expected is None:
        return (_score(row.auc), f"{row.validated:,}", "", "refused (see below)", "", "", _width(row.validated_only))
    power = "" if row.expected.power is None or not compared else f"{100 * row.expected.power:.0f}%"
    diseased = f"{row.expected.validated_diseased:,.0f}"
    interval, width = _interval(row.expected), _width(row.expected)
    return (_score(row.auc), f"{row.validated:,}", diseased, interval, width, power, _width(row.validated_only))


def _answer_row(row: Answer) -> tuple[str, ...]:
    wanted = row.goal.short
    if row.needed is None:
        return wanted, _score(row.auc), "out of reach", ""
    note = ""
    if row.needed.validated == row.needed.floor:
        note = "so many hold 20 with and 20 without the disease"
    elif row.needed_range is not None:
        low, high = (f"{end:,}" if end is not None else "out of reach" for end in row.needed_range)
        note = f"({low} to {high}, the pilot's error)"
    return wanted, _score(row.auc), f"{row.needed.validated:,}", note


def _area_row(row: Answer) -> tuple[str, ...]:
    area = "out of reach" if row.needed_auc is None else f"{row.needed_auc:.3f}"
    return row.goal.short, f"{row.validated:,}", area


def design_tables(plan: DesignPlan) -> tuple[TextTable, ...]:
    """Return the tables of a plan.

    Parameters
    ----------
    plan : the answer to a design request.

    Examples
    --------
    >>> from sexstrat.study.design import plan_design
    >>> from sexstrat.study.design_request import DesignRequest
    >>> request = DesignRequest(patients=400, prevalence=0.25, ratio=1.5, aucs=(0.9,), validated=(400,))
    >>> design_tables(plan_design(request))[0].rows
    (('0.9', '400', '100', '1.50 (1.06 to 2.13)', '2.02', '62%', '2.01'),)
    """
    header = ("AUC", "validated", "diseased", "to expect", "width", "power", "without score")
    rows = tuple(_reached_row(row, plan.request.compared) for row in plan.reached)
    tables = [
        TextTable(title="What a number validated at random gives", header=header, rows=rows, numeric=(1, 2, 4, 5, 6))
    ]
    by_number = tuple(_answer_row(row) for row in plan.answers if row.validated is None)
    by_area = tuple(_area_row(row) for row in plan.answers if row.validated is not None)
    if by_number:
        tables.append(
            TextTable(title="What is needed", header=("wanted", "AUC", "validated", ""), rows=by_number, numeric=(2,))
        )
    if by_area:
        tables.append(
            TextTable(
                title="What area under the curve is needed",
                header=("wanted", "validated", "AUC"),
                rows=by_area,
                numeric=(1, 2),
            )
        )
    if plan.allocation is not None:
        tables.append(_allocation_table(plan))
    return tuple(tables)


def _allocation_table(plan: DesignPlan) -> TextTable:
    frame = plan.allocation.to_frame() if plan.allocation is not None else None
    rows = []
    for row in [] if frame is None else frame.to_dict("records"):
        if plan.request.score_cuts:
            bounds = (row["score_low"], row["score_high"])
            score = "no photograph" if math.isnan(bounds[0]) else "{:.3f} to {:.3f}".format(*bounds)
        else:
            score = "all"
        rows.append(
            (
                str(row["age_band"]),
                "yes" if row["diseased"] else "no",
                score,
                f"{row['patients']:,}",
                f"{row['validated']:,}",
                f"{row['further']:,}",
                f"{row['further_probability']:.4f}",
                f"{row['validation_probability']:.4f}",
            )
        )
    return TextTable(
        title="Where to validate next",
        header=("age", "diseased", "prob_male", "patients", "known", "further", "chance", "r"),
        rows=tuple(rows),
        numeric=(3, 4, 5, 6, 7),
    )


def design_notes(plan: DesignPlan) -> tuple[str, ...]:
    """Return what the reader of a plan must know, as sentences.

    Parameters
    ----------
    plan : the answer to a design request.

    Examples
    --------
    >>> from sexstrat.study.design import plan_design
    >>> from sexstrat.study.design_request import DesignRequest
    >>> design_notes(plan_design(DesignRequest(patients=4000, prevalence=0.25, aucs=(0.9,))))[0]
    'No difference between the sexes was stated, so that none is assumed.'
    """
    request, notes = plan.request, []
    if request.cells is None and request.ratio is None and request.difference is None:
        notes.append("No difference between the sexes was stated, so that none is assumed.")
    if is_ratio(request.measure):
        notes.append("Width: upper over lower limit of the interval.")
    else:
        notes.append("Width: upper minus lower limit of the interval, percentage points.")
    notes.append("Without score: the width when the validated patients alone are analysed.")
    if request.cells is None:
        notes.append(
            "The AUC is that of a patient's combined score among people of one age band and disease state. Errors that "
            "differ by disease do not widen the interval, since the score is recalibrated on the validated."
        )
    else:
        known = plan.cells.inflation
        notes.append(
            f"The pilot's squared residuals are {known:.2f} (standard error {plan.cells.inflation_se:.2f}) times those "
            "of a calibrated score; the pilot's own chance enters every number here."
        )
        stated = "ratio" if request.ratio is not None else "difference"
        notes.append(
            f"The stated {stated} holds in every age band; for all ages together the ages of the sexes enter too."
            if request.compared
            else "No power is shown: a pilot's own estimate is too uncertain to plan it on. State --ratio or "
            "--difference."
        )
    notes += list(dict.fromkeys(f"Refused: {row.why_not}." for row in plan.reached if row.why_not))
    notes += list(dict.fromkeys(f"Out of reach: {row.why_not}." for row in plan.answers if row.why_not))
    if any(row.expected is not None and row.expected.state == "model_based" for row in plan.reached):
        notes.append("With fewer than 20 validated patients with or without the disease E1 is not called corrected.")
    if plan.allocation is not None:
        notes += _allocation_notes(plan)
    return tuple(notes)


def _allocation_notes(plan: DesignPlan) -> list[str]:
    one = plan.allocation
    if one is None:
        return []
    best, spread = one.expected, one.expected_proportional
    worth = "more than all patients" if one.equivalent_further is None else f"{one.equivalent_further:,} patients"
    return [
        f"Placed so, {int(one.further.sum()):,} further patients give {_interval(best)}, width {_width(best)}; spread "
        f"evenly they give width {_width(spread)}. They are worth {worth} spread evenly.",
        "Chance: with which a patient whose sex is not known yet is drawn. r: the validation_probability to write into "
        "the person table, with design = \"known_probability\" in the study file; where r differed until now within a "
        "stratum, write r + (1 - r) x chance instead.",
        "These counts have not passed the disclosure gate: keep them where the cells are kept.",
    ]  # fmt: skip
