"""Rows of an audit as a frame with the columns and types of their contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sexstrat.values.tables import table_schema

__all__ = ["contract_frame"]

TYPES = {"integer": "Int64", "number": "float64", "string": "str", "boolean": "boolean"}


def contract_frame(rows: Sequence[dict[str, Any]], table: str) -> pd.DataFrame:
    """Return rows with the columns and types of a contract; what a row does not tell is empty.

    Parameters
    ----------
    rows : one mapping a row.
    table : name of the contract.

    Examples
    --------
    >>> contract_frame([{"metric": "auc", "n_patients": 40}], "audit")[["metric", "n_patients"]].values.tolist()
    [['auc', 40]]
    """
    schema = table_schema(table)
    frame = pd.DataFrame(list(rows), columns=schema.columns)
    return frame.astype({field.name: TYPES[field.type] for field in schema.fields})
