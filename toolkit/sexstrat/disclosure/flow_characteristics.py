"""Suppression in the rows of the flow that tell who was lost by sex, age and disease."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import numbers, suppress_rows, withhold_cells

__all__ = ["protect_characteristics"]

REMAIN, LOST = ("n_patients", "n_known"), ("patients_lost", "known_lost")
DIFFERENCE = "standardised_difference"
BY_SEX = ("n_male", "n_female", "n_other", "n_unknown")
DECIMALS = 2  # of a standardised difference: more would tell counts that are not shown

Counts = NDArray[np.float64]
Mask = NDArray[np.bool_]


def protect_characteristics(
    detail: pd.DataFrame, exact: pd.DataFrame, shown: pd.DataFrame, profile: Profile
) -> pd.DataFrame:
    """Withhold a characteristic at every step where one of its categories is small, or loses a small number.

    The categories of a characteristic, the unknown among them, add up to the step. So they are shown all or not at
    all: at a step where none is small and none differs by a small number from the next step shown, whose whole is
    shown too. A loss, and how far those lost are from those who remain, is shown between two shown steps only; the
    difference has two decimals. Sex as a whole is shown where its counts are, at both steps.

    Parameters
    ----------
    detail : rows of the ``flow`` contract about characteristics, with the column ``withheld``.
    exact : the whole steps before protection, in order.
    shown : the same, protected.
    profile : the rule for small counts.

    Examples
    --------
    Of 100 lost at step 2 three have the disease: what the step says of the disease is withheld.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> steps = {"step": [1, 2], "name": ["listed", "with age"], "n_patients": [1000, 900], "state": "counted"}
    >>> whole = releasable_frame(pd.DataFrame(steps), "flow")
    >>> row = {"step": [2], "name": ["with age"], "variable": ["condition"], "category": ["amd"], "n_patients": [200]}
    >>> row |= {"n_known": [900], "patients_lost": [3], "known_lost": [100], "state": "counted"}
    >>> row["standardised_difference"] = [-0.61]
    >>> done = protect_characteristics(releasable_frame(pd.DataFrame(row), "flow"), whole, whole, PROFILES["uk-5"])
    >>> done["n_patients"].tolist(), done["patients_lost"].isna().tolist(), done["standardised_difference"].tolist()
    ([200], [True], [nan])
    """
    if detail.empty:
        return detail
    kept = detail.reset_index(drop=True)
    kept[DIFFERENCE] = kept[DIFFERENCE].round(DECIMALS)
    hidden, hidden_loss = np.zeros(len(kept), dtype=bool), np.zeros(len(kept), dtype=bool)
    steps = exact["step"].astype(int).tolist()
    total = numbers(exact, "n_patients")
    whole_shown = ~shown["n_patients"].isna().to_numpy(dtype=bool)
    for rows in _blocks(kept):
        block = kept.iloc[rows]
        if block["variable"].iloc[0] == "sex":
            visible = whole_shown & ~shown[list(BY_SEX)].isna().any(axis=1).to_numpy(dtype=bool)
        else:
            visible = _visible(_categories(block, steps, total), profile, whole_shown)
        place = np.array([steps.index(int(step)) for step in block["step"]], dtype=int)
        hidden[rows] = ~visible[place]
        hidden_loss[rows] = ~(visible[place] & visible[np.maximum(place - 1, 0)])
    kept.loc[hidden | hidden_loss, "difference_note"] = pd.NA
    kept = withhold_cells(kept, hidden_loss & ~hidden, [*LOST, DIFFERENCE])
    return suppress_rows(kept, hidden, [*REMAIN, *LOST, DIFFERENCE], profile)


def _blocks(detail: pd.DataFrame) -> list[NDArray[np.intp]]:
    """Return the rows of each characteristic; every disease is one of its own."""
    disease = (detail["variable"] == "condition").to_numpy(dtype=bool)
    names = np.where(disease, "condition: " + detail["category"].fillna("").astype(str), detail["variable"].astype(str))
    return [np.flatnonzero(names == name) for name in dict.fromkeys(names)]


def _categories(block: pd.DataFrame, steps: list[int], total: Counts) -> Counts:
    """Return patients by step and category, the last two being known but in none of them, and not known.

    What remained at the first step is what remains at the second and what was lost on the way.
    """
    listed = block[block["category"].notna()]
    names = list(dict.fromkeys(listed["category"]))
    counts = np.full((len(steps), len(names) + 2), np.nan)
    for name, rows in listed.groupby("category", sort=False):
        for step, remain, lost, known, known_lost in zip(
            rows["step"].astype(int), *(numbers(rows, column) for column in _COLUMNS), strict=True
        ):
            place, column = steps.index(step), names.index(name)
            counts[place, column], counts[place, -1] = remain, known
            if place == 1:
                counts[0, column], counts[0, -1] = remain + lost, known + known_lost
    known = counts[:, -1].copy()
    counts[:, -2] = known - counts[:, : len(names)].sum(axis=1)
    counts[:, -1] = total - known
    return counts


_COLUMNS = ("n_patients", "patients_lost", "n_known", "known_lost")


def _visible(counts: Counts, profile: Profile, among: Mask) -> Mask:
    """Choose steps, from the last back, none of whose categories is small or differs a little from the next chosen."""
    visible = among & np.isfinite(counts).all(axis=1) & ~profile.hides(counts).any(axis=1)
    following: Counts | None = None
    for k in np.flatnonzero(visible)[::-1]:
        if following is not None and profile.is_small(np.abs(counts[k] - following)).any():
            visible[k] = False
            continue
        following = counts[k]
    return visible
