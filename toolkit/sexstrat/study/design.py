"""Answer a design request: what to expect of a number validated, what a width or a power needs, where to go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.estimates import (
    MEASURES,
    Allocation,
    PlannedCells,
    optimal_allocation,
    pilot_cells,
    stated_cells,
)
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.reporting.notebook_view import NotebookView, view_of
from sexstrat.study.cells_file import read_cells
from sexstrat.study.design_answers import Answer, Reached, area_for, needed_for, numbers_to_show, reached_with
from sexstrat.study.design_request import DesignRequest, as_usage
from sexstrat.values.design import ValidationDesign
from sexstrat.values.shown import Shown

__all__ = ["DesignPlan", "plan_design"]

PILOT_DESIGNS = (ValidationDesign.random.value, ValidationDesign.known_probability.value)
DEFAULT_AUCS = (0.8, 0.9, 0.95)
_COLUMNS = [
    *("auc", "validated", "validated_diseased", "point", "low", "high", "width", "power"),
    *("width_without_score", "estimator", "state", "note"),
]
MOST_AUCS = 4  # curves that one figure and one table can still be told apart in


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignPlan(Shown):
    """The answer to a design request.

    Parameters
    ----------
    request : what was asked.
    cohorts : the planned cohort for each area under the curve (None: the pilot's own score).
    reached, answers : what numbers give, what wishes need.
    allocation : where to validate next, or None when it was not asked.
    """

    request: DesignRequest
    cohorts: tuple[tuple[float | None, PlannedCells], ...]
    reached: tuple[Reached, ...]
    answers: tuple[Answer, ...]
    allocation: Allocation | None = None

    @property
    def cells(self) -> PlannedCells:
        """The first planned cohort: all have the same patients."""
        return self.cohorts[0][1]

    def to_frame(self) -> pd.DataFrame:
        """Return what each number validated gives, one row each; where the estimate is refused, why and no number."""
        return pd.DataFrame([_reached_row(one) for one in self.reached], columns=_COLUMNS)


def _reached_row(one: Reached) -> dict[str, object]:
    row: dict[str, object] = {
        "auc": one.auc,
        "validated": one.validated,
        "state": "refused",
        "note": one.why_not or None,
    }
    if one.validated_only is not None:
        row["width_without_score"] = one.validated_only.width
    if one.expected is None:
        return row
    names = ("estimator", "state", "validated_diseased", "low", "high", "width", "power")
    return {**row, "point": one.expected.value, **{name: getattr(one.expected, name) for name in names}}


@view_of.register
def _(plan: DesignPlan) -> NotebookView:
    from sexstrat.study.design_shown import design_view

    return design_view(plan)


def plan_design(request: DesignRequest) -> DesignPlan:
    """Answer a design request.

    Parameters
    ----------
    request : what is known and what is wanted.

    Raises
    ------
    StudyError : the request contradicts itself or asks for what no validation can reach.
    EstimationError : the pilot cannot be planned from; its reason.
    SchemaError : the pilot's cells break their contract.

    Examples
    --------
    Everybody validated: nothing but the sampling of 400 people is left, log ratio 0.405 with variance 0.0317.

    >>> request = DesignRequest(patients=400, prevalence=0.25, ratio=1.5, aucs=(0.9,), validated=(400,))
    >>> plan = plan_design(request)
    >>> round(plan.reached[0].expected.se ** 2, 4)
    0.0317
    """
    _check(request)
    if request.cells is None:
        with as_usage():
            return _answered(request, _stated(request))
    base = _pilot(request, compared=True)
    with as_usage():
        plan = _answered(request, ((None, base),))
    if request.further is None:
        return plan
    return replace(plan, allocation=_allocation(request))


def _check(request: DesignRequest) -> None:
    if request.measure not in MEASURES:
        raise StudyError(f"--measure {request.measure!r}: no such measure; allowed: {', '.join(MEASURES)}")
    if request.design not in PILOT_DESIGNS:
        raise StudyError(
            f"--design {request.design!r}: a pilot to plan from was validated by a design of these: "
            f"{', '.join(PILOT_DESIGNS)}"
        )
    if request.further is None and (request.score_cuts or request.minimum is not None):
        raise StudyError("--score-cuts and --minimum: are of the allocation; say with --further how many to place")
    if len(request.aucs) > MOST_AUCS:
        raise StudyError(f"--auc: at most {MOST_AUCS} areas at once; found {len(request.aucs)}")
    _check_source(request)


def _check_source(request: DesignRequest) -> None:
    if request.further is not None and request.cells is None:
        raise StudyError("--further: where to validate next is answered from a pilot; give its cells with --cells")
    if request.cells is None:
        needed = {"--patients": request.patients, "--prevalence": request.prevalence}
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            raise StudyError(
                f"{' and '.join(missing)}: needed to plan from stated values (or give a pilot's cells with --cells)"
            )
        if request.standard is not None or request.age_band is not None:
            raise StudyError("--standard and --age-band: need age bands, which a pilot's cells have; give --cells")
    elif request.prevalence is not None or request.aucs:
        raise StudyError("--prevalence and --auc: a pilot has its own; leave them out with --cells")
    if request.power is not None and request.cells is not None and request.ratio is None and request.difference is None:
        raise StudyError(
            "--power: state the ratio or the difference to find (--ratio, --difference). A pilot's own estimate is too "
            "uncertain to plan power on: it mostly repeats the pilot's chance"
        )


def _stated(request: DesignRequest) -> tuple[tuple[float | None, PlannedCells], ...]:
    ratio = 1.0 if request.ratio is None and request.difference is None and request.power is None else request.ratio
    if ratio is None and request.difference is None:
        raise StudyError("--power: state the ratio or the difference to find (--ratio or --difference)")
    return tuple((auc, _stated_at(request, auc, ratio)) for auc in request.aucs or DEFAULT_AUCS)


def _stated_at(request: DesignRequest, auc: float, ratio: float | None) -> PlannedCells:
    return stated_cells(
        patients=request.patients or 0,
        prevalence=request.prevalence or 0.0,
        male_share=request.male_share,
        ratio=ratio,
        difference=request.difference,
        auc=auc,
        labels=("all ages",),
    )


def _pilot(request: DesignRequest, *, compared: bool) -> PlannedCells:
    if request.cells is None:
        raise StudyError("--cells: no pilot was given")
    cells = read_cells(request.cells)
    if request.condition is not None and request.condition not in cells.conditions:
        raise StudyError(
            f"--condition {request.condition!r}: no such condition; there are {', '.join(cells.conditions) or 'none'}"
        )
    if request.condition is None and len(cells.conditions) != 1:
        raise StudyError(f"--condition: name one of {', '.join(cells.conditions) or 'none'}")
    if compared and request.ratio is not None and request.difference is not None:
        raise StudyError("--ratio and --difference: state how the sexes compare by one of them, not both")
    planned = pilot_cells(
        cells,
        condition=request.condition,
        bands=request.age_bands(),
        design=request.design,
        ratio=request.ratio if compared else None,
        difference=request.difference if compared else None,
        score_cuts=() if compared else request.score_cuts,
    )
    return planned.resized(request.patients) if compared and request.patients is not None else planned


def _allocation(request: DesignRequest) -> Allocation:
    """Return where to validate next: in the pilot as it is, since its own patients are to be drawn."""
    cells = _pilot(request, compared=False)
    with as_usage():
        return optimal_allocation(
            cells,
            further=request.further or 0,
            measure=request.measure,
            weights=request.weights(cells),
            minimum=_minimum(request),
            level=request.level,
            target=request.about,
        )


def _minimum(request: DesignRequest) -> int:
    """Return the fewest in a stratum: the 20 that E1 needs in a band and disease state, shared by its score strata."""
    if request.minimum is not None:
        return request.minimum
    return -(-ENOUGH_VALIDATED // (len(request.score_cuts) + 1))


def _answered(request: DesignRequest, cohorts: tuple[tuple[float | None, PlannedCells], ...]) -> DesignPlan:
    reached = [reached_with(request, auc, cells, n) for auc, cells in cohorts for n in numbers_to_show(request, cells)]
    answers = [
        needed_for(request.goal(kind, value, cells), auc, cells)
        for kind, value in request.wanted
        for auc, cells in cohorts
    ]
    if answers and all(one.why_not for one in answers):
        raise StudyError(answers[0].why_not)
    answers += _needed_areas(request, cohorts)
    return DesignPlan(request=request, cohorts=cohorts, reached=tuple(reached), answers=tuple(answers))


def _needed_areas(
    request: DesignRequest, cohorts: tuple[tuple[float | None, PlannedCells], ...]
) -> list[Answer]:  # fmt: skip
    """Return the area under the curve that each stated number validated needs for each wish."""
    if request.cells is not None or not request.validated:
        return []
    cells = cohorts[0][1]
    ratio = request.ratio if request.ratio is not None or request.difference is not None else 1.0

    def build(auc: float) -> PlannedCells:
        return _stated_at(request, auc, ratio)

    found = []
    for kind, value in request.wanted:
        goal = request.goal(kind, value, cells)
        for n in request.validated_numbers(cells):
            found.append(area_for(goal, n, build))
    return found
