"""Weighted logistic regression that starts from means of images alike and ends at all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["LogisticFit", "bin_means", "weighted_logistic"]

Floats = NDArray[np.float64]

BINS = 2_000  # of one covariate, from whose means a start is found when there are many more images
BLOCK = 8_192  # images whose columns stay in the processor's cache
STEPS, HALVINGS = 60, 30
ROUNDING = 1e-12  # of the likelihood, relative: near the maximum a right step may not show as a rise
SMALL_STEP = 1e-5
STEEPEST = 1e3  # coefficients beyond this are on their way to infinity
FLAT = 1e-10  # reciprocal condition of the information below which the likelihood has no single maximum
# A Newton step that moves no log odds by more than d raises the likelihood where (exp d - 1 - d) / d^2 < 1, the
# information changing by a factor of exp d at the most: so with d up to 1.79 (Bach 2010, Electron J Stat 4:384).
SURE_RISE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """Coefficients, the inverse of the information, and the fitted probabilities.

    Parameters
    ----------
    coefficients : log odds, shape (columns,).
    bread : inverse of Σ w p (1 − p) x x', shape (columns, columns).
    fitted : p of each image.

    Examples
    --------
    >>> LogisticFit(coefficients=np.zeros(1), bread=np.ones((1, 1)), fitted=np.full(4, 0.5)).coefficients.tolist()
    [0.0]
    """

    coefficients: Floats
    bread: Floats
    fitted: Floats


def weighted_logistic(design: Floats, success: Floats, weight: Floats) -> LogisticFit | None:
    """Solve Σ w x (y − expit(x'b)) = 0 by Newton steps, halved until the likelihood rises.

    Parameters
    ----------
    design : covariates, the first a column of ones, shape (images, columns); quickest where columns lie one after the
        other.
    success : 0 or 1.
    weight : above 0.

    Returns
    -------
    The fit; None when the coefficients run to infinity (the covariates separate successes from failures) or the
    covariates depend on each other.

    Examples
    --------
    Three of four succeed: log 3.

    >>> fit = weighted_logistic(np.ones((4, 1)), np.array([1.0, 1, 1, 0]), np.ones(4))
    >>> round(float(fit.coefficients[0]), 4), round(float(fit.bread[0, 0]), 4)
    (1.0986, 1.3333)
    """
    columns = np.ascontiguousarray(design.T)
    start = np.zeros(len(columns))
    if len(success) > 20 * BINS and len(columns) > 1:
        means, total = bin_means(columns[1], [*columns, success], weight)
        found = _newton(means[:-1], means[-1], total, start)
        start = start if found is None else found.coefficients
    return _newton(columns, success, weight, start)


def bin_means(by: Floats, values: list[Floats], weight: Floats) -> tuple[Floats, Floats]:
    """Return weighted means over bins of equal width of one covariate: few numbers that say nearly as much.

    Parameters
    ----------
    by : the covariate.
    values : what is to be averaged, each of the length of ``by``.
    weight : above 0.

    Returns
    -------
    Means, shape (values, bins that hold something), and the weight of each of these bins.

    Examples
    --------
    >>> means, total = bin_means(np.array([0.0, 0.0, 1.0]), [np.array([1.0, 3.0, 5.0])], np.ones(3))
    >>> means.tolist(), total.tolist()
    ([[2.0, 5.0]], [2.0, 1.0])
    """
    low, high = float(by.min()), float(by.max())
    place = ((by - low) * ((BINS - 1) / max(high - low, 1e-300))).astype(np.intp)
    total = np.bincount(place, weights=weight, minlength=BINS).astype(np.float64, copy=False)
    there = total > 0
    sums = [np.bincount(place, weights=weight * one, minlength=BINS)[there] for one in values]
    return np.array(sums) / total[there], total[there]


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Information, gradient of the log likelihood and fitted probabilities at some coefficients."""

    information: Floats
    gradient: Floats
    fitted: Floats


def _at(columns: Floats, success: Floats, weight: Floats, coefficients: Floats) -> _At:
    k, n = columns.shape
    information, gradient, fitted = np.zeros((k, k)), np.zeros(k), np.empty(n)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        x, w = columns[:, rows], weight[rows]
        p = expit(coefficients @ x, out=fitted[rows])
        information += (x * (w * p * (1 - p))) @ x.T
        gradient += x @ (w * (success[rows] - p))
    return _At(information=information, gradient=gradient, fitted=fitted)


def _likelihood(columns: Floats, success: Floats, weight: Floats, coefficients: Floats) -> float:
    linear = coefficients @ columns
    return float(weight @ (success * linear - np.logaddexp(0.0, linear)))


def _newton(columns: Floats, success: Floats, weight: Floats, start: Floats) -> LogisticFit | None:
    found, largest = start, np.max(np.abs(columns), axis=1)
    for _ in range(STEPS):
        here = _at(columns, success, weight, found)
        if not np.all(np.isfinite(here.information)) or 1 / np.linalg.cond(here.information) < FLAT:
            return None
        step = np.asarray(np.linalg.solve(here.information, here.gradient), dtype=np.float64)
        # Newton's error is squared at each step: after one of this size it is far below rounding
        if np.max(np.abs(step)) < SMALL_STEP * max(1.0, float(np.max(np.abs(found)))):
            end = _at(columns, success, weight, found + step)
            bread = np.asarray(np.linalg.inv(end.information), dtype=np.float64)
            return LogisticFit(coefficients=found + step, bread=bread, fitted=end.fitted)
        if float(np.abs(step) @ largest) > SURE_RISE:
            step = _halved(columns, success, weight, found, step)
        found = found + step
        if np.max(np.abs(found)) > STEEPEST:
            return None
    return None


def _halved(columns: Floats, success: Floats, weight: Floats, found: Floats, step: Floats) -> Floats:
    """Return the step, halved until the likelihood does not fall."""
    best = _likelihood(columns, success, weight, found)
    for _ in range(HALVINGS):
        if _likelihood(columns, success, weight, found + step) >= best - ROUNDING * abs(best):
            break
        step = step / 2
    return step
