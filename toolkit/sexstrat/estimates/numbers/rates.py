"""Directly standardised proportions with a gamma interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import gamma

__all__ = ["StandardisedRate", "direct_standardised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardisedRate:
    """A directly standardised rate.

    Parameters
    ----------
    point, variance, low, high : the rate, its Poisson variance and interval.
    """

    point: float
    variance: float
    low: float
    high: float


def direct_standardised(
    cases: ArrayLike, population: ArrayLike, standard: ArrayLike, *, level: float = 0.95
) -> StandardisedRate:
    """Return the directly standardised rate sum_a w_a x_a / n_a with the Fay-Feuer gamma interval.

    Variance sum_a (w_a / n_a)^2 x_a; lower limit the gamma quantile with mean y and variance v, upper limit with
    y + k and v + k^2, k the largest w_a / n_a.

    Parameters
    ----------
    cases, population : cases and people by age band.
    standard : weights by age band, any scale.
    level : confidence level.

    Raises
    ------
    ValueError : unequal lengths, an empty band that has weight, negative numbers.

    References
    ----------
    Fay MP, Feuer EJ. Stat Med 1997;16:791-801.

    Examples
    --------
    Rates 10 % and 30 %, the standard three quarters young: 15 %.

    >>> round(direct_standardised([10, 30], [100, 100], [3, 1]).point, 4)
    0.15
    """
    x, n, w = (np.asarray(values, dtype=float) for values in (cases, population, standard))
    if x.ndim != 1 or not x.shape == n.shape == w.shape:
        raise ValueError(f"cases, population and standard must be of one length; found {x.shape}, {n.shape}, {w.shape}")
    if (x < 0).any() or (w < 0).any() or w.sum() <= 0 or ((n <= 0) & (w > 0)).any():
        raise ValueError("every band with a weight needs people, and nothing may be negative")
    used = w > 0
    k = (w / w.sum())[used] / n[used]
    y, v = float(k @ x[used]), float(k**2 @ x[used])
    tail = (1 - level) / 2
    low = 0.0 if y == 0 else float(gamma.ppf(tail, y**2 / v, scale=v / y))
    top, spread = y + k.max(), v + k.max() ** 2
    high = float(gamma.isf(tail, top**2 / spread, scale=spread / top))
    return StandardisedRate(point=y, variance=v, low=low, high=high)
