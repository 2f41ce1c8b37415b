"""Maximum likelihood of the share of men under label shift, from the densities of the score in each sex."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from sexstrat.estimates.numbers.score_counts import ScoreCounts

__all__ = ["emq_point", "label_densities", "labelled_grid", "mixture_share"]

Array = NDArray[np.float64]

LARGEST_LOGIT = 10.0  # scores are clipped here before they are recalibrated, as in the cells
# A normal prior on intercept and slope of the recalibration, around the score taken at its word: it tells nothing
# where labels do, and keeps the fit finite where a score separates the sexes perfectly.
PRIOR_SD = 1_000.0


def mixture_share(counts: ArrayLike, men: ArrayLike, women: ArrayLike) -> Array:
    """Return the share pi that maximises sum n log(pi f1 + (1 - pi) f0): what expectation maximisation converges to.

    The log likelihood is concave in pi, so that its derivative has one root, found by Newton's method inside a
    bracket; without a root the share is 0 or 1.

    Parameters
    ----------
    counts : patients at each score, shape (scores,) or (samples, scores).
    men, women : density of each score among men and among women, up to one common factor, of the same shape.

    Returns
    -------
    One share for each sample.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41, equation 2.9.

    Examples
    --------
    Men score high in 80 %, women in 20 %; 50 of 100 patients do.

    >>> mixture_share([50, 50], [0.2, 0.8], [0.8, 0.2]).round(6).tolist()
    [0.5]
    """
    n, f1, f0 = (np.atleast_2d(np.asarray(values, dtype=float)) for values in (counts, men, women))
    n, f1, f0 = np.broadcast_arrays(n, f1, f0)
    low, high = np.zeros(n.shape[0]), np.ones(n.shape[0])
    share = np.full(n.shape[0], 0.5)
    gap = f1 - f0
    for _ in range(200):
        mixed = share[:, None] * f1 + (1 - share[:, None]) * f0
        each = np.divide(gap, mixed, out=np.zeros_like(mixed), where=mixed > 0)
        slope, curve = np.sum(n * each, axis=1), np.sum(n * each**2, axis=1)
        low, high = np.where(slope > 0, share, low), np.where(slope < 0, share, high)
        step = share + np.divide(slope, curve, out=np.zeros_like(slope), where=curve > 0)
        new = np.where((step > low) & (step < high), step, np.where(slope == 0, share, (low + high) / 2))
        if np.max(np.abs(new - share)) < 1e-13:
            break
        share = new
    near = 1e-10  # a root this close to an end is the end
    return np.where(new < near, 0.0, np.where(new > 1 - near, 1.0, new))


def _recalibration(x: Array, men: Array, women: Array) -> tuple[Array, Array]:
    """Return intercept and slope of P(male) on the logit of the score, one logistic fit for each row of counts."""
    trials = men + women
    prior = 1 / PRIOR_SD**2

    def objective(a: Array, b: Array) -> Array:
        line = a[:, None] + b[:, None] * x
        fit = np.sum(men * line - trials * np.logaddexp(0, line), axis=1)
        return np.asarray(fit - prior * (a**2 + (b - 1) ** 2) / 2)

    a, b = np.zeros(men.shape[0]), np.ones(men.shape[0])
    value = objective(a, b)
    for _ in range(100):
        p = expit(a[:, None] + b[:, None] * x)
        error, weight = men - trials * p, trials * p * (1 - p)
        ga, gb = error.sum(axis=1) - prior * a, (error * x).sum(axis=1) - prior * (b - 1)
        haa, hab, hbb = weight.sum(axis=1) + prior, (weight * x).sum(axis=1), (weight * x**2).sum(axis=1) + prior
        determinant = haa * hbb - hab**2
        da, db = (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant
        size = np.ones_like(a)
        for _ in range(30):
            moved = objective(a + size * da, b + size * db)
            worse = moved < value - 1e-12 * np.abs(value)
            if not worse.any():
                break
            size = np.where(worse, size / 2, size)
        gain = np.max((moved - value) / (1 + np.abs(value)))
        a, b, value = a + size * da, b + size * db, np.maximum(moved, value)
        if gain < 1e-13:  # a Newton step that gains so little leaves an error of its own square
            break
    return a, b


def label_densities(target: Array, grid: Array, men: Array, women: Array, recalibrate: bool) -> tuple[Array, Array]:
    """Return P(male | score) / P(male) and the same of women at the target's scores, for each row of labelled counts.

    Both are the density of the score in that sex, up to one common factor.

    Parameters
    ----------
    target : scores at which the densities are wanted.
    grid : scores of the labelled patients.
    men, women : labelled patients at each, shape (samples, scores).
    recalibrate : fit intercept and slope of the score's logit on the labelled patients; else take the score as it is.

    Examples
    --------
    A calibrated score, equally many men and women: 0.8 / 0.5 and 0.2 / 0.5.

    >>> counts = np.array([[20.0, 80.0]])
    >>> f1, f0 = label_densities(np.array([0.8]), np.array([0.2, 0.8]), counts, counts[:, ::-1], True)
    >>> f1.round(4).tolist(), f0.round(4).tolist()
    ([[1.6]], [[0.4]])
    """
    labelled = (men + women).sum(axis=1)
    half = 0.5 / labelled  # a resample of one sex alone counts half a patient of the other
    share = np.clip(men.sum(axis=1) / labelled, half, 1 - half)[:, None]
    p = np.broadcast_to(target, (men.shape[0], target.size))
    if recalibrate:
        x = np.clip(logit(grid), -LARGEST_LOGIT, LARGEST_LOGIT)
        a, b = _recalibration(x, men, women)
        p = expit(a[:, None] + b[:, None] * np.clip(logit(target), -LARGEST_LOGIT, LARGEST_LOGIT))
    return p / share, (1 - p) / (1 - share)


def labelled_grid(men: ScoreCounts, women: ScoreCounts) -> tuple[Array, Array, Array]:
    """Return the scores of all labelled patients, and the men and women at each.

    Examples
    --------
    >>> from sexstrat.estimates.numbers.score_counts import score_counts
    >>> [row.tolist() for row in labelled_grid(score_counts([0.8, 0.8]), score_counts([0.2, 0.8]))]
    [[0.2, 0.8], [0.0, 2.0], [1.0, 1.0]]
    """
    grid = np.union1d(men.values, women.values)
    counts = np.zeros((2, grid.size))
    for row, group in zip(counts, (men, women), strict=True):
        row[np.searchsorted(grid, group.values)] = group.counts
    return grid, counts[0], counts[1]


def emq_point(target: ScoreCounts, men: ScoreCounts, women: ScoreCounts, recalibrate: bool) -> float:
    """Return the maximum likelihood share of men among the target's patients.

    Parameters
    ----------
    target, men, women : scores.
    recalibrate : fit intercept and slope of the score's logit on the labelled patients first.

    Examples
    --------
    Half of the target score high: with .8 pi + .2 (1 - pi) = .5 the share is one half.

    >>> from sexstrat.estimates.numbers.score_counts import score_counts
    >>> men, women = score_counts([0.2, 0.8], [20, 80]), score_counts([0.2, 0.8], [80, 20])
    >>> round(emq_point(score_counts([0.2, 0.8], [50, 50]), men, women, False), 6)
    0.5
    """
    grid, m, w = labelled_grid(men, women)
    f1, f0 = label_densities(target.values, grid, m[None], w[None], recalibrate)
    return float(mixture_share(target.counts, f1, f0)[0])
