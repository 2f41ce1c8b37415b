"""The reference group of each grouping variable, with which the others are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from sexstrat.audit.grouping import AGE_BAND, Grouping
from sexstrat.audit.measurement import Measurement
from sexstrat.errors import StudyError

__all__ = ["reference_labels"]

Found = Mapping[tuple[str, str, str], Measurement]


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
