"""Predicted minus observed male share: the bias that predicted sex brings to the denominators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sexstrat.audit.clusters import Clusters, cluster_variance
from sexstrat.audit.interval import normal_quantile, wilson_interval
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights

__all__ = ["male_share_difference"]


def male_share_difference(
    predicted_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> Measurement:
    """Estimate the male share that was predicted minus the one that was recorded, over the same images.

    Mean of (predicted male − recorded male) = share of women called men − share of men called women, of all images.

    Parameters
    ----------
    predicted_male : whether prob_male reaches the threshold.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.

    Returns
    -------
    Measurement, −1 to 1, with a patient-clustered paired standard error and a normal interval cut at ±1. Where every
    image differs by the same amount there is no standard error and the interval is Wilson's on the patients.
    State ``undefined`` when there is no image.

    Examples
    --------
    One woman of four persons is called a man.

    >>> male_share_difference([1, 1, 1, 0], [1, 1, 0, 0], [1, 2, 3, 4]).point
    0.25
    """
    is_male = np.asarray(male, dtype=bool)
    difference = np.asarray(predicted_male, dtype=float) - is_male
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(difference))
    counts: dict[str, Any] = {
        "n_images": len(difference),
        "n_patients": patients.n,
        "n_male": patients.having(is_male),
        "n_female": patients.having(~is_male),
    }
    if len(difference) == 0:
        return Measurement(level=level, **counts, state="undefined", note="nobody in the denominator")
    point = float(weights @ difference / weights.sum())
    influence = weights * (difference - point) / weights.sum()
    if patients.n < 2 or np.all(difference == difference[0]):
        return _constant(point, patients.n, level, counts)
    variance = cluster_variance(influence, patients)
    independent = len(difference) / (len(difference) - 1) * float(np.sum(influence**2))
    se, z = float(np.sqrt(variance)), normal_quantile(level)
    return Measurement(
        level=level,
        **counts,
        point=point,
        se=se,
        low=max(-1.0, point - z * se),
        high=min(1.0, point + z * se),
        design_effect=variance / independent if independent > 0 else None,
    )


def _constant(point: float, n: int, level: float, counts: dict[str, Any]) -> Measurement:
    """Bound a difference that shows no spread by the Wilson limits of the share of images that differ from it."""
    reach = wilson_interval(0.0, n, level=level)[1]
    note = "no spread among images: the interval is Wilson's on the number of patients"
    return Measurement(
        level=level, **counts, point=point, low=max(-1.0, point - reach), high=min(1.0, point + reach), note=note
    )
