"""The interval and the power to expect of a planned cohort, by number validated."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Margin
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.measures import Smooth, logit_of, male_share_of, prevalence_of
from sexstrat.estimates.planning.anticipated import MEASURES, Anticipated, critical_value, is_ratio, power_of
from sexstrat.estimates.planning.anticipated_margin import anticipated_margins, validated_only_margins
from sexstrat.estimates.planning.planned_cells import PlannedCells
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, FEWEST_VALIDATED
from sexstrat.values.design import Target

__all__ = ["anticipated_interval", "share_gradient", "validated_only_interval"]

Array = NDArray[np.float64]


def _weights_of_place(cells: PlannedCells, weights: Array | None) -> tuple[Array, int | None]:
    """Return the weights of the margin's bands, and the band when one has all the weight."""
    if weights is None:
        return np.ones(1), None
    given = np.asarray(weights, dtype=float)
    if given.shape != (len(cells.labels),) or (given < 0).any() or abs(given.sum() - 1) > 1e-6:
        raise EstimationError(
            f"the weights of the {len(cells.labels)} age bands must be at least 0 and add up to 1; "
            f"found {given.tolist()}"
        )
    alone = np.flatnonzero(given > 0)
    return given, int(alone[0]) if alone.size == 1 else None


def _smooth(measure: str, margin: Margin, weights: Array, band: int | None) -> Smooth:
    """Return a measure on the scale of its interval, with derivatives."""
    if measure == "male_share":
        if band is None and margin.n.shape[0] > 1:
            raise EstimationError("the share of men is not standardised: ask for it crude or in one age band")
        return logit_of(male_share_of(margin, band))
    male, female = (prevalence_of(margin, sex, weights) for sex in ("male", "female"))
    if measure in CONTRASTS:
        return CONTRASTS[measure][1](male, female)
    return logit_of(male if measure == "prevalence_male" else female)


def _back(measure: str) -> Callable[[float], float]:
    if measure in CONTRASTS:
        return (lambda value: float(np.exp(value))) if is_ratio(measure) else float
    return lambda value: float(expit(value))


def _read(
    margin: Margin, measure: str, weights: Array, band: int | None, *, level: float, estimator: str, state: str
) -> Anticipated:
    theta = _smooth(measure, margin, weights, band)
    if math.isnan(theta.value):
        raise EstimationError(f"no {MEASURES[measure]} can be expected: a sex has nobody, or nobody with the disease")
    found = margin.uncertainty(theta.by_pi, theta.by_n)
    if found.variance <= 0:
        raise EstimationError(
            "with every sex known the cohort's own figures are counted, not estimated: there is no interval to plan. "
            "Ask for fewer validated patients, or for the target 'population'"
        )
    se, back = found.variance**0.5, _back(measure)
    half = critical_value(level, found.df) * se
    contrast = measure in CONTRASTS
    return Anticipated(
        measure=measure,
        estimator=estimator,
        state=state,
        patients=float(margin.n_patients.sum()),
        validated=float(margin.n_validated.sum()),
        validated_diseased=float(margin.n_validated[:, 1].sum()),
        value=back(theta.value),
        low=back(theta.value - half),
        high=back(theta.value + half),
        se=se,
        df=found.df,
        power=power_of(theta.value, se, found.df, level) if contrast else None,
        level=level,
    )


def _checked_request(cells: PlannedCells, validated: float, measure: str, level: float) -> None:
    if measure not in MEASURES:
        raise EstimationError(f"no measure {measure!r} to plan for; there are {', '.join(MEASURES)}")
    if not 0.5 <= level <= 0.999:
        raise EstimationError(f"the confidence level must lie between 0.5 and 0.999; found {level:g}")
    if not 0 < validated <= cells.total_patients * (1 + 1e-9):
        raise EstimationError(
            f"the number validated must lie above 0 and be at most the {cells.total_patients:,.0f} patients there are; "
            f"found {validated:,.0f}"
        )


def _state(margin: Margin, band: int | None) -> str:
    rows = slice(None) if band is None else slice(band, band + 1)
    counts = margin.n_validated[rows].sum(axis=0)
    if counts.min() < FEWEST_VALIDATED * (1 - 1e-9):
        which = "with" if counts[1] <= counts[0] else "without"
        raise EstimationError(
            f"of {margin.n_validated.sum():,.0f} validated patients only {counts.min():.1f} {which} the disease are "
            f"expected{'' if band is None else ' in this age band'}; below {FEWEST_VALIDATED} every corrected number "
            f"is refused, and {ENOUGH_VALIDATED} are needed for E1"
        )
    return "corrected" if counts.min() >= ENOUGH_VALIDATED * (1 - 1e-9) else "model_based"


