"""Gaps of an audit: every group against the reference group of its grouping variable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sexstrat.audit.gap import gap
from sexstrat.audit.grouping import AGE_BAND, Grouping
from sexstrat.audit.measurement import Measurement
from sexstrat.errors import StudyError

__all__ = ["gap_rows", "reference_labels"]

Found = Mapping[tuple[str, str, str], Measurement]

COUNTS = ("n_images", "n_patients")
SHARED = "some patients are in several groups; the interval takes the groups as independent"


def reference_labels(
    groupings: Sequence[Grouping], found: Found, reference: str | Mapping[str, str] | None
) -> dict[str, str]:
    """Return the reference group of each grouping variable: the declared one, else the one with the most patients.

    Raises
    ------
    StudyError : a declared reference is no group; the message names those there are.

    Examples
    --------
    >>> import numpy as np
    >>> bands = Grouping(name="age_band", labels=("40-49", "50-59"), code=np.zeros(0, dtype=np.int64))
    >>> reference_labels([bands], {}, "50-59")
    {'age_band': '50-59'}
    """
    declared = {AGE_BAND: reference} if isinstance(reference, str) else dict(reference or {})
    names = [grouping.name for grouping in groupings]
    for name in declared:
        if name not in names:
            raise StudyError(f"reference given for {name!r}, which is not grouped by; grouped by {', '.join(names)}")
    chosen = {}
    for grouping in groupings:
        label = declared.get(grouping.name)
        if label is not None and label not in grouping.labels:
            near = get_close_matches(label, grouping.labels, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise StudyError(f"no group {label!r} of {grouping.name}; there are {', '.join(grouping.labels)}{hint}")
        if label is None and grouping.labels:
            label = max(grouping.labels, key=lambda one: found[("n_patients", grouping.name, one)].n_patients)
        if label is not None:
            chosen[grouping.name] = label
    return chosen


def gap_rows(found: Found, references: Mapping[str, str], shared: Iterable[str], level: float) -> list[dict[str, Any]]:
    """Return one row a metric and group: group minus reference, or why there is no difference.

    Parameters
    ----------
    found : measurements by (metric, grouping variable, group).
    references : reference group of each grouping variable.
    shared : grouping variables some of whose patients are in several groups.
    level : confidence level.

    Examples
    --------
    >>> one = Measurement(level=0.95, n_images=50, n_patients=50, point=0.8, low=0.7, high=0.9)
    >>> none = Measurement(level=0.95, n_images=0, n_patients=0, state="undefined", note="no men in the denominator")
    >>> found = {("accuracy", "site", "a"): one, ("accuracy", "site", "b"): none}
    >>> [(row["level_name"], row["state"], row["note"]) for row in gap_rows(found, {"site": "a"}, (), 0.95)]
    [('b', 'undefined', 'group: no men in the denominator')]
    """
    rows = []
    overlapping = set(shared)
    for (metric, group, label), measured in found.items():
        reference = references.get(group)
        if metric in COUNTS or reference is None or label == reference:
            continue
        key = {"metric": metric, "group": group, "level_name": label, "reference": reference, "level": level}
        key |= {"comparison": "reference", "scale": "difference"}
        rows.append(key | _difference(measured, found[(metric, group, reference)], group in overlapping))
    return rows


def _difference(measured: Measurement, reference: Measurement, overlapping: bool) -> dict[str, Any]:
    counts = {"n_patients": measured.n_patients, "n_patients_reference": reference.n_patients}
    sides = (("group", measured), ("reference", reference))
    absent = [(side, one) for side, one in sides if one.point is None or one.low is None or one.high is None]
    if absent:
        states = {one.state for _, one in absent} - {"measured"}
        state = "missing" if states == {"missing"} else "undefined"
        return counts | {"state": state, "note": "; ".join(f"{side}: {one.note}" for side, one in absent)}
    limits = [float(value or 0.0) for one in (measured, reference) for value in (one.point, one.low, one.high)]
    point, low, high = gap(*limits)
    note = SHARED if overlapping else ""
    return counts | {"point": point, "low": low, "high": high, "state": "measured", "note": note}
