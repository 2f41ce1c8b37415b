"""What somebody can work out: the smallest and largest a withheld count can be, given every number that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import KINDS, Atoms, Rows
from sexstrat.disclosure.linear_program import LinearProgram

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Known", "structure"]

MOST_IMAGES = 50.0  # photographs of one kind a patient, at most; more would only widen what can be worked out
SLACK = 1e-6


def structure(atoms: Atoms) -> csr_array:
    """Return the rows that no numbers of people can make positive: levels add up, a photograph has its patient.

    Examples
    --------
    >>> from sexstrat.disclosure.atoms import age_pieces
    >>> structure(Atoms(age_pieces([40]), {"d": ("yes", "no")}, single=True, refused=False)).shape
    (64, 192)
    """
    from scipy.sparse import coo_array, csr_array, vstack

    block: int = atoms.block
    found: list[Any] = []
    for name, levels in atoms.levels.items():
        starts = [atoms.place[name, level] for level in levels]
        across = np.arange(block)
        rows = np.tile(across, len(starts) + 1)
        columns = np.concatenate([*(start + across for start in starts), across])
        values = np.repeat([1.0] * len(starts) + [-1.0], block)
        found.append(coo_array((values, (rows, columns)), shape=(block, atoms.size)))
    if not atoms.single:
        found += [_pictured(atoms, start) for start in (0, *atoms.place.values())]
    return csr_array(vstack(found)) if found else csr_array((0, atoms.size))


def _pictured(atoms: Atoms, start: int) -> csr_array:
    """Return, for a block, at least one photograph a patient who has one, and none without a patient."""
    from scipy.sparse import coo_array, csr_array

    sums, classes, values = [], [], []
    for k, name in enumerate(KINDS):
        holders = np.flatnonzero(atoms.has[name])
        cell = atoms.cell[holders]
        at, images = (
            2 * (k * atoms.n_cells + cell),
            start + atoms.age.size + k * atoms.n_cells + np.arange(atoms.n_cells),
        )
        every = 2 * (k * atoms.n_cells + np.arange(atoms.n_cells))
        sums += [at, every, at + 1, every + 1]
        classes += [start + holders, images, start + holders, images]
        one, each = np.ones(holders.size), np.ones(atoms.n_cells)
        values += [one, -each, -MOST_IMAGES * one, each]
    places = (np.concatenate(sums), np.concatenate(classes))
    return csr_array(coo_array((np.concatenate(values), places), shape=(2 * len(KINDS) * atoms.n_cells, atoms.size)))


@dataclass(frozen=True, kw_only=True)
class Known:
    """Everything that is shown, as limits on sums over classes of people.

    Parameters
    ----------
    always : rows that are at most 0, from :func:`structure`.
    rows : coefficients of what is shown, shape (shown, classes).
    low, high : its limits.

    Examples
    --------
    Two classes add up to 10, and the first has at most 4 people: the second has 6 to 10.

    >>> from scipy.sparse import csr_array
    >>> rows = csr_array(np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> known = Known(always=csr_array((0, 2)), rows=rows, low=np.array([10.0, 0.0]), high=np.array([10.0, 4.0]))
    >>> known.extremes(np.array([0.0, 1.0]))
    (6.0, 10.0)
    """

    always: csr_array
    rows: csr_array
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def extremes(self, counted: Rows) -> tuple[float, float]:
        """Return the smallest and the largest that a count can be; infinite where nothing bounds it.

        Raises
        ------
        ValueError : the numbers shown contradict each other.
        """
        from scipy.sparse import csr_array, vstack

        low, high = self.limits()
        program = LinearProgram(csr_array(vstack([self.always, self.rows])), low=low, high=high)
        return program.least(counted)[0], -program.least(-counted)[0]

    def limits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and upper limits of all rows, those that are at most 0 first."""
        sums = self.always.shape[0]
        return np.concatenate([np.full(sums, -np.inf), self.low]), np.concatenate([np.zeros(sums), self.high])

    def reaching(self, counts: Rows, least: float, most: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which counts can be as small as a limit, and which as large as another, a few at a time.

        Parameters
        ----------
        counts : coefficients, shape (counts, classes).
        least, most : the limits.

        Raises
        ------
        ValueError : the numbers shown contradict each other.
        """
        from scipy.sparse import csr_array, eye_array, hstack, vstack

        k, n = counts.shape
        beside, signed = csr_array((self.always.shape[0] + self.rows.shape[0], 2 * k)), csr_array(counts)
        over = hstack([vstack([signed, -signed]), -eye_array(2 * k)])  # what each is above, or below, its limit
        rows = vstack([hstack([vstack([self.always, self.rows]), beside]), over])
        low, high = self.limits()
        limit = np.repeat([least, -most], k)
        program = LinearProgram(
            csr_array(rows), low=np.concatenate([low, np.full(2 * k, -np.inf)]), high=np.concatenate([high, limit])
        )
        both, reached = csr_array(vstack([signed, -signed])), np.zeros(2 * k, dtype=bool)

        def together(tried: NDArray[np.intp]) -> NDArray[np.float64]:
            cost = np.zeros(n + 2 * k)
            cost[n + tried] = 1.0
            made = np.asarray(both @ program.least(cost)[1][:n])
            reached[made <= limit + SLACK] = True
            return made

        for side in np.arange(2 * k).reshape(2, k):
            open_ = side
            while (open_ := open_[~reached[open_]]).size:
                made = together(open_)
                if not reached[open_].any():
                    one = open_[[int(np.argmin(made[open_] - limit[open_]))]]
                    together(one)
                    open_ = np.setdiff1d(open_, one)
        return reached[:k], reached[k:]
