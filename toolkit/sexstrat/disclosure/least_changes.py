"""Which shown numbers would have to be others for a withheld count to be one that it must be able to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    counts : coefficients of counts, shape (counts, classes), with a minus where a count must be able to be large.
    most : what each must be able to be at most.

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
    >>> changes = LeastChanges(known, np.array([[-1.0, 0.0]]), np.array([-4.0]))
    >>> changed, people = changes.of(0, np.array([5.0, 1.0]))
    >>> changed.tolist(), people.tolist()
    ([1], [4.0, 6.0])
    """

    def __init__(self, known: Known, counts: Rows, most: Rows) -> None:
        from scipy.sparse import block_array, csr_array, eye_array

        (self.shown, self.classes), self.most = known.rows.shape, most
        more = eye_array(self.shown)
        parts: list[list[Any]] = [
            [known.always, None, None],
            [known.rows, more, -more],
            [csr_array(counts), None, None],
        ]
        low, high = known.limits()
        nothing = np.full(most.size, np.inf)
        self._program = LinearProgram(
            csr_array(block_array(parts)), low=np.append(low, -nothing), high=np.append(high, nothing)
        )
        self._first = low.size

    def of(self, count: int, price: Rows) -> tuple[NDArray[np.intp], Rows]:
        """Return the shown numbers that change least so that a count can be what it must, and people of whom it is so.

        Parameters
        ----------
        count : which of the counts.
        price : of each shown number, for every person by which it differs; 0 for one that is withheld by now.
        """
        cost = np.concatenate([np.zeros(self.classes), price, price])
        _, found = self._program.least_within(cost, self._first + count, -np.inf, self.most[count])
        more, less = found[self.classes :].reshape(2, self.shown)
        return np.flatnonzero((np.abs(more - less) > CHANGED) & (price > 0)), found[: self.classes]
