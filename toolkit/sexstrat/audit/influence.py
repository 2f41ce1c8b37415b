"""How much each patient moves a metric of each group: the linearised contributions behind every variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.auc import auc_influence
from sexstrat.audit.calibration import intercept_influence
from sexstrat.audit.grouping import Grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.linear import LINEAR_METRICS, linear_gradient, linear_value
from sexstrat.audit.sums import PatientSums, patient_sums

__all__ = [
    "INFLUENCE_METRICS",
    "Influence",
    "denominator_coefficients",
    "in_denominator",
    "influence",
    "influence_of_sums",
]

Floats = NDArray[np.float64]

_OTHERS: Mapping[str, Callable[[Floats, NDArray[np.bool_], Floats], tuple[float, Floats]]] = MappingProxyType(
    {"auc": auc_influence, "calibration_in_the_large": intercept_influence}
)
IMAGE_METRICS = tuple(_OTHERS)
"""Metrics that follow from no sums, only from the images."""
INFLUENCE_METRICS = (*LINEAR_METRICS, *IMAGE_METRICS)
"""Names of the metrics whose influence values are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """Linearised contributions of patients to one metric in every group, and in all images together.

    Parameters
    ----------
    metric : what is measured.
    labels : names of the groups, then "all" for every image.
    point : the metric of each group, then of all images, shape (groups + 1,); NaN where it is undefined.
    n_patients : patients with an image in the metric's denominator, of each group and of all, shape (groups + 1,).
    values : contribution of each patient to each of these, shape (patients, groups + 1); the column of a defined metric
        adds up to 0, that of an undefined one is NaN, and a patient without images in a group has 0 there.

    Examples
    --------
    >>> one = Influence(
    ...     metric="accuracy",
    ...     labels=("a", "all"),
    ...     point=np.array([0.5, 0.5]),
    ...     n_patients=np.array([2, 2]),
    ...     values=np.array([[0.25, 0.25], [-0.25, -0.25]]),
    ... )
    >>> one.covariance().round(4).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """

    metric: str
    labels: tuple[str, ...]
    point: Floats
    n_patients: NDArray[np.int64]
    values: Floats

    def covariance(self) -> Floats:
        """Return the patient-clustered covariance of the estimates, shape (groups + 1, groups + 1).

        Σ over patients of the products of contributions, times √(G/(G − 1)) of each side with G its patients: the
        diagonal is the variance of :func:`sexstrat.audit.clusters.cluster_variance`. NaN where undefined.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.where(self.n_patients > 1, np.sqrt(self.n_patients / (self.n_patients - 1.0)), np.nan)
        return np.asarray((self.values * root).T @ (self.values * root), dtype=np.float64)


def influence_of_sums(metric: str, sums: PatientSums) -> Influence:
    """Return the influence values of a metric that follows from sums.

    The gradient of the metric at the totals of a group times a patient's sums there; the metrics of
    ``LINEAR_METRICS`` do not change when all sums are doubled, so the contributions add up to 0.

    Parameters
    ----------
    metric : a name of ``LINEAR_METRICS``.
    sums : what each patient adds.

    References
    ----------
    Deville 1999, Survey Methodology 25:193; Binder 1983, Int Stat Rev 51:279.

    Examples
    --------
    >>> sums = PatientSums(
    ...     labels=("a",),
    ...     patient=np.array([0, 1]),
    ...     group=np.array([0, 0]),
    ...     sums=np.array([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]]),
    ...     counts=np.array([[1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0]]),
    ...     n_patients=2,
    ... )
    >>> influence_of_sums("correct_among_men", sums).values.tolist()
    [[0.25, 0.25], [-0.25, -0.25]]
    """
    totals, n = sums.totals(), len(sums.labels)
    gradient = linear_gradient(metric, totals)
    values = np.zeros((sums.n_patients, n + 1))
    inside = sums.group >= 0
    values[sums.patient[inside], sums.group[inside]] = np.einsum(
        "pk,pk->p", sums.sums[inside], gradient[sums.group[inside]]
    )
    values[:, n] = np.bincount(sums.patient, weights=sums.sums @ gradient[n], minlength=sums.n_patients)
    values[:, np.isnan(gradient).any(axis=1)] = np.nan
    used = in_denominator(metric, sums)
    counted = np.bincount(sums.group[inside & used], minlength=n)
    everyone = np.count_nonzero(np.bincount(sums.patient[used], minlength=sums.n_patients))
    return Influence(
        metric=metric,
        labels=(*sums.labels, "all"),
        point=linear_value(metric, totals),
        n_patients=np.append(counted, everyone).astype(np.int64),
        values=values,
    )


def in_denominator(metric: str, sums: PatientSums) -> NDArray[np.bool_]:
    """Choose the rows that have images in the denominator of a metric.

    Parameters
    ----------
    metric : a name of ``LINEAR_METRICS``.
    sums : one row for each patient and group.

    Examples
    --------
    A patient with a man's image, and one whose sex is not recorded.

    >>> sums = PatientSums(
    ...     labels=("a",),
    ...     patient=np.array([0, 1]),
    ...     group=np.array([0, 0]),
    ...     sums=np.zeros((2, 8)),
    ...     counts=np.array([[1, 1, 0, 0, 1, 0], [0, 0, 0, 0, 1, 0]]),
    ...     n_patients=2,
    ... )
    >>> in_denominator("correct_among_men", sums).tolist(), in_denominator("ungradable", sums).tolist()
    ([True, False], [True, True])
    """
    return np.asarray(sums.counts @ denominator_coefficients(metric) > 0)


def denominator_coefficients(metric: str) -> NDArray[np.int64]:
    """Return what the six counts of a patient are multiplied by to count images in the denominator of a metric.

    Parameters
    ----------
    metric : a name of ``LINEAR_METRICS``.

    Examples
    --------
    >>> denominator_coefficients("correct_among_called_men").tolist()  # men called men, women less women called women
    [0, 1, 1, -1, 0, 0]
    """
    of = {
        "correct_among_men": (1, 0, 0, 0, 0, 0),
        "correct_among_women": (0, 0, 1, 0, 0, 0),
        "correct_among_called_men": (0, 1, 1, -1, 0, 0),
        "correct_among_called_women": (1, -1, 0, 1, 0, 0),
        "f1": (1, 1, 1, -1, 0, 0),
        "ungradable": (0, 0, 0, 0, 1, 0),
    }
    return np.array(of.get(metric, (1, 0, 1, 0, 0, 0)), dtype=np.int64)


def image_influence(images: AuditImages, by_score: NDArray[np.intp] | None = None) -> dict[str, tuple[float, Floats]]:
    """Return each metric of ``IMAGE_METRICS`` with the influence of each image; nothing where one sex is not there.

    Parameters
    ----------
    images : images that all have a score and a recorded sex of male or female.
    by_score : their positions in rising order of the score, where known already.

    Examples
    --------
    >>> from sexstrat.audit.clusters import Clusters
    >>> male = np.array([True, True, False, False])
    >>> images = AuditImages(
    ...     patients=Clusters.of([1, 2, 3, 4]),
    ...     gradable=~(male & ~male),
    ...     prob_male=np.array([0.9, 0.4, 0.6, 0.1]),
    ...     male=male,
    ...     female=~male,
    ...     weight=np.ones(4),
    ...     validated_weight=np.ones(4),
    ... )
    >>> image_influence(images)["auc"][0]
    0.75
    """
    if images.male.all() or not images.male.any():
        return {}
    columns = images.prob_male, images.male, images.validated_weight
    return {"auc": auc_influence(*columns, by_score), "calibration_in_the_large": intercept_influence(*columns)}


def influence(images: AuditImages, grouping: Grouping, metric: str, *, threshold: float = 0.5) -> Influence:
    """Return the influence values of a metric for every patient and group.

    Parameters
    ----------
    images : every listed image.
    grouping : group of each image.
    metric : a name of ``INFLUENCE_METRICS``.
    threshold : an image is called male when prob_male ≥ threshold.

    Returns
    -------
    Influence, whose ``covariance`` holds the clustered variances and, for patients in several groups and for a group
    against all, the covariances.

    Raises
    ------
    ValueError : the metric has no influence values here.

    Examples
    --------
    Four men, one image each, three called men: ±1/4 of the deviation from 3/4.

    >>> from sexstrat.audit.clusters import Clusters
    >>> four = np.ones(4, dtype=bool)
    >>> images = AuditImages(
    ...     patients=Clusters.of([1, 2, 3, 4]),
    ...     gradable=four,
    ...     prob_male=np.array([0.9, 0.8, 0.7, 0.1]),
    ...     male=four,
    ...     female=~four,
    ...     weight=four * 1.0,
    ...     validated_weight=four * 1.0,
    ... )
    >>> site = Grouping(name="site", labels=("x",), code=np.zeros(4, dtype=np.int64))
    >>> influence(images, site, "correct_among_men").values[:, 0].tolist()
    [0.0625, 0.0625, 0.0625, -0.1875]
    """
    if metric in LINEAR_METRICS:
        return influence_of_sums(metric, patient_sums(images, grouping, threshold=threshold))
    if metric not in _OTHERS:
        raise ValueError(f"metric {metric!r} has no influence values; allowed: {', '.join(INFLUENCE_METRICS)}")
    n = len(grouping.labels)
    values, point, counted = np.zeros((images.patients.n, n + 1)), np.full(n + 1, np.nan), np.zeros(n + 1, np.int64)
    parts = [index for _, index in grouping.parts()] + [np.arange(len(images.gradable))]
    for place, index in enumerate(parts):
        chosen = index[images.validated[index]]
        code, male = images.patients.code[chosen], images.male[chosen]
        counted[place] = np.count_nonzero(np.bincount(code, minlength=1))
        if male.all() or not male.any():
            values[:, place] = np.nan
            continue
        found, each = _OTHERS[metric](images.prob_male[chosen], male, images.validated_weight[chosen])
        point[place] = found
        values[:, place] = np.bincount(code, weights=each, minlength=images.patients.n)
    return Influence(metric=metric, labels=(*grouping.labels, "all"), point=point, n_patients=counted, values=values)
