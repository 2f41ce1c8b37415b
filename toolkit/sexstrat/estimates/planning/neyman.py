"""Spread a whole number of validations over strata: where they serve best, and in proportion."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError

__all__ = ["allocate", "proportional_allocation"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


def _bounds(available: Counts, validated: Counts, total: int, minimum: int) -> Counts:
    """Return the fewest that each stratum must hold in the end."""
    if minimum < 0 or (validated < 0).any() or (validated > available).any():
        raise EstimationError(
            "validated patients of a stratum are between 0 and its patients, and the minimum is at least 0; "
            f"found validated {validated.tolist()} of {available.tolist()} and minimum {minimum}"
        )
    lowest = np.maximum(validated, np.minimum(max(minimum, 1), available))
    if lowest.sum() > total:
        raise EstimationError(
            f"at least {minimum} validated in each of {available.size} strata takes "
            f"{int(lowest.sum() - validated.sum())} further patients; "
            f"found {int(total - validated.sum())}. Validate more, or lower the minimum"
        )
    if total > available.sum():
        raise EstimationError(
            f"only {int(available.sum() - validated.sum()):,} patients are not validated yet; found a request for "
            f"{int(total - validated.sum()):,}"
        )
    return lowest


def allocate(coefficient: Array, *, available: Counts, validated: Counts, further: int, minimum: int = 0) -> Counts:
    """Return the whole numbers m that minimise the sum of coefficient / m under their bounds and total.

    Neyman's allocation, m proportional to the square root of the coefficient, made exact: taking the stratum that gains
    most, c / m - c / (m + 1), again and again is optimal for a sum of convex functions. All steps that gain more than a
    threshold are taken at once, the few that are left one by one.

    Parameters
    ----------
    coefficient : of each stratum, at least 0.
    available, validated : patients in all, and validated already.
    further : how many more to validate.
    minimum : fewest validated in each stratum in the end (all of a smaller stratum); 0 means 1.

    Returns
    -------
    Validated in each stratum in the end.

    Raises
    ------
    EstimationError : more wanted than there are, or too few for the minimum.

    References
    ----------
    Neyman J. J R Stat Soc 1934;97:558-625. Wright T. Exact optimal sample allocation: more efficient than Neyman.
    Stat Probab Lett 2017;129:50-57.

    Examples
    --------
    Square roots 1 and 3: a quarter and three quarters; with 50 validated in the first already, the rest in the second.

    >>> c, available = np.array([1.0, 9.0]), np.array([1000, 1000])
    >>> allocate(c, available=available, validated=np.array([0, 0]), further=100).tolist()
    [25, 75]
    >>> allocate(c, available=available, validated=np.array([50, 0]), further=50).tolist()
    [50, 50]
    """
    c = np.asarray(coefficient, dtype=float)
    upper, before = np.asarray(available, dtype=np.int64), np.asarray(validated, dtype=np.int64)
    if further < 0 or not np.isfinite(c).all() or (c < 0).any():
        raise EstimationError(
            f"the further number and the coefficients must be at least 0; found {further}, {c.tolist()}"
        )
    total = int(before.sum()) + further
    lower = _bounds(upper, before, total, minimum)

    if c.max(initial=0.0) <= 0:
        return _filled(lower, upper, total)
    log_c = np.log(c, out=np.full_like(c, -np.inf), where=c > 0)

    def taken(log_threshold: float) -> Counts:
        gain = np.exp(np.minimum(log_c - log_threshold, 100.0))  # beyond it every patient of a stratum is taken
        steps = np.minimum(np.ceil((np.sqrt(1 + 4 * gain) - 1) / 2), 2.0**62)
        return np.asarray(np.clip(steps.astype(np.int64), lower, upper), dtype=np.int64)

    low = float(log_c[c > 0].min() - 2 * np.log(upper.max() + 1.0) - 1)
    high = float(log_c.max()) + 1
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if taken(middle).sum() > total else (low, middle)
    m = taken(high)
    heap = [(-c[h] / (m[h] * (m[h] + 1)), h) for h in np.flatnonzero((m < upper) & (c > 0))]
    heapq.heapify(heap)
    while heap and m.sum() < total:
        _, h = heapq.heappop(heap)
        m[h] += 1
        if m[h] < upper[h]:
            heapq.heappush(heap, (-c[h] / (m[h] * (m[h] + 1)), h))
    return _filled(m, upper, total)


def _filled(m: Counts, upper: Counts, total: int) -> Counts:
    """Put what is left, which gains nothing anywhere, into the first strata that have room."""
    out = np.array(m, dtype=np.int64)
    for h in range(out.size):
        out[h] += min(int(upper[h] - out[h]), total - int(out.sum()))
    return out


def proportional_allocation(*, available: Counts, validated: Counts, further: int) -> Counts:
    """Return a further number spread in proportion to the patients not validated yet, by largest remainders.

    Parameters
    ----------
    available, validated : patients in all, and validated already.
    further : how many more to validate.

    Returns
    -------
    Validated in each stratum in the end.

    Examples
    --------
    >>> proportional_allocation(available=np.array([300, 100]), validated=np.array([0, 0]), further=10).tolist()
    [8, 2]
    """
    left = np.asarray(available, dtype=np.int64) - validated
    if not 0 <= further <= left.sum():
        raise EstimationError(
            f"only {int(left.sum()):,} patients are not validated yet; found a request for {further:,}"
        )
    exact = further * left / max(int(left.sum()), 1)
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: further - int(whole.sum())]] += 1
    return np.asarray(validated + whole, dtype=np.int64)
