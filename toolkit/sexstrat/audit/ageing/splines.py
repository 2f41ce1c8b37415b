"""Restricted cubic splines of age: smooth between the knots, straight beyond them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["QUANTILES", "age_knots", "spline_columns"]

Floats = NDArray[np.float64]

# Harrell 2015, table 2.3: where the knots lie, as quantiles of age
QUANTILES = {3: (0.10, 0.50, 0.90), 4: (0.05, 0.35, 0.65, 0.95)}


def age_knots(age_years: ArrayLike, n_knots: int) -> tuple[float, ...]:
    """Return knots at fixed quantiles of age, in whole years so that they are nobody's own age.

    Parameters
    ----------
    age_years : ages, one a patient.
    n_knots : 3 or 4.

    Returns
    -------
    Rising knots in years; empty when the ages are so alike that knots would coincide.

    Raises
    ------
    EstimationError : another number of knots is asked for.

    References
    ----------
    Harrell FE. Regression Modeling Strategies, 2nd ed. Springer 2015, section 2.4.6, table 2.3.

    Examples
    --------
    >>> age_knots(range(20, 81), 3)
    (26.0, 50.0, 74.0)
    """
    if n_knots not in QUANTILES:
        raise EstimationError(f"a curve over age has 3 or 4 knots; found {n_knots}")
    ages = np.asarray(age_years, dtype=float)
    if ages.size == 0:
        return ()
    knots = np.round(np.quantile(ages, QUANTILES[n_knots]))
    return tuple(float(knot) for knot in knots) if np.all(np.diff(knots) > 0) else ()


def spline_columns(age_years: ArrayLike, knots: ArrayLike) -> Floats:
    """Return the columns of a restricted cubic spline: 1, age in decades, and one fewer curved than inner knots + 1.

    With knots t1 < ... < tk the j-th curved column is {(a - tj)+^3 - (a - t(k-1))+^3 (tk - tj) / (tk - t(k-1)) +
    (a - tk)+^3 (t(k-1) - tj) / (tk - t(k-1))} / (tk - t1)^2, in decades; age is centred at the middle of the knots.

    Parameters
    ----------
    age_years : ages, shape (n,).
    knots : three or more rising ages; two give a straight line.

    Returns
    -------
    Shape (n, number of knots).

    References
    ----------
    Stone CJ, Koo CY. Additive splines in statistics. Proc ASA Stat Comp 1985; Harrell 2015, equations 2.24 to 2.25.

    Examples
    --------
    At the first knot and below nothing is curved; at the second of 40, 50, 60 it is 10^3 / 20^2 years = 0.25 decades.

    >>> spline_columns([40, 50], [40, 50, 60]).tolist()
    [[1.0, -1.0, 0.0], [1.0, 0.0, 0.25]]
    """
    age, knot = np.asarray(age_years, dtype=float), np.asarray(knots, dtype=float)
    columns = np.empty((knot.size, age.size))
    columns[0], columns[1] = 1.0, (age - (knot[0] + knot[-1]) / 2) / 10
    last, before, inner = knot[-1], knot[-2], knot[:-2]
    curved = columns[2:]
    for column, one in zip(curved, inner, strict=True):
        column[:] = _cube_beyond(age, one)
    if inner.size:
        curved -= np.outer((last - inner) / (last - before), _cube_beyond(age, before))
        curved += np.outer((before - inner) / (last - before), _cube_beyond(age, last))
    curved /= (last - knot[0]) ** 2 * 10
    return columns.T  # columns one after the other, as they are used


def _cube_beyond(age: Floats, knot: float) -> Floats:
    over = np.maximum(age - knot, 0.0)
    return np.asarray(over * over * over, dtype=np.float64)
