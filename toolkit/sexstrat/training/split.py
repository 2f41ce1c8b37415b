"""Put people into test, validation and training parts, or into folds, by a hash that never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["fold_of", "part_of", "unit_hash"]

_PART_SALT = "sexstrat-part-1"
_FOLD_SALT = "sexstrat-fold-1"
TEST_SHARE, VALIDATION_SHARE = 0.20, 0.10


def unit_hash(group: str, salt: str) -> float:
    """Return a number in [0, 1) that depends on the group's name and the salt alone.

    Parameters
    ----------
    group : duplicate group: one person under all their patient ids.
    salt : names the use, so that parts and folds are independent.

    Returns
    -------
    The first 52 bits of SHA-256 over 2⁵².

    Examples
    --------
    >>> unit_hash("17", "a") == unit_hash("17", "a") != unit_hash("17", "b")
    True
    """
    digest = hashlib.sha256(f"{salt}:{group}".encode()).hexdigest()
    return int(digest[:13], 16) / 16**13


def part_of(groups: Sequence[str]) -> NDArray[np.str_]:
    """Assign each group to ``test`` (20 %), ``validation`` (10 %) or ``train``, fixed for good.

    Parameters
    ----------
    groups : one duplicate group a photograph or person.

    Returns
    -------
    One part each; equal groups get equal parts, whatever else is in the list.

    Examples
    --------
    >>> part_of(["1", "2", "1"])[[0, 2]].tolist() == [part_of(["1"])[0]] * 2
    True
    """
    place = np.array([unit_hash(group, _PART_SALT) for group in groups])
    parts = np.full(len(place), "train", dtype="<U10")
    parts[place < TEST_SHARE + VALIDATION_SHARE] = "validation"
    parts[place < TEST_SHARE] = "test"
    return parts


def fold_of(groups: Sequence[str], folds: int) -> NDArray[np.int64]:
    """Assign each group to one of ``folds`` folds.

    Parameters
    ----------
    groups : one duplicate group a photograph or person.
    folds : number of folds, at least 2.

    Returns
    -------
    Fold from 0 to folds - 1 each.

    Raises
    ------
    ValueError
        Fewer than two folds are asked for.

    Examples
    --------
    >>> sorted(set(fold_of([str(i) for i in range(50)], 3).tolist()))
    [0, 1, 2]
    """
    if folds < 2:
        raise ValueError(f"cross-fitting needs at least 2 folds; found {folds}")
    return np.array([int(unit_hash(group, _FOLD_SALT) * folds) for group in groups], dtype=np.int64)
