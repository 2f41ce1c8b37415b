"""Sums over resampled patients of any quantities that each patient adds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DRAWN", "resampled_sums"]

Floats = NDArray[np.float64]

MOST_DRAWN = 500  # patients up to whom each is drawn; beyond, sums are drawn from their normal limit


def resampled_sums(values: Floats, n: int, rng: np.random.Generator) -> Floats:
    """Return bootstrap replicates of column sums over patients.

    N − 1 of N patients drawn with replacement, weighted N/(N − 1), which gives the unbiased variance (Rao & Wu 1988).
    Beyond 500 patients the sums are drawn from the normal law with the same mean and covariance, which their
    bootstrap distribution approaches (Singh 1981).

    Parameters
    ----------
    values : what each patient adds, shape (patients, columns).
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
    patients, columns = values.shape
    total = values.sum(axis=0)
    if patients < 2:
        return np.tile(total, (n, 1))
    if patients <= MOST_DRAWN:
        drawn = rng.multinomial(patients - 1, np.full(patients, 1 / patients), size=n)
        return np.asarray(drawn @ values * (patients / (patients - 1)), dtype=np.float64)
    away = values - total / patients
    value, vector = np.linalg.eigh(patients / (patients - 1) * away.T @ away)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    return np.asarray(total + rng.standard_normal((n, columns)) @ root.T, dtype=np.float64)
