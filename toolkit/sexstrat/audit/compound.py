"""Metrics made of several rates: balanced accuracy, F1, the predicted sex ratio, and log predicted/observed men."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import hypot, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.bca import bca_interval
from sexstrat.audit.interval import wilson_interval
from sexstrat.audit.linear import linear_gradient, linear_value
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import proportion_of_sums

__all__ = ["COMPOUND_METRICS", "FEWEST_EVENTS", "compound_measurement"]

Floats = NDArray[np.float64]
Limits = tuple[float | None, float | None]

COMPOUND_METRICS = ("balanced_accuracy", "f1", "predicted_sex_ratio", "log_predicted_observed_ratio")
FEWEST_EVENTS = 5  # patients with an error below which replicates are too few different values for an interval
NOTE = "too few patients with an error for a bootstrap: the interval is Wilson's, transformed"


def compound_measurement(
    metric: str,
    sums: Floats,
    counts: Floats,
    replicates: Floats,
    *,
    times: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> Measurement:
    """Measure one of these metrics in a group, with a BCa interval from resampled patients.

    Where fewer than five patients have an image that is called wrongly (of either sex, for balanced accuracy), the
    interval comes from Wilson's of the proportion that the metric is made of: the two rates (their mean by MOVER);
    J = R/(men or called men) as F1 = 2J/(1 + J); the share called men s as s/(1 − s); for the log ratio, the share of
    images called wrongly, all of them in one direction.

    Parameters
    ----------
    metric : a name of ``COMPOUND_METRICS``.
    sums, counts : each patient's sums and counts in the group, in the orders of
        :class:`sexstrat.audit.sums.PatientSums`.
    replicates : bootstrap replicates of the metric in the group.
    times : how many patients add just that; one when None.
    level : confidence level.

    Returns
    -------
    Measurement with the linearised patient-clustered standard error; state ``undefined`` where a denominator is empty
    or, for the two ratios, where fewer than five patients are called men.

    References
    ----------
    Efron 1987, JASA 82:171; Zou & Donner 2008, Stat Med 27:1693 (MOVER).

    Examples
    --------
    Ten men, nine called men; ten women, eight called women: too few errors for a bootstrap.

    >>> men = np.repeat([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]], [9, 1], axis=0)
    >>> women = np.repeat([[0.0, 0, 1, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0, 1, 0]], [8, 2], axis=0)
    >>> sums = np.vstack([men, women])
    >>> found = compound_measurement("balanced_accuracy", sums, sums[:, [0, 1, 2, 3, 6, 7]], np.zeros(0))
    >>> round(found.point, 4), round(found.low, 3), round(found.high, 3)
    (0.85, 0.621, 0.934)
    """
    number = np.ones(len(sums), dtype=np.int64) if times is None else times
    each = number.astype(np.float64)  # products of floats are the quick ones
    men, men_right, women, women_right = counts.T[:4]
    used = men + women > 0

    def having(images: Floats) -> int:
        return int(each[images > 0].sum())

    common: dict[str, Any] = {
        "level": level,
        "n_images": round(float(each @ (men + women))),
        "n_patients": having(men + women),
        "n_male": having(men),
        "n_female": having(women),
    }
    totals = each @ sums
    point = float(linear_value(metric, totals))
    called = having(men_right + women - women_right)
    ratio = metric in ("predicted_sex_ratio", "log_predicted_observed_ratio")
    if np.isnan(point) or (ratio and called < FEWEST_EVENTS):
        note = "nobody in the denominator" if np.isnan(point) else f"fewer than {FEWEST_EVENTS} called men"
        return Measurement(**common, state="undefined", note=note)
    influence = (sums @ linear_gradient(metric, totals))[used]
    n, seen = common["n_patients"], each[used]
    variance = n / max(n - 1, 1) * float(seen @ influence**2)
    errors = [having(men - men_right), having(women - women_right)]
    enough = min(errors) if metric == "balanced_accuracy" else sum(errors)
    limits = bca_interval(point, replicates, influence, times=seen, level=level) if enough >= FEWEST_EVENTS else None
    if limits is None:
        low, high = _from_wilson(
            metric, np.repeat(sums, number, axis=0), np.repeat(counts, number, axis=0), point, level
        )
    else:
        low, high = limits
    return Measurement(
        **common,
        point=point,
        se=float(np.sqrt(variance)) if variance > 0 else None,
        low=None if low is None else min(float(low), point),
        high=None if high is None or high == inf else max(float(high), point),
        note=NOTE if limits is None else "",
    )


def _share(numerator: Floats, denominator: Floats, counted: tuple[Floats, Floats], level: float) -> Measurement:
    return proportion_of_sums(
        numerator, denominator, counted_in=counted[0], counted_out=counted[1] - counted[0], level=level
    )


def _balanced(sums: Floats, counts: Floats, point: float, level: float) -> Limits:
    rates = [_share(sums[:, k + 1], sums[:, k], (counts[:, k + 1], counts[:, k]), level) for k in (0, 2)]
    below = [float(one.point or 0.0) - float(one.low or 0.0) for one in rates]
    above = [float(one.high or 0.0) - float(one.point or 0.0) for one in rates]
    return point - hypot(*below) / 2, point + hypot(*above) / 2


def _f1(sums: Floats, counts: Floats, point: float, level: float) -> Limits:
    either = [table[:, 0] + table[:, 2] - table[:, 3] for table in (sums, counts)]
    found = _share(sums[:, 1], either[0], (counts[:, 1], either[1]), level)
    low, high = float(found.low or 0.0), float(found.high or 0.0)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def _sex_ratio(sums: Floats, counts: Floats, point: float, level: float) -> Limits:
    called = [table[:, 1] + table[:, 2] - table[:, 3] for table in (sums, counts)]
    everyone = [table[:, 0] + table[:, 2] for table in (sums, counts)]
    found = _share(called[0], everyone[0], (called[1], everyone[1]), level)
    low, high = float(found.low or 0.0), float(found.high or 0.0)
    return low / (1 - low) if low < 1 else None, high / (1 - high) if high < 1 else None


def _log_ratio(sums: Floats, counts: Floats, point: float, level: float) -> Limits:
    """Bound called men by men ± the share that may be called wrongly."""
    everyone, men = sums[:, 0] + sums[:, 2], float(sums[:, 0].sum())
    total = float(everyone.sum())
    wrong_in = [table[:, 2] - table[:, 3] for table in (sums, counts)]
    wrong_out = [table[:, 0] - table[:, 1] for table in (sums, counts)]
    size = counts[:, 0] + counts[:, 2]
    reach = []
    for weighted, counted in (wrong_out, wrong_in):
        found = _share(weighted, everyone, (counted, size), level)
        reach.append(float(found.high if found.high is not None else wilson_interval(0.0, 1, level=level)[1]))
    least, most = men - reach[0] * total, men + reach[1] * total
    return (log(least / men) if least > 0 else None), log(most / men)


_WILSON: Mapping[str, Callable[[Floats, Floats, float, float], Limits]] = {
    "balanced_accuracy": _balanced,
    "f1": _f1,
    "predicted_sex_ratio": _sex_ratio,
    "log_predicted_observed_ratio": _log_ratio,
}


def _from_wilson(metric: str, sums: Floats, counts: Floats, point: float, level: float) -> Limits:
    return _WILSON[metric](sums, counts, point, level)
