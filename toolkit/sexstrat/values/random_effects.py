"""One estimate a site: their mean, how much they differ, and what a new site may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, stdtrit

from sexstrat.errors import EstimationError

__all__ = ["RandomEffects", "random_effects"]

Array = NDArray[np.float64]
FEWEST_SITES = 3  # with two sites the spread between them is known from one degree of freedom: no interval is useful


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomEffects:
    """The mean of sites that differ, on the scale of the estimates.

    Parameters
    ----------
    n_sites : sites with an estimate and a variance.
    mean, se, low, high : mean of the sites' true values with its interval.
    prediction_low, prediction_high : where the true value of a new, similar site lies.
    tau2 : variance of the true values between sites.
    q, p_value : Cochran's Q against n_sites - 1 degrees of freedom, the test that all true values are equal.
    i2 : share of the spread of the estimates that is not chance, (Q - df) / Q, at least 0.
    level : confidence level of both intervals.
    """

    n_sites: int
    mean: float
    se: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float
    tau2: float
    q: float
    p_value: float
    i2: float
    level: float


def random_effects(estimates: Sequence[float], variances: Sequence[float], *, level: float = 0.95) -> RandomEffects:
    """Return the random-effects mean of the sites' estimates.

    tau2 solves sum (y - mean)^2 / (v + tau2) = k - 1 (Paule and Mandel), at least 0; the mean weighs each site by
    1 / (v + tau2); its variance is that of Hartung, Knapp, Sidik and Jonkman, never below the usual one, with k - 1
    degrees of freedom; the prediction interval adds tau2 to it. Assumes that estimates are normal around the sites'
    true values with known variances, and those values normal around their mean.

    Parameters
    ----------
    estimates : one per site, on the scale on which they are nearly normal (log ratio, difference, logit).
    variances : of the estimates, above 0.
    level : confidence level.

    Raises
    ------
    EstimationError : fewer than three sites, a value that is not finite, or a variance that is not above 0.

    References
    ----------
    Paule & Mandel 1982, J Res Natl Bur Stand 87:377; Knapp & Hartung 2003, Stat Med 22:2693; Higgins, Thompson &
    Spiegelhalter 2009, J R Stat Soc A 172:137; Rover, Knapp & Friede 2015, BMC Med Res Methodol 15:99 (never narrower).

    Examples
    --------
    Three sites that agree but for chance: the plain mean, with the usual standard error, 1 / sqrt(3 / 0.03) = 0.1.

    >>> found = random_effects([0.4, 0.5, 0.6], [0.03, 0.03, 0.03])
    >>> round(found.mean, 6), found.tau2, round(found.se, 6), round(found.q, 4)
    (0.5, 0.0, 0.1, 0.6667)
    """
    y, v = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    _check(y, v, level)
    tau2 = _between(y, v)
    weights = 1 / (v + tau2)
    mean = float(np.average(y, weights=weights))
    df = y.size - 1
    scale = max(1.0, float(np.sum(weights * (y - mean) ** 2)) / df)
    variance = scale / float(weights.sum())
    q = _q(y, v, 0.0)
    t = float(stdtrit(df, 0.5 + level / 2))
    half, wide = t * np.sqrt(variance), t * np.sqrt(variance + tau2)
    return RandomEffects(
        n_sites=int(y.size),
        mean=mean,
        se=float(np.sqrt(variance)),
        low=float(mean - half),
        high=float(mean + half),
        prediction_low=float(mean - wide),
        prediction_high=float(mean + wide),
        tau2=tau2,
        q=q,
        p_value=float(chdtrc(df, q)),
        i2=max(0.0, (q - df) / q) if q > 0 else 0.0,
        level=level,
    )


def _check(y: Array, v: Array, level: float) -> None:
    if not 0.5 <= level <= 0.999:
        raise EstimationError(f"the confidence level must lie between 0.5 and 0.999; found {level}")
    if y.shape != v.shape or y.ndim != 1:
        raise EstimationError(f"one variance for each estimate is needed; found {y.size} estimates, {v.size} variances")
    if y.size < FEWEST_SITES:
        raise EstimationError(f"how much sites differ needs at least {FEWEST_SITES} sites; found {y.size}")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise EstimationError("every site needs a finite estimate and a variance above 0")


def _q(y: Array, v: Array, tau2: float) -> float:
    """Return the weighted sum of squares around the weighted mean."""
    weights = 1 / (v + tau2)
    return float(np.sum(weights * (y - np.average(y, weights=weights)) ** 2))


def _between(y: Array, v: Array) -> float:
    """Return the variance between sites at which the weighted sum of squares equals its degrees of freedom."""
    df = y.size - 1
    if _q(y, v, 0.0) <= df:
        return 0.0
    top = float(np.var(y) * y.size + v.max())
    return float(brentq(lambda tau2: _q(y, v, tau2) - df, 0.0, top, xtol=1e-14, rtol=1e-12))
