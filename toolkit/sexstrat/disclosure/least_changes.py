"""Which shown numbers would have to be others for a withheld count to be one that it must be able to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import Rows
from sexstrat.disclosure.linear_program import LinearProgram

if TYPE_CHECKING:
    from sexstrat.disclosure.solvable import Known

__all__ = ["LeastChanges"]

CHANGED = 1e-7  # people; less is the tolerance of the solver


class LeastChanges:
    """What is shown, each number free to be another at a price for every person by which it differs.

    Parameters
    ----------
    known : what is shown.
    counts : coefficients of the withheld counts, shape (counts, classes).

    References
    ----------
    Kelly JP, Golden BL, Assad AA. Cell suppression: disclosure protection for sensitive tabular data. Networks
    1992;22:397-417, section 4: withhold what the cheapest change touches.

    Examples
    --------
    Two classes add up to 10, and the second has 8 people. For the first to have 4 people, the sum or the second must
    be another; the sum is dearer.

    >>> from scipy.sparse import csr_array
    >>> from sexstrat.disclosure.solvable import Known
    >>> told = np.array([10.0, 8.0])
    >>> rows = csr_array(np.array([[1.0, 1.0], [0.0, 1.0]]))
    >>> known = Known(always=csr_array((0, 2)), rows=rows, low=told, high=told)
    >>> changed, people = LeastChanges(known, np.array([[1.0, 0.0]])).of(0, 4.0, np.inf, np.array([5.0, 1.0]))
    >>> changed.tolist(), people.tolist()
    ([1], [4.0, 6.0])
    """

    def __init__(self, known: Known, counts: Rows) -> None:
        from scipy.sparse import csr_array, eye_array, hstack, vstack

        self.always, self.shown, self.classes = known.always.shape[0], known.rows.shape[0], known.rows.shape[1]
        more = eye_array(self.shown)
        rows = vstack(
            [
                hstack([known.always, csr_array((self.always, 2 * self.shown))]),
                hstack([known.rows, more, -more]),
                hstack([csr_array(counts), csr_array((len(counts), 2 * self.shown))]),
            ]
        )
        nothing = np.full(len(counts), np.inf)
        low = np.concatenate([np.full(self.always, -np.inf), known.low, -nothing])
        high = np.concatenate([np.zeros(self.always), known.high, nothing])
        self._program = LinearProgram(csr_array(rows), low=low, high=high)

    def of(self, count: int, low: float, high: float, price: Rows) -> tuple[NDArray[np.intp], Rows]:
        """Return the shown numbers that change least so that a count is within limits, and people of whom it is so.

        Parameters
        ----------
        count : which of the counts.
        low, high : its limits; infinite for none.
        price : of each shown number, for every person by which it differs; 0 for one that is withheld by now.
        """
        row = self.always + self.shown + count
        self._program.limit(row, low, high)
        _, found = self._program.least(np.concatenate([np.zeros(self.classes), price, price]))
        self._program.limit(row, -np.inf, np.inf)
        more, less = found[self.classes :].reshape(2, self.shown)
        return np.flatnonzero((np.abs(more - less) > CHANGED) & (price > 0)), found[: self.classes]
