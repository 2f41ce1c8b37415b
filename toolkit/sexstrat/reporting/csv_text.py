"""Write rows as CSV text: UTF-8, comma, LF, empty for no number, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

__all__ = ["csv_text"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV with the columns of the first row, in their order.

    A text that a spreadsheet would run as a formula is written with a leading apostrophe.

    Parameters
    ----------
    rows : mappings with equal keys; None becomes an empty cell, a float is written in full.

    Examples
    --------
    >>> print(csv_text([{"condition": "=1+1", "point": 0.1, "note": None}]), end="")
    condition,point,note
    '=1+1,0.1,
    """
    if not rows:
        return ""
    names = list(rows[0])
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_written(row.get(name)) for name in names])
    return buffer.getvalue()


def _written(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
