"""What each sampling unit adds to every cell: whole units, or patients drawn one by one within strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.numbers.linearisation import StratifiedVariance, lonely_part, stratified_variance, summed_strata

__all__ = ["ClusterTotals", "PatientMoments", "cluster_codes", "sampling_units"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTotals:
    """Totals of every cluster in every cell.

    Parameters
    ----------
    totals : sums of w p, (w / r)(S - p) and w, shape (clusters, 2 x bands, 3).
    stratum : stratum of each cluster.
    validated : the cluster holds validated patients of the cell, shape (clusters, 2 x bands).
    """

    totals: Array
    stratum: NDArray[np.int64]
    validated: NDArray[np.bool_]

    def variance(self, coefficients: Array, lonely: str) -> StratifiedVariance:
        """Return the covariance of k measures that move by ``coefficients`` (k, 2 x bands, 3)."""
        scores = np.einsum("cgt,kgt->ck", self.totals, coefficients, optimize=True)
        return stratified_variance(scores, self.stratum, lonely=lonely)

    def degrees_of_freedom(self, used: NDArray[np.bool_]) -> int:
        """Return clusters with validated patients of the cells used, less their strata."""
        present = self.validated[:, used].any(axis=1)
        return int(present.sum()) - np.unique(self.stratum[present]).size


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMoments:
    """Sums and sums of products over patients, who are their own sampling units, by stratum and cell.

    Parameters
    ----------
    n : patients of each stratum.
    sums : of (w p, (w / r)(S - p), w), shape (strata, 2 x bands, 3).
    products : of their outer product with themselves, shape (strata, 2 x bands, 3, 3).
    validated : validated patients, shape (strata, 2 x bands).
    """

    n: Array
    sums: Array
    products: Array
    validated: Array

    def variance(self, coefficients: Array, lonely: str) -> StratifiedVariance:
        """Return the covariance of k measures that move by ``coefficients`` (k, 2 x bands, 3)."""
        total = np.einsum("hgt,kgt->hk", self.sums, coefficients)
        squares = np.einsum("kgt,hgtu,lgu->hkl", coefficients, self.products, coefficients, optimize=True)
        n = self.n[:, None, None]
        within = (squares - total[:, :, None] * total[:, None, :] / n) * n / np.maximum(n - 1, 1)
        alone = self.n == 1
        covariance = within[~alone].sum(axis=0)
        apart = total[alone] - total.sum(axis=0) / self.n.sum()
        covariance = covariance + lonely_part(covariance, apart, alone, lonely)
        return summed_strata(covariance, np.rint(self.n).astype(np.int64), lonely)

    def degrees_of_freedom(self, used: NDArray[np.bool_]) -> int:
        """Return validated patients of the cells used, less their strata."""
        present = self.validated[:, used].sum(axis=1)
        return int(present.sum()) - int((present > 0).sum())


def cluster_codes(arrays: CellArrays, by: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cluster of every row, and the stratum of every cluster; hospitals are taken as one stratum.

    Parameters
    ----------
    arrays : the cells.
    by : psu or site.

    Raises
    ------
    EstimationError : patients without a unit, or ``by`` is neither.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> code, stratum = cluster_codes(worked_arrays(), "site")
    >>> sorted(set(code.tolist())), stratum.tolist()
    ([0], [0])
    """
    if by not in {"psu", "site"}:
        raise EstimationError(f"patients are clustered by psu or by site; found {by!r}")
    if by == "site":
        _, code = np.unique(arrays.site, return_inverse=True)
        return code.astype(np.int64), np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    if (arrays.psu < 0).any():
        raise EstimationError(
            f"{int(arrays.n[arrays.psu < 0].sum()):,} of {int(arrays.n.sum()):,} patients name no primary sampling "
            "unit (psu); give one for every patient, or for none"
        )
    pairs, code = np.unique(np.column_stack([arrays.stratum, arrays.psu]), axis=0, return_inverse=True)
    return code.reshape(-1).astype(np.int64), pairs[:, 0]


def _cluster_totals(arrays: CellArrays, p: Array, by: str) -> ClusterTotals:
    code, stratum = cluster_codes(arrays, by)
    groups = 2 * arrays.n_bands
    place = code * groups + arrays.group
    residual = np.where(arrays.validated, arrays.male - p, 0.0)

    def total(values: Array) -> Array:
        sums = np.bincount(place, weights=values, minlength=stratum.size * groups)
        return np.asarray(sums, dtype=float).reshape(stratum.size, groups)

    parts = [total(part) for part in (arrays.w * p, arrays.w_over_r * residual, arrays.w)]
    validated = total(np.where(arrays.validated, arrays.n, 0.0)) > 0
    return ClusterTotals(totals=np.stack(parts, axis=2), stratum=stratum, validated=validated)


def _patient_moments(arrays: CellArrays, p: Array) -> PatientMoments:
    _, stratum = np.unique(arrays.stratum, return_inverse=True)
    groups, strata = 2 * arrays.n_bands, int(stratum.max(initial=-1)) + 1
    place = stratum * groups + arrays.group
    e = np.where(arrays.validated, arrays.male - p, 0.0)

    def total(values: Array) -> Array:
        sums = np.bincount(place, weights=values, minlength=strata * groups)
        return np.asarray(sums, dtype=float).reshape(strata, groups)

    mm, mr, rr = total(arrays.w2 * p**2), total(arrays.w2_over_r * p * e), total(arrays.w2_over_r2 * e**2)
    mw, rw, ww = total(arrays.w2 * p), total(arrays.w2_over_r * e), total(arrays.w2)
    products = np.stack([np.stack(row, axis=2) for row in ((mm, mr, mw), (mr, rr, rw), (mw, rw, ww))], axis=2)
    sums = np.stack([total(part) for part in (arrays.w * p, arrays.w_over_r * e, arrays.w)], axis=2)
    return PatientMoments(
        n=total(arrays.n).sum(axis=1),
        sums=sums,
        products=products,
        validated=total(np.where(arrays.validated, arrays.n, 0.0)),
    )


def sampling_units(arrays: CellArrays, p: Array, by: str) -> ClusterTotals | PatientMoments:
    """Return the sampling units of the cells.

    Parameters
    ----------
    arrays : the cells.
    p : cross-fitted probability of male of each row.
    by : psu (within strata; patients themselves where the cells name no unit at all) or site (hospitals, strata left
        aside).

    Raises
    ------
    EstimationError : some patients name a unit and others none, or ``by`` is neither.

    Examples
    --------
    The example has neither units nor strata: 1,100 patients drawn one by one.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> sampling_units(arrays, np.full(arrays.n.size, 0.5), "psu").n.tolist()
    [1100.0]
    """
    if by == "psu" and bool((arrays.psu < 0).all()):
        return _patient_moments(arrays, p)
    return _cluster_totals(arrays, p, by)
