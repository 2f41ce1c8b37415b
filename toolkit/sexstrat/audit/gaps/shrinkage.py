"""Estimates of groups drawn towards their mean, as far as chance alone could have spread them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from sexstrat.audit.interval import normal_quantile
from sexstrat.values.random_effects import RandomEffects, random_effects

__all__ = ["FEWEST_GROUPS", "Shrunken", "empirical_logits", "shrunken", "shrunken_shares"]

FEWEST_GROUPS = 4  # Morris's interval divides by groups − 3
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunken:
    """Empirical-Bayes estimates of groups, and how much the groups differ.

    Parameters
    ----------
    point, low, high : of each group, shape (groups,).
    weight : share of its own deviation from the mean that a group loses, 0 to 1.
    between : mean of the groups, spread between them, I2, and the interval for a new group, on the scale of analysis.
    prediction_low, prediction_high : interval for the true value of a new, similar group, on the scale of ``point``.
    """

    point: Floats
    low: Floats
    high: Floats
    weight: Floats
    between: RandomEffects
    prediction_low: float
    prediction_high: float


def shrunken(estimates: Sequence[float], variances: Sequence[float], *, level: float = 0.95) -> Shrunken:
    """Return empirical-Bayes estimates of groups, normal around a common mean, with Morris's intervals.

    (1 − B)·estimate + B·mean with B = (k − 3)/(k − 1) · v/(v + τ²), τ² by Paule and Mandel and the mean weighted by
    1/(v + τ²). Variance: v·(1 − B·(k − r)/k) + w·(estimate − mean)², where r = k times the group's share of the weights
    and w = 2/(k − 3) · B²·(v̄ + τ²)/(v + τ²): it allows for τ² and the mean being estimated. Beside the raw estimates,
    never instead of them.

    Parameters
    ----------
    estimates : one a group, on a scale on which they are nearly normal.
    variances : of the estimates, taken as known, above 0.
    level : confidence level.

    Returns
    -------
    Shrunken; the interval covers the group's true value on average over the groups.

    Raises
    ------
    ValueError : fewer than four groups.
    EstimationError : an estimate is not finite or a variance not above 0.

    References
    ----------
    Morris 1983, J Am Stat Assoc 78:47 (unequal variances); Paule & Mandel 1982, J Res Natl Bur Stand 87:377.

    Examples
    --------
    τ² = 17/3 solves 20/(1 + τ²) = 3, so B = 1/3 · 3/20; the variance at 3 is 1 − 0.75/20 + 2·9/400 = 1.0075.

    >>> found = shrunken([-3, -1, 1, 3], [1, 1, 1, 1])
    >>> found.point.round(6).tolist()
    [-2.85, -0.95, 0.95, 2.85]
    >>> round(float(found.high[3] - 2.85) / 1.959964, 4)  # √1.0075
    1.0037
    """
    y, v = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    k = y.size
    if k < FEWEST_GROUPS:
        raise ValueError(f"shrinkage with an interval needs at least {FEWEST_GROUPS} groups; found {k}")
    between = random_effects(y.tolist(), v.tolist(), level=level)
    share = 1 / (v + between.tau2)
    lost = (k - 3) / (k - 1) * v * share
    off = y - between.mean
    own = k * share / share.sum()
    doubt = 2 / (k - 3) * lost**2 * (np.average(v, weights=share) + between.tau2) * share
    half = normal_quantile(level) * np.sqrt(v * (1 - lost * (k - own) / k) + doubt * off**2)
    point = y - lost * off
    return Shrunken(
        point=point,
        low=point - half,
        high=point + half,
        weight=lost,
        between=between,
        prediction_low=between.prediction_low,
        prediction_high=between.prediction_high,
    )


def empirical_logits(shares: ArrayLike, sizes: ArrayLike) -> tuple[Floats, Floats]:
    """Return the logits of shares and their variances, with half a success and half a failure added.

    log((x + ½)/(n − x + ½)) and 1/(x + ½) + 1/(n − x + ½), x = n·share: finite at shares of 0 and 1.

    Parameters
    ----------
    shares : 0 to 1.
    sizes : independent images that each share is worth (images over design effect), above 0.

    References
    ----------
    Haldane 1956, Ann Hum Genet 20:309; Anscombe 1956, Biometrika 43:461; Gart & Zweifel 1967, Biometrika 54:181.

    Examples
    --------
    >>> logits, variances = empirical_logits([0.5, 1.0], [9, 9])
    >>> logits.round(4).tolist(), variances.round(4).tolist()  # log(19), 1/5 + 1/5, 1/9.5 + 1/0.5
    ([0.0, 2.9444], [0.4, 2.1053])
    """
    p, n = np.asarray(shares, dtype=float), np.asarray(sizes, dtype=float)
    successes, failures = n * p + 0.5, n * (1 - p) + 0.5
    return np.log(successes / failures), 1 / successes + 1 / failures


def shrunken_shares(shares: Sequence[float], sizes: Sequence[float], *, level: float = 0.95) -> Shrunken:
    """Return empirical-Bayes estimates of the shares of groups, by the logit-normal model.

    :func:`shrunken` on :func:`empirical_logits`, taken back to shares.

    Parameters
    ----------
    shares : one a group, 0 to 1.
    sizes : independent images that each is worth.
    level : confidence level.

    Returns
    -------
    Shrunken, points, limits and prediction interval as shares; ``between`` on the logit scale.

    Examples
    --------
    A group in which nobody was wrong is not believed to be perfect.

    >>> found = shrunken_shares([0.9, 0.88, 0.92, 1.0], [400, 300, 350, 20])
    >>> found.point.round(3).tolist()
    [0.899, 0.884, 0.915, 0.961]
    """
    found = shrunken(*(each.tolist() for each in empirical_logits(shares, sizes)), level=level)
    return Shrunken(
        point=expit(found.point),
        low=expit(found.low),
        high=expit(found.high),
        weight=found.weight,
        between=found.between,
        prediction_low=float(expit(found.prediction_low)),
        prediction_high=float(expit(found.prediction_high)),
    )
