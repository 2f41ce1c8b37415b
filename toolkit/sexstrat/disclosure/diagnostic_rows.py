"""Suppression in the table of diagnostics."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.error_rows import hidden_errors, is_error_share
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withheld_places import band_label, suppressed_places, withheld_places
from sexstrat.disclosure.withhold import group_numbers, numbers, suppress_rows, withhold_cells

__all__ = ["EMPTIED", "protect_diagnostics"]

EMPTIED = ("point", "low", "high", "p_value", "n_patients", "n_validated")
ELSEWHERE = ("transport", "label_shift")  # their validated people are not among their patients
SPLIT = ("age_band", "disease", "site", "sex", "disease_and_age")  # groups that add up to everybody
WHOLE = ("all", "standard", "limits_ratio", "recorded_sex", "sex")  # about everybody, or both sexes of them
SHARES_COMPARED = ("disease", "one_eye", "no_gradable_eye", "share_in_band")
# A standardised difference of 0.1 is a share of 0.01 where the share is 1 %: with it no count can be solved for.
COARSE = 0.1

Mask = NDArray[np.bool_]


def protect_diagnostics(
    frame: pd.DataFrame, estimates: pd.DataFrame, audit: pd.DataFrame, profile: Profile
) -> pd.DataFrame:
    """Suppress every diagnostic that rests on, or gives away, a count that may not be shown.

    A row goes when its people, its validated people or those that are not validated are too few, and with it every row
    of that group and, where the total is shown, the next smallest group. Shares of men and women called rightly go as
    in the audit, and where the audit's went. Comparisons of recorded with unrecorded patients by disease go where the
    number of validated diseased is withheld; those of shares are coarsened. Those on whom a mixture of scores rests are
    not counted.

    Parameters
    ----------
    frame : rows of the ``diagnostic`` contract with the column ``withheld``.
    estimates, audit : those tables after their own protection.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"condition": "d", "diagnostic": "calibration", "statistic": "brier", "group": "disease"}
    >>> rows = [
    ...     {**row, "level_name": name, "point": 0.1, "n_validated": n, "state": "measured"}
    ...     for name, n in (("with the disease", 3), ("without the disease", 400))
    ... ]
    >>> table = releasable_frame(pd.DataFrame(rows), "diagnostic")
    >>> protect_diagnostics(table, pd.DataFrame(), pd.DataFrame(), PROFILES["uk-5"])["state"].tolist()
    ['suppressed', 'suppressed']
    """
    if frame.empty:
        return frame
    few = _few(frame, profile)
    hidden = _with_groups(frame, few, profile) | _disease_of_withheld(frame, estimates)
    hidden |= _of_suppressed(frame, estimates)
    uncounted = _uncounted(frame, estimates)
    hidden |= hidden_errors(frame, hidden | few | uncounted, audit, profile)
    shown = _coarse(frame, ~hidden) if profile.withholds else frame
    hidden |= uncounted & (frame["statistic"] == "effective_validated").to_numpy(dtype=bool)
    of_validated = numbers(frame, "n_patients") == numbers(frame, "n_validated")
    emptied = withhold_cells(shown, uncounted & ~hidden, ["n_validated"])
    emptied = withhold_cells(emptied, uncounted & of_validated & ~hidden, ["n_patients"])
    mixed = profile.withholds & (frame["diagnostic"] == "score_mixture").to_numpy(dtype=bool) & ~hidden
    emptied = withhold_cells(emptied, mixed, ["n_patients", "n_validated"])
    return suppress_rows(emptied, hidden, EMPTIED, profile)


def _few(frame: pd.DataFrame, profile: Profile) -> Mask:
    n, validated = numbers(frame, "n_patients"), numbers(frame, "n_validated")
    inside = ~frame["diagnostic"].isin(ELSEWHERE).to_numpy(dtype=bool)
    few = profile.hides(n) | profile.hides(validated) | (inside & profile.is_small(n - validated))
    effective = (frame["statistic"] == "effective_validated").to_numpy(dtype=bool)
    return np.asarray(few | (effective & profile.hides(np.rint(numbers(frame, "point")))))


def _with_groups(frame: pd.DataFrame, few: Mask, profile: Profile) -> Mask:
    """Spread suppression over all rows of a group, then to a further group, since everybody is shown."""
    errors = is_error_share(frame)
    unit = group_numbers(frame, ["condition", "group", "level_name"])
    split = frame["group"].isin(SPLIT).to_numpy(dtype=bool) & ~errors
    result = np.where(split, np.isin(unit, unit[few & split]), few & ~errors)
    family = group_numbers(frame, ["condition", "group"])
    for one in np.unique(family[result & split]):
        members = np.flatnonzero((family == one) & split)
        units, first = np.unique(unit[members], return_index=True)
        sizes = np.array(
            [np.nan_to_num(numbers(frame, "n_validated")[members[unit[members] == name]]).max() for name in units]
        )
        extended = extend_hidden(result[members[first]], sizes, sizes[:, None], profile)
        result[members] = np.isin(unit[members], units[extended])
    return np.asarray(result, dtype=bool)


def _uncounted(frame: pd.DataFrame, estimates: pd.DataFrame) -> Mask:
    """Choose the rows whose number of validated people the table of estimates withholds."""
    people, cases = (
        {(place[0], band_label(*place[1:])) for place in withheld_places(estimates, name)}
        for name in ("n_validated", "n_validated_diseased")
    )

    def told(condition: str, group: str, level: str) -> bool:
        if group in {"age_band", "age_band_and_disease"}:
            return (condition, level.split(", ", maxsplit=1)[0]) in people
        if group in {"disease", "disease_and_age"}:
            return (condition, "all") in cases
        return group in WHOLE and (condition, "all") in people

    keys = zip(frame["condition"].astype(str), frame["group"].astype(str), frame["level_name"].astype(str), strict=True)
    own = ~frame["diagnostic"].isin(ELSEWHERE).to_numpy(dtype=bool)
    return np.asarray(np.array([told(*key) for key in keys], dtype=bool) & own)


def _disease_of_withheld(frame: pd.DataFrame, estimates: pd.DataFrame) -> Mask:
    """Choose comparisons of disease where the number of validated diseased is withheld."""
    gone = {(place[0], band_label(*place[1:])) for place in withheld_places(estimates, "n_validated_diseased")}
    about = frame["statistic"].isin(("disease", "weighted_disease")).to_numpy(dtype=bool)
    keys = zip(frame["condition"].astype(str), frame["level_name"].astype(str), strict=True)
    return np.asarray(about & np.array([key in gone for key in keys], dtype=bool))


def _of_suppressed(frame: pd.DataFrame, estimates: pd.DataFrame) -> Mask:
    """Choose the rows of an age band, or of all ages, whose estimates are suppressed."""
    gone = {(place[0], band_label(*place[1:])) for place in suppressed_places(estimates)}
    keys = zip(frame["condition"].astype(str), frame["level_name"].astype(str), strict=True)
    by_age = frame["group"].isin(("age_band", "all")).to_numpy(dtype=bool)
    return np.asarray(by_age & np.array([key in gone for key in keys], dtype=bool))


def _coarse(frame: pd.DataFrame, rows: Mask) -> pd.DataFrame:
    """Coarsen standardised differences of shares: to the nearest 0.1, their limits outwards."""
    names = [*SHARES_COMPARED, *(f"weighted_{name}" for name in SHARES_COMPARED)]
    about = (frame["diagnostic"] == "recorded_against_unrecorded") & frame["statistic"].isin(names)
    chosen = about.to_numpy(dtype=bool) & rows
    coarse = frame.copy()
    for name, towards in (("point", np.round), ("low", np.floor), ("high", np.ceil)):
        value = numbers(frame, name)
        coarse[name] = np.where(chosen, np.round(towards(value / COARSE) * COARSE, 1) + 0.0, value)
    return coarse
