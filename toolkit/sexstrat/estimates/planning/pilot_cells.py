"""A planned cohort made from a pilot's cells: its own patients, score and residuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.compose import compose
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.numbers.score_moments import probability_moments, shifted_to_share
from sexstrat.estimates.planning.anticipated_margin import fitting_cost
from sexstrat.estimates.planning.planned_cells import PlannedCells, sex_prevalences
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign

__all__ = ["pilot_cells"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strata:
    """Which stratum each row lies in, and what bounds the stratum's score."""

    row: NDArray[np.int64]
    group: NDArray[np.int64]
    low: Array
    high: Array


def _strata(arrays: CellArrays, edges: Array, cuts: Sequence[float]) -> _Strata:
    """Split rows by band and disease and, where cuts are given, by score; no photograph is a stratum of its own."""
    if not cuts:
        group, row = np.unique(arrays.group, return_inverse=True)
        nothing = np.full(group.size, np.nan)
        return _Strata(row=row.astype(np.int64), group=group, low=nothing, high=nothing)
    given = np.asarray(cuts, dtype=float)
    if not (((given > 0) & (given < 1)).all() and (np.diff(given) > 0).all()):
        raise EstimationError(f"score cuts must rise and lie strictly between 0 and 1; found {list(cuts)}")
    inner = edges[1:-1]
    chosen = np.unique(inner[np.abs(inner[None, :] - logit(given)[:, None]).argmin(axis=1)])
    part = np.where(arrays.n_eyes > 0, np.searchsorted(chosen, arrays.logit, side="right"), chosen.size + 1)
    key, row = np.unique(arrays.group * (chosen.size + 2) + part, return_inverse=True)
    group, kind = np.divmod(key, chosen.size + 2)
    bounds = np.concatenate([[0.0], expit(chosen), [1.0, np.nan, np.nan]])
    low = np.where(kind > chosen.size, np.nan, bounds[kind])
    high = np.where(kind > chosen.size, np.nan, bounds[np.minimum(kind + 1, chosen.size + 1)])
    return _Strata(row=row.astype(np.int64), group=group, low=low, high=high)


def _levelled(arrays: CellArrays, p: Array, one: Composition) -> Array:
    """Shift log odds until their means are the corrected shares of men: of each band, then of all ages together.

    The second shift is 0 unless bands too thin for E1 borrowed from their neighbours.
    """
    line = logit(np.clip(p, 1e-9, 1 - 1e-9))
    for groups, shares in (
        (arrays.group, one.pi.ravel()),
        (arrays.diseased, one.crude_pi),
    ):
        for group in np.unique(groups):
            rows, wanted = groups == group, float(shares[group])
            if arrays.w[rows].sum() > 0 and 0 < wanted < 1:
                line[rows] += _shift(line[rows], arrays.w[rows], wanted)
    return np.asarray(expit(line))


def _shift(line: Array, w: Array, wanted: float) -> float:
    """Return e with weighted mean of expit(line + e) as wanted."""
    return float(brentq(lambda e: float(w @ expit(line + e)) - wanted * float(w.sum()), -60, 60))


def _inflation(arrays: CellArrays, p: Array) -> tuple[float, float]:
    """Return the squared residuals of the validated over p (1 - p), and the ratio's standard error."""
    used = arrays.validated
    e2 = (arrays.male[used] - p[used]) ** 2
    v = p[used] * (1 - p[used])
    weight = arrays.w2_over_r[used]
    below = float(weight @ v)
    if below <= 0:
        raise EstimationError("all the pilot's validated patients have a weight of 0, so they say nothing of the score")
    ratio = float(weight @ e2) / below
    apart = (weight * (e2 - ratio * v)) ** 2 / arrays.n[used]
    return ratio, float(np.sqrt(apart.sum())) / below


