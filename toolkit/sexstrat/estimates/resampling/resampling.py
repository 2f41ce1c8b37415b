"""Draw again from cells: how often each unit counts, and the cells that result."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays

__all__ = ["SCHEMES", "cluster_multipliers", "patient_multipliers", "resampled_arrays", "split_unequal"]

Array = NDArray[np.float64]

SCHEMES = ("poisson", "multinomial")
SUMS = ("n", "w", "w2", "w_over_r", "w2_over_r", "w2_over_r2")


def patient_multipliers(
    n: Array, stratum: NDArray[np.int64], *, scheme: str, size: int, rng: np.random.Generator
) -> Array:
    """Return how often the patients of each cell count, over how many they are, when patients are drawn again.

    Poisson counts leave the number of patients free; multinomial ones keep it in every stratum. A measure that does
    not change when all counts double varies alike under both, but for strata, which only the multinomial keeps.

    Parameters
    ----------
    n : patients of each cell.
    stratum : stratum of each cell.
    scheme : poisson or multinomial.
    size : resamples.
    rng : source of randomness.

    Returns
    -------
    Shape (size, cells); the mean is 1.

    Raises
    ------
    EstimationError : unknown scheme.

    References
    ----------
    Efron B. Bootstrap methods: another look at the jackknife. Ann Stat 1979;7:1-26. Hanley JA, MacGibbon B. Creating
    non-parametric bootstrap samples using Poisson frequencies. Comput Methods Programs Biomed 2006;83:57-62.

    Examples
    --------
    Two cells of 3 and 1 patients always hold 4 together.

    >>> found = patient_multipliers(
    ...     np.array([3.0, 1.0]), np.zeros(2, int), scheme="multinomial", size=5, rng=np.random.default_rng(1)
    ... )
    >>> (found @ np.array([3.0, 1.0])).tolist()
    [4.0, 4.0, 4.0, 4.0, 4.0]
    """
    if scheme == "poisson":
        return np.asarray(rng.poisson(n, (size, n.size)) / n)
    if scheme != "multinomial":
        raise EstimationError(f"no scheme {scheme!r} of resampling; there are {', '.join(SCHEMES)}")
    found = np.zeros((size, n.size))
    for one in np.unique(stratum):
        rows = stratum == one
        people = n[rows].sum()
        found[:, rows] = rng.multinomial(round(people), n[rows] / people, size=size) / n[rows]
    return found


def cluster_multipliers(stratum: NDArray[np.int64], *, size: int, rng: np.random.Generator) -> Array:
    """Return how often each cluster counts: n_h - 1 of a stratum's n_h are drawn and weighted by n_h / (n_h - 1).

    So the variance of a total is the stratified one with its divisor n_h - 1. A stratum of one cluster stays as it is.

    Parameters
    ----------
    stratum : stratum of each cluster.
    size : resamples.
    rng : source of randomness.

    Returns
    -------
    Shape (size, clusters).

    References
    ----------
    Rao JNK, Wu CFJ. Resampling inference with complex survey data. JASA 1988;83:231-241. Rao JNK, Wu CFJ, Yue K. Some
    recent work on resampling methods for complex surveys. Surv Methodol 1992;18:209-217.

    Examples
    --------
    Of three clusters two are drawn, each worth 3/2; the lone one stays.

    >>> found = cluster_multipliers(np.array([0, 0, 0, 1]), size=4, rng=np.random.default_rng(1))
    >>> found[:, :3].sum(axis=1).tolist(), found[:, 3].tolist()
    ([3.0, 3.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0])
    """
    found = np.ones((size, stratum.size))
    for one in np.unique(stratum):
        rows = np.flatnonzero(stratum == one)
        if (units := rows.size) > 1:
            drawn = rng.multinomial(units - 1, np.full(units, 1 / units), size=size)
            found[:, rows] = drawn * units / (units - 1)
    return found


def resampled_arrays(arrays: CellArrays, times: Array) -> CellArrays:
    """Return the cells in which each row counts so many times; rows that were not drawn are left out.

    Parameters
    ----------
    arrays : the cells.
    times : multiplier of each row.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> float(resampled_arrays(arrays, np.full(arrays.n.size, 2.0)).n.sum())
    2200.0
    """
    kept = times > 0
    columns = {field.name: getattr(arrays, field.name) for field in fields(arrays)}
    rows = {name: column[kept] for name, column in columns.items() if isinstance(column, np.ndarray)}
    drawn: dict[str, Any] = {name: row * times[kept] if name in SUMS else row for name, row in rows.items()}
    return replace(arrays, **drawn)


def _two_points(mean: Array, sd: Array) -> tuple[Array, Array, Array]:
    """Return share of the upper point, upper and lower point of a law on two points, not below 0 unless the mean is."""
    ratio = np.divide(mean**2, mean**2 + sd**2, out=np.full_like(mean, 0.5), where=mean > 0)
    q = np.minimum(ratio, 0.5)
    return q, mean + sd * np.sqrt((1 - q) / q), np.maximum(mean - sd * np.sqrt(q / (1 - q)), np.minimum(mean, 0.0))


def split_unequal(arrays: CellArrays) -> CellArrays:
    """Return cells whose patients have equal weights w and w / r, with the same sums and sums of squares.

    A cell that hides unequal weights would be resampled as if they were equal, and its interval would be too narrow.
    Such a cell is split in two by w and again by w / r, at the points that keep its sums of w, w^2, w / r, w^2 / r and
    w^2 / r^2; cells of equal weights stay whole.

    Parameters
    ----------
    arrays : the cells.

    Examples
    --------
    Four patients with weights 1, 1, 3, 3: two of 1 and two of 3.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> row = np.flatnonzero(~arrays.validated)[:1]
    >>> one = resampled_arrays(arrays, np.isin(np.arange(arrays.n.size), row) * 1.0)
    >>> four = {"n": np.array([4.0]), "w": np.array([8.0]), "w2": np.array([20.0])}
    >>> found = split_unequal(replace(one, **four))
    >>> found.n.tolist(), (found.w / found.n).tolist()
    ([2.0, 2.0], [3.0, 1.0])
    """
    once = _split(arrays, arrays.w / arrays.n, arrays.w2 / arrays.n - (arrays.w / arrays.n) ** 2, by_weight=True)
    v = once.w_over_r / once.n
    return _split(once, v, once.w2_over_r2 / once.n - v**2, by_weight=False)


def _split(arrays: CellArrays, mean: Array, variance: Array, *, by_weight: bool) -> CellArrays:
    varies = variance > 1e-9 * np.maximum(mean**2, 1e-300)
    if not varies.any():
        return arrays
    q, high, low = _two_points(mean, np.sqrt(np.where(varies, variance, 0.0)))
    parts = []
    for share, point, rows in ((q, high, varies), (1 - q, low, varies), (np.ones(q.size), mean, ~varies)):
        part = resampled_arrays(arrays, np.where(rows, share, 0.0))
        parts.append(
            _at(part, point[rows], mean[rows], variance[rows], by_weight=by_weight) if rows is varies else part
        )
    columns = {field.name: getattr(arrays, field.name) for field in fields(arrays)}
    names = [name for name, column in columns.items() if isinstance(column, np.ndarray)]
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(arrays, **joined)


def _at(part: CellArrays, point: Array, mean: Array, variance: Array, *, by_weight: bool) -> CellArrays:
    """Return rows moved to one of the two points, what is left of w / r along the line through its means."""
    n, v = part.n, part.w_over_r / part.n
    if not by_weight:
        w = part.w / n
        return replace(part, w_over_r=n * point, w2_over_r=n * w * point, w2_over_r2=n * point**2)
    slope = (part.w2_over_r / n - mean * v) / variance
    left = np.maximum(part.w2_over_r2 / n - v**2 - slope**2 * variance, 0.0)
    moved = np.maximum(v + slope * (point - mean), 0.0)
    return replace(
        part,
        w=n * point,
        w2=n * point**2,
        w_over_r=n * moved,
        w2_over_r=n * point * moved,
        w2_over_r2=n * (moved**2 + left),
    )
