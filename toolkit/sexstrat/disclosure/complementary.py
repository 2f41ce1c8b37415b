"""Complementary suppression: hide enough members of a set that subtraction from its shown total gives nothing away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers

__all__ = ["extend_hidden", "hidden_beside_total"]


def extend_hidden(
    hidden: NDArray[np.bool_], size: NDArray[np.float64], amounts: NDArray[np.float64], profile: Profile
) -> NDArray[np.bool_]:
    """Hide further members, smallest first, until the hidden ones protect each other.

    One hidden member equals the total minus the others; several whose sum is small give that small sum away. So
    members are added until at least two are hidden and no amount of the hidden ones adds up to a small count.

    Parameters
    ----------
    hidden : members hidden so far, shape (members,).
    size : patients of each member, which orders them; members of size 0 or NaN protect nothing and are not added.
    amounts : counts that add up over members, shape (members, kinds of count); NaN counts as 0.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> size = np.array([3.0, 200.0, 40.0, 90.0])
    >>> extend_hidden(size < 5, size, size[:, None], PROFILES["uk-5"]).tolist()
    [True, False, True, False]
    """
    result = hidden.copy()
    if not hidden.any():
        return result
    amount = np.nan_to_num(amounts)
    candidates = [k for k in np.argsort(size, kind="stable") if not hidden[k] and size[k] > 0]
    for k in candidates:
        if np.count_nonzero(result) > 1 and not profile.is_small(amount[result].sum(axis=0)).any():
            break
        result[k] = True
    return result


def hidden_beside_total(
    frame: pd.DataFrame, hidden: NDArray[np.bool_], total: NDArray[np.bool_], *,
    within: Sequence[str], split: Sequence[str], counts: Sequence[str], profile: Profile,
) -> NDArray[np.bool_]:  # fmt: skip
    """Hide further groups of a table, smallest first, where its shown total would give a hidden one away.

    Parameters
    ----------
    frame : rows of a table, each a group or the total over groups.
    hidden : rows hidden so far.
    total : rows that are totals.
    within : columns that say which total belongs to which groups.
    split : further columns that say along what the groups are split; totals may differ in them.
    counts : columns whose numbers add up over groups; n_patients orders the groups.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> frame = pd.DataFrame({"metric": "auc", "group": ["all", "age", "age", "age"], "n_patients": [243, 3, 200, 40]})
    >>> total = (frame["group"] == "all").to_numpy()
    >>> hidden_beside_total(
    ...     frame,
    ...     np.array([False, True, False, False]),
    ...     total,
    ...     within=["metric"],
    ...     split=["group"],
    ...     counts=["n_patients"],
    ...     profile=PROFILES["uk-5"],
    ... ).tolist()
    [False, True, False, True]
    """
    result = hidden.copy()
    shown_total = set(frame.loc[total & ~hidden, list(within)].itertuples(index=False, name=None))
    amounts = np.column_stack([numbers(frame, name) for name in counts])
    keys = list(frame[list(within)].itertuples(index=False, name=None))
    table = group_numbers(frame, [*within, *split])
    for one in np.unique(table[hidden & ~total]):
        index = np.flatnonzero((table == one) & ~total)
        if keys[index[0]] in shown_total:
            result[index] = extend_hidden(hidden[index], numbers(frame, "n_patients")[index], amounts[index], profile)
    return result
