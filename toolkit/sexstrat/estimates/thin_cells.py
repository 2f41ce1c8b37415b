"""Borrow the residual correction of neighbouring bands where a cell has too few validated patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

__all__ = ["MINIMUM_VALIDATED", "PooledBands", "pool_thin_bands"]

Array = NDArray[np.float64]

MINIMUM_VALIDATED = 10  # statistics, thin cells: fewer validated patients than this are not left to themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledBands:
    """Shares of one disease state after pooling.

    Parameters
    ----------
    pi : share of men by band, NaN in an empty band.
    weights : K: pi[a] moves by K[a, b] when the weighted residual total of band b moves by 1; shape (A, A).
    window : which bands' residuals each band uses, shape (A, A).
    solved : False where even all bands together give a share outside (0, 1).
    """

    pi: Array
    weights: Array
    window: NDArray[np.bool_]
    solved: NDArray[np.bool_]


def _windows(band: int, n_bands: int) -> list[slice]:
    """List ever wider runs of bands around one."""
    return [slice(max(band - k, 0), min(band + k + 1, n_bands)) for k in range(n_bands)]


def _target(n: Array, model: Array, total: float) -> float:
    """Return epsilon with sum n expit(logit(model) + epsilon) = total."""
    line = logit(np.clip(model, 1e-9, 1 - 1e-9))
    return float(brentq(lambda e: float(n @ expit(line + e)) - total, -60, 60))


def pool_thin_bands(
    *, n: Array, n_validated: Array, model: Array, residual: Array, minimum: int = MINIMUM_VALIDATED
) -> PooledBands:
    """Return the share of men in each band, correcting thin bands with their neighbours' residuals.

    A band stands alone when it has ``minimum`` validated patients and model + residual / n lies inside (0, 1).
    Otherwise the run of bands around it grows until both hold for the run, and the band's share is
    expit(logit(model) + epsilon), with epsilon such that the run's shares add up to the run's corrected total.
    With no validated patient of its own a band's variance would be that of the model alone: a confident wrong number.

    Parameters
    ----------
    n : patients (sum of weights) by band, for one disease state.
    n_validated : validated patients by band.
    model : mean recalibrated probability by band.
    residual : sum over validated patients of (w / r)(male - recalibrated probability), by band.
    minimum : validated patients a run of bands must have.

    Examples
    --------
    The second band has nobody validated: its share comes from both bands' total, (50 + 10 + 50) / 200.

    >>> pooled = pool_thin_bands(
    ...     n=np.array([100.0, 100.0]),
    ...     n_validated=np.array([40, 0]),
    ...     model=np.array([0.5, 0.5]),
    ...     residual=np.array([10.0, 0.0]),
    ... )
    >>> pooled.pi.round(4).tolist()
    [0.6, 0.55]
    """
    bands = n.size
    pi = np.full(bands, np.nan)
    weights, window = np.zeros((bands, bands)), np.zeros((bands, bands), dtype=bool)
    solved = np.ones(bands, dtype=bool)
    totals = np.where(n > 0, n * model + residual, 0.0)
    for a in np.flatnonzero(n > 0):
        for run in _windows(int(a), bands):
            inside = 0 < totals[run].sum() < n[run].sum()
            if inside and n_validated[run].sum() >= minimum:
                break
        else:
            solved[a] = False
            continue
        window[a, run] = n[run] > 0
        if run.stop - run.start == 1:
            pi[a], weights[a, a] = totals[a] / n[a], 1 / n[a]
            continue
        present = np.flatnonzero(window[a])
        epsilon = _target(n[present], model[present], float(totals[present].sum()))
        shares = expit(logit(np.clip(model[present], 1e-9, 1 - 1e-9)) + epsilon)
        slope = shares * (1 - shares)
        own = int(np.flatnonzero(present == a)[0])
        pi[a] = shares[own]
        weights[a, present] = slope[own] / (n[present] @ slope)
    return PooledBands(pi=pi, weights=weights, window=window, solved=solved)
