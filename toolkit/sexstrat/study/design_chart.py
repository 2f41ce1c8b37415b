"""The curves of a design: the width or power to expect along the numbers that could be validated."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sexstrat.errors import EstimationError, StudyError
from sexstrat.estimates import MEASURES, Anticipated, PlannedCells, anticipated_interval, validated_only_interval
from sexstrat.estimates.planning.anticipated import is_ratio
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.reporting.design_figure import DesignChart, DesignCurve, write_design_figure
from sexstrat.study.design import DesignPlan
from sexstrat.study.design_request import DesignRequest

__all__ = ["curve_numbers", "design_chart", "write_figure"]


def curve_numbers(cells: PlannedCells, points: int = 60) -> tuple[int, ...]:
    """Return whole numbers validated, evenly spread on the logarithm, from the fewest E1 is not refused for to all.

    Parameters
    ----------
    cells : the planned cohort.
    points : how many at most.

    Examples
    --------
    >>> from sexstrat.estimates import stated_cells
    >>> cells = stated_cells(patients=1000, prevalence=0.5, male_share=0.5, ratio=1.0, auc=0.9)
    >>> curve_numbers(cells, points=3)
    (20, 141, 1000)
    """
    counts = cells.table(cells.patients).sum(axis=0)
    rarest = float(counts.min() / counts.sum())
    lowest = min(math.ceil(ENOUGH_VALIDATED / 2 / rarest), math.floor(cells.total_patients))
    spread = np.geomspace(lowest, math.floor(cells.total_patients), points)
    return tuple(int(n) for n in np.unique(np.rint(spread)))


def design_chart(plan: DesignPlan) -> DesignChart:
    """Return what the figure of a plan shows: power where only power is wanted, else width.

    Parameters
    ----------
    plan : the answer to a design request.

    Examples
    --------
    >>> from sexstrat.study.design import plan_design
    >>> request = DesignRequest(patients=2000, prevalence=0.25, ratio=1.5, aucs=(0.9,), width=2.0)
    >>> chart = design_chart(plan_design(request))
    >>> chart.scale, chart.wanted, [curve.label for curve in chart.curves]
    ('ratio', 2.0, ['AUC 0.9', 'Validated only'])
    """
    request = plan.request
    kind = "power" if request.width is None and request.power is not None else "width"
    wanted = request.power if kind == "power" else request.width
    needed = {one.auc: one.needed.validated for one in plan.answers if one.needed and _kind(one.goal) == kind}
    numbers = curve_numbers(plan.cells)
    curves = []
    for auc, cells in plan.cohorts:
        note = f"{needed[auc]:,} needed" if auc in needed else "" if wanted is None else "out of reach"
        curves.append(
            DesignCurve(
                label="This pilot's score" if auc is None else f"AUC {auc:g}",
                numbers=numbers,
                values=_values(kind, numbers, partial(_expected, request, cells)),
                needed=needed.get(auc),
                note=note,
            )
        )
    weights = request.weights(plan.cells)
    only = _values(
        kind,
        numbers,
        lambda n: validated_only_interval(plan.cells, n, measure=request.measure, weights=weights, level=request.level),
    )
    curves.append(DesignCurve(label="Validated only", numbers=numbers, values=only, naive=True))
    title = _title(plan, kind, needed)
    return DesignChart(
        title=title,
        axis=_axis(request, kind),
        curves=tuple(curves),
        scale="power" if kind == "power" else "ratio" if is_ratio(request.measure) else "difference",
        wanted=wanted,
        description=title + ". " + "; ".join(_words(curve) for curve in curves),
    )


def _kind(goal: object) -> str:
    return "width" if getattr(goal, "width", None) is not None else "power"


def _expected(request: DesignRequest, cells: PlannedCells, n: int) -> Anticipated:
    return anticipated_interval(
        cells, n, measure=request.measure, weights=request.weights(cells), level=request.level, target=request.about
    )


def _values(kind: str, numbers: tuple[int, ...], expected: Callable[[int], Anticipated]) -> tuple[float, ...]:
    found = []
    for n in numbers:
        try:
            one = expected(n)
        except EstimationError:  # E1 is refused here, or nothing is left to estimate: a gap in the curve
            found.append(math.nan)
            continue
        value = one.power if kind == "power" else one.width
        found.append(math.nan if value is None else value)
    return tuple(found)


def _title(plan: DesignPlan, kind: str, needed: dict[float | None, int]) -> str:
    patients = f"{plan.cells.total_patients:,.0f} patients"
    what = "power" if kind == "power" else f"interval of the {MEASURES[plan.request.measure].split(',')[0]}"
    if not needed:
        return f"The {what} to expect, {patients}"
    least, most = min(needed.values()), max(needed.values())
    if least < most:
        return f"{least:,} to {most:,} of {patients} need known sex, depending on the score"
    return f"{least:,} of {patients} need known sex"


def _axis(request: DesignRequest, kind: str) -> str:
    if kind == "power":
        return f"Power to find a difference between the sexes ({MEASURES[request.measure].split(',')[0]})"
    level = f"{100 * request.level:g}% interval"
    if is_ratio(request.measure):
        return f"Upper over lower limit of the {level}, {MEASURES[request.measure]} (log scale)"
    return f"Width of the {level}, percentage points: {MEASURES[request.measure]}"


def _words(curve: DesignCurve) -> str:
    shown = [k for k in range(len(curve.values)) if math.isfinite(curve.values[k])]
    if not shown:
        return f"{curve.label}: no number"
    ends = ", ".join(f"{curve.values[k]:.3g} with {curve.numbers[k]:,}" for k in (shown[0], shown[-1]))
    return f"{curve.label}: {ends}"


def write_figure(plan: DesignPlan, path: Path) -> Path:
    """Write the figure of a plan.

    Parameters
    ----------
    plan : the answer to a design request.
    path : an .svg or .png file; its folder is made when absent.

    Raises
    ------
    StudyError : the name ends otherwise, or no number validated gives an interval.

    Examples
    --------
    >>> import tempfile
    >>> from sexstrat.study.design import plan_design
    >>> plan = plan_design(DesignRequest(patients=2000, prevalence=0.25, ratio=1.5, aucs=(0.9,)))
    >>> write_figure(plan, Path(tempfile.mkdtemp()) / "width.svg").name
    'width.svg'
    """
    if path.suffix.lower() not in {".svg", ".png"}:
        raise StudyError(f"--figure {path.name}: must end in .svg or .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not write_design_figure(design_chart(plan), path):
        raise StudyError("--figure: there is nothing to draw, since no number validated gives an interval here")
    return path
