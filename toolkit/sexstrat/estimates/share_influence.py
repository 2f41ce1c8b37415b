"""How each share of men of E1 moves with the weighted totals of every cell: its influence function, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.thin_cells import pool_thin_bands

__all__ = ["WEIGHT", "ShareInfluence", "group_totals", "influence_of_totals", "share_influence"]

Array = NDArray[np.float64]

MODEL, RESIDUAL, WEIGHT = 0, 1, 2  # what a patient adds to a cell: w p, (w / r)(S - p) and w
EDGE = 1e-9  # as pool_thin_bands keeps the model's shares inside (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareInfluence:
    """Derivatives of shares and counts with respect to the totals of every cell.

    Parameters
    ----------
    pi : shares of men, flat index 2 a + d; NaN where a cell is empty.
    moves : derivative of each share with respect to the totals of w p, (w / r)(S - p) and w of each cell,
        shape (shares, 2 x bands, 3).
    counts : which cells each count of the margin adds up, shape (shares, 2 x bands).
    """

    pi: Array
    moves: Array
    counts: Array


def group_totals(arrays: CellArrays, p: Array) -> Array:
    """Return the totals of w p, (w / r)(S - p) and w of each cell (band, disease), shape (2 x bands, 3).

    Parameters
    ----------
    arrays : the cells.
    p : cross-fitted probability of male of each row.

    Examples
    --------
    Of 400 patients without the disease in a band half are men, and the recalibration says so.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> group_totals(arrays, np.full(arrays.n.size, 0.5))[0].round(6).tolist()
    [200.0, 0.0, 400.0]
    """
    residual = np.where(arrays.validated, arrays.male - p, 0.0)
    parts = arrays.w * p, arrays.w_over_r * residual, arrays.w
    return np.column_stack([arrays.total(part).ravel() for part in parts])


def _whole(totals: Array) -> ShareInfluence:
    """Return the influence on the shares of all ages: (M + R) / N, so (dM + dR - pi dN) / N."""
    groups = totals.shape[0]
    counts = np.tile(np.eye(2), groups // 2)
    sums = counts @ totals
    n = np.where(sums[:, WEIGHT] > 0, sums[:, WEIGHT], 1.0)
    pi = (sums[:, MODEL] + sums[:, RESIDUAL]) / n
    slope = np.stack([np.ones(2), np.ones(2), -pi], axis=1) / n[:, None]
    return ShareInfluence(
        pi=np.where(sums[:, WEIGHT] > 0, pi, np.nan), moves=counts[:, :, None] * slope[:, None, :], counts=counts
    )


def _pooled_row(n: Array, model: Array, share: float, own: int) -> Array:
    """Return the derivatives of one band's share, whose correction is shared by a run of bands.

    The run's shares s_b = expit(logit(m_b) + e) add up to its corrected total: differentiate that equation in e.
    """
    m = np.clip(model / n, EDGE, 1 - EDGE)
    s = expit(logit(m) + logit(share) - logit(m[own]))
    slope, tilt = s * (1 - s), (s * (1 - s)) / (m * (1 - m))
    lever = slope[own] / (n @ slope)
    by_model = lever * (1 - tilt)
    by_model[own] += tilt[own] / n[own]
    return np.column_stack([by_model, np.full(n.size, lever), lever * (m - s) - m * by_model])


def _banded(totals: Array, n_validated: Array) -> ShareInfluence:
    groups = totals.shape[0]
    pi, moves = np.full(groups, np.nan), np.zeros((groups, groups, 3))
    for d in (0, 1):
        model, residual, n = totals[d::2].T
        safe = np.where(n > 0, n, 1.0)
        pooled = pool_thin_bands(n=n, n_validated=n_validated[:, d], model=model / safe, residual=residual)
        pi[d::2] = pooled.pi
        for band in np.flatnonzero(np.isfinite(pooled.pi)):
            run = np.flatnonzero(pooled.window[band])
            own = int(np.flatnonzero(run == band)[0])
            moves[2 * band + d, 2 * run + d] = _pooled_row(n[run], model[run], float(pooled.pi[band]), own)
    return ShareInfluence(pi=pi, moves=moves, counts=np.eye(groups))


def share_influence(arrays: CellArrays, p: Array, *, by_band: bool) -> ShareInfluence:
    """Return the influence of every cell's totals on the shares of men of E1, the recalibration held fixed.

    A band that stands alone moves by (dM + dR - pi dN) / N. One that borrows its neighbours' correction moves as the
    equation that defines it says. The recalibration adds nothing to first order, since E1 corrects its errors.

    Parameters
    ----------
    arrays : the cells.
    p : cross-fitted probability of male of each row.
    by_band : shares of every band; otherwise of all ages.

    References
    ----------
    Robins JM, Rotnitzky A, Zhao LP. JASA 1994;89:846-866. Hampel FR. The influence curve. JASA 1974;69:383-393.

    Examples
    --------
    400 patients without the disease in the first band: one more man in all 400 moves the share by 1/400.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> found = share_influence(arrays, np.full(arrays.n.size, 0.5), by_band=True)
    >>> found.pi.round(4).tolist(), found.moves[0, 0].round(6).tolist()
    ([0.5, 0.6667, 0.5, 0.6667], [0.0025, 0.0025, -0.00125])
    """
    return influence_of_totals(group_totals(arrays, p), arrays.n_validated, by_band=by_band)


def influence_of_totals(totals: Array, n_validated: Array, *, by_band: bool) -> ShareInfluence:
    """Return the influence of every cell's totals on the shares of men, whatever the totals count.

    Parameters
    ----------
    totals : of w p, (w / r)(S - p) and w of each cell, shape (2 x bands, 3).
    n_validated : validated patients behind them, shape (bands, 2).
    by_band : shares of every band; otherwise of all ages.

    Examples
    --------
    All ages: 40 + 10 of 100 are men without the disease, 30 of 60 with it.

    >>> totals = np.array([[40.0, 10.0, 100.0], [30.0, 0.0, 60.0]])
    >>> influence_of_totals(totals, np.full((1, 2), 50.0), by_band=False).pi.tolist()
    [0.5, 0.5]
    """
    return _banded(totals, n_validated) if by_band else _whole(totals)
