"""A linear program that is kept: what is minimised changes, and each answer starts where the last one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from highspy import HighsBasis, HighsModelStatus
    from highspy._core import _Highs
    from scipy.sparse import csr_array

__all__ = ["LinearProgram"]

Floats = NDArray[np.float64]
ROWWISE, MINIMISE = 2, 1
CHOOSE, DUAL, PRIMAL = 0, 1, 4  # of the simplex methods
LONG = 8  # terms of a sum from which on it is written with common sums
WARM_STEPS = 2000  # of the simplex method from the last answer; then from the start, the program made smaller first


class LinearProgram:
    """Unknowns of at least 0 under limits on sums of them.

    Unknowns that the limits force to 0 are left out before anything is solved: a sum of people that is 0 has nobody in
    it. The answers are those of the simplex method on one thread, so that the same program gives the same answers.

    Parameters
    ----------
    rows : coefficients of the sums, shape (sums, unknowns).
    low, high : limits of each sum; infinite for none.

    References
    ----------
    Huangfu Q, Hall JAJ. Parallelizing the dual revised simplex method. Math Program Comput 2018;10:119-142.

    Examples
    --------
    Two unknowns add up to 10, and the first is at most 4: their cheapest mixture at prices of 1 and 2.

    >>> from scipy.sparse import csr_array
    >>> sums = csr_array(np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> program = LinearProgram(sums, low=np.array([10.0, -np.inf]), high=np.array([10.0, 4.0]))
    >>> least, at = program.least(np.array([1.0, 2.0]))
    >>> least, at.tolist()
    (16.0, [4.0, 6.0])
    """

    def __init__(self, rows: csr_array, *, low: Floats, high: Floats) -> None:
        from scipy.sparse import csr_array

        kept = csr_array(rows)
        kept.eliminate_zeros()
        self.unknowns = kept.shape[1]
        self._free = np.flatnonzero(~forced_to_zero(kept, high))
        kept = csr_array(kept[:, self._free])
        idle = (np.diff(kept.indptr) == 0) & (low <= 0) & (high >= 0) & ~(np.isinf(low) & np.isinf(high))
        told = ~idle  # a sum of nothing is 0
        self._row = np.cumsum(told) - 1
        kept, sums = with_common_sums(csr_array(kept[np.flatnonzero(told)]))
        self._highs = _program(kept, np.append(low[told], np.zeros(sums)), np.append(high[told], np.zeros(sums)))
        self._warm = False
        self._start: HighsBasis | None = None

    def least(self, cost: Floats) -> tuple[float, Floats]:
        """Return the least that a sum can be, minus infinity where nothing bounds it, and unknowns that have it.

        Raises
        ------
        ValueError : nothing keeps to all limits.
        """
        return self._least(cost, PRIMAL if self._warm else CHOOSE)

    def least_within(self, cost: Floats, row: int, low: float, high: float) -> tuple[float, Floats]:
        """Return the same where a sum that has no limits keeps to some for once.

        What is least without them is the start: its prices stay right whatever limit is added, so that the dual
        simplex method takes few steps from there.

        Raises
        ------
        ValueError : nothing keeps to all limits.
        """
        if self._start is None:
            self.least(cost)
            self._start = self._highs.getBasis()
        self._highs.changeRowBounds(int(self._row[row]), low, high)
        self._highs.setBasis(self._start)
        try:
            return self._least(cost, DUAL)
        finally:
            self._highs.changeRowBounds(int(self._row[row]), -np.inf, np.inf)
            self._warm = False

    def _least(self, cost: Floats, strategy: int) -> tuple[float, Floats]:
        from highspy import HighsModelStatus as Status

        places = np.arange(len(self._free), dtype=np.int32)
        self._highs.changeColsCost(len(places), places, np.ascontiguousarray(cost[self._free]))
        status = self._run(strategy)
        if strategy != CHOOSE and status not in {Status.kOptimal, Status.kUnbounded}:
            status = self._run(CHOOSE)
        self._warm = status == Status.kOptimal
        found = np.zeros(self.unknowns)
        if status == Status.kUnboundedOrInfeasible and cost.any():
            self._least(np.zeros(self.unknowns), CHOOSE)
            status = Status.kUnbounded
        if status == Status.kUnbounded:
            return -np.inf, found
        if status != Status.kOptimal:
            raise ValueError(f"the limits contradict each other: {self._highs.modelStatusToString(status)}")
        found[self._free] = np.array(self._highs.getSolution().col_value)[: len(self._free)]
        return float(cost @ found), found

    def _run(self, strategy: int) -> HighsModelStatus:
        """Go on from the last answer for some steps by a simplex method, or begin anew if none is named."""
        if strategy == CHOOSE:
            self._highs.clearSolver()
        self._highs.setOptionValue("simplex_strategy", strategy)
        limit = np.iinfo(np.int32).max if strategy == CHOOSE else WARM_STEPS
        self._highs.setOptionValue("simplex_iteration_limit", limit)
        self._highs.run()
        return self._highs.getModelStatus()


def forced_to_zero(rows: csr_array, high: Floats) -> NDArray[np.bool_]:
    """Tell which unknowns are 0 because they are part of a sum without negative parts that is at most 0.

    Examples
    --------
    The first two add up to nothing, and the third is at most the second.

    >>> from scipy.sparse import csr_array
    >>> forced_to_zero(csr_array([[1.0, 1, 0, 0], [0, -1, 1, 0]]), np.array([0.0, 0.0])).tolist()
    [True, True, True, False]
    """
    from scipy.sparse import csr_array

    negative = csr_array((np.where(rows.data < 0, 1.0, 0.0), rows.indices, rows.indptr), shape=rows.shape)
    part = csr_array((np.where(rows.data != 0, 1.0, 0.0), rows.indices, rows.indptr), shape=rows.shape)
    parts = csr_array(part.T)
    zero, done = np.zeros(rows.shape[1], dtype=bool), ~(high <= 0)
    while True:
        now = ~done & (negative @ (~zero).astype(float) == 0)
        if not now.any():
            return zero
        done |= now
        zero |= parts @ now.astype(float) > 0


def with_common_sums(rows: csr_array) -> tuple[csr_array, int]:
    """Write long sums with the sums over unknowns that are alike in all of them, which makes them short.

    Parameters
    ----------
    rows : coefficients, shape (sums, unknowns).

    Returns
    -------
    The same in as many more unknowns as there are common sums, and with as many more rows, each of which is 0: what is
    summed less the sum. Then their number.

    Examples
    --------
    Two sums of nine, which share seven unknowns: one common sum of the seven.

    >>> from scipy.sparse import csr_array
    >>> rows = csr_array(np.array([[1.0] * 7 + [1, 1, 0, 0], [1.0] * 7 + [0, 0, 1, 1]]))
    >>> short, sums = with_common_sums(rows)
    >>> short.toarray()[:, 7:].tolist()
    [[1.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, -1.0]]
    """
    from scipy.sparse import coo_array, csc_array, csr_array, vstack

    long = np.diff(rows.indptr) >= LONG
    parts = csc_array(rows[np.flatnonzero(long)])
    seen: dict[tuple[bytes, bytes], int] = {}
    alike = np.empty(rows.shape[1], dtype=np.intp)
    for one in range(rows.shape[1]):
        own = slice(parts.indptr[one], parts.indptr[one + 1])
        alike[one] = seen.setdefault((parts.indices[own].tobytes(), parts.data[own].tobytes()), len(seen))
    first, size = np.unique(alike, return_index=True)[1], np.bincount(alike)
    common = np.flatnonzero((size > 1) & (np.diff(parts.indptr)[first] > 1))
    number = np.full(len(seen), -1)
    number[common] = np.arange(common.size)
    whole = rows.tocoo()
    at, unknown = whole.coords
    in_sum = long[at] & (number[alike[unknown]] >= 0)
    once = ~in_sum | (unknown == first[alike[unknown]])
    column = np.where(in_sum, rows.shape[1] + number[alike[unknown]], unknown)
    shape = (rows.shape[0], rows.shape[1] + common.size)
    short = coo_array((whole.data[once], (at[once], column[once])), shape=shape)
    members = np.flatnonzero(number[alike] >= 0)
    sums = np.arange(common.size)
    places = np.append(number[alike[members]], sums), np.append(members, rows.shape[1] + sums)
    values = np.append(np.ones(members.size), -np.ones(sums.size))
    made = coo_array((values, places), shape=(common.size, shape[1]))
    return csr_array(vstack([short, made])), common.size


def _program(rows: csr_array, low: Floats, high: Floats) -> _Highs:
    from highspy._core import _Highs  # the solver itself: what is built around it greets on standard output

    highs, (limits, unknowns) = _Highs(), rows.shape
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("parallel", "off")
    highs.passModel(
        unknowns, limits, rows.nnz, ROWWISE, MINIMISE, 0.0,
        np.zeros(unknowns), np.zeros(unknowns), np.full(unknowns, np.inf), low, high,
        rows.indptr.astype(np.int32), rows.indices.astype(np.int32), rows.data, np.zeros(unknowns, dtype=np.int32),
    )  # fmt: skip
    return highs
