"""Intersections in the audit: no cell may be left over when the others of its line are taken from a shown margin."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers

__all__ = ["CROSS", "with_lines_protected"]

CROSS = " x "  # between the variables of an intersection, and between the names of its groups

Mask = NDArray[np.bool_]


def with_lines_protected(frame: pd.DataFrame, hidden: Mask, amounts: NDArray[np.float64], profile: Profile) -> Mask:
    """Hide further groups of intersections, smallest first, where a line of them would give a hidden one away.

    A line is the groups of one metric that are alike in all variables but one; they add up to a group of the table
    without that variable, which counts as shown. A name that cannot be taken apart hides its whole table.

    Parameters
    ----------
    frame : rows of the ``audit`` contract.
    hidden : rows hidden so far.
    amounts : counts that add up over groups, shape (rows, kinds of count).
    profile : the rule for small counts.

    Examples
    --------
    Of two sites and two ages one cell is hidden; with it go one in its row, one in its column, and so the fourth.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> frame = pd.DataFrame({"metric": "accuracy", "group": "site x age", "n_patients": [3, 40, 50, 60]})
    >>> frame["level_name"] = ["a x 40", "a x 50", "b x 40", "b x 50"]
    >>> amounts = frame[["n_patients"]].to_numpy(dtype=float)
    >>> with_lines_protected(frame, amounts[:, 0] < 5, amounts, PROFILES["uk-5"]).tolist()
    [True, True, True, True]
    """
    crossed = frame["group"].str.contains(CROSS, regex=False).to_numpy(dtype=bool)
    result = hidden.copy()
    if not (crossed & hidden).any():
        return result
    size, table = numbers(frame, "n_patients"), group_numbers(frame, ["metric", "group"])
    for one in np.unique(table[crossed & hidden]):
        index = np.flatnonzero(table == one)
        names = [str(name).split(CROSS) for name in frame["level_name"].iloc[index]]
        parts = str(frame["group"].iloc[index[0]]).count(CROSS) + 1
        if any(len(name) != parts for name in names):
            result[index] = True
            continue
        while True:
            before = result[index].copy()
            for part in range(parts):
                rest = pd.factorize(np.array([CROSS.join(name[:part] + name[part + 1 :]) for name in names]))[0]
                for line in np.unique(rest):
                    cells = index[rest == line]
                    result[cells] = extend_hidden(result[cells], size[cells], amounts[cells], profile)
            if (result[index] == before).all():
                break
    return result
