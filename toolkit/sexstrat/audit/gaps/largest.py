"""The largest gap among the groups of a variable: which two, how large, and what chance alone would make."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from sexstrat.audit.gap import gap
from sexstrat.audit.gaps.grouped import GroupedMetric
from sexstrat.audit.gaps.homogeneity import Homogeneity
from sexstrat.audit.gaps.limits import SHARES, limits_at
from sexstrat.audit.gaps.ratio import ratio
from sexstrat.audit.gaps.simultaneous import covariance_of_contrasts, simultaneous_level, simultaneous_quantile

__all__ = ["largest_gap"]

Row = dict[str, Any]
ALIKE = "the same patients make every group alike: there is no difference that could vary"
NO_PAIR = "fewer than two groups have a number"


def largest_gap(
    grouped: GroupedMetric, chance: Homogeneity | None = None, *, level: float = 0.95, seed: int = 1
) -> list[Row]:
    """Return the largest minus the smallest estimate, naming both groups and those left out with the reason.

    Only groups in which the metric is defined, on a denominator large enough, take part. The interval is about the
    largest true difference of any two of them: from the largest lower limit to the largest upper limit of the
    differences of all pairs, at the level at which all pairs hold together, the lower one at least 0. It is
    conservative, and it reaches 0 where there is no gap, which percentiles of a bootstrapped maximum never do.

    Parameters
    ----------
    grouped : the metric in every group.
    chance : the permutation test of the same groups; its mean largest gap is put beside the observed one.
    level : confidence level.
    seed : of the simultaneous quantile's draws.

    Returns
    -------
    One row of the ``gap`` contract, comparison "largest", with the highest group as ``level_name`` and the lowest as
    ``reference``; for shares a second one with the ratio of the lowest to the highest, by scale "ratio".

    References
    ----------
    Hsu 1996, Multiple Comparisons, chapter 5 (all pairs).

    Examples
    --------
    >>> from sexstrat.audit.measurement import Measurement
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1] * 56 + [0] * 14, range(70))
    >>> b = clustered_proportion([1] * 48 + [0] * 32, range(80))
    >>> few = Measurement(level=0.95, n_images=3, n_patients=3, state="undefined", note="fewer than 10 men")
    >>> three = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=("a", "b", "c"),
    ...     measured={"a": a, "b": b, "c": few, "all": clustered_proportion([1] * 104 + [0] * 46, range(150))},
    ...     covariance=np.diag([a.se**2, b.se**2, np.nan, 0.0014]),
    ... )
    >>> row = largest_gap(three)[0]
    >>> row["level_name"], row["reference"], round(row["point"], 3), row["note"]
    ('a', 'b', 0.2, 'left out: c (fewer than 10 men)')
    """
    left_out = "; ".join(f"{label} ({reason})" for label, reason in grouped.excluded.items())
    note = f"left out: {left_out}" if left_out else ""
    key = {"metric": grouped.metric, "group": grouped.group, "comparison": "largest", "level": level}
    if len(grouped.defined) < 2:
        told = "; ".join(part for part in (NO_PAIR, note) if part)
        nobody = {"level_name": "none", "reference": "none", "scale": "difference"}
        return [key | nobody | {"state": "undefined", "note": told}]
    if not _varies(grouped):
        told = "; ".join(part for part in (ALIKE, note) if part)
        nobody = {"level_name": "none", "reference": "none", "scale": "difference"}
        return [key | nobody | {"state": "undefined", "note": told}]
    points = {label: float(grouped.measured[label].point or 0.0) for label in grouped.defined}
    highest, lowest = max(points, key=lambda one: points[one]), min(points, key=lambda one: points[one])
    if highest == lowest:
        lowest = next(label for label in points if label != highest)
    wide = _level_of_all_pairs(grouped, level, seed, "difference")
    low, high = _limits(grouped, wide)
    row = _row(grouped, key, highest, lowest, "difference") | {
        "point": points[highest] - points[lowest],
        "low": low,
        "high": high,
        "state": "measured",
        "note": note,
    }
    if chance is not None and chance.chance is not None:
        row |= {"chance": chance.chance, "excess": chance.excess}
    if grouped.metric not in SHARES:
        return [row]
    return [row, _ratio_row(grouped, key, highest, lowest, level, seed, note)]


def _row(grouped: GroupedMetric, key: Row, label: str, reference: str, scale: str) -> Row:
    return key | {
        "level_name": label,
        "reference": reference,
        "scale": scale,
        "n_patients": grouped.measured[label].n_patients,
        "n_patients_reference": grouped.measured[reference].n_patients,
    }


def _varies(grouped: GroupedMetric) -> bool:
    """Tell whether some pair could differ at all: recorded sex by eye cannot, where everybody shows both eyes."""
    pairs = list(combinations(range(len(grouped.defined)), 2))
    return bool((np.diag(covariance_of_contrasts(grouped.filled_covariance(grouped.defined), pairs)) > 1e-15).any())


def _level_of_all_pairs(grouped: GroupedMetric, level: float, seed: int, scale: str) -> float:
    """Return the level of single intervals at which those of all pairs hold together."""
    labels = grouped.defined
    matrix = grouped.filled_covariance(labels)
    if scale == "ratio":
        inverse = 1 / np.array([max(float(grouped.measured[label].point or 0.0), 1e-9) for label in labels])
        matrix = matrix * np.outer(inverse, inverse)
    contrasts = covariance_of_contrasts(matrix, list(combinations(range(len(labels)), 2)))
    return simultaneous_level(simultaneous_quantile(contrasts, level=level, seed=seed))


def _limits(grouped: GroupedMetric, level: float) -> tuple[float, float]:
    """Return the largest lower and upper limit of the differences of all pairs, either way round."""
    sides = {
        label: (float(grouped.measured[label].point or 0.0), *limits_at(grouped.measured[label], grouped.metric, level))
        for label in grouped.defined
    }
    low, high = 0.0, 0.0
    for one, two in combinations(grouped.defined, 2):
        _, below, above = gap(*sides[one], *sides[two], correlation=grouped.correlation(one, two))
        low, high = max(low, below, -above), max(high, above, -below)
    return low, high


def _ratio_row(grouped: GroupedMetric, key: Row, highest: str, lowest: str, level: float, seed: int, note: str) -> Row:
    """Return the ratio of the lowest to the highest share, with the interval that allows for having looked at all."""
    row = _row(grouped, key, lowest, highest, "ratio")
    one, two = grouped.measured[lowest], grouped.measured[highest]
    wide = _level_of_all_pairs(grouped, level, seed, "ratio")
    correlation = grouped.correlation(lowest, highest)
    found, said = ratio(one, two, grouped.metric, level=wide, correlation=correlation)
    told = "; ".join(part for part in (said, note) if part)
    if found is None:
        return row | {"state": "undefined", "note": told}
    return row | {"point": found[0], "low": found[1], "high": found[2], "state": "measured", "note": told}
