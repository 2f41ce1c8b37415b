"""Patients who add alike to an audit's sums: one of each kind, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.linear import COUNTED, LOSSES, SUMS
from sexstrat.audit.sums import PatientSums

__all__ = ["AlikePatients", "alike_patients", "coded"]

Codes = NDArray[np.int64]

MOST_KEYS = 2**62  # combinations that a whole number can tell apart
MOST_PLACES = 4  # combinations for each row, up to which every combination has a place


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikePatients:
    """Kinds of patients.

    Parameters
    ----------
    sums : what one patient of each kind adds, without the losses, in which every patient differs.
    times : number of patients of each kind, shape (``sums.n_patients``,).
    like : which row of ``sums`` each row of a patient is like.

    Examples
    --------
    >>> nobody = np.zeros(0, dtype=np.int64)
    >>> sums = PatientSums(
    ...     labels=(), patient=nobody, group=nobody, sums=np.zeros((0, 8)), counts=np.zeros((0, 6), int), n_patients=0
    ... )
    >>> AlikePatients(sums=sums, times=nobody, like=nobody).times.tolist()
    []
    """

    sums: PatientSums
    times: Codes
    like: NDArray[np.intp]

    def totals(self) -> NDArray[np.float64]:
        """Return the sums of each group and, in the last row, of all images, without the losses."""
        each = self.times[self.sums.patient].astype(np.float64)
        return replace(self.sums, sums=self.sums.sums * each[:, None]).totals()


def coded(columns: Iterable[Codes], n: int) -> Codes:
    """Code rows by all the given columns together, in the order of their values and not of the rows.

    Parameters
    ----------
    columns : whole numbers from 0, one for each row.
    n : number of rows.

    Examples
    --------
    >>> coded([np.array([1, 0, 1]), np.array([7, 7, 5])], 3).tolist()
    [2, 0, 1]
    """
    key, size = np.zeros(n, dtype=np.int64), 1
    for column in columns:
        radix = int(column.max(initial=0)) + 1
        if size * radix > MOST_KEYS:
            key = np.asarray(pd.factorize(key, sort=True)[0], dtype=np.int64)
            size = int(key.max(initial=0)) + 1
        key, size = key * radix + column, size * radix
    if size > MOST_PLACES * n:
        return np.asarray(pd.factorize(key, sort=True)[0], dtype=np.int64)
    present = np.zeros(size, dtype=bool)
    present[key] = True
    return np.asarray((np.cumsum(present) - 1)[key], dtype=np.int64)


def alike_patients(sums: PatientSums) -> AlikePatients:
    """Gather patients with the same numbers of images, called rightly and wrongly, in the same groups.

    Parameters
    ----------
    sums : what each patient adds. With weights, in which patients differ, each stays a kind of its own.

    Returns
    -------
    AlikePatients, in an order that does not depend on that of the patients.

    Examples
    --------
    Three patients, two of whom add alike.

    >>> sums = PatientSums(
    ...     labels=("a",),
    ...     patient=np.array([0, 1, 2]),
    ...     group=np.array([0, 0, 0]),
    ...     sums=np.array([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0], [1, 1, 0, 0, 0, 0, 1, 0]]),
    ...     counts=np.array([[1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0], [1, 1, 0, 0, 1, 0]]),
    ...     n_patients=3,
    ... )
    >>> found = alike_patients(sums)
    >>> found.sums.counts[:, 1].tolist(), found.times.tolist()
    ([0, 1], [1, 2])
    """
    if len(sums.patient) == 0 or not np.array_equal(sums.sums[:, COUNTED], sums.counts):
        bare = sums.sums.copy()
        bare[:, LOSSES] = 0.0
        every = np.arange(len(sums.patient))
        return AlikePatients(sums=replace(sums, sums=bare), times=np.ones(sums.n_patients, dtype=np.int64), like=every)
    starts = np.append(True, sums.patient[1:] != sums.patient[:-1])
    first = np.flatnonzero(starts)
    rows = np.diff(np.append(first, len(starts)))
    row_code = coded([sums.group + 1, *sums.counts.T], len(starts))
    kind = rows.astype(np.int64)
    for slot in range(int(rows.max())):
        here = np.minimum(first + slot, len(starts) - 1)
        kind = coded([kind, np.where(slot < rows, row_code[here] + 1, 0)], len(first))
    times = np.bincount(kind)
    example = np.zeros(len(times), dtype=np.int64)
    example[kind] = np.arange(len(kind))
    length = rows[example]
    patient = np.repeat(np.arange(len(times)), length)
    row = np.repeat(first[example] - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
    counts = sums.counts[row]
    totals = np.zeros((len(row), len(SUMS)))
    totals[:, COUNTED] = counts
    return AlikePatients(
        sums=PatientSums(
            labels=sums.labels,
            patient=patient.astype(np.intp),
            group=sums.group[row],
            sums=totals,
            counts=counts,
            n_patients=len(times),
        ),
        times=times.astype(np.int64),
        like=np.repeat((np.cumsum(length) - length)[kind] - first, rows) + np.arange(len(starts)),
    )
