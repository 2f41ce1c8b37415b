"""Proportions of images, with the patient as the unit of uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.interval import wilson_interval
from sexstrat.audit.measurement import Measurement

__all__ = ["clustered_proportion", "positive_weights", "proportion_of_sums"]

Floats = NDArray[np.float64]


def positive_weights(weight: ArrayLike | None, n: int) -> Floats:
    """Return the weights as numbers, ones when none are given.

    Raises
    ------
    ValueError : a weight is missing, infinite or not above 0, or there are not ``n`` of them.

    Examples
    --------
    >>> positive_weights(None, 2).tolist()
    [1.0, 1.0]
    """
    if weight is None:
        return np.ones(n)
    weights = np.asarray(weight, dtype=float)
    if weights.shape != (n,) or not np.all(np.isfinite(weights) & (weights > 0)):
        raise ValueError(f"weights must be {n} numbers above 0")
    return weights


def clustered_proportion(
    success: ArrayLike, cluster: ArrayLike | Clusters, *, weight: ArrayLike | None = None, level: float = 0.95
) -> Measurement:
    """Estimate the proportion of images with a property, patients being the clusters.

    Σ w·y / Σ w with the linearised variance clustered by patient. The interval is Wilson's at the effective size
    N / max(DEFF, 1), DEFF being that variance over share·(1 − share)/N; at a share of 0 or 1, where the variance says
    nothing, it is Wilson's on the number of patients (with weights: on Kish's effective number of patients).

    Parameters
    ----------
    success : whether each image has the property, shape (n images,).
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.

    Returns
    -------
    Measurement whose interval covers the proportion in the population the patients are a sample of; state
    ``undefined`` when there is no image.

    References
    ----------
    Cochran 1977, Sampling Techniques, 3rd ed., section 6 (ratio estimator); Korn & Graubard 1998, Survey Methodology
    24:193 (effective size).

    Examples
    --------
    Four patients, two eyes each, always both right or both wrong: eight images are worth about three patients.

    >>> result = clustered_proportion([1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 2, 2, 3, 3, 4, 4])
    >>> result.point, round(result.design_effect, 4), round(result.se, 4)
    (0.5, 2.6667, 0.2887)
    """
    y = np.asarray(success, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    return proportion_of_sums(
        patients.total(weights * y),
        patients.total(weights),
        counted_in=patients.total(y > 0),
        counted_out=patients.total(y < 1),
        level=level,
    )


def proportion_of_sums(
    numerator: Floats,
    denominator: Floats,
    *,
    counted_in: Floats,
    counted_out: Floats,
    times: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> Measurement:
    """Estimate a proportion of images from what each patient adds; see :func:`clustered_proportion`.

    Parameters
    ----------
    numerator, denominator : weights of a patient's images that have the property, and of all in the denominator.
    counted_in, counted_out : numbers of a patient's images with and without the property; patients with neither are
        not in the denominator.
    times : how many patients add just that; one when None.
    level : confidence level.

    Examples
    --------
    Three patients of one image, two with the property.

    >>> yes, all_three = np.array([1.0, 1.0, 0.0]), np.ones(3)
    >>> found = proportion_of_sums(yes, all_three, counted_in=yes, counted_out=1 - yes)
    >>> round(found.point, 4), found.n_patients, found.n_patients_numerator
    (0.6667, 3, 2)
    """
    size = counted_in + counted_out
    inside = size > 0
    each = np.ones(len(size)) if times is None else times.astype(np.float64)  # products of floats are the quick ones
    yes, no = int(each[counted_in > 0].sum()), int(each[counted_out > 0].sum())
    above, below, size, each = numerator[inside], denominator[inside], size[inside], each[inside]
    patients = int(each.sum())
    counts: dict[str, Any] = {
        "n_images": round(float(each @ size)),
        "n_patients": patients,
        "n_patients_numerator": yes,
        "n_patients_complement": no,
    }
    if patients == 0:
        return Measurement(level=level, **counts, state="undefined", note="nobody in the denominator")
    whole = float(each @ below)
    share = float(np.clip(each @ above / whole, 0, 1))
    if yes == 0 or no == 0:
        return _one_sided(float(no == 0), below / size, each, level, counts)
    if patients < 2:
        low, high = wilson_interval(share, 1, level=level)
        return Measurement(level=level, **counts, point=share, low=low, high=high, note="one patient only")
    variance = patients / (patients - 1) * float(each @ ((above - share * below) / whole) ** 2)
    effect = variance / (share * (1 - share) / counts["n_images"])
    low, high = wilson_interval(share, counts["n_images"] / max(effect, 1.0), level=level)
    return Measurement(
        level=level, **counts, point=share, se=float(np.sqrt(variance)), low=low, high=high, design_effect=effect
    )


def _one_sided(share: float, by_patient: Floats, each: Floats, level: float, counts: dict[str, Any]) -> Measurement:
    effective = float((each @ by_patient) ** 2 / (each @ by_patient**2))
    low, high = wilson_interval(share, effective, level=level)
    note = "all images agree: the interval is Wilson's on the number of patients and there is no standard error"
    return Measurement(level=level, **counts, point=share, low=low, high=high, note=note)
