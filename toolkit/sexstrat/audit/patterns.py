"""Patients who add alike to an audit's sums, gathered into the cells that a bootstrap resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.alike import coded
from sexstrat.audit.resampling import symmetric_root
from sexstrat.audit.sums import PatientSums, column_sums

__all__ = ["Stratum", "pattern_strata"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SMALLEST_STRATUM = 10  # sets of groups shared by fewer patients are resampled together, or they would hardly vary
SMALLEST_MERGED = 50  # patients of a count pattern from which their weighted sums are summed up by two moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Patients resampled among themselves, as cells of patients who add alike.

    Parameters
    ----------
    groups : indices of the groups they have images in, −1 for no group.
    size : number of patients of each cell, shape (cells,).
    mean : mean sums of a cell's patient in each of these groups, shape (cells, groups, 8).
    root : square root of the covariance of the sums within a cell, shape (cells, d, d), over the ``varying`` columns of
        ``mean`` laid out flat; d is 0 where all patients of each cell add the same.
    varying : those columns, shape (d,).

    Examples
    --------
    >>> Stratum(
    ...     groups=(0,),
    ...     size=np.array([2, 1]),
    ...     mean=np.ones((2, 1, 8)),
    ...     root=np.zeros((2, 0, 0)),
    ...     varying=np.zeros(0, dtype=np.int64),
    ... ).size.sum().item()
    3
    """

    groups: tuple[int, ...]
    size: Codes
    mean: Floats
    root: Floats
    varying: Codes


def _first_rows(code: Codes) -> Codes:
    """Return the first row that has each code, the codes being 0, 1, ..."""
    return np.asarray(np.unique(code, return_index=True)[1], dtype=np.int64)


def _by_slot(sums: PatientSums) -> tuple[Codes, Codes, Codes]:
    """Return the patients present, the first row of each and the number of rows (groups) of each."""
    first = np.flatnonzero(np.diff(sums.patient, prepend=-1))
    rows = np.diff(np.append(first, len(sums.patient)))
    return sums.patient[first].astype(np.int64), first.astype(np.int64), rows.astype(np.int64)


def pattern_strata(sums: PatientSums, times: Codes | None = None) -> list[Stratum]:
    """Gather patients into strata by the set of groups they are in, and into cells by what they add.

    A stratum holds the patients of one group (or of one set of groups, for patients with images in several; sets of
    fewer than ten patients are put together), so that no group vanishes when patients are resampled within strata. A
    cell holds patients with the same numbers of images, called rightly and wrongly, in the same groups. Their weighted
    sums and losses, which differ from patient to patient, are kept one by one up to 50 patients, and from there by
    their mean and covariance, so that sums over many patients can be drawn from their normal limit.

    Parameters
    ----------
    sums : what each patient adds.
    times : how many patients each of them stands for, where those who add alike were gathered before; 1 when None.

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
    >>> [stratum.size.tolist() for stratum in pattern_strata(sums)]
    [[1, 2]]
    """
    present, first, rows = _by_slot(sums)
    if len(first) == 0:
        return []
    stands_for = np.ones(len(first), dtype=np.int64) if times is None else times[present]
    row_code = coded([sums.group + 1, *sums.counts.T], len(sums.patient))
    membership, pattern = np.zeros((2, len(first)), dtype=np.int64)
    for slot in range(int(rows.max())):
        here = np.minimum(first + slot, len(sums.patient) - 1)
        in_slot = slot < rows
        group = np.where(in_slot, sums.group[here] + 2, 0)
        membership = coded([membership, group], len(first))
        pattern = coded([pattern, np.where(in_slot, row_code[here] + 1, 0)], len(first))
    few = np.bincount(membership, weights=stands_for)[membership] < SMALLEST_STRATUM
    several = few & (rows > 1)
    membership = np.where(several, membership.max() + 1, membership)
    order = np.argsort(membership, kind="stable")
    ends = np.flatnonzero(np.diff(membership[order])) + 1
    return [_stratum(sums, stands_for[part], first[part], rows[part], pattern[part]) for part in np.split(order, ends)]


def _stratum(sums: PatientSums, times: Codes, first: Codes, rows: Codes, pattern: Codes) -> Stratum:
    groups, dense = _dense(sums, first, rows)
    cell = np.asarray(pd.factorize(pattern, sort=True)[0], dtype=np.int64)
    flat = dense.reshape(len(times), -1)
    start = _first_rows(cell)
    varying = np.flatnonzero((flat != flat[start][cell]).any(axis=0))
    if len(varying):
        alone = np.bincount(cell)[cell] <= SMALLEST_MERGED
        rounded = np.round(flat[alone] / np.maximum(np.abs(flat).max(axis=0), 1e-300), 10)
        exact = coded([np.unique(column, return_inverse=True)[1] for column in rounded.T], int(alone.sum()))
        cell[alone] = cell.max() + 1 + exact
        cell = np.asarray(pd.factorize(cell, sort=True)[0], dtype=np.int64)
    size = np.bincount(cell)
    # where nothing varies any patient of a cell stands for all of them
    mean = column_sums(flat.T, cell, len(size)) / size[:, None] if len(varying) else flat[_first_rows(cell)]
    return Stratum(
        groups=groups,
        size=np.bincount(cell, weights=times).astype(np.int64),
        mean=mean.reshape(len(size), len(groups), -1),
        root=_roots(flat[:, varying], mean[:, varying], cell, size),
        varying=varying.astype(np.int64),
    )


def _dense(sums: PatientSums, first: Codes, rows: Codes) -> tuple[tuple[int, ...], Floats]:
    """Return the groups of some patients and their sums in each, shape (patients, groups, 8)."""
    if int(rows.max()) == 1 and np.all(sums.group[first] == sums.group[first[0]]):
        return (int(sums.group[first[0]]),), sums.sums[first][:, None, :]
    patient = np.repeat(np.arange(len(first)), rows)
    row = np.repeat(first - np.concatenate([[0], np.cumsum(rows)[:-1]]), rows) + np.arange(int(rows.sum()))
    groups, place = np.unique(sums.group[row], return_inverse=True)
    dense = np.zeros((len(first), len(groups), sums.sums.shape[1]))
    dense[patient, place] = sums.sums[row]
    return tuple(int(one) for one in groups), dense


def _roots(values: Floats, mean: Floats, cell: Codes, size: Codes) -> Floats:
    """Return the square roots of the covariances within cells; zero where patients are kept one by one."""
    d = values.shape[1]
    covariance = np.zeros((len(size), d, d))
    away = values - mean[cell]
    for j in range(d):
        for k in range(j + 1):
            product = np.bincount(cell, weights=away[:, j] * away[:, k], minlength=len(size)) / size
            covariance[:, j, k] = covariance[:, k, j] = product
    return symmetric_root(covariance)
