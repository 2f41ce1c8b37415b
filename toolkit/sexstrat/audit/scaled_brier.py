"""Brier score relative to that of the male share as everybody's probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.interval import normal_quantile, wilson_interval
from sexstrat.audit.linear import linear_gradient, linear_value
from sexstrat.audit.measurement import Measurement

__all__ = ["scaled_brier"]

Floats = NDArray[np.float64]


def scaled_brier(sums: Floats, counts: Floats, *, level: float = 0.95) -> Measurement:
    """Estimate 1 − Brier/(s(1 − s)), s being the observed male share: 1 is perfect, 0 no better than the share.

    Parameters
    ----------
    sums, counts : each patient's sums and counts, in the orders of :class:`sexstrat.audit.sums.PatientSums`.
    level : confidence level.

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

    >>> sums = np.array([[1.0, 1, 0, 0, 0.25, 0.7, 1, 0], [0, 0, 1, 0, 0.25, 0.7, 1, 0]])
    >>> scaled_brier(sums, sums[:, [0, 1, 2, 3, 6, 7]]).point
    0.0
    """
    men, _, women, _, _, _ = counts.T
    used = men + women > 0
    common: dict[str, Any] = {
        "level": level,
        "n_images": round(float((men + women).sum())),
        "n_patients": int(np.count_nonzero(used)),
        "n_male": int(np.count_nonzero(men)),
        "n_female": int(np.count_nonzero(women)),
    }
    totals = sums.sum(axis=0)
    point = float(linear_value("scaled_brier", totals))
    if np.isnan(point):
        return Measurement(**common, state="undefined", note="one recorded sex only: there is nothing to compare with")
    influence = (sums @ linear_gradient("scaled_brier", totals))[used]
    variance = len(influence) / (len(influence) - 1) * float(np.sum(influence**2))
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
