"""Intervals from bootstrap replicates of one figure: percentile and BCa, and what stands in the way of either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from sexstrat.errors import EstimationError

__all__ = ["BootstrapInterval", "acceleration", "bca_interval", "normal_quantiles", "percentile_interval"]

Array = NDArray[np.float64]

LARGEST_UNDEFINED = 0.05  # beyond it what is left no longer describes the sampling of the figure
FEWEST = 200  # replicates below which the tail of 2.5 % holds fewer than five


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapInterval:
    """An interval, or the reason why there is none.

    Parameters
    ----------
    low, high : limits on the scale of the replicates; None where the note says why.
    n_undefined : replicates in which the figure had no value.
    note : the reason, or what to know; "" when there is nothing to say.
    """

    low: float | None
    high: float | None
    n_undefined: int
    note: str = ""


def normal_quantiles(replicates: ArrayLike, tails: ArrayLike) -> Array:
    """Return quantiles of replicates, interpolated on the normal scale between order statistics k / (R + 1).

    Parameters
    ----------
    replicates : values, none NaN.
    tails : probabilities.

    References
    ----------
    Davison AC, Hinkley DV. Bootstrap Methods and their Application. Cambridge 1997, equation 5.8.

    Examples
    --------
    Of 1 to 99 the quantile of 2.5 % lies between the 2nd and 3rd: (z.025 - z.02) / (z.03 - z.02) = 0.542.

    >>> normal_quantiles(np.arange(1, 100), [0.025, 0.5]).round(3).tolist()
    [2.542, 50.0]
    """
    ordered = np.sort(np.asarray(replicates, dtype=float))
    size = ordered.size
    rank = (size + 1) * np.asarray(tails, dtype=float)
    k = np.clip(np.floor(rank + 1e-9), 0, size).astype(int)
    below, above = ordered[np.clip(k - 1, 0, size - 1)], ordered[np.clip(k, 0, size - 1)]
    inside = (k > 0) & (k < size) & (rank - k > 1e-9)
    low, high = (norm.ppf(np.clip(j, 1, size) / (size + 1)) for j in (k, k + 1))
    gap = np.where(high > low, high - low, 1.0)
    share = np.where(inside, (norm.ppf(np.clip(tails, 1e-300, 1)) - low) / gap, 0.0)
    with np.errstate(invalid="ignore"):
        between = below + share * (above - below)
    # between a number and infinity lies infinity
    return np.asarray(np.where(np.isnan(between), np.where(np.isinf(below), below, above), between))


def acceleration(influence: ArrayLike, times: ArrayLike | None = None) -> Array:
    """Return the acceleration of BCa: sum l^3 / (6 (sum l^2)^1.5), l the influence of each sampling unit.

    Parameters
    ----------
    influence : shape (units,) or (units, figures), mean 0.
    times : how many units share each influence; None for one.

    References
    ----------
    Efron B. Better bootstrap confidence intervals. JASA 1987;82:171-185, equation 6.6.

    Examples
    --------
    For -1, -1 and 2: 6 / (6 x 6^1.5).

    >>> round(float(acceleration([-1.0, -1.0, 2.0])), 6), round(float(acceleration([-1.0, 2.0], [2, 1])), 6)
    (0.068041, 0.068041)
    """
    one = np.asarray(influence, dtype=float)
    weight = np.ones(one.shape[0]) if times is None else np.asarray(times, dtype=float)
    squares, cubes = weight @ one**2, weight @ one**3
    return np.asarray(np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0))


def _usable(replicates: ArrayLike, level: float) -> tuple[Array, int, str]:
    """Return the replicates that have a value, how many have none, and why no interval can be made of them."""
    if not 0 < level < 1:
        raise EstimationError(f"the confidence level must lie between 0 and 1; found {level}")
    values = np.asarray(replicates, dtype=float)
    defined = values[~np.isnan(values)]
    undefined = values.size - defined.size
    if undefined > LARGEST_UNDEFINED * values.size:
        return defined, undefined, f"undefined in {undefined:,} of {values.size:,} replicates"
    if defined.size < FEWEST:
        return defined, undefined, f"{defined.size} replicates, and an interval needs {FEWEST}"
    if defined.min() == defined.max():
        return defined, undefined, "every replicate gave the same figure"
    return defined, undefined, ""


def _limits(defined: Array, tails: Array, undefined: int) -> BootstrapInterval:
    low, high = normal_quantiles(defined, tails)
    if not (np.isfinite(low) and np.isfinite(high)):
        reason = "some replicates have no case on one side, so that a limit lies at the edge of what is possible"
        return BootstrapInterval(low=None, high=None, n_undefined=undefined, note=reason)
    rank = (defined.size + 1) * tails
    extreme = bool((rank < 1).any() or (rank > defined.size).any())
    note = "a limit is the most extreme replicate: draw more" if extreme else ""
    return BootstrapInterval(low=float(low), high=float(high), n_undefined=undefined, note=note)


def percentile_interval(replicates: ArrayLike, *, level: float = 0.95) -> BootstrapInterval:
    """Return the percentile interval: quantiles (1 - level)/2 and (1 + level)/2 of the replicates.

    Parameters
    ----------
    replicates : values of the figure in each resample; NaN where it is undefined.
    level : confidence level.

    Raises
    ------
    EstimationError : a level outside 0 to 1.

    References
    ----------
    Davison AC, Hinkley DV. Bootstrap Methods and their Application. Cambridge 1997, section 5.3.1.

    Examples
    --------
    >>> found = percentile_interval(np.arange(1, 1000))
    >>> found.low, found.high
    (25.0, 975.0)
    """
    defined, undefined, reason = _usable(replicates, level)
    if reason:
        return BootstrapInterval(low=None, high=None, n_undefined=undefined, note=reason)
    return _limits(defined, np.array([(1 - level) / 2, (1 + level) / 2]), undefined)


def bca_interval(replicates: ArrayLike, *, point: float, acceleration: float, level: float = 0.95) -> BootstrapInterval:
    """Return the bias-corrected and accelerated interval: quantiles Phi(w + (w + z) / (1 - a (w + z))).

    w is the normal quantile of the share of replicates below the point. Half of those equal to it count as below,
    where the paper counts none: with few distinct values w would otherwise be biased.

    Parameters
    ----------
    replicates : values of the figure in each resample; NaN where it is undefined.
    point : the figure in the data.
    acceleration : a, from :func:`acceleration`.
    level : confidence level.

    Raises
    ------
    EstimationError : a level outside 0 to 1.

    References
    ----------
    Efron B. Better bootstrap confidence intervals. JASA 1987;82:171-185.

    Examples
    --------
    Without bias or acceleration it is the percentile interval.

    >>> found = bca_interval(np.arange(1, 1000), point=500.0, acceleration=0.0)
    >>> round(found.low, 6), round(found.high, 6)
    (25.0, 975.0)
    """
    defined, undefined, reason = _usable(replicates, level)
    if not reason and not np.isfinite(point):
        reason = "the figure itself has no value"
    if reason:
        return BootstrapInterval(low=None, high=None, n_undefined=undefined, note=reason)
    below = (np.sum(defined < point) + np.sum(defined == point) / 2) / defined.size
    if not 0 < below < 1:
        reason = "every replicate lies on one side of the figure, so that their bias cannot be corrected"
        return BootstrapInterval(low=None, high=None, n_undefined=undefined, note=reason)
    w = float(norm.ppf(below))
    z = norm.ppf(np.array([(1 - level) / 2, (1 + level) / 2]))
    lever = 1 - acceleration * (w + z)
    if not (lever > 0).all():
        reason = f"an acceleration of {acceleration:.2g} is too large for this level"
        return BootstrapInterval(low=None, high=None, n_undefined=undefined, note=reason)
    return _limits(defined, np.asarray(norm.cdf(w + (w + z) / lever)), undefined)