def _contrasted(arrays: CellArrays, p: Array, ratio: float | None, difference: float | None) -> tuple[Array, Array]:
    """Return probabilities and weights under a stated comparison of the sexes, which then holds in every band."""
    n = arrays.total(arrays.w)
    share = arrays.total(arrays.w * p) / np.where(n > 0, n, 1.0)
    wanted = np.array(share)
    for a in range(arrays.n_bands):
        if n[a, 0] <= 0 or n[a, 1] <= 0:
            continue
        prevalence, male_share = float(n[a, 1] / n[a].sum()), float(n[a] @ share[a] / n[a].sum())
        men, _ = sex_prevalences(prevalence=prevalence, male_share=male_share, ratio=ratio, difference=difference)
        wanted[a] = male_share * np.array([1 - men, men]) / np.array([1 - prevalence, prevalence])
    return shifted_to_share(p, share.ravel()[arrays.group], wanted.ravel()[arrays.group])


def pilot_cells(
    cells: Cells,
    *,
    condition: str | None = None,
    bands: AgeBands,
    design: ValidationDesign | str,
    ratio: float | None = None,
    difference: float | None = None,
    score_cuts: Sequence[float] = (),
) -> PlannedCells:
    """Return a planned cohort like a pilot: its patients, its E1 shares of men, the residuals of its own score.

    The score's distribution in each stratum is that of the cross-fitted recalibrated probability over all patients,
    shifted so that its mean is the E1 share; its squared residuals are p (1 - p) times one ratio, estimated on all
    validated patients and freed of what fitting the recalibration on so few added.

    Assumes that the pilot's patients are like those of the study, and are independent.

    Parameters
    ----------
    cells : cells of the pilot, some patients validated.
    condition : the disease; may be left out when the cells hold one.
    bands : age bands.
    design : how sex came to be recorded in the pilot: random or known_probability.
    ratio, difference : how the sexes are expected to compare in every band, in place of the pilot's own estimate; at
        most one. Power planned on a pilot's own estimate mostly repeats the pilot's noise.
    score_cuts : values of prob_male that split each band and disease state further, moved to the nearest bin edge.

    Raises
    ------
    EstimationError : E1 is refused on the pilot (its reason follows), or cuts and a stated comparison together.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> pilot = pilot_cells(worked_cells(), bands=worked_bands(), design="random")
    >>> pilot.patients.tolist(), pilot.shares.round(4).tolist()
    ([400.0, 150.0, 400.0, 150.0], [[0.5, 0.6667], [0.5, 0.6667]])
    """
    compared = ratio is not None or difference is not None
    if compared and score_cuts:
        raise EstimationError("strata of the score are those of the pilot as it is: state no ratio or difference there")
    one = compose(cells, condition=condition, bands=bands, design=design, method="E1")
    if one.state == "refused":
        raise EstimationError(
            f"this pilot is too small or not fit to plan from: {one.why} State the values of the study instead"
        )
    arrays = cell_arrays(cells.of(one.condition), bands, ValidationDesign(design))
    raw = cross_fitted(arrays)
    p, weight = _levelled(arrays, raw, one), np.ones(arrays.n.size)
    if compared:
        p, weight = _contrasted(arrays, p, ratio, difference)
    strata = _strata(arrays, cells.edges, score_cuts)
    size = strata.group.size

    def total(values: Array) -> Array:
        return np.bincount(strata.row, weights=values * weight, minlength=size).astype(float)

    planned = PlannedCells(
        band=strata.group // 2,
        diseased=strata.group % 2,
        patients=total(arrays.n),
        n=total(arrays.w),
        n_variance=total(arrays.w2),
        moments=probability_moments(p, arrays.w * weight, strata.row, size),
        labels=bands.labels,
        validated=np.bincount(strata.row, weights=np.where(arrays.validated, arrays.n, 0.0), minlength=size).astype(
            float
        ),
        score_low=strata.low,
        score_high=strata.high,
    )
    inflation, se = _inflation(arrays, raw)
    share = np.divide(planned.validated_now.sum(), planned.patients.sum())
    cost = 1 + float(np.average(fitting_cost(planned, share), weights=planned.patients))
    return replace(planned, inflation=inflation / cost, inflation_se=se / cost)
