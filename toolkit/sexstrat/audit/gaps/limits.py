"""Limits of one measured metric at any level, on the scale on which the audit measured it."""

from __future__ import annotations

from math import exp, log

from sexstrat.audit.interval import normal_quantile, wilson_interval
from sexstrat.audit.measurement import Measurement

__all__ = ["SHARES", "effective_size", "limits_at"]

SHARES = (
    "correct_among_men",
    "correct_among_women",
    "accuracy",
    "correct_among_called_men",
    "correct_among_called_women",
    "predicted_male_share",
    "observed_male_share",
    "ungradable",
    "refused",
)
"""Metrics that are shares of images, with Wilson's limits at an effective size."""


def effective_size(measured: Measurement) -> float:
    """Return how many independent images a measured share is worth.

    The size at which Wilson's limits, with the normal quantile of the level, are the measured ones: N / max(design
    effect, 1), less where the limits are wider, as Student's of few sampling units are.

    Parameters
    ----------
    measured : a share with its limits.

    Raises
    ------
    ValueError : the share is not measured.

    Examples
    --------
    A share of 1 among 10 patients with two eyes each is worth 10 images.

    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> round(effective_size(clustered_proportion([1] * 20, [n // 2 for n in range(20)])), 6)
    10.0
    """
    if measured.point is None or measured.low is None or measured.high is None:
        raise ValueError(f"a share that is {measured.state} has no size; {measured.note}")
    end = measured.high if measured.point < 1 else measured.low
    return normal_quantile(measured.level) ** 2 * end * (1 - end) / (measured.point - end) ** 2


def limits_at(measured: Measurement, metric: str, level: float) -> tuple[float, float]:
    """Return the limits of a measured metric at another level than the one it was measured at.

    Shares: Wilson's at the same effective size. AUC: symmetric on the logit scale. Anything else: each arm of the
    interval stretched by the ratio of the normal quantiles, so that an uneven interval stays uneven.

    Parameters
    ----------
    measured : point and limits of the metric.
    metric : name of the metric, which gives the scale.
    level : the wanted confidence level, in (0, 1).

    Raises
    ------
    ValueError : the metric has no limits.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> found = clustered_proportion([1] * 30 + [0] * 10, range(40), level=0.95)
    >>> [round(limit, 4) for limit in limits_at(found, "accuracy", 0.9)]  # Wilson's of 0.75 at 39, z = 1.645
    [0.6223, 0.8453]
    """
    if measured.point is None or measured.low is None or measured.high is None:
        raise ValueError(f"{metric} is {measured.state} and has no limits; {measured.note}")
    if level == measured.level:
        return measured.low, measured.high
    if metric in SHARES or (metric == "auc" and measured.se is None):
        return wilson_interval(measured.point, effective_size(measured), level=level)
    stretch = normal_quantile(level) / normal_quantile(measured.level)
    if metric == "auc":
        centre = _logit(measured.point)
        low, high = (centre + stretch * (_logit(end) - centre) for end in (measured.low, measured.high))
        return 1 / (1 + exp(-low)), 1 / (1 + exp(-high))
    return (
        measured.point - stretch * (measured.point - measured.low),
        measured.point + stretch * (measured.high - measured.point),
    )


def _logit(share: float) -> float:
    return log(share / (1 - share))
