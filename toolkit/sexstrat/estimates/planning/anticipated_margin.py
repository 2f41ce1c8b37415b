"""The covariance that E1, or the validated patients alone, would give for a planned cohort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Margin
from sexstrat.estimates.planning.planned_cells import PlannedCells
from sexstrat.estimates.recalibration import N_FOLDS

__all__ = ["anticipated_margins", "fitting_cost", "validated_only_margins"]

Array = NDArray[np.float64]

# What the recalibration fits on the validated patients of one disease state alone (level, slope, age), and what it
# shares between both (square of age, number of eyes).
OWN_COEFFICIENTS, SHARED_COEFFICIENTS = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Residuals:
    """Moments of the residual e = S - p by stratum, with v = p (1 - p): E e^2 = E v, E e^3 = E v (1 - 2 p), ..."""

    second: Array
    fourth: Array
    third: Array
    third_p: Array
    second_p: Array
    second_p2: Array


def _residuals(cells: PlannedCells, cost: Array) -> _Residuals:
    m1, m2, m3, m4 = cells.moments * cells.inflation * (1 + cost)
    return _Residuals(
        second=m1 - m2,
        fourth=m1 - 4 * m2 + 6 * m3 - 3 * m4,
        third=m1 - 3 * m2 + 2 * m3,
        third_p=m2 - 3 * m3 + 2 * m4,
        second_p=m2 - m3,
        second_p2=m3 - m4,
    )


def fitting_cost(cells: PlannedCells, probability: Array) -> Array:
    """Return by how much estimating the recalibration raises the squared residuals, by stratum, as a share of them.

    (3 / m_d + 2 / m) E v^2 / (E v)^2, with v = p (1 - p): a logistic model of k coefficients fitted on m patients is
    off by k E v^2 / (m E v) in squared probability. Each fold is fitted on four fifths of the validated: m_d of them in
    the disease state, which has its own level, slope and age, and m in all.

    Parameters
    ----------
    cells : the planned cohort.
    probability : validation probability of each stratum.

    References
    ----------
    van Houwelingen JC, le Cessie S. Predictive value of statistical models. Stat Med 1990;9:1303-1325.

    Examples
    --------
    A score that says nothing, 100 of 1,000 validated, half of them diseased: 3/40 + 2/80.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=1000, prevalence=0.5, male_share=0.5, ratio=1.0, auc=0.5)
    >>> fitting_cost(cells, np.full(2, 0.1)).round(6).tolist()
    [0.1, 0.1]
    """
    m1, m2, m3, m4 = cells.moments
    v, square = m1 - m2, m2 - 2 * m3 + m4
    fitted = cells.patients * probability * (1 - 1 / N_FOLDS)
    cost = np.zeros_like(cells.patients)
    for d in (0, 1):
        rows = cells.diseased == d
        people, own = cells.patients[rows], float(fitted[rows].sum())
        mean = float(people @ v[rows]) / max(float(people.sum()), 1e-300)
        if own > 0 and mean > 0:
            spread = float(people @ square[rows]) / float(people.sum()) / mean**2
            cost[rows] = (OWN_COEFFICIENTS / own + SHARED_COEFFICIENTS / float(fitted.sum())) * spread
    return cost


def _checked(cells: PlannedCells, probability: Array) -> Array:
    r = np.broadcast_to(np.asarray(probability, dtype=float), cells.patients.shape)
    used = cells.patients > 0
    if not bool(((r[used] > 0) & (r[used] <= 1 + 1e-9)).all()):
        raise EstimationError(
            "the validation probability of every stratum with patients must lie above 0 and be at most 1; found "
            f"{float(r[used].min()):g} to {float(r[used].max()):g}. A stratum in which nobody can be validated "
            "makes E1 impossible"
        )
    return np.where(used, np.minimum(r, 1.0), 1.0)


def anticipated_margins(cells: PlannedCells, probability: Array, *, sampled: bool = True) -> tuple[Margin, Margin]:
    """Return the shares of men with the covariance that E1 is expected to report: by age band, and of all ages.

    With psi = p + (R/r)(S - p): N^2 var = sum of w^2 {var(S) + E[(S - p)^2](1 - r)/r} for the population, whatever the
    calibration of p, and sum of w^2 E[(S - p)^2](1 - r)/r for the cohort itself. Degrees of freedom as E1 counts them:
    2 v^2 over the expected sum of squared contributions, at most the effective number validated less one.

    Assumes that patients are independent (not sampled by cluster).

    Parameters
    ----------
    cells : the planned cohort.
    probability : validation probability of each stratum, shape (strata,); one number for all.
    sampled : the cohort is a sample of the population the estimates are about.

    Raises
    ------
    EstimationError : a stratum with patients of whom nobody can be validated.

    References
    ----------
    Robins JM, Rotnitzky A, Zhao LP. JASA 1994;89:846-866. Angelopoulos AN et al. Science 2023;382:669-674.

    Examples
    --------
    Of 1,000 patients half are men, and the score is perfect: nothing but the sampling of people varies,
    0.5 x 0.5 / 800 without the disease and 0.5 x 0.5 / 200 with it.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=1000, prevalence=0.2, male_share=0.5, ratio=1.0, auc=1.0)
    >>> _, overall = anticipated_margins(cells, np.array(0.1))
    >>> np.diag(overall.covariance).round(8).tolist()
    [0.0003125, 0.00125]
    """
    r = _checked(cells, probability)
    residuals = _residuals(cells, fitting_cost(cells, r))
    by_band = cells.shares
    n = cells.table(cells.n)
    whole = n.sum(axis=0)
    men = np.where(n > 0, n * np.nan_to_num(by_band), 0.0).sum(axis=0)
    overall = np.divide(men, whole, out=np.full(2, np.nan), where=whole > 0)
    return (
        _margin(cells, r, residuals, by_band, sampled, pooled=False),
        _margin(cells, r, residuals, overall[None, :], sampled, pooled=True),
    )


def _margin(
    cells: PlannedCells, r: Array, e: _Residuals, pi: Array, sampled: bool, *, pooled: bool
) -> Margin:  # fmt: skip
    def total(values: Array) -> Array:
        table = cells.table(values)
        return table.sum(axis=0, keepdims=True) if pooled else table

    row = np.zeros_like(cells.band) if pooled else cells.band
    c = np.nan_to_num(pi[row, cells.diseased])
    unseen = e.second * (1 - r) / r
    square = cells.n_variance / np.where(cells.patients > 0, cells.patients, 1.0)
    if sampled:
        m1 = cells.moments[0]
        variance = cells.n_variance * (m1 * (1 - 2 * c) + c**2 + unseen)
        cross = e.third_p - c * e.third
        spread = e.second_p2 - 2 * c * e.second_p + c**2 * e.second
        squares = e.fourth / r**4 + 4 * cross / r**3 + 4 * spread / r**2
    else:
        variance = cells.n_variance * unseen
        squares = e.fourth * (1 - r) ** 2 / r**4
    variance, noise = total(variance), total(cells.patients * r * square**2 * squares)
    n = total(cells.n)
    weights = total(cells.n_variance / r)
    effective = np.divide(n**2, weights, out=np.zeros_like(n), where=weights > 0)
    df = np.divide(2 * variance**2, noise, out=np.full_like(n, np.inf), where=noise > 0)
    return Margin(
        n=n,
        n_variance=total(cells.n_variance),
        n_patients=total(cells.patients),
        n_validated=total(cells.patients * r),
        effective_validated=effective,
        pi=pi,
        covariance=np.diag(np.divide(variance, n**2, out=np.zeros_like(n), where=n > 0).ravel()),
        variance_df=np.minimum(df, effective - 1),
        sampled=sampled,
    )


def validated_only_margins(cells: PlannedCells, share: float) -> tuple[Margin, Margin]:
    """Return what the validated patients alone would give: counts of a random share of the cohort, no score used.

    Parameters
    ----------
    cells : the planned cohort.
    share : share validated at random, above 0 and at most 1.

    Returns
    -------
    By age band, and all ages; the intervals cover the population, as complete-case ones do.

    Examples
    --------
    Half of 1,000 patients validated, 200 of them diseased: variance 0.5 x 0.5 / 100.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=1000, prevalence=0.2, male_share=0.5, ratio=1.0, auc=0.9)
    >>> round(float(validated_only_margins(cells, 0.5)[1].covariance[1, 1]), 8)
    0.0025
    """
    if not 0 < share <= 1 + 1e-9:
        raise EstimationError(f"the share validated must lie above 0 and be at most 1; found {share:g}")
    margins = []
    for pooled in (False, True):
        tables = [
            cells.table(v * share) for v in (cells.n, cells.n_variance, cells.patients, cells.n * cells.moments[0])
        ]
        n, n_variance, patients, men = [t.sum(axis=0, keepdims=True) if pooled else t for t in tables]
        pi = np.divide(men, n, out=np.full_like(n, np.nan), where=n > 0)
        variance = np.nan_to_num(np.divide(n_variance * pi * (1 - pi), n**2, out=np.zeros_like(n), where=n > 0))
        margins.append(
            Margin(
                n=n,
                n_variance=n_variance,
                n_patients=patients,
                n_validated=patients,
                effective_validated=patients,
                pi=pi,
                covariance=np.diag(variance.ravel()),
                counted=True,
            )
        )
    return margins[0], margins[1]
