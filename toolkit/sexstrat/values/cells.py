"""Cells: the table of sufficient statistics that estimates, bootstrap and imputation are computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.values.tables import table_schema

__all__ = ["Cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of one or more conditions.

    Parameters
    ----------
    frame : rows of the ``cell`` contract, sorted by its primary key; missing keys are ``<NA>`` or None. The optional
        columns may be absent, as from cells of version 1: they are then there, and empty.
    edges : edges of the logit bins that ``logit_bin`` indexes.
    model_id : model whose scores were counted.

    Raises
    ------
    ValueError : a column of the contract is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({c: [] for c in table_schema("cell").columns})
    >>> Cells(frame=frame, edges=np.array([-10.0, 0.0, 10.0])).conditions
    ()
    """

    frame: pd.DataFrame
    edges: NDArray[np.float64]
    model_id: str = ""

    def __post_init__(self) -> None:
        contract = table_schema("cell")
        missing = [name for name in contract.columns if name not in self.frame.columns]
        absent = [name for name in missing if name in contract.optional_columns]
        if len(missing) > len(absent):
            names = ", ".join(name for name in missing if name not in absent)
            raise ValueError(f"cells lack the columns {names}")
        if absent:
            object.__setattr__(self, "frame", _with_empty(self.frame, absent))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Name the disease cubes present, sorted."""
        return tuple(sorted(str(name) for name in self.frame["condition"].unique()))

    @property
    def by_eye(self) -> bool:
        """Tell whether any row counts eyes: a condition was graded eye by eye."""
        return bool(self.frame["n_graded_eyes"].notna().any())

    def of(self, condition: str) -> Cells:
        """Return the cells of one condition.

        Raises
        ------
        KeyError : no such condition; the message lists those there are.
        """
        rows = np.flatnonzero(self.frame["condition"] == condition)
        if not rows.size:
            raise KeyError(f"no cells for condition {condition!r}; there are {', '.join(self.conditions)}")
        together = rows[-1] - rows[0] + 1 == rows.size  # as sorted cells have it: a view, not a copy
        chosen = self.frame.iloc[rows[0] : rows[-1] + 1] if together else self.frame.iloc[rows]
        return Cells(frame=chosen.reset_index(drop=True), edges=self.edges, model_id=self.model_id)


def _with_empty(frame: pd.DataFrame, absent: list[str]) -> pd.DataFrame:
    """Return the frame with empty columns of whole numbers, each where the contract has it."""
    empty = {name: pd.array([pd.NA] * len(frame), dtype="Int64") for name in absent}
    names = table_schema("cell").columns
    return frame.assign(**empty)[[*names, *(name for name in frame.columns if name not in names)]]
