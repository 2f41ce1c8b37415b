"""The states of a cell that people read: a number, zero, suppressed, missing or not defined; never mixed up."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pandas as pd

__all__ = ["CellState", "cell_state"]


class CellState(StrEnum):
    """What stands in a released cell.

    ``zero``: counted, and there was none. ``suppressed``: there is a number; the disclosure gate withheld it.
    ``missing``: it was not recorded. ``undefined``: the data define no such number (for instance a rate among nobody).

    Examples
    --------
    >>> CellState.suppressed.text, CellState.zero.text, CellState.shown.text
    ('suppressed', '0', '')
    """

    shown = "shown"
    zero = "zero"
    suppressed = "suppressed"
    missing = "missing"
    undefined = "undefined"

    @property
    def text(self) -> str:
        """Say the state in the words of a table; empty where the number itself is printed."""
        return {"shown": "", "zero": "0", "undefined": "not defined"}.get(self.value, self.value)


def cell_state(row: Mapping[str, Any], column: str = "point") -> CellState:
    """Return the state of one cell of a released row.

    Parameters
    ----------
    row : a row of a released table, by column name.
    column : the cell asked for.

    Examples
    --------
    >>> cell_state({"n_male": 0, "state": "counted", "withheld": ""}, "n_male").value
    'zero'
    >>> cell_state({"point": None, "state": "undefined", "withheld": ""}).value
    'undefined'
    >>> cell_state({"n_male": None, "n_patients": 90, "state": "counted", "withheld": "n_male n_other"}, "n_male").value
    'suppressed'
    """
    state, value = str(row.get("state") or ""), row.get(column)
    if not pd.isna(value):
        counts = column.startswith("n_") or column.endswith("_lost")
        counts = counts or (column == "point" and row.get("metric") in {"n_images", "n_patients"})
        return CellState.zero if counts and value == 0 else CellState.shown
    if state == "suppressed" or column in str(row.get("withheld") or "").split():
        return CellState.suppressed
    return CellState.undefined if state in {"undefined", "refused", "absent"} else CellState.missing
