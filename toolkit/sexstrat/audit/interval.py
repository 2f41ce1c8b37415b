"""The two interval rules every audit metric uses: normal limits and Wilson's limits at an effective size."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

__all__ = ["normal_quantile", "wilson_interval"]


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile of a confidence level.

    Parameters
    ----------
    level : confidence level, in (0, 1).

    Raises
    ------
    ValueError : the level does not lie strictly between 0 and 1.

    Examples
    --------
    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    if not 0 < level < 1:
        raise ValueError(f"confidence level must lie strictly between 0 and 1; found {level}")
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson_interval(share: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion.

    (share + z²/2n ± z·√(share(1−share)/n + z²/4n²)) / (1 + z²/n); ``n`` may be an effective size.

    Parameters
    ----------
    share : proportion, 0 to 1.
    n : effective number of independent observations, above 0.
    level : confidence level, in (0, 1).

    Returns
    -------
    Lower and upper limit; exactly 0 at a share of 0 and exactly 1 at a share of 1.

    Raises
    ------
    ValueError : the share or the size is out of range.

    References
    ----------
    Wilson 1927, J Am Stat Assoc 22:209; Korn & Graubard 1998, Survey Methodology 24:193 (effective size).

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson_interval(0.5, 10)]
    [0.2366, 0.7634]
    >>> [round(limit, 4) for limit in wilson_interval(1.0, 5)]
    [0.5655, 1.0]
    """
    if not 0 <= share <= 1 or not n > 0:
        raise ValueError(f"a share lies in 0 to 1 and a size above 0; found share {share}, size {n}")
    z = normal_quantile(level)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if share == 0 else min(share, max(0.0, centre - half))
    high = 1.0 if share == 1 else max(share, min(1.0, centre + half))
    return low, high
