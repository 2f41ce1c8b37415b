"""Difference between two groups from their own intervals."""

from __future__ import annotations

from math import sqrt

__all__ = ["gap"]


def gap(
    point: float,
    low: float,
    high: float,
    reference_point: float,
    reference_low: float,
    reference_high: float,
    *,
    correlation: float = 0.0,
) -> tuple[float, float, float]:
    """Return group minus reference with the interval recovered from the two intervals (MOVER).

    difference − √(a² + b² − 2ρab) with a = point − low, b = reference_high − reference_point, to
    difference + √(c² + d² − 2ρcd) with c = high − point, d = reference_point − reference_low.

    Parameters
    ----------
    point, low, high : estimate and limits of the group.
    reference_point, reference_low, reference_high : the same of the reference, at the same level.
    correlation : between the two estimates, −1 to 1; 0 when they rest on different patients.

    Returns
    -------
    Difference, lower limit, upper limit, at the level of the two intervals.

    Raises
    ------
    ValueError : an estimate lies outside its own limits, or the correlation outside −1 to 1.

    References
    ----------
    Newcombe 1998, Stat Med 17:873, method 10; Zou & Donner 2008, Stat Med 27:1693; Zou 2007, Psychol Methods 12:399
    (correlated estimates).

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
    if not -1 <= correlation <= 1:
        raise ValueError(f"a correlation lies in -1 to 1; found {correlation}")
    difference = point - reference_point
    below = _side(point - low, reference_high - reference_point, correlation)
    above = _side(high - point, reference_point - reference_low, correlation)
    return difference, difference - below, difference + above


def _side(arm: float, reference_arm: float, correlation: float) -> float:
    return sqrt(max(0.0, arm**2 + reference_arm**2 - 2 * correlation * arm * reference_arm))
