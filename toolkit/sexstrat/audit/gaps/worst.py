"""How sure it is which group is the worst."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["rank_interval", "worst_probability"]

Floats = NDArray[np.float64]


def _rows(replicates: ArrayLike) -> Floats:
    values = np.asarray(replicates, dtype=float)
    if values.ndim != 2 or values.shape[1] < 1:
        raise ValueError(f"replicates must have a column for each group; found shape {values.shape}")
    kept = values[np.isfinite(values).all(axis=1)]
    if len(kept) == 0:
        raise ValueError("no replicate has a number in every group; leave out the groups in which it is undefined")
    return np.asarray(kept, dtype=np.float64)


def worst_probability(replicates: ArrayLike, *, low_is_worst: bool = True) -> Floats:
    """Return for each group the share of bootstrap replicates in which it is the worst.

    Groups that are equally bad in a replicate share it. Replicates in which some group has no number are left out.

    Parameters
    ----------
    replicates : estimates of each group (columns) in each bootstrap replicate of patients (rows).
    low_is_worst : whether a low value is bad, as of a share called rightly; not so of errors.

    Returns
    -------
    One probability a group, adding up to 1.

    Raises
    ------
    ValueError : no replicate has a number in every group.

    References
    ----------
    Goldstein & Spiegelhalter 1996, J R Stat Soc A 159:385 (ranks need their uncertainty).

    Examples
    --------
    >>> worst_probability([[0.8, 0.9], [0.7, 0.9], [0.9, 0.8], [0.8, 0.8]]).tolist()
    [0.625, 0.375]
    """
    values = _rows(replicates) if low_is_worst else -_rows(replicates)
    worst = values == values.min(axis=1, keepdims=True)
    return np.asarray((worst / worst.sum(axis=1, keepdims=True)).mean(axis=0), dtype=np.float64)


def rank_interval(
    replicates: ArrayLike, *, level: float = 0.95, low_is_worst: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the range of ranks, 1 being the worst, that each group has in the middle ``level`` of the replicates.

    Parameters
    ----------
    replicates : estimates of each group (columns) in each replicate (rows).
    level : share of the replicates within the range.
    low_is_worst : whether a low value is bad.

    Examples
    --------
    >>> low, high = rank_interval([[0.8, 0.9, 0.95], [0.85, 0.8, 0.95]])
    >>> low.tolist(), high.tolist()
    ([1, 1, 3], [2, 2, 3])
    """
    values = _rows(replicates) if low_is_worst else -_rows(replicates)
    rank = values.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    tail = (1 - level) / 2
    low = np.quantile(rank, tail, axis=0, method="lower")
    high = np.quantile(rank, 1 - tail, axis=0, method="higher")
    return low.astype(np.int64), high.astype(np.int64)
