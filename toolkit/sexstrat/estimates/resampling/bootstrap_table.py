"""E1 as a table: cells gathered into entries whose totals, resampled, give E1 again by matrix products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.recalibration import (
    N_FOLDS,
    PRIOR_SD,
    PRIOR_SD_INTERCEPT,
    design_matrix,
    fit_logistic,
    fit_weights,
)

__all__ = ["EntryTable", "RefittedShares", "entry_table", "refitted_shares"]

Array = NDArray[np.float64]

# Patients of one cell and one kind of recorded sex are gathered by their recalibrated probability into at most so many
# entries. What varies within an entry is drawn as a normal of the same covariance; with fewer patients than entries
# nothing is left to draw.
VALIDATED_ENTRIES, OTHER_ENTRIES = 24, 8
MODEL, RESIDUAL, WEIGHT, VALIDATED = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefittedShares:
    """The five models of the recalibration, and how far a row's probability follows each.

    Parameters
    ----------
    p : cross-fitted probability of each row.
    slope : derivative of p with respect to the coefficients of each model, shape (rows, 5 k).
    score : contribution of each row to the score of each model, shape (rows, 5 k).
    inverse : inverse penalised information of each model, shape (5, k, k).
    pull : precision x coefficients of each model, shape (5, k): what the prior takes off the score.
    """

    p: Array
    slope: Array
    score: Array
    inverse: Array
    pull: Array

    def moved(self, scores: Array) -> Array:
        """Return the change of the coefficients after one Newton step, shape (R, 5 k), from resampled scores."""
        k = self.pull.shape[1]
        left = scores.reshape(-1, N_FOLDS, k) - self.pull
        return np.asarray(np.einsum("rfk,fkl->rfl", left, self.inverse)).reshape(-1, N_FOLDS * k)


def refitted_shares(arrays: CellArrays) -> RefittedShares:
    """Return what one Newton step of every cross-fitting model needs, at the models fitted to the data.

    Parameters
    ----------
    arrays : the cells.

    Examples
    --------
    At the data themselves the score less the prior's pull is 0, so that nothing moves.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> found = refitted_shares(worked_arrays())
    >>> bool(np.abs(found.moved(found.score.sum(axis=0, keepdims=True))).max() < 1e-8)
    True
    """
    x, names = design_matrix(arrays)
    rows, k = x.shape
    weight, _ = fit_weights(arrays)
    precision = np.array([1 / (PRIOR_SD_INTERCEPT if name == "intercept" else PRIOR_SD) ** 2 for name in names])
    every, inverse, pull = np.zeros((N_FOLDS, rows)), np.zeros((N_FOLDS, k, k)), np.zeros((N_FOLDS, k))
    score, slope = np.zeros((rows, N_FOLDS, k)), np.zeros((rows, N_FOLDS, k))
    for fold in range(N_FOLDS):
        used = arrays.validated & (arrays.fold != fold)
        t = weight[used]
        beta, inverse[fold] = fit_logistic(x[used], arrays.male[used] * t, t, precision)
        every[fold], pull[fold] = expit(x @ beta), precision * beta
        score[used, fold] = x[used] * (t * (arrays.male[used] - every[fold, used]))[:, None]
        # a validated row follows the model that left it out, the others a fifth of each
        share = np.where(arrays.validated, arrays.fold == fold, 1 / N_FOLDS)
        slope[:, fold] = x * (share * every[fold] * (1 - every[fold]))[:, None]
    own = every[np.maximum(arrays.fold, 0), np.arange(rows)]
    return RefittedShares(
        p=np.where(arrays.validated, own, every.mean(axis=0)),
        slope=slope.reshape(rows, -1),
        score=score.reshape(rows, -1),
        inverse=inverse,
        pull=pull,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTable:
    """Entries sorted by cell.

    Parameters
    ----------
    group : cell (band, disease) of each entry, rising.
    unit : what is resampled with it: its own number, or its cluster's.
    stratum : stratum of each unit.
    n : patients of each unit.
    totals : sums of w p, (w / r)(S - p), w and validated patients, shape (entries, 4).
    slopes : derivatives of the first two with respect to the models' coefficients, shape (entries, 2, 5 k).
    scores : contributions to the models' scores, shape (units, 5 k).
    noise : square root of the covariance within entries of the first three totals, by cell, shape (2 x bands, 3, 3).
    models : the recalibration.
    n_bands : age bands.
    """

    group: NDArray[np.int64]
    unit: NDArray[np.int64]
    stratum: NDArray[np.int64]
    n: Array
    totals: Array
    slopes: Array
    scores: Array
    noise: Array
    models: RefittedShares
    n_bands: int

    def resampled(self, multipliers: Array, rng: np.random.Generator | None, *, refit: bool) -> Array:
        """Return the totals of every cell in every resample, shape (R, 2 x bands, 4).

        Parameters
        ----------
        multipliers : how often each unit's patients count, shape (R, units); 1 gives the data back.
        rng : source of what varies within entries; None leaves it out.
        refit : move the recalibration by one Newton step on the resampled scores (its information held), and the
            totals along its derivative; otherwise the recalibration stays.
        """
        moved = self.models.moved(multipliers @ self.scores) if refit else None
        found = np.zeros((multipliers.shape[0], 2 * self.n_bands, 4))
        edges = np.searchsorted(self.group, np.arange(2 * self.n_bands + 1))
        for group in range(2 * self.n_bands):
            rows = slice(edges[group], edges[group + 1])
            chosen = multipliers[:, self.unit[rows]]
            found[:, group] = chosen @ self.totals[rows]
            if moved is not None:
                for part in (MODEL, RESIDUAL):
                    found[:, group, part] += np.einsum("rk,rk->r", chosen @ self.slopes[rows, part], moved)
        if rng is not None and self.noise.any():
            drawn = rng.standard_normal((multipliers.shape[0], 2 * self.n_bands, 3))
            found[:, :, :3] += np.einsum("rgi,gji->rgj", drawn, self.noise)
        return found


def _gathered(arrays: CellArrays, p: Array) -> NDArray[np.int64]:
    """Return the entry of every row: stratum, cell, kind of recorded sex, and rank of p among its like."""
    kind = np.where(arrays.validated, 1 + arrays.male, 0)
    block = np.unique(np.column_stack([arrays.group, arrays.stratum, kind]), axis=0, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((p, block))
    sizes = np.bincount(block, weights=arrays.n)
    before = np.cumsum(arrays.n[order]) - arrays.n[order] / 2 - (np.cumsum(sizes) - sizes)[block[order]]
    entries = np.where(arrays.validated, VALIDATED_ENTRIES, OTHER_ENTRIES)[order]
    rank = np.empty(p.size, dtype=np.int64)
    rank[order] = np.minimum(before / np.maximum(sizes[block[order]], 1) * entries, entries - 1).astype(np.int64)
    return np.asarray(np.unique(np.column_stack([block, rank]), axis=0, return_inverse=True)[1].reshape(-1))


def _within(arrays: CellArrays, p: Array, entry: NDArray[np.int64], group: NDArray[np.int64]) -> Array:
    """Return the square root, by cell, of the covariance that patients have within entries."""
    e = np.where(arrays.validated, arrays.male - p, 0.0)
    size = int(entry.max(initial=-1)) + 1
    first = np.stack(
        [np.bincount(entry, weights=part, minlength=size) for part in (arrays.w * p, arrays.w_over_r * e, arrays.w)],
        axis=1,
    )
    n = np.bincount(entry, weights=arrays.n, minlength=size)
    w2, cross, r2 = arrays.w2, arrays.w2_over_r, arrays.w2_over_r2
    second = {
        (0, 0): w2 * p**2,
        (0, 1): cross * p * e,
        (0, 2): w2 * p,
        (1, 1): r2 * e**2,
        (1, 2): cross * e,
        (2, 2): w2,
    }
    found = np.zeros((2 * arrays.n_bands, 3, 3))
    for (i, j), products in second.items():
        own = np.bincount(entry, weights=products, minlength=size) - first[:, i] * first[:, j] / n
        found[:, i, j] = np.bincount(group, weights=own, minlength=2 * arrays.n_bands)
        found[:, j, i] = found[:, i, j]
    values, vectors = np.linalg.eigh(found)
    floor = 1e-12 * np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-300)
    return np.asarray(vectors * np.sqrt(np.where(values > floor, values, 0.0))[:, None, :])


def entry_table(arrays: CellArrays, clusters: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None) -> EntryTable:
    """Return the cells as entries.

    Parameters
    ----------
    arrays : the cells.
    clusters : cluster of every row, and stratum of every cluster; None resamples patients within strata.

    Examples
    --------
    Resampling everybody once gives the data back: 400 and 150 patients in each band.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> table = entry_table(worked_arrays())
    >>> once = table.resampled(np.ones((1, table.n.size)), None, refit=True)
    >>> once[0, :, 2].round(6).tolist(), once[0, :, 3].round(6).tolist()
    ([400.0, 150.0, 400.0, 150.0], [200.0, 75.0, 200.0, 75.0])
    """
    models = refitted_shares(arrays)
    p, groups = models.p, 2 * arrays.n_bands
    if clusters is None:
        entry = _gathered(arrays, p)
    else:
        entry = np.unique(np.column_stack([arrays.group, clusters[0]]), axis=0, return_inverse=True)[1].reshape(-1)
    size = int(entry.max(initial=-1)) + 1
    first = np.zeros(size, dtype=np.int64)
    first[entry] = np.arange(entry.size)
    unit_of_row = entry if clusters is None else clusters[0]
    units = size if clusters is None else clusters[1].size
    e = np.where(arrays.validated, arrays.male - p, 0.0)
    parts = arrays.w * p, arrays.w_over_r * e, arrays.w, np.where(arrays.validated, arrays.n, 0.0)
    totals = np.stack([_added(entry, part, size) for part in parts], axis=1)
    return EntryTable(
        group=arrays.group[first],
        unit=unit_of_row[first],
        stratum=arrays.stratum[first] if clusters is None else clusters[1],
        n=_added(unit_of_row, arrays.n, units),
        totals=totals,
        slopes=np.stack(
            [_sums(entry, models.slope * weight[:, None], size) for weight in (arrays.w, -arrays.w_over_r)], axis=1
        ),
        scores=_sums(unit_of_row, models.score, units),
        noise=np.zeros((groups, 3, 3)) if clusters is not None else _within(arrays, p, entry, arrays.group[first]),
        models=models,
        n_bands=arrays.n_bands,
    )


def _added(place: NDArray[np.int64], values: Array, size: int) -> Array:
    return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=float)


def _sums(place: NDArray[np.int64], values: Array, size: int) -> Array:
    """Return the sums of rows of values by place, shape (size, columns)."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(size))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0))
