"""Find every breach of a table contract: in its columns first, then in its values."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import Problem
from sexstrat.values.tables import Field, TableSchema

__all__ = ["column_breaches", "nearest_name", "typed_columns", "value_breaches"]


def nearest_name(name: str, allowed: Sequence[str]) -> str | None:
    """Return the allowed name that a misspelt one most likely means, or None.

    Parameters
    ----------
    name : what was written.
    allowed : what may be written.

    Examples
    --------
    >>> nearest_name("pateint_id", ["image_id", "patient_id"])
    'patient_id'
    >>> nearest_name("weather", ["image_id", "patient_id"]) is None
    True
    """
    folded = {candidate.casefold(): candidate for candidate in reversed(allowed)}
    found = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def column_breaches(
    columns: Sequence[str], schema: TableSchema, *, source: str, optional: Sequence[str] = ()
) -> list[Problem]:
    """Compare the column names of a table with its contract.

    Parameters
    ----------
    columns : names as found, in order.
    schema : the contract.
    source : file or table name for the messages.
    optional : required columns that may be absent all the same, because a default is made for them.

    Returns
    -------
    One problem for each unknown, repeated or missing column.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> [p.hint for p in column_breaches(["image_id", "pth"], table_schema("image"), source="a.csv")]
    ['Did you mean path?', '']
    """
    allowed = schema.columns
    problems = []
    for index, name in enumerate(columns):
        if name not in allowed:
            near = nearest_name(name, allowed)
            hint = f"Did you mean {near}?" if near else "Rename or remove the column"
            problems.append(_column_problem("unknown_column", "unknown column", source, name, ", ".join(allowed), hint))
        elif name in columns[:index]:
            message = "the column appears more than once"
            problems.append(_column_problem("duplicate_column", message, source, name, "one column of each name"))
    for field in schema.fields:
        if field.required and field.name not in columns and field.name not in optional:
            problems.append(_column_problem("missing_column", "column is missing", source, field.name, field.allowed))
    return problems


def _column_problem(kind: str, message: str, source: str, column: str, allowed: str, hint: str = "") -> Problem:
    value = None if kind == "missing_column" else column
    return Problem(
        kind=kind, message=message, source=source, row=1, column=column, value=value, allowed=allowed, hint=hint
    )


def value_breaches(
    frame: pd.DataFrame, schema: TableSchema, *, source: str, rows: Sequence[int] | None = None
) -> list[Problem]:
    """Compare every value of a table with its contract.

    Parameters
    ----------
    frame : the table; missing values are NA.
    schema : the contract; columns that the frame lacks are passed over.
    source : file or table name for the messages.
    rows : line of each row in the file; by default 2, 3, ... (a header is line 1).

    Returns
    -------
    One problem for each rule broken in a column, with its first row and the number of rows, in row order.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> frame = pd.DataFrame({"image_id": ["a", "b", "a"], "path": ["a.jpg"] * 3, "eye": ["R", "right", None]})
    >>> for problem in value_breaches(frame, table_schema("image"), source="images.csv"):
    ...     print(problem)
    images.csv, row 3, column eye: value is not allowed; found 'right'; allowed: R, L
    images.csv, row 4, column image_id: value appears more than once; found 'a'; allowed: text, not empty
    """
    lines = range(2, len(frame) + 2) if rows is None else rows
    problems = []
    for field in schema.fields:
        if field.name not in frame.columns:
            continue
        values = frame[field.name]
        for kind, message, broken in _rules(values, field):
            if not broken.any():
                continue
            first = int(broken.argmax())
            value = values.iloc[first]
            problems.append(
                Problem(
                    kind=kind,
                    message=message,
                    source=source,
                    row=int(lines[first]),
                    column=field.name,
                    value=None if pd.isna(value) else str(value),
                    allowed=field.allowed,
                    count=int(broken.sum()),
                )
            )
    return sorted(problems, key=lambda problem: problem.row or 0)


def _rules(values: pd.Series, field: Field) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield kind, message and the rows that break the rule, for every rule of a column."""
    present = values.notna().to_numpy(dtype=bool)
    if field.required:
        yield "empty_value", "value is empty", ~present
    if field.unique:
        yield "duplicate_value", "value appears more than once", present & values.duplicated().to_numpy(dtype=bool)
    if field.enum:
        yield "not_allowed", "value is not allowed", present & ~values.isin(field.enum).to_numpy(dtype=bool)
    if field.pattern:
        matches = values.astype("str").str.fullmatch(field.pattern).fillna(value=False).to_numpy(dtype=bool)
        yield "wrong_pattern", "value does not have the right form", present & ~matches
    if field.type == "date":
        dates = pd.to_datetime(values.astype("str"), format="%Y-%m-%d", errors="coerce")
        yield "not_a_date", "value is not a date", present & dates.isna().to_numpy(dtype=bool)
    if field.type in {"number", "integer"}:
        yield from _number_rules(values, field, present)


def _number_rules(
    values: pd.Series, field: Field, present: NDArray[np.bool_]
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    finite = np.isfinite(numbers)
    yield "not_a_number", "value is not a number", present & ~finite
    if field.type == "integer":
        yield "not_a_whole_number", "value is not a whole number", finite & (np.mod(numbers, 1.0) != 0)
    if field.minimum is not None:
        yield "below_minimum", "value is below the minimum", finite & (numbers < field.minimum)
    if field.maximum is not None:
        yield "above_maximum", "value is above the maximum", finite & (numbers > field.maximum)


def typed_columns(frame: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return the columns of a contract in its order and types; a column that is lacking comes out empty.

    Parameters
    ----------
    frame : a table that keeps the contract's values.
    schema : the contract.

    Returns
    -------
    Text and dates as ``str``, numbers as ``float64``, whole numbers as ``Int64``, truth values as ``boolean``.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> typed_columns(pd.DataFrame({"image_id": ["a"], "prob_male": ["0.5"]}), table_schema("score")).dtypes["fold"]
    Int64Dtype()
    """
    columns = {}
    for field in schema.fields:
        kind: Any = {"integer": "Int64", "number": "float64", "boolean": "boolean"}.get(field.type, "str")
        if field.name not in frame.columns:
            columns[field.name] = pd.Series(np.nan, index=frame.index, dtype=kind)
        elif field.type in {"integer", "number"}:
            columns[field.name] = pd.to_numeric(frame[field.name]).astype(kind)
        else:
            columns[field.name] = frame[field.name].astype(kind)
    return pd.DataFrame(columns).reset_index(drop=True)
