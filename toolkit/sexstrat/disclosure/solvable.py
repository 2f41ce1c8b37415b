"""What somebody can work out: the smallest and largest a withheld count can be, given every number that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import KINDS, Atoms, Rows

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
    from scipy.sparse import csr_array

    rows = np.zeros((2 * len(KINDS) * atoms.n_cells, atoms.size))
    for k, name in enumerate(KINDS):
        holders = np.flatnonzero(atoms.has[name])
        for cell in range(atoms.n_cells):
            at, own = 2 * (k * atoms.n_cells + cell), holders[atoms.cell[holders] == cell]
            images = start + atoms.age.size + k * atoms.n_cells + cell
            rows[at, start + own], rows[at, images] = 1.0, -1.0
            rows[at + 1, start + own], rows[at + 1, images] = -MOST_IMAGES, 1.0
    return csr_array(rows)


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

    @cached_property
    def _exact(self) -> NDArray[np.bool_]:
        return np.asarray(self.low == self.high)

    @cached_property
    def _equal(self) -> csr_array:
        from scipy.sparse import csr_array

        return csr_array(self.rows[np.flatnonzero(self._exact)])

    @cached_property
    def _loose(self) -> tuple[csr_array, NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
        """Return everything that is at most something: rows, limits, and which shown rows have a lower or an upper."""
        from scipy.sparse import csr_array, vstack

        below = np.flatnonzero(~self._exact & np.isfinite(self.low))
        above = np.flatnonzero(~self._exact & np.isfinite(self.high))
        matrix = csr_array(vstack([self.always, csr_array(self.rows[above]), csr_array(-self.rows[below])]))
        return (
            matrix,
            np.concatenate([np.zeros(self.always.shape[0]), self.high[above], -self.low[below]]),
            below,
            above,
        )

    def extremes(self, counted: Rows) -> tuple[float, float]:
        """Return the smallest and the largest that a count can be; infinite where nothing bounds it.

        Raises
        ------
        ValueError : the numbers shown contradict each other.
        """
        return self.solve(counted)[0], -self.solve(-counted)[0]

    def solve(self, cost: Rows) -> tuple[float, Rows, NDArray[np.float64]]:
        """Return the least cost, the classes that have it, and how much every shown row holds it up."""
        from scipy.optimize import linprog

        matrix, limits, below, above = self._loose
        found = linprog(  # type: ignore[call-overload]  # the stubs know no sparse arrays
            cost, A_ub=matrix, b_ub=limits, A_eq=self._equal, b_eq=self.low[self._exact], bounds=(0, None),
            method="highs",
        )  # fmt: skip
        if found.status == 3:
            return -np.inf, np.zeros(cost.size), np.zeros(len(self.low))
        if found.status != 0:
            raise ValueError(f"the numbers shown contradict each other: {found.message}")
        held = np.zeros(len(self.low))
        held[self._exact] = found.eqlin.marginals
        sides = found.ineqlin.marginals[self.always.shape[0] :]
        held[above] += sides[: len(above)]
        held[below] -= sides[len(above) :]
        return float(found.fun), np.asarray(found.x), held

    def reaching(self, counts: Rows, limit: float) -> NDArray[np.bool_]:
        """Tell which counts can be at most a limit (negative counts: at least), a few at a time.

        Parameters
        ----------
        counts : coefficients, shape (counts, classes).
        limit : the limit.
        """
        from scipy.optimize import linprog
        from scipy.sparse import csr_array, eye_array, hstack, vstack

        reached, tried = np.zeros(len(counts), dtype=bool), np.zeros(len(counts), dtype=bool)
        base, limits, _, _ = self._loose
        while not (reached | tried).all():
            open_ = np.flatnonzero(~reached & ~tried)
            k, n = open_.size, counts.shape[1]
            over = csr_array(hstack([csr_array(counts[open_]), -eye_array(k)]))  # what each is above the limit
            found = linprog(  # type: ignore[call-overload]  # the stubs know no sparse arrays
                np.concatenate([np.zeros(n), np.ones(k)]),
                A_ub=csr_array(vstack([hstack([base, csr_array((base.shape[0], k))]), over])),
                b_ub=np.concatenate([limits, np.full(k, limit)]),
                A_eq=csr_array(hstack([self._equal, csr_array((self._equal.shape[0], k))])),
                b_eq=self.low[self._exact], bounds=(0, None), method="highs",
            )  # fmt: skip
            if found.status != 0:
                raise ValueError(f"the numbers shown contradict each other: {found.message}")
            at = counts[open_] @ found.x[:n]
            now = at <= limit + SLACK
            reached[open_[now]] = True
            if not now.any():
                one = open_[int(np.argmin(at))]
                tried[one] = True
                reached[one] = self.solve(counts[one])[0] <= limit + SLACK
        return reached
