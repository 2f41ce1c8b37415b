"""The age at which the curves of men and of women cross, with the ages at which the data do not tell them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import t as student

from sexstrat.audit.ageing.curve import AgeCurve
from sexstrat.audit.ageing.splines import spline_columns

__all__ = ["Crossing", "crossings"]

Floats = NDArray[np.float64]

_STEP = 0.05  # years between the ages looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One crossing of two curves, or why there is none.

    Parameters
    ----------
    age : where the curves cross, years; None when they do not.
    low, high : ends of the ages around it at which the two curves are not told apart at the level; None when they are
        told apart at every age looked at.
    level : confidence level.
    state : ``measured``; ``absent`` when the curves do not cross within the ages; ``undefined`` without two curves.
    note : what else must be said, or "".

    Examples
    --------
    >>> Crossing(age=None, low=None, high=None, level=0.95, state="absent", note="they do not cross").age is None
    True
    """

    age: float | None
    low: float | None
    high: float | None
    level: float
    state: str
    note: str = ""


def crossings(first: AgeCurve, second: AgeCurve, *, youngest: float, oldest: float) -> tuple[Crossing, ...]:
    """Find every age at which two independent curves are equal.

    The interval is the stretch of ages around the crossing where |difference of log odds| is at most t times its
    standard error: Fieller's set, which covers a true crossing at the level. Where it runs into the youngest or the
    oldest age it is open there, and the note says so.

    Parameters
    ----------
    first, second : curves of different patients with the same knots and level.
    youngest, oldest : the ages to look between, observed in both.

    Returns
    -------
    One crossing an age of equality, rising; otherwise one row that says why there is none. Curves that do not cross
    but are not told apart at some ages carry those ages as low and high.

    References
    ----------
    Fieller EC. J R Stat Soc B 1954;16:175-185; here the line of the ratio is a spline.

    Examples
    --------
    >>> from sexstrat.audit.ageing import age_curve
    >>> rng = np.random.default_rng(3)
    >>> age = rng.uniform(30, 80, 4000)
    >>> rising, falling = (
    ...     age_curve(age, rng.random(4000) < 0.7 + s * (age - 55) / 250, range(4000), ages=[55], knots=(35, 55, 75))
    ...     for s in (1, -1)
    ... )
    >>> (found,) = crossings(rising, falling, youngest=35, oldest=75)
    >>> found.state, found.low < 55 < found.high
    ('measured', True)
    """
    level = first.level
    for curve in (first, second):
        if curve.state != "measured":
            return (Crossing(age=None, low=None, high=None, level=level, state="undefined", note=curve.note),)
    if not youngest < oldest:
        why = "men and women share no ages to compare"
        return (Crossing(age=None, low=None, high=None, level=level, state="undefined", note=why),)
    ages = np.linspace(youngest, oldest, max(3, round((oldest - youngest) / _STEP) + 1))
    apart, reach = _difference(first, second, ages)
    alike = np.abs(apart) <= reach
    changes = np.flatnonzero(np.sign(apart[:-1]) * np.sign(apart[1:]) <= 0)
    if not changes.size:
        return (_none(ages, alike, level),)
    roots = [
        brentq(lambda age: float(_difference(first, second, np.array([age]))[0][0]), ages[k], ages[k + 1])
        for k in changes
    ]
    return tuple(_one(float(root), ages, alike, level, len(roots)) for root in roots)


def _difference(first: AgeCurve, second: AgeCurve, ages: Floats) -> tuple[Floats, Floats]:
    """Return the difference of log odds at each age, and the Student reach of its standard error."""
    grid = spline_columns(ages, first.knots)
    covariance = first.fit.corrected + second.fit.corrected
    se = np.sqrt(np.einsum("ij,jk,ik->i", grid, covariance, grid))
    df = first.fit.df + second.fit.df
    return grid @ (first.fit.coefficients - second.fit.coefficients), student.ppf(0.5 + first.level / 2, df) * se


def _stretch(ages: Floats, alike: NDArray[np.bool_], at: int) -> tuple[float, float, str]:
    """Return the unbroken stretch of ages not told apart around a position, and which ends are open."""
    start = end = at
    while start > 0 and alike[start - 1]:
        start -= 1
    while end < len(ages) - 1 and alike[end + 1]:
        end += 1
    open_ends = [name for name, there in (("youngest", start == 0), ("oldest", end == len(ages) - 1)) if there]
    note = f"the interval is open at the {' and the '.join(open_ends)} age looked at" if open_ends else ""
    return float(ages[start]), float(ages[end]), note


def _one(root: float, ages: Floats, alike: NDArray[np.bool_], level: float, n_roots: int) -> Crossing:
    low, high, note = _stretch(ages, alike, int(np.argmin(np.abs(ages - root))))
    if n_roots > 1:
        note = "; ".join(part for part in (note, "the curves cross more than once") if part)
    return Crossing(age=root, low=min(low, root), high=max(high, root), level=level, state="measured", note=note)


def _none(ages: Floats, alike: NDArray[np.bool_], level: float) -> Crossing:
    if not alike.any():
        why = "they do not cross within the ages, and are told apart at every one of them"
        return Crossing(age=None, low=None, high=None, level=level, state="absent", note=why)
    inside = ages[alike]
    why = "they do not cross within the ages; between the limits the data do not exclude it"
    return Crossing(age=None, low=float(inside[0]), high=float(inside[-1]), level=level, state="absent", note=why)
