"""Suppression of shares called rightly, which with their denominators are counts of patients called wrongly."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers

__all__ = ["hidden_errors", "is_error_share"]

Mask = NDArray[np.bool_]

UNKNOWN = 1e-6  # calls of people too few to tell: perhaps some; they make no sum large, and none a certain 0
AUDITED = {"sensitivity": "correct_among_men", "specificity": "correct_among_women"}


def is_error_share(frame: pd.DataFrame) -> Mask:
    """Tell which diagnostic rows are shares of men, or of women, called rightly.

    Examples
    --------
    >>> is_error_share(pd.DataFrame({"statistic": ["sensitivity", "brier"]})).tolist()
    [True, False]
    """
    return frame["statistic"].isin(AUDITED).to_numpy(dtype=bool)


def hidden_errors(frame: pd.DataFrame, few: Mask, audit: pd.DataFrame, profile: Profile) -> Mask:
    """Choose the shares called rightly that would show, or let somebody compute, a small number of calls.

    Primary: too few people, wrong or right calls. Groups add up: one disease state hides the other, an age band a
    second one, and of bands by disease both states of at least two bands go. What cannot be given for want of people
    protects as little as what is hidden.

    Parameters
    ----------
    frame : rows of the ``diagnostic`` contract.
    few : rows already found to rest on too few people.
    audit : the audit after its own protection; a band whose share is suppressed there is suppressed here.
    profile : the rule for small counts.

    Examples
    --------
    Of 40 women 3 were called men.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> rows = {"condition": ["d"], "statistic": ["specificity"], "group": ["all"], "level_name": ["all"]}
    >>> frame = pd.DataFrame({**rows, "point": [0.925], "n_validated": [40], "state": ["measured"]})
    >>> hidden_errors(frame, np.array([False]), pd.DataFrame(), PROFILES["uk-5"]).tolist()
    [True]
    """
    errors, people = is_error_share(frame), numbers(frame, "n_validated")
    right = np.rint(numbers(frame, "point") * people)
    amounts = np.nan_to_num(np.column_stack([people, right, people - right]))
    small = profile.hides(np.column_stack([right, people - right])).any(axis=1)
    protects = profile.minimum > 1 or not profile.zero_allowed
    untold = protects & (frame["state"] == "too_few").to_numpy(dtype=bool) & (np.nan_to_num(people) > 0)
    amounts[untold, 1:] = UNKNOWN
    primary = errors & (few | small | untold | _audited(frame, audit))
    result = primary.copy()
    table = group_numbers(frame, ["condition", "statistic"])
    for one in np.unique(table[primary]):
        _spread(frame, result, np.flatnonzero((table == one) & errors), amounts, profile)
    return result


def _audited(frame: pd.DataFrame, audit: pd.DataFrame) -> Mask:
    """Choose the rows whose share by age, or of all, is suppressed in the audit."""
    if audit.empty:
        return np.zeros(len(frame), dtype=bool)
    gone = audit[(audit["state"] == "suppressed") & audit["group"].isin(("overall", "age_band"))]
    keys = set(zip(gone["metric"], gone["level_name"].astype(str), strict=True))
    own = zip(frame["statistic"].map(AUDITED), frame["level_name"].astype(str), frame["group"], strict=True)
    found = [(metric, level) in keys and group in {"all", "age_band"} for metric, level, group in own]
    return np.array(found, dtype=bool)


def _by_disease(
    frame: pd.DataFrame, of_band: list[NDArray[np.intp]], amounts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the amounts of both disease states side by side, one row a band: each adds up to its own total."""
    state = np.array([str(name).split(", ")[-1] for name in frame["level_name"]], dtype=object)
    states = list(dict.fromkeys(state[np.concatenate(of_band)]))
    return np.array([[amounts[pair[state[pair] == name]].sum(axis=0) for name in states] for pair in of_band]).reshape(
        len(of_band), -1
    )


def _spread(
    frame: pd.DataFrame, hidden: Mask, rows: NDArray[np.intp], amounts: NDArray[np.float64], profile: Profile
) -> None:
    """Hide further rows of one statistic so that subtraction gives nothing away; ``hidden`` is changed in place."""
    group = frame["group"].to_numpy(dtype=object)[rows]
    band = np.array([str(name).split(", ")[0] for name in frame["level_name"]], dtype=object)[rows]
    if hidden[rows[group == "all"]].any():
        hidden[rows] = True
        return
    disease, ages, both = (rows[group == name] for name in ("disease", "age_band", "age_band_and_disease"))
    if hidden[disease].any():
        hidden[disease] = True
    hidden[ages] = extend_hidden(hidden[ages], amounts[ages, 0], amounts[ages], profile)
    if not both.size:
        return
    gone = set(band[group == "age_band"][hidden[ages]])
    names = list(dict.fromkeys(band[group == "age_band_and_disease"]))
    of_band = [both[band[group == "age_band_and_disease"] == name] for name in names]
    start = np.array([name in gone or hidden[pair].any() for name, pair in zip(names, of_band, strict=True)])
    size = np.array([amounts[pair, 0].sum() for pair in of_band])
    extended = extend_hidden(start, size, _by_disease(frame, of_band, amounts), profile)
    extended = extended | (hidden[disease].any() if disease.size else False)
    for pair, one in zip(of_band, extended, strict=True):
        hidden[pair] |= bool(one)
