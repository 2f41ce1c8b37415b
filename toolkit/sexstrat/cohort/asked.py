"""What is asked of a cohort by name: its conditions and optional keys, refused where there are none of that name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sexstrat.cohort.cells_query import OPTIONAL_KEYS, filled_keys
from sexstrat.cohort.condition_bits import Place, places
from sexstrat.cohort.sql import Connection

__all__ = ["carried_keys", "wanted_places"]


def wanted_places(connection: Connection, conditions: Iterable[str] | None) -> list[Place]:
    """Return where the conditions are that are asked for, by name.

    Parameters
    ----------
    connection : a cohort.
    conditions : their names; None for all.

    Raises
    ------
    KeyError : no such condition; the message lists those there are.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> place = "SELECT 'amd' AS condition, 1 AS column_number, 0 AS first_bit, true AS by_eye"
    >>> _ = connection.execute("CREATE TABLE condition_column AS " + place)
    >>> wanted_places(connection, ["dr"])
    Traceback (most recent call last):
    KeyError: "no condition 'dr' in the cohort; there are amd"
    """
    there = places(connection)
    if conditions is None:
        return list(there)
    chosen = tuple(conditions)
    _refuse_unknown("condition", chosen, [place.condition for place in there])
    return [place for place in there if place.condition in chosen]


def carried_keys(connection: Connection, keys: Iterable[str] | None) -> tuple[str, ...]:
    """Return the optional keys that a cube carries.

    Parameters
    ----------
    connection : a cohort.
    keys : their names; None for those that the person table fills.

    Raises
    ------
    KeyError : no such key; the message lists those there are.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> carried_keys(connect(), ["site"])
    ('site',)
    """
    if keys is None:
        return filled_keys(connection)
    chosen = tuple(keys)
    _refuse_unknown("key", chosen, OPTIONAL_KEYS)
    return chosen


def _refuse_unknown(what: str, wanted: Sequence[str], available: Sequence[str]) -> None:
    for name in wanted:
        if name not in available:
            raise KeyError(f"no {what} {name!r} in the cohort; there are {', '.join(available) or 'none'}")
