"""Clustered covariances of metrics over groups from sums of products, one pass over the patients for all metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.alike import AlikePatients, alike_patients
from sexstrat.audit.influence import denominator_coefficients
from sexstrat.audit.linear import LINEAR_METRICS, LOSSES, SUMS, linear_gradient
from sexstrat.audit.sums import PatientSums, column_sums

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


def second_moments(sums: PatientSums, alike: AlikePatients | None = None) -> Moments:
    """Return the second moments of what patients add, from which every clustered covariance follows.

    Products of the means of patients who add alike, times their number; and of the losses, in which they differ, the
    products of what sets each apart from that mean.

    Parameters
    ----------
    sums : what each patient adds in each group.
    alike : the same patients gathered by what they add, where known already.

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
    alike = alike or alike_patients(sums)
    n, d = len(sums.labels), len(SUMS)
    each = alike.times[alike.sums.patient].astype(np.float64)
    mean, away = _losses(sums, alike, each)
    place = np.where(alike.sums.group < 0, n, alike.sums.group)
    found = np.zeros((n + 1, d, n + 1, d))
    for apart, first in _same_patient(alike.sums.patient):
        for one, two, products in _products(mean, each, place, first, first + apart):
            found[one, :, two, :] += products
            if apart:
                found[two, :, one, :] += products.T
    if len(each) < len(sums.patient):
        _add_spread(found, sums, alike, place, away)
    result = np.empty_like(found)
    result[:n, :, :n] = found[:n, :, :n]
    result[:n, :, n] = found[:n].sum(axis=2)
    result[n, :, :n] = result[:n, :, n].transpose(2, 0, 1)
    result[n, :, n] = found.sum(axis=(0, 2))
    totals = column_sums((mean * each[:, None]).T, place, n + 1)
    totals[n] = totals.sum(axis=0)
    return Moments(products=result, totals=totals, counted=_counted(alike.sums, each))


def _losses(sums: PatientSums, alike: AlikePatients, each: Floats) -> tuple[Floats, list[Floats]]:
    """Return the mean sums of rows that are alike, and how far each row's losses are from their mean."""
    mean, away = alike.sums.sums.copy(), []
    for column in LOSSES:
        loss = sums.sums[:, column]
        mean[:, column] = np.bincount(alike.like, weights=loss, minlength=len(each)) / each
        away.append(loss - mean[alike.like, column])
    return mean, away


def _same_patient(patient: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield the rows whose patient has another row so many rows further on; rows of one patient follow each other."""
    for apart in range(len(patient)):
        first = np.flatnonzero(patient[apart:] == patient[: len(patient) - apart])
        if len(first) == 0:
            return
        yield apart, first


def _products(
    values: Floats, each: Floats, place: NDArray[np.int64], first: NDArray[np.intp], second: NDArray[np.intp]
) -> Iterator[tuple[int, int, Floats]]:
    """Yield each two groups that pairs of rows are in, with the products of their values summed over the pairs."""
    width = int(place.max()) + 1
    pair = place[first] * width + place[second]
    small = pair.astype(np.int16) if width**2 < np.iinfo(np.int16).max else pair  # sixteen bits are sorted by radix
    order = np.argsort(small, kind="stable")
    ends = np.flatnonzero(np.diff(pair[order])) + 1
    for part in np.split(order, ends):
        one, two = divmod(int(pair[part[0]]), width)
        yield one, two, (values[first[part]] * each[first[part], None]).T @ values[second[part]]


def _add_spread(
    found: Floats, sums: PatientSums, alike: AlikePatients, place: NDArray[np.int64], away: list[Floats]
) -> None:
    """Add the products of what sets each patient's losses apart from the mean of those alike."""
    n = len(place)
    for apart, first in _same_patient(sums.patient):
        whole = len(first) == len(sums.patient)
        like = alike.like if whole else alike.like[first]
        for i, one in zip(LOSSES, away, strict=True):
            for j, two in zip(LOSSES, away, strict=True):
                products = one * two if whole else one[first] * two[first + apart]
                spread = np.bincount(like, weights=products, minlength=n)[: n - apart]
                np.add.at(found[:, i, :, j], (place[: n - apart], place[apart:]), spread)
                if apart:
                    np.add.at(found[:, j, :, i], (place[apart:], place[: n - apart]), spread)


def _counted(sums: PatientSums, each: Floats) -> dict[str, Floats]:
    """Count the patients in the denominator of each metric, of each group and of all."""
    n = len(sums.labels)
    known: dict[bytes, Floats] = {}
    result = {}
    for metric in LINEAR_METRICS:
        kind = denominator_coefficients(metric)
        if kind.tobytes() not in known:
            used = np.flatnonzero(sums.counts @ kind > 0)
            patient, inside = sums.patient[used], used[sums.group[used] >= 0]
            everyone = each[used[np.diff(patient, prepend=-1) > 0]].sum()
            of_groups = np.bincount(sums.group[inside], weights=each[inside], minlength=n)
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
