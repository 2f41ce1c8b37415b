"""What each sampling unit adds to shares and counts, and the variance of any measure over units within strata."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.cluster_codes import cluster_codes
from sexstrat.estimates.numbers.linearisation import StratifiedVariance, lonely_part, stratified_variance, summed_strata

__all__ = ["PatientScores", "RowInfluence", "UnitScores", "unit_scores"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitScores:
    """Scores of whole units.

    Parameters
    ----------
    totals : what each unit moves the shares, and then the counts, by; shape (units, 2 x shares).
    stratum : stratum of each unit.
    holding : the unit holds patients who tell of the share, shape (units, shares).
    """

    totals: Array
    stratum: NDArray[np.int64]
    holding: NDArray[np.bool_]

    def variance(self, gradients: Array, lonely: str) -> StratifiedVariance:
        """Return the covariance of k measures, ``gradients`` of shape (k, 2 x shares)."""
        return stratified_variance(self.totals @ gradients.T, self.stratum, lonely=lonely)

    def degrees_of_freedom(self, used: NDArray[np.bool_]) -> int:
        """Return the units that tell of the shares used, less their strata."""
        present = self.holding[:, used].any(axis=1)
        return int(present.sum()) - np.unique(self.stratum[present]).size

    def times(self, factor: Array) -> UnitScores:
        """Return the scores of shares and counts that are ``factor`` times as large, shape (2 x shares,)."""
        return replace(self, totals=self.totals * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientScores:
    """Sums and sums of products of the scores of patients, who are their own units, by stratum.

    Parameters
    ----------
    n : patients of each stratum.
    sums : of what each patient moves shares and counts by, shape (strata, 2 x shares).
    products : of their outer product with themselves, shape (strata, 2 x shares, 2 x shares).
    holding : patients who tell of each share, shape (strata, shares).
    """

    n: Array
    sums: Array
    products: Array
    holding: Array

    def variance(self, gradients: Array, lonely: str) -> StratifiedVariance:
        """Return the covariance of k measures, ``gradients`` of shape (k, 2 x shares)."""
        total = self.sums @ gradients.T
        squares = np.einsum("ka,hab,lb->hkl", gradients, self.products, gradients, optimize=True)
        n = self.n[:, None, None]
        within = (squares - total[:, :, None] * total[:, None, :] / n) * n / np.maximum(n - 1, 1)
        alone = self.n == 1
        covariance = within[~alone].sum(axis=0)
        apart = total[alone] - total.sum(axis=0) / self.n.sum()
        covariance = covariance + lonely_part(covariance, apart, alone, lonely)
        return summed_strata(covariance, np.rint(self.n).astype(np.int64), lonely)

    def degrees_of_freedom(self, used: NDArray[np.bool_]) -> int:
        """Return the patients who tell of the shares used, less their strata."""
        present = np.minimum(self.holding[:, used].sum(axis=1), self.n)
        return int(present.sum()) - int((present > 0).sum())

    def times(self, factor: Array) -> PatientScores:
        """Return the scores of shares and counts that are ``factor`` times as large, shape (2 x shares,)."""
        return replace(self, sums=self.sums * factor, products=self.products * np.outer(factor, factor))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowInfluence:
    """How the patients of each row of cells move shares: w a + t b for a patient of weights w and t.

    Parameters
    ----------
    own : a, influence of a unit of weight w, shape (rows, shares).
    learned : b, influence of a unit of weight t through a model the patient taught, shape (rows, shares); or None.
    counts : which count, if any, the row belongs to, shape (rows, shares) of 0 and 1.
    w, w2, t, t2, wt : sums over the patients of a row of the weights, their squares and their product.
    holding : patients of the row tell of a share, shape (rows, shares).
    """

    own: Array
    counts: Array
    w: Array
    w2: Array
    holding: NDArray[np.bool_]
    learned: Array | None = None
    t: Array | None = None
    t2: Array | None = None
    wt: Array | None = None

    @classmethod
    def counted(cls, arrays: CellArrays, own: Array, counts: Array) -> RowInfluence:
        """Return the influence of patients through being counted; those of a count tell of its share."""
        return cls(own=own, counts=counts, w=arrays.w, w2=arrays.w2, holding=counts > 0)

    @classmethod
    def taught(cls, arrays: CellArrays, learned: Array, t: Array, t2: Array) -> RowInfluence:
        """Return the influence of validated patients through what they taught alone."""
        none, known = np.zeros_like(learned), np.repeat(arrays.validated[:, None], learned.shape[1], axis=1)
        zero = np.zeros_like(arrays.n)
        return cls(own=none, counts=none, w=zero, w2=zero, holding=known, learned=learned, t=t, t2=t2, wt=zero)

    def sums(self) -> Array:
        """Return what the patients of each row add up to, shares and then counts."""
        found = np.hstack([self.own, self.counts]) * self.w[:, None]
        if self.learned is not None and self.t is not None:
            found[:, : self.own.shape[1]] += self.learned * self.t[:, None]
        return found

    def products(self, rows: NDArray[np.bool_]) -> Array:
        """Return the sum over the patients of some rows of the outer product of their scores."""
        a = np.hstack([self.own, self.counts])[rows]
        found = (a * self.w2[rows, None]).T @ a
        if self.learned is not None and self.t2 is not None and self.wt is not None:
            b = np.hstack([self.learned, np.zeros_like(self.counts)])[rows]
            both = (a * self.wt[rows, None]).T @ b
            found = found + both + both.T + (b * self.t2[rows, None]).T @ b
        return np.asarray(found)


def _added(values: Array, code: NDArray[np.int64], size: int) -> Array:
    """Add up rows by code; every code from 0 to size - 1 occurs."""
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(size))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0))


def unit_scores(arrays: CellArrays, influence: RowInfluence) -> UnitScores | PatientScores:
    """Return the scores of sampling units: those that the cells name, or patients one by one within strata.

    Parameters
    ----------
    arrays : the cells.
    influence : how their patients move shares and counts.

    Raises
    ------
    EstimationError : some patients name a unit and others none.

    References
    ----------
    Binder DA. Int Stat Rev 1983;51:279-292. Deville JC. Survey Methodology 1999;25:193-203.

    Examples
    --------
    Four units of which each has a quarter of the people; half of the units are all men. The mean has variance
    4/3 x 4 x (1/8)^2 = 1/12.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> four = replace(arrays, psu=np.arange(arrays.n.size) % 4)
    >>> men = np.isin(four.psu, (0, 1)).astype(float)[:, None]
    >>> w = 1 / np.bincount(four.psu)[four.psu]
    >>> one = RowInfluence.counted(replace(four, w=w, w2=w**2), (men - 0.5) / 4, 0 * men)
    >>> round(float(unit_scores(four, one).variance(np.array([[1.0, 0.0]]), "centred").covariance[0, 0]), 6)
    0.083333
    """
    if not (arrays.psu < 0).all():
        code, stratum = cluster_codes(arrays, "psu")
        holding = _added(influence.holding * arrays.n[:, None], code, stratum.size) > 0
        return UnitScores(totals=_added(influence.sums(), code, stratum.size), stratum=stratum, holding=holding)
    _, code = np.unique(arrays.stratum, return_inverse=True)
    size = int(code.max(initial=-1)) + 1
    return PatientScores(
        n=np.bincount(code, weights=arrays.n, minlength=size).astype(float),
        sums=_added(influence.sums(), code, size),
        products=np.stack([influence.products(code == h) for h in range(size)]),
        holding=_added(influence.holding * arrays.n[:, None], code, size),
    )
