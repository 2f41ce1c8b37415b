"""What each sampling unit adds to every cell: whole units, or patients drawn one by one within strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.cluster_codes import cluster_codes
from sexstrat.estimates.share_influence import WEIGHT, ShareInfluence
from sexstrat.estimates.unit_scores import PatientScores, UnitScores

__all__ = ["ClusterTotals", "PatientMoments", "sampling_units"]

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

    def scores(self, influence: ShareInfluence) -> UnitScores:
        """Return what each unit moves shares and counts by."""
        shares = np.einsum("cgt,sgt->cs", self.totals, influence.moves, optimize=True)
        counts = self.totals[:, :, WEIGHT] @ influence.counts.T
        holding = self.validated @ influence.counts.T > 0
        return UnitScores(totals=np.hstack([shares, counts]), stratum=self.stratum, holding=holding)


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

    def scores(self, influence: ShareInfluence) -> PatientScores:
        """Return the sums and products of what each patient moves shares and counts by."""
        by_count = np.zeros((*influence.counts.shape, 3))
        by_count[:, :, WEIGHT] = influence.counts
        moves = np.concatenate([influence.moves, by_count])
        return PatientScores(
            n=self.n,
            sums=np.einsum("hgt,sgt->hs", self.sums, moves, optimize=True),
            products=np.einsum("agt,hgtu,bgu->hab", moves, self.products, moves, optimize=True),
            holding=self.validated @ influence.counts.T,
        )


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
