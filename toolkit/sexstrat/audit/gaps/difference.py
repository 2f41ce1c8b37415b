"""The difference of one metric between two groups: interval at any level, and its p value."""

from __future__ import annotations

from statistics import NormalDist

from scipy.optimize import brentq

from sexstrat.audit.gap import gap
from sexstrat.audit.gaps.limits import limits_at
from sexstrat.audit.gaps.simultaneous import simultaneous_level
from sexstrat.audit.measurement import Measurement

__all__ = ["difference", "difference_p_value"]

FURTHEST = 7.5  # standard errors: p values below 6e-14 are not told apart


def difference(
    measured: Measurement, reference: Measurement, metric: str, *, level: float, correlation: float = 0.0
) -> tuple[float, float, float]:
    """Return group minus reference with its interval at a level, from the limits of both at that level.

    Parameters
    ----------
    measured, reference : the metric in the two groups.
    metric : its name, which gives the scale of the limits.
    level : confidence level.
    correlation : between the two estimates.

    Returns
    -------
    Difference, lower limit, upper limit.

    Examples
    --------
    Newcombe's first example, 56/70 against 48/80, but with n − 1 for n as the design effect of single images has it.

    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1] * 56 + [0] * 14, range(70))
    >>> b = clustered_proportion([1] * 48 + [0] * 32, range(80))
    >>> [round(one, 3) for one in difference(a, b, "accuracy", level=0.95)]
    [0.2, 0.051, 0.335]
    """
    sides = []
    for one in (measured, reference):
        low, high = limits_at(one, metric, level)
        sides += [float(one.point or 0.0), low, high]
    return gap(*sides, correlation=correlation)


def difference_p_value(
    measured: Measurement, reference: Measurement, metric: str, *, correlation: float = 0.0
) -> float:
    """Return the two-sided p value that goes with the interval: 1 minus the level at which it just reaches 0.

    Parameters
    ----------
    measured, reference : the metric in the two groups.
    metric : its name.
    correlation : between the two estimates.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1] * 56 + [0] * 14, range(70))
    >>> b = clustered_proportion([1] * 48 + [0] * 32, range(80))
    >>> round(difference_p_value(a, b, "accuracy"), 4)
    0.0086
    """
    point = float(measured.point or 0.0) - float(reference.point or 0.0)
    if point == 0:
        return 1.0

    def nearest(z: float) -> float:
        if z == 0:
            return abs(point)
        level = simultaneous_level(z)
        _, low, high = difference(measured, reference, metric, level=level, correlation=correlation)
        return low if point > 0 else -high

    if nearest(FURTHEST) > 0:
        return 2 * NormalDist().cdf(-FURTHEST)
    return 2 * NormalDist().cdf(-float(brentq(nearest, 0.0, FURTHEST, xtol=1e-10)))
