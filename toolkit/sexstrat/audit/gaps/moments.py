"""Clustered covariances of metrics over groups from sums of products, one pass over the patients for all metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.influence import denominator_coefficients
from sexstrat.audit.linear import LINEAR_METRICS, SUMS, linear_gradient
from sexstrat.audit.sums import PatientSums

__all__ = ["Moments", "covariance_of_sums", "second_moments"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums of products over patients, and how many patients each denominator has.

    Parameters
    ----------
    products : Σ over patients of the products of their sums in every two groups, the last group being all images,
        shape (groups + 1, 8, groups + 1, 8).
    totals : sums of each group and of all, shape (groups + 1, 8).
    counted : for each metric the patients in its denominator, of each group and of all, shape (groups + 1,).

    Examples
    --------
    >>> nothing = np.zeros((1, 8, 1, 8))
    >>> Moments(products=nothing, totals=nothing[0, 0], counted={"accuracy": np.array([2.0])}).counted["accuracy"]
    array([2.])
    """

    products: Floats
    totals: Floats
    counted: Mapping[str, Floats]


def second_moments(sums: PatientSums) -> Moments:
    """Return the second moments of what patients add, from which every clustered covariance follows.

    Parameters
    ----------
    sums : what each patient adds in each group.

    Returns
    -------
    Moments.

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
    >>> second_moments(sums).products[:, 0, :, 1].tolist()  # men times men right: in both groups, one group, and all
    [[1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [2.0, 0.0, 2.0]]
    """
    n, d = len(sums.labels), len(SUMS)
    place = np.where(sums.group < 0, n, sums.group)
    found = np.zeros((n + 1, d, n + 1, d))
    for apart in range(len(place)):  # rows of one patient follow each other
        first = np.flatnonzero(sums.patient[apart:] == sums.patient[: len(place) - apart])
        if len(first) == 0:
            break
        for one, two, products in _products(sums.sums, place, first, first + apart):
            found[one, :, two, :] += products
            if apart:
                found[two, :, one, :] += products.T
    result = np.empty_like(found)
    result[:n, :, :n] = found[:n, :, :n]
    result[:n, :, n] = found[:n].sum(axis=2)
    result[n, :, :n] = result[:n, :, n].transpose(2, 0, 1)
    result[n, :, n] = found.sum(axis=(0, 2))
    return Moments(products=result, totals=sums.totals(), counted=_counted(sums))


def _products(
    values: Floats, place: NDArray[np.int64], first: NDArray[np.intp], second: NDArray[np.intp]
) -> Iterator[tuple[int, int, Floats]]:
    """Yield each two groups that pairs of rows are in, with the products of their values summed over the pairs."""
    width = int(place.max()) + 1
    pair = place[first] * width + place[second]
    small = pair.astype(np.int16) if width**2 < np.iinfo(np.int16).max else pair  # sixteen bits are sorted by radix
    order = np.argsort(small, kind="stable")
    ends = np.flatnonzero(np.diff(pair[order])) + 1
    for part in np.split(order, ends):
        one, two = divmod(int(pair[part[0]]), width)
        yield one, two, values[first[part]].T @ values[second[part]]


def _counted(sums: PatientSums) -> dict[str, Floats]:
    """Count the patients in the denominator of each metric, of each group and of all."""
    n = len(sums.labels)
    known: dict[bytes, Floats] = {}
    result = {}
    for metric in LINEAR_METRICS:
        kind = denominator_coefficients(metric)
        if kind.tobytes() not in known:
            used = sums.counts @ kind > 0
            patient = sums.patient[used]
            everyone = np.count_nonzero(np.diff(patient)) + 1 if len(patient) else 0
            inside = sums.group[used]
            of_groups = np.bincount(inside[inside >= 0], minlength=n)
            known[kind.tobytes()] = np.append(of_groups, everyone).astype(np.float64)
        result[metric] = known[kind.tobytes()]
    return result


def covariance_of_sums(metric: str, moments: Moments) -> Floats:
    """Return the patient-clustered covariance of a metric over the groups and, last, all images.

    Gradient' · sums of products · gradient, times √(G/(G − 1)) of each side: what
    :meth:`sexstrat.audit.influence.Influence.covariance` gives, without a row for each patient.

    Parameters
    ----------
    metric : a name of ``sexstrat.audit.linear.LINEAR_METRICS``.
    moments : of what each patient adds in each group, from :func:`second_moments`.

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
    >>> covariance_of_sums("correct_among_men", second_moments(sums)).round(6).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    gradient = linear_gradient(metric, moments.totals)
    counted = moments.counted[metric]
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.where(counted > 1, np.sqrt(counted / (counted - 1.0)), np.nan)
    scaled = gradient * root[:, None]
    return np.asarray(np.einsum("gc,gchd,hd->gh", scaled, moments.products, scaled, optimize=True), dtype=np.float64)
