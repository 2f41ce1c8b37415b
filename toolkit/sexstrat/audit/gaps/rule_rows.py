"""The declared rules applied to the images of an audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.gap import gap
from sexstrat.audit.gaps.grouped import has_interval
from sexstrat.audit.gaps.limits import SHARES, limits_at
from sexstrat.audit.gaps.ratio import ratio
from sexstrat.audit.gaps.rules import OF_TWO, Rule, judge
from sexstrat.audit.group_data import Options, group_data
from sexstrat.audit.grouping import Grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.influence import influence
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.metrics import measure_group
from sexstrat.errors import StudyError

__all__ = ["rule_rows"]

Row = dict[str, Any]


def rule_rows(
    images: AuditImages,
    age_years: pd.Series,
    groupings: Sequence[Grouping],
    rules: Sequence[Rule],
    options: Options,
) -> list[Row]:
    """Apply every declared rule to the images in its scope.

    Parameters
    ----------
    images : every listed image.
    age_years : age of each image.
    groupings : the grouping variables that rules may name.
    rules : the declared rules.
    options : threshold, smallest denominator, number and seed of replicates.

    Returns
    -------
    Rows of the ``audit_rule`` contract in the order of the rules; outcome ``pass``, ``fail`` or ``cannot tell``.

    Raises
    ------
    StudyError : a rule names a grouping variable or group that there is not; all such are listed.
    """
    by_name = {grouping.name: grouping for grouping in groupings}
    problems = [
        f"rule {number}: {problem}" for number, rule in enumerate(rules, start=1) for problem in _unknown(rule, by_name)
    ]
    if problems:
        raise StudyError("\n  ".join([f"{len(problems)} rules cannot be applied", *problems]))
    ages = age_years.to_numpy(dtype=float, na_value=np.nan)
    return [
        _applied(number, rule, images, _scope(rule, images, ages, by_name), options)
        for number, rule in enumerate(rules, start=1)
    ]


def _unknown(rule: Rule, groupings: Mapping[str, Grouping]) -> list[str]:
    if not rule.group:
        return []
    if rule.group not in groupings:
        return [f"no grouping variable {rule.group!r}; grouped by {', '.join(groupings) or 'nothing'}"]
    labels = groupings[rule.group].labels
    found = []
    for label in (rule.level_name, rule.reference):
        if label and label not in labels:
            near = get_close_matches(label, labels, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            found.append(f"no group {label!r} of {rule.group}; there are {', '.join(labels)}{hint}")
    return found


def _scope(rule: Rule, images: AuditImages, ages: NDArray[np.float64], groupings: Mapping[str, Grouping]) -> Grouping:
    """Return the images that a rule is about (group 0) and those of its reference group (group 1)."""
    inside = np.ones(len(images.gradable), dtype=bool)
    if rule.age_from is not None:
        inside &= ages >= rule.age_from
    if rule.age_before is not None:
        inside &= ages < rule.age_before
    code = np.where(inside, 0, -1).astype(np.int64)
    labels: tuple[str, ...] = ("scope",)
    if rule.group:
        grouping = groupings[rule.group]
        code[inside & (grouping.code != grouping.labels.index(rule.level_name))] = -1
        if rule.reference:
            code[inside & (grouping.code == grouping.labels.index(rule.reference))] = 1
            labels = ("scope", "reference")
    return Grouping(name="rule", labels=labels, code=code)


def _applied(number: int, rule: Rule, images: AuditImages, scope: Grouping, options: Options) -> Row:
    measured = {label: measure_group(data, options) for label, data in group_data(images, scope, options)}
    one = measured["scope"][rule.metric]
    two = measured["reference"][rule.metric] if rule.reference else None
    if rule.against:
        two = measured["scope"][rule.against]
    row: Row = {
        "number": number,
        "name": rule.name or None,
        "rule": rule.sentence,
        "metric": rule.metric,
        "against": rule.against or None,
        "group": rule.group or None,
        "level_name": rule.level_name or None,
        "reference": rule.reference or None,
        "age_from": rule.age_from,
        "age_before": rule.age_before,
        "comparison": rule.comparison,
        "limit": rule.limit,
        "level": rule.confidence,
        "n_patients": one.n_patients,
        "n_patients_reference": None if two is None else two.n_patients,
    }
    found, reason = _interval(rule, one, two, lambda: _correlation(rule, images, scope, options))
    if found is None:
        return row | {"outcome": "cannot tell", "state": "undefined", "note": reason}
    outcome, why = judge(rule, found[1], found[2])
    note = "; ".join(part for part in (why, reason) if part)
    return row | {
        "point": found[0],
        "low": found[1],
        "high": found[2],
        "outcome": outcome,
        "state": "measured",
        "note": note,
    }


def _interval(
    rule: Rule, one: Measurement, two: Measurement | None, correlation: Callable[[], float]
) -> tuple[tuple[float, float, float] | None, str]:
    absent = [each.note for each in (one, two) if each is not None and not has_interval(each)]
    if absent:
        return None, "; ".join(dict.fromkeys(absent))
    if rule.comparison not in OF_TWO or two is None:
        return (float(one.point or 0.0), *limits_at(one, rule.metric, rule.confidence)), ""
    if rule.comparison == "ratio_at_least":
        if rule.metric not in SHARES or (rule.against and rule.against not in SHARES):
            return None, "a ratio is made of shares only"
        return ratio(one, two, rule.metric, level=rule.confidence, correlation=correlation())
    sides = [
        (float(each.point or 0.0), *limits_at(each, metric, rule.confidence))
        for each, metric in ((one, rule.metric), (two, rule.against or rule.metric))
    ]
    return gap(*sides[0], *sides[1], correlation=correlation()), ""


def _correlation(rule: Rule, images: AuditImages, scope: Grouping, options: Options) -> float:
    """Return the correlation of the two estimates from what each patient adds to both."""
    first = influence(images, scope, rule.metric, threshold=options.threshold).values[:, 0]
    if rule.against:
        second = influence(images, scope, rule.against, threshold=options.threshold).values[:, 0]
    else:
        second = influence(images, scope, rule.metric, threshold=options.threshold).values[:, 1]
    spread = float(np.sqrt((first @ first) * (second @ second)))
    return float(np.clip(first @ second / spread, -1, 1)) if spread > 0 else 0.0
