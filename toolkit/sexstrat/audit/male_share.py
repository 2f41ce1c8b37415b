"""Predicted minus observed male share: the bias that predicted sex brings to the denominators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.mean import clustered_mean
from sexstrat.audit.measurement import Measurement

__all__ = ["male_share_difference"]


def male_share_difference(
    predicted_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    sexes: tuple[int, int] | None = None,
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
    sexes : numbers of patients with images of men and of women, where known already.

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
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    difference = np.asarray(predicted_male, dtype=float) - is_male
    found = clustered_mean(difference, patients, weight=weight, level=level, bounds=(-1.0, 1.0))
    men, women = sexes or patients.sexes(is_male)
    return replace(found, n_male=men, n_female=women)
