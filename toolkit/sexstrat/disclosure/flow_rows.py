"""Suppression in the flow: who was in and who was lost."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.flow_characteristics import protect_characteristics
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import numbers, suppress_rows, withhold_cells

__all__ = ["COUNTS", "protect_flow", "without_counts_by_status"]

BY_SEX = ("n_male", "n_female", "n_other", "n_unknown")
COUNTS = ("n_patients", "n_images", *BY_SEX, "patients_lost", "images_lost")
BY_STATUS = re.compile(r"[a-z ]+: [\d,]*\d(, [a-z ]+: [\d,]*\d)*")
LEFT_OUT = "rows left out as the study declares:"
NUMBER = re.compile(r": ([\d,]*\d)")

Mask = NDArray[np.bool_]


def protect_flow(frame: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Withhold the small counts of a flow, and those that would give them away.

    A loss is the difference of two steps, so a step is hidden where its difference from the next shown step is small
    (the last step, which the estimates show anyway, is the last to go); a loss is shown only between two shown steps.
    The same is done for each sex; in a step where one sex is hidden, the next smallest is hidden too. Rows about a
    characteristic follow :func:`~sexstrat.disclosure.flow_characteristics.protect_characteristics`.

    Parameters
    ----------
    frame : rows of the ``flow`` contract with the column ``withheld``.
    profile : the rule for small counts.

    Examples
    --------
    Three patients are lost at the second step: the step and the losses around it are withheld.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> rows = {
    ...     "step": [1, 2, 3],
    ...     "name": ["listed", "with age", "scored"],
    ...     "n_patients": [1000, 997, 900],
    ...     "patients_lost": [0, 3, 97],
    ...     "state": "counted",
    ... }
    >>> flow = protect_flow(releasable_frame(pd.DataFrame(rows), "flow"), PROFILES["uk-5"])
    >>> flow["n_patients"].tolist(), flow["patients_lost"].tolist()
    ([1000, <NA>, 900], [0, <NA>, <NA>])
    """
    if frame.empty:
        return frame
    whole = frame["variable"].isna()
    exact = frame[whole].sort_values("step", kind="stable").reset_index(drop=True)
    steps = _protect_steps(exact, profile)
    return pd.concat([steps, protect_characteristics(frame[~whole], exact, steps, profile)], ignore_index=True)


def without_counts_by_status(flow: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Name the states of photographs without a score, and how many are of each only where the loss tells it anyway.

    The numbers stand in the reason of a loss. More than one state splits it into counts that no table is protected
    for, and a loss that is withheld or rounded would be told to the photograph.

    Parameters
    ----------
    flow : rows of the ``flow`` contract after protection, before rounding.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> flow = pd.DataFrame({"images_lost": pd.array([40, None], dtype="Int64")})
    >>> flow["reason"] = ["ungradable: 40", "ungradable: 38, empty file: 2; the eye of 30 images is inferred"]
    >>> without_counts_by_status(flow, PROFILES["uk-5"])["reason"].tolist()
    ['ungradable: 40', 'ungradable, empty file; the eye of 30 images is inferred']
    """
    if flow.empty or not profile.withholds:
        return flow

    def told(reason: Any, lost: Any) -> Any:
        words, *more = str(reason).split("; ")
        if words.startswith(LEFT_OUT):  # by table and kind of problem
            return "; ".join([NUMBER.sub("", words), *more])
        if pd.isna(reason) or not BY_STATUS.fullmatch(words):
            return reason
        counts = [int(number.replace(",", "")) for number in NUMBER.findall(words)]
        if profile.rounding is None and pd.notna(lost) and counts == [lost]:
            return reason
        return "; ".join([NUMBER.sub("", words), *more])

    reasons = [told(reason, lost) for reason, lost in zip(flow["reason"], flow["images_lost"], strict=True)]
    return flow.assign(reason=pd.Series(reasons, index=flow.index, dtype="str"))


def _protect_steps(flow: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    whole = profile.hides(numbers(flow, "n_patients"))
    hidden = {name: _steps(numbers(flow, name), profile) | whole for name in ("n_patients", "n_images", *BY_SEX)}
    hidden |= _one_more_sex(flow, hidden, profile)
    for loss, count in (("patients_lost", "n_patients"), ("images_lost", "n_images")):
        before = np.concatenate([[False], hidden[count][:-1]])
        hidden[loss] = profile.hides(numbers(flow, loss)) | hidden[count] | before
    for name in COUNTS:
        flow = withhold_cells(flow, hidden[name] & flow[name].notna().to_numpy(dtype=bool), [name])
    flow = suppress_rows(flow, whole, COUNTS, profile)
    flow["state"] = flow["state"].mask(hidden["n_patients"], "suppressed")
    return flow


def _steps(count: NDArray[np.float64], profile: Profile) -> Mask:
    """Hide counts that may not be shown, and steps whose difference from the next shown one is small."""
    hidden = profile.hides(count)
    following = float("nan")
    order = np.flatnonzero(~hidden & np.isfinite(count))[::-1]
    for position, k in enumerate(order):
        middle = 0 < position < len(order) - 1
        if profile.is_small(abs(count[k] - following)):
            hidden[k] = True
            continue
        if middle and profile.is_small(count[order[-1]] - count[k]):
            hidden[k] = True  # rather than the first step, the total that everything else refers to
            continue
        following = float(count[k])
    return hidden


def _one_more_sex(flow: pd.DataFrame, hidden: dict[str, Mask], profile: Profile) -> dict[str, Mask]:
    """Hide a second sex at every step where exactly one is hidden, or where the hidden ones add up to a small count."""
    counts = np.column_stack([np.nan_to_num(numbers(flow, name)) for name in BY_SEX])
    masks = np.column_stack([hidden[name] for name in BY_SEX])
    for k in range(len(flow)):
        order = [j for j in np.argsort(counts[k], kind="stable") if not masks[k, j] and counts[k, j] > 0]
        for j in order:
            chosen = masks[k] & (counts[k] > 0)
            if not chosen.any() or (chosen.sum() > 1 and not profile.is_small(counts[k, chosen].sum())):
                break
            masks[k, j] = True
    return {name: masks[:, j] for j, name in enumerate(BY_SEX)}
