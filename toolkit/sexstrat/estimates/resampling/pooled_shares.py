"""The shares of men of E1 by band in thousands of resamples at once, thin bands pooled in each as E1 pools them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.estimates.thin_cells import MINIMUM_VALIDATED

__all__ = ["pooled_shares"]

Array = NDArray[np.float64]

EDGE = 1e-9  # as pool_thin_bands keeps the model's shares inside (0, 1)
STEPS = 60  # halvings of (-40, 40) at the most; Newton's steps take far fewer


def _shift(n: Array, line: Array, total: Array) -> Array:
    """Return e with sum n expit(line + e) = total for every row, by Newton's method kept inside a shrinking bracket."""
    low, high = np.full(total.size, -40.0), np.full(total.size, 40.0)
    e = np.zeros(total.size)
    for _ in range(STEPS):
        s = expit(line + e[:, None])
        gap = np.sum(n * s, axis=1) - total
        low, high = np.where(gap < 0, e, low), np.where(gap < 0, high, e)
        slope = np.sum(n * s * (1 - s), axis=1)
        moved = e - np.divide(gap, slope, out=np.full_like(gap, np.inf), where=slope > 0)
        new = np.where((moved > low) & (moved < high), moved, (low + high) / 2)
        done = np.abs(new - e) < 1e-12
        e = new
        if done.all():
            break
    return e


def pooled_shares(n: Array, n_validated: Array, model: Array, residual: Array) -> Array:
    """Return what ``pool_thin_bands`` gives, for one disease state and every resample.

    Parameters
    ----------
    n : patients (sum of weights) by band, shape (R, A).
    n_validated : validated patients by band, shape (R, A).
    model, residual : totals of w p, and of (w / r)(S - p), shape (R, A).

    Returns
    -------
    Share of men, shape (R, A); NaN in an empty band, or where even all bands together give no share inside (0, 1).

    Examples
    --------
    The second band has nobody validated: its share comes from both bands' total, (50 + 10 + 50) / 200.

    >>> one = [np.array([row]) for row in ([100.0, 100.0], [40.0, 0.0], [50.0, 50.0], [10.0, 0.0])]
    >>> pooled_shares(*one).round(4).tolist()
    [[0.6, 0.55]]
    """
    rows, bands = n.shape
    total = np.where(n > 0, model + residual, 0.0)
    mean = np.divide(model, n, out=np.full_like(n, 0.5), where=n > 0)
    line = logit(np.clip(mean, EDGE, 1 - EDGE))
    pi = np.full((rows, bands), np.nan)
    for band in range(bands):
        left = n[:, band] > 0
        for k in range(bands):
            run = slice(max(band - k, 0), min(band + k + 1, bands))
            men, people = total[:, run].sum(axis=1), n[:, run].sum(axis=1)
            ready = left & (men > 0) & (men < people) & (n_validated[:, run].sum(axis=1) >= MINIMUM_VALIDATED)
            if ready.any():
                alone = run.stop - run.start == 1
                e = 0.0 if alone else _shift(n[ready, run], line[ready, run], men[ready])
                pi[ready, band] = men[ready] / people[ready] if alone else expit(line[ready, band] + e)
                left &= ~ready
            if not left.any():
                break
    return pi
