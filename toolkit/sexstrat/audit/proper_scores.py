"""Brier score and log loss of the probabilities of being male, with patient-clustered intervals."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.mean import clustered_mean
from sexstrat.audit.measurement import Measurement

__all__ = ["brier", "log_loss"]

Floats = NDArray[np.float64]

SMALLEST = float(np.finfo(float).eps)  # probabilities of 0 and 1 are moved by it, or one such error would be infinite


def _mean(
    values: Floats, male: ArrayLike, cluster: ArrayLike | Clusters, weight: ArrayLike | None, level: float, most: float,
    sexes: tuple[int, int] | None,
) -> Measurement:  # fmt: skip
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    found = clustered_mean(values, patients, weight=weight, level=level, bounds=(0.0, most))
    men, women = sexes or patients.sexes(np.asarray(male, dtype=bool))
    return replace(found, n_male=men, n_female=women)


def brier(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    sexes: tuple[int, int] | None = None,
) -> Measurement:
    """Estimate the Brier score: the mean of (probability − 1 for men, − 0 for women)².

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    sexes : numbers of patients with images of men and of women, where known already.

    Returns
    -------
    Measurement, 0 (perfect) to 1, with a patient-clustered standard error and a normal interval; see
    :func:`sexstrat.audit.mean.clustered_mean`.

    References
    ----------
    Brier 1950, Monthly Weather Review 78:1.

    Examples
    --------
    >>> round(brier([0.9, 0.4], [1, 0], ["a", "b"]).point, 4)  # (0.01 + 0.16) / 2
    0.085
    """
    error = np.asarray(prob_male, dtype=float) - np.asarray(male, dtype=bool)
    return _mean(error**2, male, cluster, weight, level, 1.0, sexes)


def log_loss(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    sexes: tuple[int, int] | None = None,
) -> Measurement:
    """Estimate the log loss: the mean of −log of the probability given to the recorded sex.

    Parameters
    ----------
    prob_male : probability of each image, moved into 2.2e-16 to 1 − 2.2e-16.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    sexes : numbers of patients with images of men and of women, where known already.

    Returns
    -------
    Measurement, 0 (perfect) upwards, with a patient-clustered standard error and a normal interval; see
    :func:`sexstrat.audit.mean.clustered_mean`.

    References
    ----------
    Good 1952, J R Stat Soc B 14:107.

    Examples
    --------
    >>> round(log_loss([0.5, 0.5], [1, 0], ["a", "b"]).point, 4)  # log 2
    0.6931
    """
    prob = np.clip(np.asarray(prob_male, dtype=float), SMALLEST, 1 - SMALLEST)
    right = np.where(np.asarray(male, dtype=bool), prob, 1 - prob)
    return _mean(-np.log(right), male, cluster, weight, level, inf, sexes)
