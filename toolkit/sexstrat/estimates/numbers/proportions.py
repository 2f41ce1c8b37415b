"""Confidence intervals of a single proportion."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, norm

__all__ = ["clopper_pearson", "jeffreys", "wilson"]


def _checked(x: float, n: float, level: float) -> float:
    """Return the tail probability of one side, after checking the counts."""
    if not (n > 0 and 0 <= x <= n * (1 + 1e-12)):
        raise ValueError(f"need 0 <= x <= n and n > 0; found x = {x}, n = {n}")
    if not 0 < level < 1:
        raise ValueError(f"the level must lie between 0 and 1; found {level}")
    return (1 - level) / 2


def wilson(x: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval: the p at which ``|x/n - p| = z sqrt(p (1 - p) / n)``.

    Parameters
    ----------
    x, n : cases and people; need not be whole (effective counts).
    level : confidence level.

    Raises
    ------
    ValueError : counts or level out of range.

    References
    ----------
    Wilson EB. JASA 1927;22:209-212.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson(5, 20)]
    [0.1119, 0.4687]
    """
    z = float(norm.isf(_checked(x, n, level)))
    p = x / n
    centre, spread = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (centre - spread) / (1 + z**2 / n), (centre + spread) / (1 + z**2 / n)
    return 0.0 if x <= 0 else float(low), 1.0 if x >= n else float(high)


def clopper_pearson(x: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval: beta quantiles (a/2; x, n - x + 1) and (1 - a/2; x + 1, n - x).

    Parameters
    ----------
    x, n : cases and people.
    level : confidence level, a guaranteed minimum.

    Raises
    ------
    ValueError : counts or level out of range.

    References
    ----------
    Clopper C, Pearson ES. Biometrika 1934;26:404-413.

    Examples
    --------
    No case in ten people: the upper limit is 1 - 0.025 ** (1/10).

    >>> [round(limit, 4) for limit in clopper_pearson(0, 10)], round(1 - 0.025**0.1, 4)
    ([0.0, 0.3085], 0.3085)
    """
    tail = _checked(x, n, level)
    low = 0.0 if x <= 0 else float(beta.ppf(tail, x, n - x + 1))
    high = 1.0 if x >= n else float(beta.isf(tail, x + 1, n - x))
    return low, high


def jeffreys(x: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the Jeffreys interval: quantiles of beta(x + 1/2, n - x + 1/2), 0 at x = 0 and 1 at x = n.

    Parameters
    ----------
    x, n : cases and people; need not be whole.
    level : confidence level.

    Raises
    ------
    ValueError : counts or level out of range.

    References
    ----------
    Brown LD, Cai TT, DasGupta A. Stat Sci 2001;16:101-133.

    Examples
    --------
    >>> [round(limit, 4) for limit in jeffreys(5, 20)]
    [0.1024, 0.4642]
    """
    tail = _checked(x, n, level)
    low = 0.0 if x <= 0 else float(beta.ppf(tail, x + 0.5, n - x + 0.5))
    high = 1.0 if x >= n else float(beta.isf(tail, x + 0.5, n - x + 0.5))
    return low, high
