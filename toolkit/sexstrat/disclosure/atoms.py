"""The unknowns of somebody who reads everything that is released: how many people, and photographs, are alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "Atoms", "Rows", "age_pieces"]

Rows = NDArray[np.float64]
Mask = NDArray[np.bool_]

SEXES = ("male", "female", "other", "unknown")
KINDS = ("male", "female", "ungradable", "refused")  # what became of a photograph: called, or without a score
ABSENT, OUTSIDE, UNKNOWN_AGE = -3, -2, -1  # not in the table of persons; age outside the bands; no age


def age_pieces(edges: Iterable[int]) -> tuple[tuple[int, float], ...]:
    """Cut the ages at every edge of a band; the last piece is open.

    Examples
    --------
    >>> age_pieces([40, 60, 40])
    ((40, 60), (60, inf))
    """
    ends = [*sorted(set(edges)), float("inf")]
    return tuple((int(low), high) for low, high in pairwise(ends))


class Atoms:
    """Classes of people who are alike in age, recorded sex and what became of their photographs.

    The unknowns are the people of every class, the photographs of every age, sex and kind, and the same for every
    level of a further variable (a disease, a site). What is released of different further variables is tied by the
    people of the classes alone, so that no finer crossing could tell more.

    Parameters
    ----------
    pieces : pieces of age.
    levels : further variables, each with its levels.
    single : every listed patient has one photograph, as the numbers of both show.
    refused : some photographs were refused.

    Examples
    --------
    Two ages, four sexes, two kinds of photographs or none; then those with and those without a disease.

    >>> atoms = Atoms(age_pieces([40]), {"d": ("yes", "no")}, single=True, refused=False)
    >>> int(atoms.people(atoms.sex == "male").sum()), atoms.size
    (16, 192)
    """

    def __init__(
        self, pieces: Sequence[tuple[int, float]], levels: Mapping[str, Sequence[str]], *, single: bool, refused: bool
    ) -> None:
        self.pieces, self.levels, self.single = tuple(pieces), dict(levels), single
        classes = _classes(single, refused)
        ages = np.array([ABSENT, OUTSIDE, UNKNOWN_AGE, *range(len(pieces))])
        age, sex, kind = np.meshgrid(ages, np.arange(4), np.arange(len(classes)), indexing="ij")
        self.age, self.sex = age.ravel(), np.array(SEXES)[sex.ravel()]
        self.has = {name: np.array([name in held for held, _ in classes])[kind.ravel()] for name in KINDS}
        self.called_male = np.array([called for _, called in classes])[kind.ravel()]
        self.scored = self.has["male"] | self.has["female"]
        self.pictured = self.scored | self.has["ungradable"] | self.has["refused"]
        self.cell = (age * 4 + sex).ravel() - (ABSENT * 4)
        self.n_cells = int(self.cell.max()) + 1
        self.block = self.age.size + (0 if single else self.n_cells * len(KINDS))
        self.offset = {None: 0}
        self.place = {
            (name, level): self.block * (1 + k)
            for k, (name, level) in enumerate((name, level) for name in self.levels for level in self.levels[name])
        }
        self.size = self.block * (1 + len(self.place))
        self._made: dict[object, Rows] = {}

    @property
    def studied(self) -> Mask:
        """People whose age lies in the bands."""
        return np.asarray(self.age >= 0)

    def aged(self, low: int | None, high: float | None) -> Mask:
        """Return the people from an age to below another; None for no limit."""
        inside = [
            (low is None or start >= low) and (high is None or end <= high) for start, end in self.pieces
        ]  # fmt: skip
        return np.asarray(self.studied & np.array([*inside, False, False, False])[self.age])

    def people(self, chosen: Mask, variable: str | None = None, levels: Sequence[str] = ()) -> Rows:
        """Return the coefficients that count the people of some classes, and of some levels of a further variable.

        They are made once, however many numbers count the same people, and cannot be written to.
        """
        key = (chosen.tobytes(), variable, tuple(levels))
        if key not in self._made:
            row = np.zeros(self.size)
            for start in self._starts(variable, levels):
                row[start : start + self.age.size] = chosen
            self._made[key] = self.shared(row)
        return self._made[key]

    def shared(self, row: Rows) -> Rows:
        """Return the one row that stands for all with the same coefficients."""
        if not row.flags.writeable:
            return row
        parts = np.flatnonzero(row)
        one = self._made.setdefault((parts.tobytes(), row[parts].tobytes()), row)
        one.flags.writeable = False
        return one

    def images(
        self, chosen: Mask, kinds: Sequence[str] = KINDS, variable: str | None = None, levels: Sequence[str] = ()
    ) -> Rows:
        """Return the coefficients that count the photographs of some kinds; ``chosen`` may not tell them apart."""
        if self.single:
            held = np.any([self.has[name] for name in kinds], axis=0)
            return self.people(chosen & held, variable, levels)
        row = np.zeros(self.size)
        cells = np.unique(self.cell[chosen])
        for start in self._starts(variable, levels):
            for name in kinds:
                row[start + self.age.size + KINDS.index(name) * self.n_cells + cells] = 1.0
        return row

    def _starts(self, variable: str | None, levels: Sequence[str]) -> list[int]:
        return [0] if variable is None else [self.place[variable, level] for level in levels]


def _classes(single: bool, refused: bool) -> list[tuple[frozenset[str], bool]]:
    """Return what photographs somebody may have, with the sex that all of them together are called."""
    kinds = KINDS if refused else KINDS[:3]
    if single:
        return [(frozenset(held), held == ("male",)) for held in ((), *((name,) for name in kinds))]
    found = []
    for chosen in range(2 ** len(kinds)):
        held = frozenset(name for place, name in enumerate(kinds) if chosen >> place & 1)
        both = {"male", "female"} <= held
        found += [(held, called) for called in ((False, True) if both else ("male" in held,))]
    return found
