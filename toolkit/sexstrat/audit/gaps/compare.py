"""Every group against a reference group, or against all: rows of the gap contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sexstrat.audit.gaps.detectable import POWER, detectable_difference, detectable_gap
from sexstrat.audit.gaps.difference import difference, difference_p_value
from sexstrat.audit.gaps.equivalence import equivalence
from sexstrat.audit.gaps.grouped import OVERALL, GroupedMetric, has_interval
from sexstrat.audit.gaps.limits import SHARES, effective_size
from sexstrat.audit.gaps.ratio import ratio
from sexstrat.audit.gaps.simultaneous import covariance_of_contrasts, simultaneous_level, simultaneous_quantile

__all__ = ["compare"]

Row = dict[str, Any]


def compare(
    grouped: GroupedMetric,
    reference: str,
    *,
    level: float = 0.95,
    margin: float | None = None,
    power: float = POWER,
    seed: int = 1,
) -> list[Row]:
    """Compare every group with a reference group, or with all images, of which it is a part.

    Differences have three things: an interval by itself (recovered from the two groups' intervals, with the
    correlation that patients in both give), one that holds together with those of the other groups, and a p value
    that goes with the former. Against a reference, shares have their ratio too. Each difference says the smallest true
    one that these groups would have shown, and, given a margin, whether the groups are equivalent.

    Parameters
    ----------
    grouped : the metric in every group.
    reference : a group, or "all".
    level : confidence level.
    margin : largest difference of no importance, declared before the data were seen.
    power : of the detectable difference.
    seed : of the simultaneous quantile's draws.

    Returns
    -------
    Rows of the ``gap`` contract; a group or reference without a number gives a row with the reason.

    Raises
    ------
    ValueError : no such group.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1] * 56 + [0] * 14, range(70))
    >>> b = clustered_proportion([1] * 48 + [0] * 32, range(80))
    >>> both = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=("a", "b"),
    ...     measured={"a": a, "b": b, "all": clustered_proportion([1] * 104 + [0] * 46, range(150))},
    ...     covariance=np.diag([a.se**2, b.se**2, 0.0014]),
    ... )
    >>> rows = compare(both, "b", margin=0.1)
    >>> [(row["level_name"], row["scale"], round(row["point"], 3)) for row in rows]
    [('a', 'difference', 0.2), ('a', 'ratio', 1.333)]
    >>> rows[0]["equivalence"], round(rows[0]["detectable_below"], 3)
    ('different', 0.229)
    """
    if reference not in (*grouped.labels, OVERALL):
        raise ValueError(f"no group {reference!r} of {grouped.group}; there are {', '.join(grouped.labels)}")
    others = [label for label in grouped.labels if label != reference]
    defined = [label for label in others if label in grouped.defined]
    together = _quantile(grouped, defined, reference, level, seed)
    rows = []
    for label in others:
        rows.append(_difference_row(grouped, label, reference, level, margin, power, together))
        if grouped.metric in SHARES and reference != OVERALL:
            rows.append(_ratio_row(grouped, label, reference, level))
    return rows


def _quantile(grouped: GroupedMetric, labels: Sequence[str], reference: str, level: float, seed: int) -> float | None:
    """Return the simultaneous quantile of the differences from the reference; None where there are none."""
    if not labels or not has_interval(grouped.measured[reference]):
        return None
    matrix = grouped.filled_covariance([*labels, reference])
    pairs = [(place, len(labels)) for place in range(len(labels))]
    contrasts = covariance_of_contrasts(matrix, pairs)
    if not (np.diag(contrasts) > 0).any():
        return None
    return simultaneous_quantile(contrasts, level=level, seed=seed)


def _key(grouped: GroupedMetric, label: str, reference: str, scale: str, level: float) -> Row:
    return {
        "metric": grouped.metric,
        "group": grouped.group,
        "level_name": label,
        "reference": reference,
        "comparison": "overall" if reference == OVERALL else "reference",
        "scale": scale,
        "level": level,
        "n_patients": grouped.measured[label].n_patients,
        "n_patients_reference": grouped.measured[reference].n_patients,
    }


def _absent(grouped: GroupedMetric, label: str, reference: str) -> Row | None:
    """Say why there is no gap, or None where there is one."""
    sides = (("group", grouped.measured[label]), ("reference", grouped.measured[reference]))
    absent = [(side, one) for side, one in sides if not has_interval(one)]
    if not absent:
        return None
    states = {one.state for _, one in absent} - {"measured"}
    state = "missing" if states == {"missing"} else "undefined"
    return {"state": state, "note": "; ".join(f"{side}: {one.note}" for side, one in absent)}


def _difference_row(
    grouped: GroupedMetric,
    label: str,
    reference: str,
    level: float,
    margin: float | None,
    power: float,
    together: float | None,
) -> Row:
    row = _key(grouped, label, reference, "difference", level)
    absent = _absent(grouped, label, reference)
    if absent is not None:
        return row | absent
    one, two, metric = grouped.measured[label], grouped.measured[reference], grouped.metric
    correlation = grouped.correlation(label, reference)
    point, low, high = difference(one, two, metric, level=level, correlation=correlation)
    row |= {"point": point, "low": low, "high": high, "state": "measured", "note": ""}
    row["p_value"] = difference_p_value(one, two, metric, correlation=correlation)
    if together is not None:
        wide = difference(one, two, metric, level=simultaneous_level(together), correlation=correlation)
        row |= {"simultaneous_low": wide[1], "simultaneous_high": wide[2]}
    if reference != OVERALL:
        row["detectable_below"], row["detectable_above"] = _detectable(grouped, label, reference, level, power)
    if margin is not None:
        inner = difference(one, two, metric, level=2 * level - 1, correlation=correlation)
        row |= {"margin": margin, "equivalence": equivalence((low, high), (inner[1], inner[2]), margin)}
    return row


def _detectable(
    grouped: GroupedMetric, label: str, reference: str, level: float, power: float
) -> tuple[float | None, float | None]:
    one, two = grouped.measured[label], grouped.measured[reference]
    if grouped.metric in SHARES and grouped.correlation(label, reference) == 0:
        sizes = effective_size(one), effective_size(two)
        return detectable_gap(float(two.point or 0.0), *sizes, level=level, power=power)
    matrix = grouped.filled_covariance([label, reference])
    se = float(np.sqrt(max(0.0, covariance_of_contrasts(matrix, [(0, 1)])[0, 0])))
    either = detectable_difference(se, 0.0, level=level, power=power)
    return either, either


def _ratio_row(grouped: GroupedMetric, label: str, reference: str, level: float) -> Row:
    row = _key(grouped, label, reference, "ratio", level)
    absent = _absent(grouped, label, reference)
    if absent is not None:
        return row | absent
    one, two = grouped.measured[label], grouped.measured[reference]
    found, note = ratio(one, two, grouped.metric, level=level, correlation=grouped.correlation(label, reference))
    if found is None:
        return row | {"state": "undefined", "note": note}
    return row | {"point": found[0], "low": found[1], "high": found[2], "state": "measured", "note": note}
