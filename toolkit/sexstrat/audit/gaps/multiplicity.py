"""P values that allow for the number of questions asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["METHODS", "adjusted"]

METHODS = ("holm", "bh", "by")
"""Holm for what is to be confirmed, Benjamini-Hochberg for screening, Benjamini-Yekutieli under any dependence."""


def adjusted(p_values: ArrayLike, *, method: str = "holm") -> NDArray[np.float64]:
    """Return the p values adjusted for all the tests of a declared family.

    Sorted upwards, Holm: the largest so far of (m − i + 1)·p(i). Benjamini-Hochberg: the smallest from here on of
    m·p(i)/i. Benjamini-Yekutieli: that times 1 + 1/2 + … + 1/m. Never above 1. Holm keeps the chance of any false
    finding below the level whatever the dependence; the other two keep the expected share of false findings below it,
    Benjamini-Hochberg for tests that are independent or positively dependent.

    Parameters
    ----------
    p_values : one for each test of the family; NaN for a test that could not be made, which stays NaN and is not
        counted in m.
    method : ``holm``, ``bh`` or ``by``.

    Raises
    ------
    ValueError : an unknown method, or a p value outside 0 to 1.

    References
    ----------
    Holm 1979, Scand J Stat 6:65; Benjamini & Hochberg 1995, J R Stat Soc B 57:289; Benjamini & Yekutieli 2001, Ann
    Stat 29:1165.

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]
    >>> adjusted([0.01, 0.04, 0.03], method="bh").round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    if method not in METHODS:
        raise ValueError(f"unknown adjustment {method!r}; allowed: {', '.join(METHODS)}")
    raw = np.asarray(p_values, dtype=float)
    made = np.flatnonzero(~np.isnan(raw))
    if ((raw[made] < 0) | (raw[made] > 1)).any():
        raise ValueError("a p value lies in 0 to 1")
    result = np.full(raw.shape, np.nan)
    order = made[np.argsort(raw[made], kind="stable")]
    ranks, m = np.arange(1, len(order) + 1), len(order)
    if method == "holm":
        found = np.maximum.accumulate((m - ranks + 1) * raw[order])
    else:
        factor = float(np.sum(1 / ranks)) if method == "by" else 1.0
        found = np.minimum.accumulate((factor * m / ranks * raw[order])[::-1])[::-1]
    result[order] = np.minimum(found, 1.0)
    return result
