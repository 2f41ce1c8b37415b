"""What a number validated gives and what a wish needs, one answer at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sexstrat.errors import EstimationError
from sexstrat.estimates import (
    Anticipated,
    Goal,
    Needed,
    PlannedCells,
    anticipated_interval,
    needed_auc,
    needed_validated,
    validated_only_interval,
)
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.study.design_request import DesignRequest

__all__ = ["Answer", "Reached", "area_for", "needed_for", "numbers_to_show", "reached_with"]

LADDER = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a number validated is expected to give.

    Parameters
    ----------
    auc : area under the curve of the score; None for a pilot's own.
    validated : number validated.
    expected : E1's interval, or None where ``why_not`` says why none can be had.
    validated_only : that of the validated patients alone.
    why_not : why there is no number, or "".
    """

    auc: float | None
    validated: int
    expected: Anticipated | None
    validated_only: Anticipated | None
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a wish needs.

    Parameters
    ----------
    goal : the wish.
    auc : area under the curve it was answered for; None for a pilot's own, or when the area is the answer.
    validated : number it was answered for, when the area is the answer.
    needed : the number validated.
    needed_range : the same at the two ends of the 95 % interval of a pilot's residuals; None at an end out of reach.
    needed_auc : the area under the curve.
    why_not : why there is none, or "".
    """

    goal: Goal
    auc: float | None = None
    validated: int | None = None
    needed: Needed | None = None
    needed_range: tuple[int | None, int | None] | None = None
    needed_auc: float | None = None
    why_not: str = ""


def numbers_to_show(request: DesignRequest, cells: PlannedCells) -> tuple[int, ...]:
    """Return the numbers validated that were asked for, or else round ones that E1 is not refused for.

    Parameters
    ----------
    request : what was asked.
    cells : the planned cohort.

    Examples
    --------
    >>> from sexstrat.estimates import stated_cells
    >>> cells = stated_cells(patients=1500, prevalence=0.5, male_share=0.5, ratio=1.0, auc=0.9)
    >>> numbers_to_show(DesignRequest(), cells)
    (100, 200, 500, 1000)
    """
    if request.validated:
        return request.validated_numbers(cells)
    now = round(cells.validated_now.sum())
    rungs = sorted({*LADDER, *((now,) if now else ())})
    chosen = [n for n in rungs if now <= n < cells.total_patients]
    few = [n for n in chosen if n * _rarest(cells) >= ENOUGH_VALIDATED / 2]
    return tuple(few[:5]) or tuple(chosen[-1:]) or (round(cells.total_patients),)


def _rarest(cells: PlannedCells) -> float:
    counts = cells.table(cells.patients).sum(axis=0)
    return float(counts.min() / counts.sum())


def reached_with(request: DesignRequest, auc: float | None, cells: PlannedCells, validated: int) -> Reached:
    """Return what a number validated is expected to give, with the score and without it.

    Parameters
    ----------
    request : what was asked.
    auc : area under the curve the cohort was planned with; None for a pilot's own score.
    cells : the planned cohort.
    validated : number validated.

    Examples
    --------
    >>> from sexstrat.estimates import stated_cells
    >>> cells = stated_cells(patients=1000, prevalence=0.1, male_share=0.5, ratio=1.0, auc=0.9)
    >>> reached_with(DesignRequest(), 0.9, cells, 50).why_not
    'of 50 validated patients only 5.0 with the disease are expected; below 10 every corrected number is refused, ...'
    """
    weights = request.weights(cells)
    only = validated_only_interval(cells, validated, measure=request.measure, weights=weights, level=request.level)
    try:
        expected = anticipated_interval(
            cells, validated, measure=request.measure, weights=weights, level=request.level, target=request.about
        )
    except EstimationError as err:
        return Reached(auc=auc, validated=validated, expected=None, validated_only=only, why_not=str(err))
    return Reached(auc=auc, validated=validated, expected=expected, validated_only=only)


def needed_for(goal: Goal, auc: float | None, cells: PlannedCells) -> Answer:
    """Return the number validated that a goal needs, or why there is none.

    Parameters
    ----------
    goal : what is wanted.
    auc : area under the curve the cohort was planned with; None for a pilot's own score.
    cells : the planned cohort.

    Examples
    --------
    >>> from sexstrat.estimates import stated_cells
    >>> cells = stated_cells(patients=400, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> needed_for(Goal(measure="ratio", width=1.5), 0.9, cells).why_not.split(":")[0]
    'an upper limit at most 1.5 times the lower cannot be reached with 400 patients'
    """
    try:
        needed = needed_validated(cells, goal)
    except EstimationError as err:
        return Answer(goal=goal, auc=auc, why_not=str(err))
    spread = None
    if cells.inflation_se > 0:
        ends = [max(cells.inflation + sign * 1.96 * cells.inflation_se, 1e-6) for sign in (-1, 1)]
        spread = (_number(replace(cells, inflation=ends[0]), goal), _number(replace(cells, inflation=ends[1]), goal))
    return Answer(goal=goal, auc=auc, needed=needed, needed_range=spread)


def _number(cells: PlannedCells, goal: Goal) -> int | None:
    try:
        return needed_validated(cells, goal).validated
    except EstimationError:
        return None


def area_for(goal: Goal, validated: int, build: Callable[[float], PlannedCells]) -> Answer:
    """Return the area under the curve that a goal needs with a number validated, or why there is none.

    Parameters
    ----------
    goal : what is wanted.
    validated : number validated.
    build : returns the planned cohort for an area.

    Examples
    --------
    >>> from sexstrat.estimates import stated_cells
    >>> def build(auc):
    ...     return stated_cells(patients=4000, prevalence=0.25, male_share=0.5, ratio=1.5, auc=auc)
    >>> area_for(Goal(measure="ratio", width=9.0), 1000, build).needed_auc
    0.5
    """
    try:
        return Answer(goal=goal, validated=validated, needed_auc=needed_auc(build, validated, goal))
    except EstimationError as err:
        return Answer(goal=goal, validated=validated, why_not=str(err))
