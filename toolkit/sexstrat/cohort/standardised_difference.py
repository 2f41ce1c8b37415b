"""Standardised differences between two groups of the same study: of means, of a share, of several shares at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["difference_of_means", "difference_of_share", "difference_of_shares"]


def difference_of_means(ages: Sequence[float], first: Sequence[int], second: Sequence[int]) -> float | None:
    """Return the difference of two means in units of the average standard deviation.

    Mean of the first group less mean of the second, over the square root of the mean of their two sample variances.
    It describes the patients at hand and does not grow with their number; nothing is sampled, so it has no interval.

    Parameters
    ----------
    ages : values, for instance completed years.
    first, second : patients of each group at each value.

    Returns
    -------
    The difference, or None where a group has fewer than two patients or no value varies.

    References
    ----------
    Austin PC. Balance diagnostics for comparing the distribution of baseline covariates between treatment groups in
    propensity-score matched samples. Stat Med 2009;28:3083-3107, section 3.1.

    Examples
    --------
    Ages 50, 60, 70 against 40, 50, 60: both have variance 100, and the means differ by 10.

    >>> difference_of_means([40, 50, 60, 70], [0, 1, 1, 1], [1, 1, 1, 0])
    1.0
    """
    value = np.asarray(ages, dtype=float)
    moments = []
    for counts in (first, second):
        n = np.asarray(counts, dtype=float)
        if n.sum() < 2:
            return None
        mean = float(n @ value / n.sum())
        moments.append((mean, float(n @ (value - mean) ** 2 / (n.sum() - 1))))
    (mean, variance), (other_mean, other_variance) = moments
    spread = (variance + other_variance) / 2
    return (mean - other_mean) / math.sqrt(spread) if spread > 0 else None


def difference_of_share(first: tuple[int, int], second: tuple[int, int]) -> float | None:
    """Return the difference of two shares in units of the average standard deviation.

    Share p of the first group less share q of the second, over sqrt((p(1 - p) + q(1 - q)) / 2). It describes the
    patients at hand; nothing is sampled, so it has no interval.

    Parameters
    ----------
    first, second : how many of how many patients of each group.

    Returns
    -------
    The difference, or None where a group is empty or both shares are the same 0 or 1 so that nothing varies, or
    where they are 0 and 1, which no standard deviation measures.

    References
    ----------
    Austin PC, 2009 (as in :func:`difference_of_means`), section 3.1; Yang D, Dalton JE. A unified approach to
    measuring the effect size between two groups using SAS. SAS Global Forum 2012, paper 335.

    Examples
    --------
    Half against a fifth: 0.3 / sqrt((0.25 + 0.16) / 2).

    >>> round(difference_of_share((5, 10), (2, 10)), 4)
    0.6626
    """
    if first[1] == 0 or second[1] == 0:
        return None
    p, q = first[0] / first[1], second[0] / second[1]
    spread = (p * (1 - p) + q * (1 - q)) / 2
    return (p - q) / math.sqrt(spread) if spread > 0 else None


def difference_of_shares(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Return how far two groups are apart in a characteristic of several categories: 0 or more, without a sign.

    The Mahalanobis distance sqrt((T - C)' S^-1 (T - C)), where T and C are the shares of all categories but one and S
    is the average of the two multinomial covariance matrices; which category is left out changes nothing. With two
    categories it is the size of :func:`difference_of_share`. Categories that nobody is in are left out.

    Parameters
    ----------
    first, second : patients of each group in each category, in one order.

    Returns
    -------
    The distance, or None where a group is empty, everybody is in one category, or the groups share no category.

    References
    ----------
    Yang D, Dalton JE. A unified approach to measuring the effect size between two groups using SAS. SAS Global Forum
    2012, paper 335.

    Examples
    --------
    With two categories it is 0.3 / sqrt((0.25 + 0.16) / 2), whatever third category stays empty.

    >>> round(difference_of_shares([5, 5, 0], [2, 8, 0]), 4)
    0.6626
    """
    counts = np.array([first, second], dtype=float)
    totals = counts.sum(axis=1)
    if (totals == 0).any():
        return None
    shares = (counts / totals[:, None])[:, counts.sum(axis=0) > 0][:, 1:]
    if shares.shape[1] == 0:
        return None
    covariance = sum(np.diag(p) - np.outer(p, p) for p in shares) / 2
    gap = shares[0] - shares[1]
    if np.linalg.matrix_rank(covariance) < len(gap):
        return None  # no patient of either group varies in some direction, for instance when they share no category
    return float(math.sqrt(max(float(gap @ np.linalg.solve(covariance, gap)), 0.0)))
