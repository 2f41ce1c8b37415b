"""Sums of groups after patients were dealt to the groups at random, from counts of patients who add alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.influence import in_denominator
from sexstrat.audit.linear import SUMS, linear_gradient
from sexstrat.audit.sums import PatientSums

__all__ = ["Dealt", "PatientTable", "patient_table"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_DRAWS = 20_000  # pattern-by-group draws of one batch, above which dealing single patients is quicker
BLOCK = 4_000_000  # second moments held at a time
GENERIC = np.array([[10.0, 8.0, 10.5, 9.0, 1.0, 2.0, 20.7, 3.0]])  # sums at which no derivative is 0 by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """Sums over the patients of each group, and of their products, for a batch of dealings.

    Parameters
    ----------
    total : sums of each group, shape (dealings, groups, columns).
    product : Σ over patients of the products of their sums, shape (dealings, groups, columns, groups, columns).
    """

    total: Floats
    product: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTable:
    """Patients who add alike to a metric, counted by group.

    Parameters
    ----------
    columns : places in ``sexstrat.audit.linear.SUMS`` of the sums that the metric uses.
    own : distinct sums of patients seen in one group, shape (patterns, columns).
    own_counts : how many such patients each group has, shape (patterns, groups).
    shared : distinct sums by group of patients seen in several, shape (patterns, groups, columns).
    present : in which groups each of these patterns is, shape (patterns, groups).
    shared_counts : how many such patients there are, shape (patterns,).
    """

    columns: NDArray[np.intp]
    own: Floats
    own_counts: Whole
    shared: Floats
    present: NDArray[np.bool_]
    shared_counts: Whole

    @property
    def n_groups(self) -> int:
        """Return the number of groups."""
        return int(self.own_counts.shape[1])

    @property
    def patients(self) -> Floats:
        """Return the number of patients of each group."""
        return np.asarray(self.own_counts.sum(axis=0) + self.shared_counts @ self.present, dtype=np.float64)

    def observed(self) -> Dealt:
        """Return the sums as they are."""
        total, product = self._empty(1)
        for pattern, counts in zip(self.own, self.own_counts, strict=True):
            _add_own(total, product, pattern, counts[None])
        for pattern, count in zip(self.shared, self.shared_counts, strict=True):
            _add_shared(total, product, pattern, np.array([count]))
        return Dealt(total=total, product=product)

    def dealt(self, n: int, seed: int) -> Iterator[Dealt]:
        """Yield batches of ``n`` random dealings in all.

        Patients of one group keep their images together and are dealt anew to the groups, each of which keeps its
        number of them. Patients of several groups keep theirs, and their blocks of images turn round among these: for
        two eyes, swap or stay. Both leave the distribution unchanged when groups do not matter, so the test is exact.
        """
        rng = np.random.default_rng(seed)
        step = max(1, BLOCK // (self.n_groups * len(self.columns)) ** 2)
        for start in range(0, n, step):
            size = min(step, n - start)
            total, product = self._empty(size)
            if self.own.shape[0] * self.n_groups > MOST_DRAWS:
                self._deal_patients(total, product, rng)
            else:
                self._deal_patterns(total, product, rng)
            self._turn(total, product, rng)
            yield Dealt(total=total, product=product)

    def _empty(self, size: int) -> tuple[Floats, Floats]:
        k, d = self.n_groups, len(self.columns)
        return np.zeros((size, k, d)), np.zeros((size, k, d, k, d))

    def _deal_patterns(self, total: Floats, product: Floats, rng: np.random.Generator) -> None:
        """Draw tables of pattern by group with both margins fixed: what dealing patients one by one leads to."""
        room = np.tile(self.own_counts.sum(axis=0), (len(total), 1))
        for pattern, number in zip(self.own, self.own_counts.sum(axis=1), strict=True):
            left = np.full(len(total), number, dtype=np.int64)
            rest = room.sum(axis=1)
            taken = np.zeros_like(room)
            for group in range(self.n_groups - 1):
                rest = rest - room[:, group]
                taken[:, group] = rng.hypergeometric(room[:, group], rest, left)
                left = left - taken[:, group]
            taken[:, -1] = left
            room = room - taken
            _add_own(total, product, pattern, taken)

    def _deal_patients(self, total: Floats, product: Floats, rng: np.random.Generator) -> None:
        pattern = np.repeat(np.tile(np.arange(len(self.own)), self.n_groups), self.own_counts.T.ravel())
        group = np.repeat(np.arange(self.n_groups), self.own_counts.sum(axis=0))
        values = self.own[pattern]
        for dealing in range(len(total)):
            code = rng.permutation(group)
            for one in range(len(self.columns)):
                total[dealing, :, one] = np.bincount(code, weights=values[:, one], minlength=self.n_groups)
                for two in range(len(self.columns)):
                    both = np.bincount(code, weights=values[:, one] * values[:, two], minlength=self.n_groups)
                    product[dealing, np.arange(self.n_groups), one, np.arange(self.n_groups), two] = both

    def _turn(self, total: Floats, product: Floats, rng: np.random.Generator) -> None:
        for pattern, present, count in zip(self.shared, self.present, self.shared_counts, strict=True):
            places = np.flatnonzero(present)
            turns = len(places)
            taken = rng.multinomial(count, np.full(turns, 1 / turns), size=len(total))
            for turn in range(turns):
                turned = np.zeros_like(pattern)
                turned[places] = pattern[np.roll(places, turn)]
                _add_shared(total, product, turned, taken[:, turn])


def _add_own(total: Floats, product: Floats, pattern: Floats, counts: Whole) -> None:
    total += counts[:, :, None] * pattern
    groups = np.arange(counts.shape[1])
    product[:, groups, :, groups, :] += counts.T[:, :, None, None] * np.outer(pattern, pattern)


def _add_shared(total: Floats, product: Floats, pattern: Floats, counts: Whole) -> None:
    total += counts[:, None, None] * pattern
    product += counts[:, None, None, None, None] * np.einsum("gc,hd->gchd", pattern, pattern)


def patient_table(sums: PatientSums, metric: str, labels: Sequence[str], times: Whole | None = None) -> PatientTable:
    """Count the patients who add alike to a metric, in the chosen groups.

    Parameters
    ----------
    sums : what each patient adds in each group.
    metric : a name of ``sexstrat.audit.linear.LINEAR_METRICS``.
    labels : the groups compared; images in others, and patients outside the metric's denominator, take no part.
    times : how many patients each of them stands for; 1 when None.

    Examples
    --------
    >>> sums = PatientSums(
    ...     labels=("a", "b"),
    ...     patient=np.array([0, 1, 2]),
    ...     group=np.array([0, 0, 1]),
    ...     sums=np.array([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]]),
    ...     counts=np.array([[1, 1, 0, 0, 1, 0], [1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0]]),
    ...     n_patients=3,
    ... )
    >>> table = patient_table(sums, "correct_among_men", ("a", "b"))
    >>> table.own.tolist(), table.own_counts.tolist()
    ([[1.0, 0.0], [1.0, 1.0]], [[0, 1], [2, 0]])
    """
    columns = np.flatnonzero(linear_gradient(metric, GENERIC)[0])
    place = np.full(len(sums.labels) + 1, -1)
    place[[sums.labels.index(label) for label in labels]] = np.arange(len(labels))
    group = place[sums.group]
    rows = np.flatnonzero((group >= 0) & in_denominator(metric, sums))
    group, patient, values = group[rows], sums.patient[rows], sums.sums[rows][:, columns]
    alone = np.bincount(patient, minlength=sums.n_patients)[patient] == 1
    own, code = _distinct(values[alone])
    each = np.ones(sums.n_patients, dtype=np.int64) if times is None else times
    place = code * len(labels) + group[alone]
    own_counts = np.bincount(place, weights=each[patient[alone]], minlength=len(own) * len(labels))
    shared_by, several = np.unique(patient[~alone], return_inverse=True)
    wide = np.zeros((several.max() + 1 if len(several) else 0, len(labels), len(columns) + 1))
    wide[several, group[~alone], :-1] = values[~alone]
    wide[several, group[~alone], -1] = 1.0
    shared, shared_code = _distinct(wide.reshape(len(wide), len(labels) * (len(columns) + 1)))
    shared = shared.reshape(-1, len(labels), len(columns) + 1)
    return PatientTable(
        columns=columns,
        own=own,
        own_counts=own_counts.reshape(len(own), len(labels)).astype(np.int64),
        shared=shared[:, :, :-1],
        present=shared[:, :, -1] > 0,
        shared_counts=np.bincount(shared_code, weights=each[shared_by], minlength=len(shared)).astype(np.int64),
    )


def _distinct(values: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the distinct rows, sorted so that the order of patients does not matter, and which row each one is."""
    code = np.zeros(len(values), dtype=np.int64)
    for column in values.T:
        each, found = pd.factorize(column)
        code = pd.factorize(code * max(len(found), 1) + each)[0]
    first = np.zeros(code.max() + 1 if len(code) else 0, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    rows = values[first]
    order = np.lexsort(rows.T[::-1]) if rows.shape[1] else np.arange(len(rows))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rows[order], rank[code]


def embedded(total: Floats, columns: NDArray[np.intp]) -> Floats:
    """Put the used columns back among all of ``SUMS``, zeros elsewhere."""
    result = np.zeros((*total.shape[:-1], len(SUMS)))
    result[..., columns] = total
    return result
