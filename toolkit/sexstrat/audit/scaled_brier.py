"""Brier score relative to that of the male share as everybody's probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sexstrat.audit.clusters import Clusters, cluster_variance
from sexstrat.audit.interval import normal_quantile, wilson_interval
from sexstrat.audit.linear import SUMS, linear_gradient, linear_value
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights

__all__ = ["scaled_brier"]

_USED = [SUMS.index(name) for name in ("men", "women", "squared_error")]


def scaled_brier(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    sexes: tuple[int, int] | None = None,
) -> Measurement:
    """Estimate 1 − Brier/(s(1 − s)), s being the observed male share: 1 is perfect, 0 no better than the share.

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
    Measurement with a linearised patient-clustered standard error and a normal interval cut at 1; below 0 it has no
    bound. With errors that show no spread there is no standard error, and the lower limit is that at Wilson's upper
    limit, on the patients, of images that are wholly wrong. State ``undefined`` when only one sex was recorded.

    References
    ----------
    Steyerberg et al. 2010, Epidemiology 21:128.

    Examples
    --------
    A man and a woman, each with probability ½ of being male: a Brier score of ¼, as the male share has.

    >>> scaled_brier([0.5, 0.5], [1, 0], ["a", "b"]).point
    0.0
    """
    y = np.asarray(male, dtype=bool)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    men, women = sexes or patients.sexes(y)
    common: dict[str, Any] = {
        "level": level,
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": men,
        "n_female": women,
    }
    error = (np.asarray(prob_male, dtype=float) - y) ** 2
    totals = np.zeros(len(SUMS))
    totals[_USED] = weights @ y, weights @ ~y, weights @ error
    point = float(linear_value("scaled_brier", totals))
    if np.isnan(point):
        return Measurement(**common, state="undefined", note="one recorded sex only: there is nothing to compare with")
    of_man, of_woman, of_error = linear_gradient("scaled_brier", totals)[_USED]
    influence = weights * (of_error * error + np.where(y, of_man, of_woman))
    variance = cluster_variance(influence, patients)
    if not variance > 1e-24:
        share = float(linear_value("observed_male_share", totals))
        unseen = wilson_interval(0.0, common["n_patients"], level=level)[1]
        low, high = (
            1 - (1 - end) * (1 - unseen) - unseen * worst
            for end, worst in ((point, 1 / share / (1 - share)), (point, 0))
        )
        note = "no spread among images: the interval is Wilson's on the number of patients"
        return Measurement(**common, point=point, low=min(low, point), high=max(high, point), note=note)
    se = float(np.sqrt(variance))
    half = normal_quantile(level) * se
    return Measurement(**common, point=point, se=se, low=point - half, high=min(1.0, point + half))
