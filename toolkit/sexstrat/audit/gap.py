"""Difference between two independent groups from their own intervals."""

from __future__ import annotations

from math import hypot

__all__ = ["gap"]


def gap(
    point: float, low: float, high: float, reference_point: float, reference_low: float, reference_high: float
) -> tuple[float, float, float]:
    """Return group minus reference with the interval recovered from the two intervals (MOVER).

    difference − √((point − low)² + (reference_high − reference_point)²) to
    difference + √((high − point)² + (reference_point − reference_low)²).

    Parameters
    ----------
    point, low, high : estimate and limits of the group.
    reference_point, reference_low, reference_high : the same of the reference, from other patients, at the same level.

    Returns
    -------
    Difference, lower limit, upper limit, at the level of the two intervals.

    Raises
    ------
    ValueError : an estimate lies outside its own limits.

    References
    ----------
    Newcombe 1998, Stat Med 17:873, method 10; Zou & Donner 2008, Stat Med 27:1693.

    Examples
    --------
    Newcombe's first example, 56/70 against 48/80 with Wilson limits: 0.0524 to 0.3339.

    >>> from sexstrat.audit import wilson_interval
    >>> limits = gap(0.8, *wilson_interval(0.8, 70), 0.6, *wilson_interval(0.6, 80))
    >>> [round(value, 4) for value in limits]
    [0.2, 0.0524, 0.3339]
    """
    if not (low <= point <= high and reference_low <= reference_point <= reference_high):
        raise ValueError("an estimate must lie between its own limits")
    difference = point - reference_point
    below = hypot(point - low, reference_high - reference_point)
    above = hypot(high - point, reference_point - reference_low)
    return difference, difference - below, difference + above
