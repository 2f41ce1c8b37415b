"""Find rows in the released tables, whose empty cells may be None, NaN or NA."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sexstrat.reporting.number_format import interval, is_number
from sexstrat.reporting.texts import STATE_WORDS
from sexstrat.values.tables import table_schema

__all__ = ["Rows", "age_label", "age_order", "has_number", "printed"]


def age_label(low: Any, high: Any) -> str:
    """Name an age band, both ends inclusive; ``all ages`` when it has no ends.

    Examples
    --------
    >>> age_label(40, 50), age_label(80, None), age_label(None, None)
    ('40–49', '80+', 'all ages')
    """
    if not is_number(low):
        return "all ages" if not is_number(high) else f"under {int(high)}"
    return f"{int(low)}+" if not is_number(high) else f"{int(low)}\N{EN DASH}{int(high) - 1}"


def age_order(label: str) -> tuple[int, int, str]:
    """Return a sort key that puts age labels in order of age and everything else after them, by name.

    Examples
    --------
    >>> sorted(["100+", "40-49", "all", "8-17"], key=age_order)
    ['8-17', '40-49', '100+', 'all']
    """
    digits = ""
    for character in label:
        if not character.isdigit():
            break
        digits += character
    return (0, int(digits), label) if digits else (1, 0, label)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one released table as plain mappings, empty cells as None.

    Parameters
    ----------
    rows : one mapping a row, every column of the contract present.

    Examples
    --------
    >>> frame = pd.DataFrame({"metric": ["auc"], "group": ["overall"], "level_name": ["all"], "point": [0.7]})
    >>> Rows.of(frame, "audit").first(metric="auc")["point"]
    0.7
    """

    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, table: str) -> Rows:
        """Read a frame that obeys (or is empty of) the named contract.

        Parameters
        ----------
        frame : released rows.
        table : name of the contract, whose columns are added as empty where they are absent.
        """
        columns = list(dict.fromkeys([*table_schema(table).columns, *map(str, frame.columns)]))
        records = frame.to_dict("records")
        return cls(tuple({name: _plain(record.get(name)) for name in columns} for record in records))

    def where(self, **wanted: Any) -> Rows:
        """Keep the rows whose cells equal the wanted values (None means an empty cell)."""
        return Rows(tuple(row for row in self.rows if all(row[name] == value for name, value in wanted.items())))

    def first(self, **wanted: Any) -> Mapping[str, Any] | None:
        """Return the first such row, or None."""
        found = self.where(**wanted).rows
        return found[0] if found else None

    def values(self, name: str) -> list[Any]:
        """List the different values of a column in order of appearance, empty cells left out."""
        return list(dict.fromkeys(row[name] for row in self.rows if row[name] is not None))

    def bands(self) -> list[tuple[int | None, int | None]]:
        """List the age bands present in order of age; all ages together is not one of them."""
        found = {(row["age_low"], row["age_high"]) for row in self.rows} - {(None, None)}
        return sorted(found, key=lambda band: -1 if band[0] is None else band[0])


def printed(row: Mapping[str, Any] | None, measure: str) -> tuple[str, str]:
    """Print a row's estimate and interval; a row that is not there is ``missing``.

    Examples
    --------
    >>> printed(None, "prevalence")
    ('missing', '')
    """
    if row is None:
        return interval(measure, None, None, None, "missing")
    return interval(measure, row["point"], row["low"], row["high"], str(row["state"]))


def has_number(row: Mapping[str, Any] | None) -> bool:
    """Tell whether a row carries a number that may be printed.

    Examples
    --------
    >>> has_number({"point": 1.2, "state": "corrected"}), has_number({"point": 1.2, "state": "suppressed"})
    (True, False)
    """
    if row is None or str(row["state"]) in STATE_WORDS:
        return False
    return is_number(row["point"])


def _plain(value: Any) -> Any:
    """Turn pandas' many empties and numpy scalars into None and plain Python values."""
    if value is None or value is pd.NA or (isinstance(value, str) and value == ""):
        return None
    item = value.item() if hasattr(value, "item") else value
    if isinstance(item, float):
        if math.isnan(item):
            return None
        return int(item) if item.is_integer() and abs(item) < 1e15 else item
    return item
