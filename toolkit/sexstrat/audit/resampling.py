"""Sums over resampled patients of any quantities that each patient adds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DRAWN", "in_own_order", "resampled_sums", "symmetric_root"]

Floats = NDArray[np.float64]

MOST_DRAWN = 500  # patients up to whom each is drawn; beyond, sums are drawn from their normal limit


def resampled_sums(values: Floats | Iterable[Floats], n: int, rng: np.random.Generator) -> Floats:
    """Return bootstrap replicates of column sums over patients.

    N − 1 of N patients drawn with replacement, weighted N/(N − 1), which gives the unbiased variance (Rao & Wu 1988).
    Beyond 500 patients the sums are drawn from the normal law with the same mean and covariance, which their
    bootstrap distribution approaches (Singh 1981).

    Parameters
    ----------
    values : what each patient adds, shape (patients, columns); or blocks of such rows, where all at once are too many.
    n : number of replicates.
    rng : source of randomness.

    Returns
    -------
    Sums, shape (n, columns).

    References
    ----------
    Rao & Wu 1988, JASA 83:231; Singh 1981, Ann Stat 9:1187.

    Examples
    --------
    Of patients adding 0 and 1, one is drawn and counts twice.

    >>> drawn = resampled_sums(np.array([[0.0], [1.0]]), 100, np.random.default_rng(1))
    >>> sorted(set(drawn[:, 0].tolist()))
    [0.0, 2.0]
    """
    few: list[Floats] = []
    patients, total, products = 0, np.zeros(1), np.zeros((1, 1))
    for block in [values] if isinstance(values, np.ndarray) else values:
        patients += len(block)
        total, products = total + block.sum(axis=0), products + block.T @ block
        if patients <= MOST_DRAWN:
            few.append(block)
    if patients < 2:
        return np.tile(total, (n, 1))
    if patients <= MOST_DRAWN:
        values = np.concatenate(few)
        drawn = rng.integers(0, patients, size=(n, patients - 1)) + np.arange(n)[:, None] * patients
        counts = np.bincount(drawn.ravel(), minlength=n * patients).reshape(n, patients)
        return np.asarray(counts @ values[in_own_order(values)] * (patients / (patients - 1)), dtype=np.float64)
    root = symmetric_root(patients / (patients - 1) * (products - np.outer(total, total) / patients))
    return np.asarray(total + rng.standard_normal((n, len(total))) @ root, dtype=np.float64)


def in_own_order(values: Floats) -> NDArray[np.intp]:
    """Return the order of rows by their values, so that replicates do not depend on the order of a table.

    Parameters
    ----------
    values : shape (rows, columns); differences of rounding do not count.

    Examples
    --------
    >>> in_own_order(np.array([[2.0], [1.0], [3.0]])).tolist()
    [1, 0, 2]
    """
    scale = np.max(np.abs(values), axis=0, initial=0.0)
    return np.lexsort(np.round(values / np.where(scale > 0, scale, 1.0), 10).T)


def symmetric_root(covariance: Floats) -> Floats:
    """Return the symmetric square root of covariances, which exists where columns depend on each other too.

    Parameters
    ----------
    covariance : shape (..., d, d).

    Examples
    --------
    >>> symmetric_root(np.array([[4.0, 0.0], [0.0, 9.0]])).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    value, vector = np.linalg.eigh(covariance)
    root = vector * np.sqrt(np.maximum(value, 0.0))[..., None, :]
    return np.asarray(root @ np.swapaxes(vector, -1, -2), dtype=np.float64)
