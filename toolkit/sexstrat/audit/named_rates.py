"""Metrics of a binary classifier by the names that other packages use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import clustered_proportion

__all__ = ["NAMED_METRICS", "named_metric"]

Mask = NDArray[np.bool_]

# property of a row, and the rows in the denominator, by true class y and predicted class c
_RATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "accuracy": ("right", "all"),
        "selection_rate": ("called", "all"),
        "true_positive_rate": ("called", "positive"),
        "false_negative_rate": ("not called", "positive"),
        "false_positive_rate": ("called", "negative"),
        "true_negative_rate": ("not called", "negative"),
        "precision": ("positive", "called"),
        "negative_predictive_value": ("negative", "not called"),
        "prevalence": ("positive", "all"),
    }
)
NAMED_METRICS = (*_RATES, "balanced_accuracy", "f1", "count")


def named_metric(
    metric: str,
    positive: Mask,
    called: Mask,
    cluster: Clusters,
    *,
    weight: NDArray[np.float64] | None = None,
    level: float = 0.95,
) -> Measurement:
    """Estimate a metric from true and predicted classes.

    Parameters
    ----------
    metric : a name of ``NAMED_METRICS``.
    positive, called : whether each row is, and is called, of the positive class.
    cluster : patient of each row.
    weight : weight of each row, above 0; equal when None.
    level : confidence level.

    Returns
    -------
    Measurement with Wilson's interval at the effective number of images; for balanced accuracy and F1 the point only.
    State ``undefined`` with an empty denominator.

    Examples
    --------
    >>> y, c = np.array([True, True, False]), np.array([True, False, False])
    >>> named_metric("f1", y, c, Clusters.of([1, 2, 3])).point  # 2 · 1 / (2 · 1 + 0 + 1)
    0.6666666666666666
    """
    weights = np.ones(len(positive)) if weight is None else weight
    rows = {
        "all": np.ones(len(positive), dtype=bool),
        "right": positive == called,
        "positive": positive,
        "negative": ~positive,
        "called": called,
        "not called": ~called,
    }
    if metric in _RATES:
        having, inside = (rows[name] for name in _RATES[metric])
        return clustered_proportion(having[inside], cluster.within(inside), weight=weights[inside], level=level)
    counts: dict[str, Any] = {"level": level, "n_images": len(positive), "n_patients": cluster.n}
    if metric == "count":
        return Measurement(**counts, point=float(len(positive)))
    sums = {name: float(weights[chosen].sum()) for name, chosen in rows.items()}
    hit, rejected = float(weights[positive & called].sum()), float(weights[~positive & ~called].sum())
    if metric == "balanced_accuracy":
        parts = [(hit, sums["positive"]), (rejected, sums["negative"])]
    else:
        parts = [(2 * hit, sums["positive"] + sums["called"])]
    if any(below == 0 for _, below in parts):
        return Measurement(**counts, state="undefined", note="nobody in the denominator")
    return Measurement(**counts, point=float(np.mean([above / below for above, below in parts])))
