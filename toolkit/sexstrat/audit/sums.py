"""What each patient adds to the sums that the audit's metrics are made of, within each group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.grouping import Grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.linear import COUNTED, LOSSES, SUMS

__all__ = ["PatientSums", "column_sums", "patient_sums"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LISTED = ("listed", "ungradable")  # sums about every image, in which the chance that sex was recorded has no part
MOST_PLACES = 8  # pairs of patient and group for each image, up to which every pair has a place


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSums:
    """One row for each patient and group that the patient has images in.

    Parameters
    ----------
    labels : names of the groups.
    patient : index of the patient of each row, 0 to ``n_patients`` − 1; in rising order.
    group : index of the group of each row, −1 for images in no group.
    sums : weighted sums in the order of ``sexstrat.audit.linear.SUMS``, shape (rows, 8).
    counts : numbers of images: men, men called rightly, women, women called rightly, listed, ungradable, shape (rows,
        6).
    n_patients : number of patients.

    Examples
    --------
    >>> PatientSums(
    ...     labels=("a",),
    ...     patient=np.array([0, 1]),
    ...     group=np.array([0, -1]),
    ...     sums=np.ones((2, 8)),
    ...     counts=np.ones((2, 6), dtype=np.int64),
    ...     n_patients=2,
    ... ).totals()[:, 0].tolist()
    [1.0, 2.0]
    """

    labels: tuple[str, ...]
    patient: NDArray[np.intp]
    group: Whole
    sums: Floats
    counts: Whole
    n_patients: int

    def totals(self) -> Floats:
        """Return the sums of each group and, in the last row, of all images, shape (groups + 1, 8)."""
        n = len(self.labels)
        place = np.where(self.group < 0, n, self.group)
        by_group = column_sums(self.sums.T, place, n + 1)
        by_group[n] = by_group.sum(axis=0)
        return by_group


def column_sums(
    columns: Iterable[Floats | Whole | NDArray[np.bool_]], code: NDArray[np.int64 | np.intp], n: int
) -> Floats:
    """Return the sums of each column by code, shape (n, columns).

    Parameters
    ----------
    columns : values of each row.
    code : 0 to ``n`` − 1 for each row.
    n : number of codes.

    Examples
    --------
    >>> column_sums([np.array([1.0, 2.0, 4.0])], np.array([0, 1, 1]), 2).tolist()
    [[1.0], [6.0]]
    """
    return np.array([np.bincount(code, weights=one, minlength=n) for one in columns], dtype=np.float64).T


def _counted(images: AuditImages, threshold: float) -> list[NDArray[np.bool_]]:
    """Return for each image its addition to the six counts."""
    called = images.prob_male >= threshold
    men, women = images.male & images.gradable, images.female & images.gradable
    return [men, men & called, women, women & ~called, np.ones(len(men), dtype=bool), ~images.gradable]


def _losses(images: AuditImages) -> list[Floats]:
    """Return for each image its squared error and its log loss."""
    men, validated = images.male & images.gradable, images.validated
    smallest = np.finfo(float).eps
    right = np.where(men, images.prob_male, 1 - images.prob_male)
    right[~validated] = 1.0  # an image that takes no part adds neither error nor loss
    losses = [(1 - right) ** 2, -np.log(np.clip(right, smallest, 1 - smallest))]
    losses[1][~validated] = 0.0
    return losses


def patient_sums(
    images: AuditImages, grouping: Grouping, *, threshold: float, known: PatientSums | None = None
) -> PatientSums:
    """Add up each patient's images within each group.

    Parameters
    ----------
    images : every listed image.
    grouping : group of each image.
    threshold : an image is called male when prob_male ≥ threshold.
    known : sums of the same images and threshold by another grouping that splits no patient, to be used again.

    Returns
    -------
    PatientSums; a patient with images in several groups has a row in each.

    Examples
    --------
    A man with one right and one wrong eye.

    >>> from sexstrat.audit.clusters import Clusters
    >>> two = np.ones(2, dtype=bool)
    >>> images = AuditImages(
    ...     patients=Clusters.of(["a", "a"]),
    ...     gradable=two,
    ...     prob_male=np.array([0.7, 0.4]),
    ...     male=two,
    ...     female=~two,
    ...     weight=two * 1.0,
    ...     validated_weight=two * 1.0,
    ... )
    >>> everyone = Grouping(name="site", labels=("x",), code=np.zeros(2, dtype=np.int64))
    >>> patient_sums(images, everyone, threshold=0.5).counts.tolist()
    [[2, 1, 0, 0, 2, 0]]
    """
    patients = images.patients
    of_patient = np.full(patients.n, -1, dtype=np.int64)
    of_patient[patients.code] = grouping.code
    if np.array_equal(of_patient[patients.code], grouping.code):
        if known is not None and len(known.patient) == patients.n:
            return replace(known, labels=grouping.labels, group=of_patient)
        row, patient, group = patients.code, np.arange(patients.n), of_patient
    else:
        row, patient, group = _pairs(patients, grouping)
    n = len(patient)
    counted = _counted(images, threshold)
    sums, counts = np.empty((len(SUMS), n)).T, np.empty((len(COUNTED), n), dtype=np.int64).T
    for place, (flag, column) in enumerate(zip(counted, COUNTED, strict=True)):
        of_row = np.bincount(row, weights=flag, minlength=n)
        counts[:, place] = sums[:, column] = of_row
        if images.weighted:
            weight = images.weight if SUMS[column] in LISTED else images.validated_weight
            sums[:, column] = np.bincount(row, weights=flag * weight, minlength=n)
    for loss, column in zip(_losses(images), LOSSES, strict=True):
        sums[:, column] = np.bincount(row, weights=loss * images.validated_weight, minlength=n)
    return PatientSums(
        labels=grouping.labels,
        patient=patient.astype(np.intp),
        group=np.asarray(group, dtype=np.int64),
        sums=sums,
        counts=counts,
        n_patients=patients.n,
    )


def _pairs(patients: Clusters, grouping: Grouping) -> tuple[NDArray[np.intp], Whole, Whole]:
    """Return the row of each image among the pairs of patient and group, and the two of each row."""
    width = len(grouping.labels) + 1
    key = patients.code.astype(np.int64) * width + grouping.code + 1
    if patients.n * width > MOST_PLACES * len(key):
        row, pairs = pd.factorize(key, sort=True)
    else:  # a place for every pair there could be, which needs no sorting
        present = np.zeros(patients.n * width, dtype=bool)
        present[key] = True
        pairs = np.flatnonzero(present)
        row = (np.cumsum(present, dtype=np.intp) - 1)[key]
    return row.astype(np.intp), pairs // width, pairs % width - 1
