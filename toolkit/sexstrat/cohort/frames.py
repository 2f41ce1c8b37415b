"""Query results as data frames whose columns have the types of their contract."""

from __future__ import annotations

import pandas as pd

from sexstrat.values.tables import table_schema

__all__ = ["contract_frame"]


def contract_frame(frame: pd.DataFrame, contract: str) -> pd.DataFrame:
    """Return the frame in the contract's column order and types, whatever it holds, even nothing.

    Whole numbers that may be missing are ``Int64``, text is ``str`` with missing values, the rest plain numpy types.

    Parameters
    ----------
    frame : a query's result with the contract's columns.
    contract : name of the contract.

    Examples
    --------
    >>> frame = pd.DataFrame({name: [] for name in table_schema("condition").columns})
    >>> contract_frame(frame, "condition")["present"].dtype
    dtype('bool')
    """
    columns: dict[str, pd.Series] = {}
    for field in table_schema(contract).fields:
        series = frame[field.name]
        if field.type == "integer":
            columns[field.name] = series.astype("int64" if field.required else "Int64")
        elif field.type == "number":
            columns[field.name] = series.astype("float64")
        elif field.type == "boolean":
            columns[field.name] = series.astype("bool" if field.required else "boolean")
        elif field.type == "date":
            columns[field.name] = pd.to_datetime(series)
        else:
            columns[field.name] = series.astype("str")
    return pd.DataFrame(columns).reset_index(drop=True)
