"""Complementary suppression: hide enough members of a set that subtraction from its shown total gives nothing away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.disclosure.profiles import Profile

__all__ = ["extend_hidden"]


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
