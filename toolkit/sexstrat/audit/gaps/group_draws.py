"""Rows of shares drawn towards their mean, and of how sure the worst group is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.gaps.beta_binomial import beta_binomial_shares
from sexstrat.audit.gaps.grouped import GroupedMetric
from sexstrat.audit.gaps.limits import effective_size
from sexstrat.audit.gaps.shrinkage import FEWEST_GROUPS, Shrunken, shrunken_shares
from sexstrat.audit.gaps.worst import rank_interval, worst_probability
from sexstrat.errors import EstimationError

__all__ = ["between_row", "shrunken_rows"]

Row = dict[str, Any]
Floats = NDArray[np.float64]
HIGH_IS_WORST = ("ungradable", "refused")
TOO_FEW = f"fewer than {FEWEST_GROUPS} groups have a number: how much groups differ cannot be told from chance"


def _fitted(grouped: GroupedMetric, level: float) -> tuple[Shrunken | None, list[float], list[float]]:
    shares = [float(grouped.measured[label].point or 0.0) for label in grouped.defined]
    sizes = [effective_size(grouped.measured[label]) for label in grouped.defined]
    if len(shares) < FEWEST_GROUPS:
        return None, shares, sizes
    return shrunken_shares(shares, sizes, level=level), shares, sizes


def shrunken_rows(grouped: GroupedMetric, replicates: Floats | None = None, *, level: float = 0.95) -> list[Row]:
    """Return each group's share drawn towards the mean by both models, beside the raw one.

    Parameters
    ----------
    grouped : a share in every group.
    replicates : bootstrap replicates of the groups in the order of ``grouped.labels``, for the chance of being worst.
    level : confidence level.

    Returns
    -------
    Rows of the ``audit_shrunken`` contract; groups without a number, and all where fewer than four have one, with the
    reason.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> few = clustered_proportion([1] * 9 + [0], range(10))
    >>> labels = ("a", "b")
    >>> two = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=labels,
    ...     measured=dict.fromkeys((*labels, "all"), few),
    ...     covariance=np.eye(3),
    ... )
    >>> [(row["model"], row["raw"], row["state"]) for row in shrunken_rows(two)][:2]
    [('logit_normal', 0.9, 'undefined'), ('logit_normal', 0.9, 'undefined')]
    """
    fitted, shares, sizes = _fitted(grouped, level)
    worst = _worst(grouped, replicates, level)
    rows = []
    for model in ("logit_normal", "beta_binomial"):
        numbers = _numbers(model, fitted, shares, sizes, level)
        for label in grouped.labels:
            one = grouped.measured[label]
            row: Row = {
                "metric": grouped.metric,
                "group": grouped.group,
                "level_name": label,
                "model": model,
                "raw": one.point,
                "level": level,
                "n_patients": one.n_patients,
            } | worst.get(label, {})
            if label not in grouped.defined:
                state = "missing" if one.state == "missing" else "undefined"
                rows.append(row | {"state": state, "note": one.note})
            elif not numbers:
                rows.append(row | {"state": "undefined", "note": TOO_FEW})
            else:
                rows.append(row | numbers[grouped.defined.index(label)] | {"state": "measured", "note": ""})
    return rows


def _numbers(model: str, fitted: Shrunken | None, shares: list[float], sizes: list[float], level: float) -> list[Row]:
    if fitted is None:
        return []
    if model == "logit_normal":
        columns = {"point": fitted.point, "low": fitted.low, "high": fitted.high, "weight": fitted.weight}
    else:
        successes = [share * size for share, size in zip(shares, sizes, strict=True)]
        point, low, high = beta_binomial_shares(successes, sizes, level=level)
        columns = {"point": point, "low": low, "high": high}
    return [{name: float(values[place]) for name, values in columns.items()} for place in range(len(shares))]


def _worst(grouped: GroupedMetric, replicates: Floats | None, level: float) -> dict[str, Row]:
    if replicates is None or len(grouped.defined) < 2:
        return {}
    chosen = replicates[:, [grouped.position(label) for label in grouped.defined]]
    if not np.isfinite(chosen).all(axis=1).any():
        return {}
    low_is_worst = grouped.metric not in HIGH_IS_WORST
    chance = worst_probability(chosen, low_is_worst=low_is_worst)
    ranks = rank_interval(chosen, level=level, low_is_worst=low_is_worst)
    return {
        label: {
            "probability_worst": float(chance[place]),
            "rank_low": int(ranks[0][place]),
            "rank_high": int(ranks[1][place]),
        }
        for place, label in enumerate(grouped.defined)
    }


def between_row(grouped: GroupedMetric, *, level: float = 0.95) -> Row:
    """Return Cochran's Q of a share over the groups, their spread, and the interval for a new group.

    Parameters
    ----------
    grouped : a share in every group.
    level : level of the prediction interval.

    Returns
    -------
    A row of the ``audit_test`` contract; ``undefined`` where fewer than four groups have a number.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> same = clustered_proportion([1] * 90 + [0] * 10, range(100))
    >>> labels = ("a", "b", "c", "d")
    >>> four = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=labels,
    ...     measured=dict.fromkeys((*labels, "all"), same),
    ...     covariance=np.eye(5),
    ... )
    >>> between_row(four)["i2"], round(between_row(four)["mean"], 3)
    (0.0, 0.896)
    """
    row: Row = {"metric": grouped.metric, "group": grouped.group, "test": "cochran_q", "level": level}
    row["n_patients"] = smallest(grouped)
    try:
        fitted, _, _ = _fitted(grouped, level)
    except EstimationError as problem:
        return row | {"state": "undefined", "note": str(problem)}
    if fitted is None:
        return row | {"state": "undefined", "note": TOO_FEW}
    between = fitted.between
    return row | {
        "statistic": between.q,
        "df": between.n_sites - 1,
        "p_value": between.p_value,
        "mean": float(1 / (1 + np.exp(-between.mean))),
        "tau2": between.tau2,
        "i2": between.i2,
        "prediction_low": fitted.prediction_low,
        "prediction_high": fitted.prediction_high,
        "state": "measured",
        "note": "",
    }


def smallest(grouped: GroupedMetric) -> int | None:
    """Return the number of patients of the smallest group with a number."""
    return min((grouped.measured[label].n_patients for label in grouped.defined), default=None)
