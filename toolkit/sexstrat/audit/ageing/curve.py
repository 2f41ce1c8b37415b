"""A share as a smooth curve over age, with a band for each age and a band for all ages at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import t as student

from sexstrat.audit.ageing.clustered_logistic import ClusteredFit, clustered_logistic
from sexstrat.audit.ageing.splines import spline_columns
from sexstrat.audit.clusters import Clusters

__all__ = ["PATIENTS_PER_SLOPE", "AgeCurve", "age_curve", "simultaneous_quantile"]

Floats = NDArray[np.float64]

PATIENTS_PER_SLOPE = 10  # patients with the rarer outcome for each slope: Peduzzi et al., J Clin Epidemiol 1996;49:1373
DRAWS = 20_000  # of the largest deviation; the quantile's Monte Carlo error is below half a percent of itself
SEED = 20_240_607


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeCurve:
    """A curve over age, or the reason why there is none.

    Parameters
    ----------
    ages : ages at which the curve is given, years.
    point : the share at each age.
    se : standard error of the log odds at each age.
    low, high : limits that cover the share at one age at the level.
    low_simultaneous, high_simultaneous : limits that cover the shares at all the ages at once at the level.
    level : confidence level.
    knots : knots of the spline, years.
    fit : the fit, for tests.
    n_patients, n_patients_numerator, n_patients_complement : patients; those with a success, those with a failure.
    state : ``measured`` or ``undefined``.
    note : the reason.

    Examples
    --------
    >>> from sexstrat.audit.ageing import age_curve
    >>> age_curve([50.0], [1], ["a"], ages=[50.0], knots=(40.0, 50.0, 60.0)).state
    'undefined'
    """

    ages: Floats
    level: float
    knots: tuple[float, ...]
    fit: ClusteredFit
    n_patients: int
    n_patients_numerator: int
    n_patients_complement: int
    point: Floats = field(default_factory=lambda: np.zeros(0))
    se: Floats = field(default_factory=lambda: np.zeros(0))
    low: Floats = field(default_factory=lambda: np.zeros(0))
    high: Floats = field(default_factory=lambda: np.zeros(0))
    low_simultaneous: Floats = field(default_factory=lambda: np.zeros(0))
    high_simultaneous: Floats = field(default_factory=lambda: np.zeros(0))
    state: str = "measured"
    note: str = ""


def age_curve(
    age_years: ArrayLike,
    success: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    ages: ArrayLike,
    knots: tuple[float, ...],
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> AgeCurve:
    """Fit the log odds of success as a restricted cubic spline of age, with variance over patients.

    logit P(success | age) = spline(age); Student limits of the log odds, brought back to shares. The simultaneous band
    takes the quantile of the largest deviation over the ages of a multivariate t with the same covariance.

    Parameters
    ----------
    age_years : age of each image, years.
    success : 0 or 1 for each image.
    cluster : patient of each image.
    ages : where to read the curve, years; not beyond the ages observed.
    knots : knots of the spline, from :func:`age_knots`.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.

    Returns
    -------
    The curve; ``undefined`` when fewer than ten patients a slope have the rarer outcome, or nothing finite fits.

    References
    ----------
    Harrell 2015, section 2.4; Hothorn T, Bretz F, Westfall P. Biom J 2008;50:346-363 (simultaneous limits).

    Examples
    --------
    Half of 80 succeed at every age, whatever the age: the curve is .5 throughout.

    >>> age = np.repeat(np.arange(40, 80), 2)
    >>> curve = age_curve(age, np.tile([0, 1], 40), range(80), ages=[50, 60], knots=(44, 60, 76))
    >>> curve.point.round(6).tolist(), bool(np.all(curve.low_simultaneous < curve.low))
    ([0.5, 0.5], True)
    """
    at, y = np.asarray(ages, dtype=float), np.asarray(success, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    right, wrong = patients.having(y > 0), patients.having(y < 1)
    nothing = AgeCurve(
        ages=at, level=level, knots=knots, fit=_nothing(patients), n_patients=patients.n, n_patients_numerator=right,
        n_patients_complement=wrong, state="undefined",
    )  # fmt: skip
    if not knots or min(right, wrong) < PATIENTS_PER_SLOPE * (len(knots) - 1):
        return replace(nothing, note=_too_few(right, wrong, len(knots)) if knots else "ages too alike for a curve")
    fit = clustered_logistic(spline_columns(np.asarray(age_years, dtype=float), knots), y, patients, weight=weight)
    if fit.state != "measured":
        return replace(nothing, fit=fit, note=fit.note)
    grid = spline_columns(at, knots)
    odds, se = grid @ fit.coefficients, np.sqrt(np.einsum("ij,jk,ik->i", grid, fit.corrected, grid))
    reach = float(student.ppf(0.5 + level / 2, fit.df)) * se
    wide = simultaneous_quantile(grid, fit.corrected, df=fit.df, level=level) * se
    return replace(
        nothing, fit=fit, state="measured", point=expit(odds), se=se, low=expit(odds - reach),
        high=expit(odds + reach), low_simultaneous=expit(odds - wide), high_simultaneous=expit(odds + wide),
    )  # fmt: skip


def simultaneous_quantile(grid: Floats, covariance: Floats, *, df: int, level: float) -> float:
    """Return the quantile of the largest absolute t deviation over the rows of a grid.

    Parameters
    ----------
    grid : linear combinations, shape (rows, coefficients).
    covariance : covariance of the coefficients.
    df : degrees of freedom.
    level : confidence level.

    Returns
    -------
    At least Student's two-sided quantile, which a single row gives; by 20,000 draws from a fixed seed.

    References
    ----------
    Hothorn, Bretz, Westfall 2008, section 3.

    Examples
    --------
    One row with many degrees of freedom is the normal quantile, 1.96.

    >>> round(simultaneous_quantile(np.ones((1, 1)), np.eye(1), df=10_000, level=0.95), 2)
    1.96
    """
    single = float(student.ppf(0.5 + level / 2, df))
    values, vectors = np.linalg.eigh(covariance)
    loads = grid @ (vectors * np.sqrt(np.clip(values, 0, None)))
    length = np.sqrt(np.sum(loads**2, axis=1))
    if len(grid) < 2:
        return single
    rng = np.random.default_rng(SEED)
    normal = rng.standard_normal((loads.shape[1], DRAWS))
    largest = np.max(np.abs((loads / length[:, None]) @ normal), axis=0)
    return max(single, float(np.quantile(largest / np.sqrt(rng.chisquare(df, DRAWS) / df), level)))


def _too_few(right: int, wrong: int, n_knots: int) -> str:
    """Say what is lacking without a count of patients."""
    needed = PATIENTS_PER_SLOPE * (n_knots - 1)
    lacking = [f"wrong in fewer than {needed} patients"] if wrong < needed else []
    lacking += [f"right in fewer than {needed} patients"] if right < needed else []
    return " and ".join(lacking) + ": too few for a curve"


def _nothing(patients: Clusters) -> ClusteredFit:
    return ClusteredFit(coefficients=np.zeros(0), covariance=np.zeros((0, 0)), n_patients=patients.n, state="undefined")
