"""Put people into test, validation and training parts, or into folds: alike in sex and age, or by a hash alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLITS", "fold_of", "part_of", "unit_hash"]

_PART_SALT = "sexstrat-part-1"
_FOLD_SALT = "sexstrat-fold-1"
TEST_SHARE, VALIDATION_SHARE = 0.20, 0.10
SPLITS = ("stratified", "stable")
"""``stratified`` makes parts alike in sex and age; in ``stable`` nobody ever changes the part, whoever is added."""
_GOLDEN = (5**0.5 - 1) / 2


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


def part_of(groups: Sequence[str], strata: Sequence[str] | None = None) -> NDArray[np.str_]:
    """Assign each group to ``test`` (20 %), ``validation`` (10 %) or ``train``.

    Parameters
    ----------
    groups : one duplicate group a photograph or person.
    strata : stratum of each, such as sex and age band; a group's first counts. Each stratum is then divided in the
        same shares, and a part depends on who else is in the list. None fixes each group's part for good.

    Returns
    -------
    One part each; equal groups get equal parts.

    Examples
    --------
    >>> part_of(["1", "2", "1"])[[0, 2]].tolist() == [part_of(["1"])[0]] * 2
    True
    """
    place = _places(groups, strata, _PART_SALT)
    parts = np.full(len(place), "train", dtype="<U10")
    parts[place < TEST_SHARE + VALIDATION_SHARE] = "validation"
    parts[place < TEST_SHARE] = "test"
    return parts


def fold_of(groups: Sequence[str], folds: int, strata: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Assign each group to one of ``folds`` folds.

    Parameters
    ----------
    groups : one duplicate group a photograph or person.
    folds : number of folds, at least 2.
    strata : as in :func:`part_of`.

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
    return np.floor(_places(groups, strata, _FOLD_SALT) * folds).astype(np.int64)


def _places(groups: Sequence[str], strata: Sequence[str] | None, salt: str) -> NDArray[np.float64]:
    """Return a place in [0, 1) for each row: the group's hash, or evenly spread within each stratum.

    Groups in the order of stratum and hash get the multiples of the golden ratio modulo one: of any run of them, and so
    of every stratum, each part of the unit interval holds its share to within one or two (three-distance theorem).
    """
    if strata is None:
        return np.array([unit_hash(group, salt) for group in groups], dtype=np.float64)
    first: dict[str, str] = {}
    for group, stratum in zip(groups, strata, strict=True):
        first.setdefault(group, stratum)
    ordered = sorted(first, key=lambda group: (first[group], unit_hash(group, salt)))
    place = {group: (index * _GOLDEN + unit_hash("", salt)) % 1.0 for index, group in enumerate(ordered)}
    return np.array([place[group] for group in groups], dtype=np.float64)
