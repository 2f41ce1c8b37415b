"""Moments of a calibrated probability: all that the anticipated variance of E1 needs to know of a score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from sexstrat.errors import EstimationError

__all__ = ["binormal_moments", "probability_moments", "shifted_to_share"]

Array = NDArray[np.float64]

_REACH, _STEP = 9.0, 0.01  # the quadrature's reach beyond either sex's mean, and its step, in standard deviations


def probability_moments(probability: Array, weight: Array, group: NDArray[np.int64], n_groups: int) -> Array:
    """Return the first four raw moments of a probability within groups: weighted mean of p, p^2, p^3 and p^4.

    Parameters
    ----------
    probability : P(male) of each row.
    weight : patients (or sum of weights) of each row.
    group : group of each row, 0 to ``n_groups`` - 1.
    n_groups : number of groups.

    Returns
    -------
    Shape (4, n_groups); 0 in a group without weight.

    Examples
    --------
    Two patients, p = 0 and p = 1: every moment is a half.

    >>> one = np.zeros(2, dtype=np.int64)
    >>> probability_moments(np.array([0.0, 1.0]), np.ones(2), one, 1).ravel().tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    total = np.bincount(group, weights=weight, minlength=n_groups)
    sums = [np.bincount(group, weights=weight * probability**power, minlength=n_groups) for power in (1, 2, 3, 4)]
    return np.asarray(np.vstack(sums) / np.where(total > 0, total, 1.0))


def binormal_moments(auc: float, male_share: float) -> Array:
    """Return the moments of the calibrated probability of a binormal score.

    The score of men is normal around +d/2, that of women around -d/2, with unit variance and d = sqrt(2) x
    probit(AUC); p = P(male | score) in a group with the given share of men. A shift of the score that all of the group
    share, such as a disease that makes everybody look more male, changes nothing, since p is recalibrated within it.

    Parameters
    ----------
    auc : area under the curve of the patient's combined score within the group, 0.5 to 1.
    male_share : share of men in the group, strictly between 0 and 1.

    Returns
    -------
    Means of p, p^2, p^3 and p^4, shape (4,).

    Raises
    ------
    EstimationError : an area or a share out of range.

    References
    ----------
    Green DM, Swets JA. Signal Detection Theory and Psychophysics. Wiley 1966 (the binormal model).

    Examples
    --------
    A score that says nothing gives everybody the share of men; a perfect one gives 0 or 1.

    >>> binormal_moments(0.5, 0.4).round(6).tolist()
    [0.4, 0.16, 0.064, 0.0256]
    >>> binormal_moments(1.0, 0.4).round(6).tolist()
    [0.4, 0.4, 0.4, 0.4]
    """
    if not 0.5 <= auc <= 1:
        raise EstimationError(
            f"the area under the curve must lie between 0.5 (a score that says nothing) and 1; found {auc:g}. "
            "An area below 0.5 means that the classes are swapped"
        )
    if not 0 < male_share < 1:
        raise EstimationError(f"the share of men must lie strictly between 0 and 1; found {male_share:g}")
    if auc == 1:
        return np.full(4, male_share)
    half = float(norm.ppf(auc)) / np.sqrt(2)
    z = np.arange(-half - _REACH, half + _REACH, _STEP)
    men, women = male_share * norm.pdf(z - half), (1 - male_share) * norm.pdf(z + half)
    density = men + women
    p = men / density
    mass = density / density.sum()
    return np.array([float(mass @ p**power) for power in (1, 2, 3, 4)])


def shifted_to_share(probability: Array, share: Array, target: Array) -> tuple[Array, Array]:
    """Return what a calibrated probability becomes when the share of men of its group changes, and with what weight.

    P(score | sex) stays: p' = (t/s) p / w with w = (t/s) p + ((1 - t)/(1 - s)) (1 - p), and a patient with that score
    is w times as frequent as before.

    Parameters
    ----------
    probability : calibrated P(male) of each row.
    share : share of men s of each row's group: the mean of its probabilities.
    target : the share t wanted.

    Examples
    --------
    Half the group has p = 0.8, half 0.2. With three men to a woman rather than one, odds are three times as large and
    high scores are more frequent: 12/13 for 0.65, 3/7 for 0.35 of the group, together 0.75.

    >>> p, weight = shifted_to_share(np.array([0.8, 0.2]), np.full(2, 0.5), np.full(2, 0.75))
    >>> p.round(4).tolist(), weight.round(4).tolist(), round(float((p * weight).mean()), 6)
    ([0.9231, 0.4286], [1.3, 0.7], 0.75)
    """
    men = target / share * probability
    weight = men + (1 - target) / (1 - share) * (1 - probability)
    return men / weight, weight
