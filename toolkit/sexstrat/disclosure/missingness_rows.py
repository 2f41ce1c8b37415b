"""Suppression in the audit of images without a score."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import hidden_beside_total
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers, suppress_rows, withhold_cells

__all__ = ["EMPTIED", "protect_missingness"]

COUNTS = ("n_images", "n_patients", "n_patients_numerator", "n_patients_complement")
EMPTIED = ("point", "low", "high", *COUNTS)
PARTS = ("ungradable", "refused")
ABSENCE = ("without_score", *PARTS)
OTHERS = ("all_wrong", "all_right", "weighted")

Mask = NDArray[np.bool_]


def protect_missingness(frame: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress every row about images without a score that rests on, or gives away, a count that may not be shown.

    Primary, in patients: denominator, numerator, complement. Linked: where either part of the images without a score
    is hidden both are, since they add up; where the whole is hidden so are its parts; a metric that the audit hides is
    hidden here whatever was made of the missing scores, and its bounds where the patients without a score are few. The
    patients of a weighted figure, who must have all that it weighs by, are not counted.
    Complementary: a second group is hidden where the overall row is shown.

    Parameters
    ----------
    frame : rows of the ``missingness`` contract with the column ``withheld``.
    audit : the audit after :func:`protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    Three of 200 patients have an ungradable photograph.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {
    ...     "quantity": "ungradable",
    ...     "method": "share",
    ...     "group": "overall",
    ...     "level_name": "all",
    ...     "point": 0.015,
    ...     "level": 0.95,
    ...     "n_images": 200,
    ...     "n_patients": 200,
    ...     "n_patients_numerator": 3,
    ...     "n_patients_complement": 197,
    ...     "state": "measured",
    ... }
    >>> none = releasable_frame(pd.DataFrame(), "audit")
    >>> found = protect_missingness(releasable_frame(pd.DataFrame([row]), "missingness"), none, PROFILES["uk-5"])
    >>> found.loc[0, "state"]
    'suppressed'
    """
    if frame.empty:
        return frame
    quantity = frame["quantity"].to_numpy(dtype=object)
    gone = audit.loc[audit["state"] == "suppressed", ["metric", "group", "level_name"]]
    keys = set(gone.itertuples(index=False, name=None))
    hidden = _primary(frame, profile) | _few_unscored(frame, quantity, profile)
    hidden |= np.array([key in keys for key in zip(quantity, frame["group"], frame["level_name"], strict=True)])
    unit = group_numbers(frame, ["group", "level_name"])
    metric = group_numbers(frame, ["quantity", "group", "level_name"])
    overall = (frame["group"] == "overall").to_numpy(dtype=bool)
    while True:
        before = hidden.copy()
        absent = hidden & np.isin(quantity, ABSENCE)
        hidden = hidden | (np.isin(quantity, PARTS) & np.isin(unit, unit[absent]))
        scored = hidden & (frame["method"] == "scored_only").to_numpy(dtype=bool)
        hidden |= np.isin(metric, metric[scored])
        hidden = hidden_beside_total(
            frame, hidden, overall, within=["quantity", "method"], split=["group"], counts=COUNTS, profile=profile
        )
        if (hidden == before).all():
            break
    weighted = profile.withholds & (frame["method"] == "weighted").to_numpy(dtype=bool) & ~hidden
    return suppress_rows(withhold_cells(frame, weighted, COUNTS), hidden, EMPTIED, profile)


def _primary(frame: pd.DataFrame, profile: Profile) -> Mask:
    n = numbers(frame, "n_patients")
    hidden = profile.hides(n) | profile.is_small(numbers(frame, "n_images"))
    for name in ("n_patients_numerator", "n_patients_complement"):
        part = numbers(frame, name)
        hidden |= profile.hides(part) | profile.is_small(n - part)
    return np.asarray(hidden)


def _few_unscored(frame: pd.DataFrame, quantity: NDArray[np.object_], profile: Profile) -> Mask:
    """Choose the bounds of metrics where the patients all less the patients with a score are few."""
    metric = group_numbers(frame, ["quantity", "group", "level_name"])
    by_method = {
        name: pd.Series(np.where(frame["method"] == name, numbers(frame, "n_patients"), np.nan))
        for name in ("scored_only", "all_wrong")
    }
    scored, everybody = (by_method[name].groupby(metric).transform("max") for name in ("scored_only", "all_wrong"))
    few = profile.is_small((everybody - scored).to_numpy(dtype=float))
    return np.asarray(few & ~np.isin(quantity, ABSENCE) & frame["method"].isin(OTHERS).to_numpy(dtype=bool))
