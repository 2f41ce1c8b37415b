"""Intervals that hold together: the quantile of the largest of many studentised deviations."""

from __future__ import annotations

from functools import lru_cache
from math import erf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.interval import normal_quantile

__all__ = ["DRAWS", "covariance_of_contrasts", "simultaneous_level", "simultaneous_quantile"]

DRAWS = 20_000  # the Monte Carlo error of a 95 % quantile is then about 0.01
BLOCK = 400_000  # normal deviates held at a time, 3 MB
ROUNDING = 1e-12  # of the largest eigenvalue: differences of all pairs depend on each other, and leave zeros
Floats = NDArray[np.float64]


def simultaneous_quantile(covariance: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 1) -> float:
    """Return the factor by which standard errors are stretched so that all intervals hold together.

    The ``level`` quantile of max |Z| over the comparisons, Z being jointly normal with their correlations. This is the
    max-t bootstrap whose multipliers are standard normal, one for each patient: the sum over patients of multiplier
    times contribution has exactly this distribution given the data, so drawing from it needs no patient. It lies
    between the single quantile (comparisons that are all the same) and Sidak's (independent ones).

    Parameters
    ----------
    covariance : of the compared quantities, shape (comparisons, comparisons); those without variance take no part.
    level : chance that all intervals hold.
    draws : number of draws.
    seed : of the draws.

    Returns
    -------
    The quantile, at least the single one.

    Raises
    ------
    ValueError : nothing to compare has a variance.

    References
    ----------
    Hothorn, Bretz & Westfall 2008, Biom J 50:346; Chernozhukov, Chetverikov & Kato 2013, Ann Stat 41:2786.

    Examples
    --------
    Three independent comparisons: Sidak's quantile is 2.388.

    >>> round(simultaneous_quantile(np.eye(3)), 1)
    2.4
    """
    matrix = np.asarray(covariance, dtype=float)
    spread = np.sqrt(np.diag(matrix))
    used = np.flatnonzero(spread > 0)
    if len(used) == 0:
        raise ValueError("no comparison has a variance, so there is no simultaneous interval")
    correlation = matrix[np.ix_(used, used)] / np.outer(spread[used], spread[used])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.where(values > ROUNDING * values[-1], values, 0.0))
    largest = np.zeros(draws)
    step = max(1, BLOCK // len(used))
    for start in range(0, draws, step):
        rows = slice(start, min(start + step, draws))
        normal = _deviates(rows.stop - rows.start, len(used), seed + start)
        largest[rows] = np.abs(normal @ root.T).max(axis=1)
    return max(float(np.quantile(largest, level)), normal_quantile(level))


@lru_cache(maxsize=4)
def _deviates(n: int, columns: int, seed: int) -> Floats:
    """Draw standard normal deviates, kept for the next metric of the same groups; not to be written to."""
    drawn = np.random.default_rng(seed).standard_normal((n, columns))
    drawn.setflags(write=False)
    return drawn


def simultaneous_level(quantile: float) -> float:
    """Return the confidence level of a single interval that is stretched by a quantile: 2Φ(quantile) − 1.

    Parameters
    ----------
    quantile : from :func:`simultaneous_quantile`.

    Examples
    --------
    >>> round(simultaneous_level(1.959964), 4)
    0.95
    """
    return erf(quantile / sqrt(2))


def covariance_of_contrasts(covariance: ArrayLike, pairs: ArrayLike) -> Floats:
    """Return the covariance of the differences of pairs of estimates.

    Parameters
    ----------
    covariance : of the estimates, shape (k, k).
    pairs : positions of the two estimates of each difference, shape (differences, 2).

    Examples
    --------
    >>> covariance_of_contrasts(np.diag([1.0, 2.0, 4.0]), [[0, 1], [2, 1]]).tolist()
    [[3.0, 2.0], [2.0, 6.0]]
    """
    matrix, index = np.asarray(covariance, dtype=float), np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
    first, second = index.T
    return np.asarray(
        matrix[np.ix_(first, first)]
        - matrix[np.ix_(first, second)]
        - matrix[np.ix_(second, first)]
        + matrix[np.ix_(second, second)],
        dtype=np.float64,
    )