def anticipated_interval(
    cells: PlannedCells,
    validated: float | Array,
    *,
    measure: str = "ratio",
    weights: Array | None = None,
    level: float = 0.95,
    target: Target | str = Target.population,
) -> Anticipated:
    """Return the interval that E1 is expected to give.

    The variance is that of E1 with its expectations put in: of the log ratio, difference or log odds, by the
    derivatives with respect to shares and counts; the counts vary only when the cohort is a sample.

    Parameters
    ----------
    cells : the planned cohort.
    validated : number validated at random in all, or the number in each stratum, shape (strata,).
    measure : one of ``MEASURES``.
    weights : of the age bands, sum 1: a standard population, or 1 for a single band; None for all ages as they are.
    level : confidence level.
    target : population or cohort.

    Returns
    -------
    The expected interval; it covers the measure in the population or the cohort, as the target says.

    Raises
    ------
    EstimationError : unknown measure, impossible number, fewer than 10 expected validated with or without the disease.

    Examples
    --------
    With everybody validated only the sampling of people is left: of 200 men 60 have the disease, of 200 women 40, so
    that the log ratio has variance 1/60 - 1/200 + 1/40 - 1/200 = 0.0317.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=400, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> round(anticipated_interval(cells, 400).se ** 2, 4)
    0.0317
    """
    each = np.asarray(validated, dtype=float)
    _checked_request(cells, float(each.sum()), measure, level)
    safe = np.where(cells.patients > 0, cells.patients, 1.0)
    r = each / cells.total_patients if each.ndim == 0 else each / safe
    place, band = _weights_of_place(cells, weights)
    by_band, overall = anticipated_margins(cells, r, sampled=Target(target) is Target.population)
    state = _state(by_band, band)
    margin = overall if weights is None else by_band
    return _read(margin, measure, place, band, level=level, estimator="E1", state=state)


def validated_only_interval(
    cells: PlannedCells, validated: float, *, measure: str = "ratio", weights: Array | None = None, level: float = 0.95
) -> Anticipated:
    """Return the interval to expect when the validated patients alone are analysed: what doing without the score costs.

    Parameters
    ----------
    cells, measure, weights, level : as in :func:`anticipated_interval`.
    validated : number validated at random.

    Returns
    -------
    The interval for the population, as a complete-case analysis gives it.

    Examples
    --------
    A quarter of the patients of the example above, four times its variance.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=400, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> round(validated_only_interval(cells, 100).se ** 2, 4)
    0.1267
    """
    _checked_request(cells, validated, measure, level)
    place, band = _weights_of_place(cells, weights)
    by_band, overall = validated_only_margins(cells, validated / cells.total_patients)
    margin = overall if weights is None else by_band
    return _read(margin, measure, place, band, level=level, estimator="complete_case", state="naive")


def share_gradient(cells: PlannedCells, measure: str, weights: Array | None = None) -> Array:
    """Return how a measure, on the scale of its interval, moves with the share of men of each band and disease state.

    Parameters
    ----------
    cells : the planned cohort.
    measure : one of ``MEASURES``.
    weights : of the age bands, or None for all ages as they are.

    Returns
    -------
    Shape (bands, 2). All ages together have one share for each disease state; each band then moves it by its part.

    Examples
    --------
    60 of 200 men and 40 of 200 women have the disease. One more man, one woman less among the 100 diseased moves the
    log ratio by 1/60 - 1/200 + 1/40 - 1/200; among the 300 others by -1/200 - 1/200.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=400, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> (share_gradient(cells, "ratio") / [300, 100]).round(6).tolist()
    [[-0.01, 0.031667]]
    """
    place, band = _weights_of_place(cells, weights)
    by_band, overall = anticipated_margins(cells, np.ones_like(cells.patients))
    if weights is not None:
        return _smooth(measure, by_band, place, band).by_pi
    part = np.divide(by_band.n, overall.n, out=np.zeros_like(by_band.n), where=overall.n > 0)
    return np.asarray(_smooth(measure, overall, place, band).by_pi * part)
