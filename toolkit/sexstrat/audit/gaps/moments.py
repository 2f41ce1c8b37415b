"""Clustered covariances of metrics over groups from sums of products, one pass over the patients for all metrics."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sexstrat.audit.influence import in_denominator
from sexstrat.audit.linear import SUMS, linear_gradient
from sexstrat.audit.sums import PatientSums

__all__ = ["covariance_of_sums", "second_moments"]

Floats = NDArray[np.float64]


def second_moments(sums: PatientSums) -> Floats:
    """Return Σ over patients of the products of their sums in every two groups, the last group being all images.

    Parameters
    ----------
    sums : what each patient adds in each group.

    Returns
    -------
    Shape (groups + 1, 8, groups + 1, 8).

    Examples
    --------
    >>> sums = PatientSums(
    ...     labels=("a", "b"),
    ...     patient=np.array([0, 0]),
    ...     group=np.array([0, 1]),
    ...     sums=np.array([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]]),
    ...     counts=np.zeros((2, 6), dtype=np.int64),
    ...     n_patients=1,
    ... )
    >>> second_moments(sums)[:, 0, :, 1].tolist()  # men times men right: in both groups, one group, and all
    [[1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [2.0, 0.0, 2.0]]
    """
    n, d = len(sums.labels), len(SUMS)
    result = np.zeros((n + 1, d, n + 1, d))
    several = np.bincount(sums.patient, minlength=sums.n_patients)[sums.patient] > 1
    alone, groups = ~several, np.arange(n)
    place = np.where(sums.group[alone] < 0, n, sums.group[alone])
    values = sums.sums[alone]
    for one, two in combinations_with_replacement(range(d), 2):
        found = np.bincount(place, weights=values[:, one] * values[:, two], minlength=n + 1)
        for first, second in {(one, two), (two, one)}:
            result[groups, first, groups, second] = found[:n]
            result[groups, first, n, second] = result[n, first, groups, second] = found[:n]
            result[n, first, n, second] = found.sum()
    if several.any():
        result += _shared_moments(sums, several, n, d)
    return result


def _shared_moments(sums: PatientSums, several: NDArray[np.bool_], n: int, d: int) -> Floats:
    """Return the products of patients with images in several groups, or in a group and in none."""
    patient, group, values = sums.patient[several], sums.group[several], sums.sums[several]
    inside = group >= 0
    columns = np.arange(d)
    rows = np.concatenate([np.repeat(patient[inside], d), np.repeat(patient, d)])
    places = np.concatenate([(group[inside][:, None] * d + columns).ravel(), np.tile(n * d + columns, len(patient))])
    entries = np.concatenate([values[inside].ravel(), values.ravel()])
    wide = csr_matrix((entries, (rows, places)), shape=(sums.n_patients, (n + 1) * d))
    product = (wide.T @ wide).toarray()
    return np.asarray(product.reshape(n + 1, d, n + 1, d), dtype=np.float64)


def covariance_of_sums(metric: str, sums: PatientSums, moments: Floats) -> Floats:
    """Return the patient-clustered covariance of a metric over the groups and, last, all images.

    Gradient' · sums of products · gradient, times √(G/(G − 1)) of each side: what
    :meth:`sexstrat.audit.influence.Influence.covariance` gives, without a row for each patient.

    Parameters
    ----------
    metric : a name of ``sexstrat.audit.linear.LINEAR_METRICS``.
    sums : what each patient adds in each group.
    moments : of the same sums, from :func:`second_moments`.

    Returns
    -------
    Shape (groups + 1, groups + 1); NaN where the metric is undefined.

    Examples
    --------
    >>> from sexstrat.audit.influence import influence_of_sums
    >>> sums = PatientSums(
    ...     labels=("a",),
    ...     patient=np.array([0, 1]),
    ...     group=np.array([0, 0]),
    ...     sums=np.array([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]]),
    ...     counts=np.array([[1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0]]),
    ...     n_patients=2,
    ... )
    >>> covariance_of_sums("correct_among_men", sums, second_moments(sums)).round(6).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    gradient = linear_gradient(metric, sums.totals())
    used = in_denominator(metric, sums)
    n = len(sums.labels)
    inside = used & (sums.group >= 0)
    counted = np.append(
        np.bincount(sums.group[inside], minlength=n),
        np.count_nonzero(np.bincount(sums.patient[used], minlength=sums.n_patients)),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.where(counted > 1, np.sqrt(counted / (counted - 1.0)), np.nan)
    scaled = gradient * root[:, None]
    return np.asarray(np.einsum("gc,gchd,hd->gh", scaled, moments, scaled, optimize=True), dtype=np.float64)
