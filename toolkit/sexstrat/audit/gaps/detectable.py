"""The smallest gap that groups of this size could have shown."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

from sexstrat.audit.interval import normal_quantile

__all__ = ["POWER", "detectable_difference", "detectable_gap"]

POWER = 0.8  # the convention of sample-size planning: Cohen 1988, Statistical Power Analysis, 2nd ed., p. 56


def detectable_gap(
    share: float, size: float, reference_size: float, *, level: float = 0.95, power: float = POWER
) -> tuple[float | None, float | None]:
    """Return the smallest drop below, and rise above, a reference share that would be found with a given power.

    The d at which |d| = z(level)·√(p̄(1 − p̄)(1/n + 1/m)) + z(power)·√(q(1 − q)/n + p(1 − p)/m), with q = p ∓ d the
    group's share and p̄ the mean of both weighted by size. Assumes normal estimates and independent groups.

    Parameters
    ----------
    share : share p in the reference, 0 to 1.
    size : independent images that the group is worth (images over design effect), above 0.
    reference_size : the same of the reference.
    level : confidence level of the two-sided test.
    power : probability of finding the gap, 0.5 to 1.

    Returns
    -------
    The drop and the rise, positive; None where even a share of 0, or of 1, would not be found with that power.

    Raises
    ------
    ValueError : a share, size or power out of range.

    References
    ----------
    Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, 3rd ed., section 4.2.

    Examples
    --------
    With 100 in each group and half right in the reference, 0.193 less is found in four of five studies.

    >>> round(detectable_gap(0.5, 100, 100)[0], 4)
    0.1932
    >>> detectable_gap(0.95, 20, 1000)[1] is None
    True
    """
    if not 0 <= share <= 1 or not size > 0 or not reference_size > 0:
        raise ValueError(f"a share lies in 0 to 1 and sizes above 0; found {share}, {size}, {reference_size}")
    if not 0.5 <= power < 1:
        raise ValueError(f"power lies in 0.5 to 1; found {power}")
    z, z_power = normal_quantile(level), NormalDist().inv_cdf(power)

    def excess(other: float) -> float:
        """Return by how much a true gap exceeds what that share of the group makes detectable."""
        pooled = (size * other + reference_size * share) / (size + reference_size)
        null = pooled * (1 - pooled) * (1 / size + 1 / reference_size)
        each = other * (1 - other) / size + share * (1 - share) / reference_size
        return abs(other - share) - z * sqrt(null) - z_power * sqrt(each)

    down, up = _first(excess, share, 0.0), _first(excess, share, 1.0)
    return None if down is None else share - down, None if up is None else up - share


def _first(excess: Callable[[float], float], start: float, end: float) -> float | None:
    """Return the share nearest to ``start``, on the way to ``end``, at which the gap becomes detectable."""
    steps = 400
    before = start
    for step in range(1, steps + 1):
        after = start + (end - start) * step / steps
        if excess(after) >= 0 and after != start:
            for _ in range(60):
                middle = (before + after) / 2
                before, after = (before, middle) if excess(middle) >= 0 else (middle, after)
            return after
        before = after
    return None


def detectable_difference(se: float, reference_se: float, *, level: float = 0.95, power: float = POWER) -> float:
    """Return the smallest difference of two independent estimates that would be found with a given power.

    (z(level) + z(power))·√(se² + reference_se²): for metrics that are not shares.

    Parameters
    ----------
    se : standard error of the group's estimate, above 0.
    reference_se : the same of the reference.
    level : confidence level of the two-sided test.
    power : probability of finding the difference.

    Examples
    --------
    >>> round(detectable_difference(0.03, 0.04), 4)  # (1.96 + 0.8416) · 0.05
    0.1401
    """
    return (normal_quantile(level) + NormalDist().inv_cdf(power)) * sqrt(se**2 + reference_se**2)
