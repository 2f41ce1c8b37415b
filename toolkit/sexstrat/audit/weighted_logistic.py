"""Weighted logistic regression that starts from means of neighbouring images and ends at all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["LogisticFit", "weighted_logistic"]

Floats = NDArray[np.float64]

BINS = 2_000  # runs of neighbouring images from whose means a start is found when there are many more
STEPS, HALVINGS = 60, 30
ROUNDING = 1e-12  # of the likelihood, relative: near the maximum a right step may not show as a rise
SMALL_STEP = 1e-5
STEEPEST = 1e3  # coefficients beyond this are on their way to infinity
FLAT = 1e-10  # reciprocal condition of the information below which the likelihood has no single maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """Coefficients and the inverse of the information.

    Parameters
    ----------
    coefficients : log odds, shape (columns,).
    bread : inverse of Σ w p (1 − p) x x', shape (columns, columns).

    Examples
    --------
    >>> LogisticFit(coefficients=np.zeros(1), bread=np.ones((1, 1))).coefficients.tolist()
    [0.0]
    """

    coefficients: Floats
    bread: Floats


def weighted_logistic(design: Floats, success: Floats, weight: Floats) -> LogisticFit | None:
    """Solve Σ w x (y − expit(x'b)) = 0 by Newton steps, halved until the likelihood rises.

    Parameters
    ----------
    design : covariates with a column of ones, shape (images, columns).
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
    start = np.zeros(design.shape[1])
    if len(success) > 20 * BINS:
        found = _newton(*_runs(design, success, weight), start)
        start = start if found is None else found.coefficients
    return _newton(design, success, weight, start)


def _runs(design: Floats, success: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return weighted means over runs of images as given: a good start where these are sorted by a covariate."""
    edges = np.linspace(0, len(success), BINS, endpoint=False).astype(np.intp)
    total = np.add.reduceat(weight, edges)
    means = np.column_stack([np.add.reduceat(weight * column, edges) / total for column in design.T])
    return means, np.add.reduceat(weight * success, edges) / total, total


def _likelihood(linear: Floats, success: Floats, weight: Floats) -> float:
    return float(weight @ (success * linear - np.logaddexp(0.0, linear)))


def _information(design: Floats, weight: Floats, p: Floats) -> Floats:
    return np.asarray(design.T @ (design * (weight * p * (1 - p))[:, None]), dtype=np.float64)


def _fit_at(design: Floats, weight: Floats, coefficients: Floats) -> LogisticFit:
    """Return the fit with the information at the coefficients themselves, not a step before them."""
    bread = np.linalg.inv(_information(design, weight, expit(design @ coefficients)))
    return LogisticFit(coefficients=coefficients, bread=np.asarray(bread, dtype=np.float64))


def _newton(design: Floats, success: Floats, weight: Floats, start: Floats) -> LogisticFit | None:
    found, linear = start, design @ start
    best: float | None = None  # not needed where the start is nearly the end
    for _ in range(STEPS):
        p = expit(linear)
        information = _information(design, weight, p)
        if not np.all(np.isfinite(information)) or 1 / np.linalg.cond(information) < FLAT:
            return None
        step = np.linalg.solve(information, design.T @ (weight * (success - p)))
        # Newton's error is squared at each step: after one of this size it is far below rounding
        if np.max(np.abs(step)) < SMALL_STEP * max(1.0, float(np.max(np.abs(found)))):
            return _fit_at(design, weight, found + step)
        best = _likelihood(linear, success, weight) if best is None else best
        for _ in range(HALVINGS):
            linear = design @ (found + step)
            reached = _likelihood(linear, success, weight)
            if reached >= best - ROUNDING * abs(best):
                break
            step = step / 2
        found, best = found + step, reached
        if np.max(np.abs(found)) > STEEPEST:
            return None
    return None
