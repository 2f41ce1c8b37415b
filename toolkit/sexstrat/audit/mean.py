"""Means over images of bounded quantities, with the patient as the unit of uncertainty."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sexstrat.audit.clusters import Clusters, cluster_variance
from sexstrat.audit.interval import normal_quantile, wilson_interval
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights

__all__ = ["clustered_mean"]


def clustered_mean(
    values: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    bounds: tuple[float, float] = (-inf, inf),
) -> Measurement:
    """Estimate a mean over images: Σ w·y / Σ w with the linearised variance clustered by patient.

    Parameters
    ----------
    values : quantity of each image, for instance its squared error.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    bounds : smallest and largest value possible, at which the interval is cut.

    Returns
    -------
    Measurement with a normal interval. Where every image has the same value there is no standard error, and the
    limits are those of a cohort in which the share of other values, none of which was seen, is at Wilson's upper limit
    on the patients and each of them lies at that bound; an infinite bound leaves that side without a limit. State
    ``undefined`` without images.

    References
    ----------
    Cochran 1977, Sampling Techniques, 3rd ed., section 6 (ratio estimator); Wilson 1927, J Am Stat Assoc 22:209.

    Examples
    --------
    >>> found = clustered_mean([0.0, 0.0, 1.0, 1.0], [1, 2, 3, 4])
    >>> found.point, round(found.se, 4)
    (0.5, 0.2887)
    """
    y = np.asarray(values, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    counts: dict[str, Any] = {"n_images": len(y), "n_patients": patients.n}
    if len(y) == 0:
        return Measurement(level=level, **counts, state="undefined", note="nobody in the denominator")
    point = float(weights @ y / weights.sum())
    if patients.n < 2 or np.all(y == y[0]):
        return _constant(point, patients.n, level, bounds, counts)
    influence = weights * (y - point) / weights.sum()
    variance = cluster_variance(influence, patients)
    independent = len(y) / (len(y) - 1) * float(np.sum(influence**2))
    se, z = float(np.sqrt(variance)), normal_quantile(level)
    return Measurement(
        level=level,
        **counts,
        point=point,
        se=se,
        low=max(bounds[0], point - z * se),
        high=min(bounds[1], point + z * se),
        design_effect=variance / independent if independent > 0 else None,
    )


def _constant(point: float, n: int, level: float, bounds: tuple[float, float], counts: dict[str, Any]) -> Measurement:
    """Bound a mean that shows no spread by the Wilson limit of the share of images that differ from it."""
    unseen = wilson_interval(0.0, n, level=level)[1]
    low, high = (point + unseen * (end - point) if isfinite(end) else None for end in bounds)
    note = "no spread among images: the interval is Wilson's on the number of patients"
    return Measurement(level=level, **counts, point=point, low=low, high=high, note=note)
