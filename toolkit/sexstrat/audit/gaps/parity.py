"""The usual criteria of group fairness, read from groups in which they are defined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sexstrat.audit.gaps.grouped import GroupedMetric
from sexstrat.audit.gaps.largest import largest_gap
from sexstrat.audit.measurement import Measurement

__all__ = ["CRITERIA", "complement", "parity"]

Row = dict[str, Any]

CRITERIA: Mapping[str, str] = {
    "demographic_parity": "predicted_male_share",
    "observed_share": "observed_male_share",
    "conditional_demographic_parity": "predicted_minus_observed_male_share",
    "equal_opportunity": "correct_among_men",
    "predictive_parity": "correct_among_called_men",
}
"""Criteria that are the largest gap of one metric; men are the positive class."""

CAVEAT = (
    "the true share of men may differ between groups: read it beside the observed share, and the conditional criterion"
)
BOTH = ("correct_among_men", "correct_among_women")


def complement(grouped: GroupedMetric) -> GroupedMetric:
    """Return 1 minus a share in every group, for instance women called men from women called women.

    Parameters
    ----------
    grouped : a share in every group.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> one = clustered_proportion([1] * 8 + [0] * 2, range(10))
    >>> grouped = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=("a",),
    ...     measured={"a": one, "all": one},
    ...     covariance=np.full((2, 2), one.se**2),
    ... )
    >>> round(complement(grouped).measured["a"].point, 6), complement(grouped).measured["a"].n_patients_numerator
    (0.2, 2)
    """
    return replace(grouped, measured={label: _other(one) for label, one in grouped.measured.items()})


def _other(one: Measurement) -> Measurement:
    if one.point is None or one.low is None or one.high is None:
        return one
    return replace(
        one,
        point=1 - one.point,
        low=1 - one.high,
        high=1 - one.low,
        n_patients_numerator=one.n_patients_complement,
        n_patients_complement=one.n_patients_numerator,
    )


def parity(metrics: Mapping[str, GroupedMetric], *, level: float = 0.95, seed: int = 1) -> list[Row]:
    """Read the fairness criteria of one grouping variable, as differences and ratios.

    Each is the largest gap of a metric among the groups in which it is defined (:func:`largest_gap`): an undefined rate
    is left out and named, never taken as 0. Demographic parity: share called men, with the gap of the recorded share
    beside it, and the conditional version, called minus recorded. Equal opportunity: correct among men. Predictive
    parity: correct among those called men. Equalised odds: the larger (worst) and the mean of the gaps of correct
    among men and of women called men, unsigned, so that opposite gaps do not cancel; as a ratio, the smaller and the
    mean of the two ratios. Its interval combines theirs at (1 + level)/2 each (Bonferroni).

    Parameters
    ----------
    metrics : by name, over the same groups; a criterion whose metric is absent is left out.
    level : confidence level.
    seed : of the simultaneous quantiles' draws.

    Returns
    -------
    Rows of the ``audit_parity`` contract; ``lowest`` and ``highest`` name the groups.

    References
    ----------
    Hardt, Price & Srebro 2016, NeurIPS 29 (equal opportunity, equalised odds); Chouldechova 2017, Big Data 5:153
    (predictive parity).

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1] * 56 + [0] * 14, range(70))
    >>> b = clustered_proportion([1] * 48 + [0] * 32, range(80))
    >>> men = GroupedMetric(
    ...     metric="correct_among_men",
    ...     group="site",
    ...     labels=("a", "b"),
    ...     measured={"a": a, "b": b, "all": clustered_proportion([1] * 104 + [0] * 46, range(150))},
    ...     covariance=np.diag([a.se**2, b.se**2, 0.0014]),
    ... )
    >>> rows = parity({"correct_among_men": men})
    >>> [(row["criterion"], row["scale"], round(row["point"], 3), row["lowest"]) for row in rows]
    [('equal_opportunity', 'difference', 0.2, 'b'), ('equal_opportunity', 'ratio', 0.75, 'b')]
    """
    rows = []
    for criterion, metric in CRITERIA.items():
        if metric in metrics:
            rows += [_row(criterion, gap) for gap in largest_gap(metrics[metric], level=level, seed=seed)]
    if all(metric in metrics for metric in BOTH):
        rows += _equalised_odds(metrics, level, seed)
    return rows


def _row(criterion: str, gap: Row) -> Row:
    """Turn a row of the largest gap into one of a criterion."""
    names = (gap["reference"], gap["level_name"])
    lowest, highest = names if gap["scale"] == "difference" else names[::-1]
    note = "; ".join(part for part in (gap["note"], CAVEAT if criterion == "demographic_parity" else "") if part)
    kept = {name: gap.get(name) for name in ("group", "scale", "point", "low", "high", "level", "state")}
    counts = {"n_patients": gap.get("n_patients"), "n_patients_reference": gap.get("n_patients_reference")}
    lowest_first = counts if gap["scale"] == "ratio" else dict(zip(counts, list(counts.values())[::-1], strict=True))
    people = {
        "n_patients_lowest": lowest_first["n_patients"],
        "n_patients_highest": lowest_first["n_patients_reference"],
    }
    return {"criterion": criterion, "lowest": lowest, "highest": highest, "note": note, **kept, **people}


def _equalised_odds(metrics: Mapping[str, GroupedMetric], level: float, seed: int) -> list[Row]:
    wide = (1 + level) / 2
    pair = (metrics[BOTH[0]], complement(metrics[BOTH[1]]))
    rows = []
    for scale in ("difference", "ratio"):
        found = [
            _row("equalised_odds", gap)
            for one in pair
            for gap in largest_gap(one, level=wide, seed=seed)
            if gap["scale"] == scale
        ]
        if len(found) == 2:
            rows += [_combined(found, kind, level) for kind in ("worst", "mean")]
    return rows


def _combined(found: list[Row], kind: str, level: float) -> Row:
    """Combine the gaps of the two error rates; one that is undefined makes both readings undefined."""
    lacking = [row for row in found if row["state"] != "measured"]
    notes = "; ".join(dict.fromkeys(row["note"] for row in found if row["note"]))
    row = found[0] | {"criterion": f"equalised_odds_{kind}", "level": level, "note": notes}
    if lacking:
        return row | {"point": None, "low": None, "high": None, "state": "undefined"}
    values = np.array([[one["point"], one["low"], one["high"]] for one in found])
    difference, named = row["scale"] == "difference", ("lowest", "highest", "n_patients_lowest", "n_patients_highest")
    if kind == "mean":  # two pairs of groups stand behind it, so it names none
        numbers = values.mean(axis=0)
        row |= dict.fromkeys(named)
    else:
        numbers = values.max(axis=0) if difference else values.min(axis=0)
        leading = found[int(values[:, 0].argmax() if difference else values[:, 0].argmin())]
        row |= {name: leading[name] for name in named}
    return row | {"point": float(numbers[0]), "low": float(numbers[1]), "high": float(numbers[2])}
