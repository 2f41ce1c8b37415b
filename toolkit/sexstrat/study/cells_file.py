"""Read a file of cells: Parquet or CSV in the ``cell`` contract, every breach named by row and column."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import logit_edges
from sexstrat.values.tables import Field, table_schema

__all__ = ["read_cells"]

_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def read_cells(path: str | Path) -> Cells:
    """Read cells and check them against their contract.

    Parameters
    ----------
    path : a Parquet file, or a CSV with a header (UTF-8; an empty value is missing).

    Returns
    -------
    Cells on the fixed bins of logit p, those every cohort has unless a threshold was declared. A file of version 1,
    which counts no eyes, reads as cells of conditions that are about the person.

    Raises
    ------
    StudyError : the file is absent or is neither Parquet nor CSV.
    SchemaError : columns are missing or values are not allowed; all breaches at once.

    Examples
    --------
    >>> read_cells("nowhere.csv")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: cells not found: nowhere.csv
    """
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"cells not found: {file}")
    frame = _table(file)
    schema = table_schema("cell")
    missing = [
        Problem(
            kind="missing_column",
            message="column is missing",
            source=file.name,
            column=name,
            allowed=f"columns found: {', '.join(map(str, frame.columns))}",
        )
        for name in schema.columns
        if name not in frame.columns and name not in schema.optional_columns
    ]
    if missing:
        raise SchemaError(missing)
    frame = frame.reindex(columns=[*frame.columns, *(name for name in schema.columns if name not in frame.columns)])
    columns = {field.name: _column(frame[field.name], field) for field in schema.fields}
    problems = [one for field in schema.fields for one in _breaches(columns[field.name], frame, field, file.name)]
    problems += [] if problems else list(_contradictions(pd.DataFrame(columns), file.name))
    if problems:
        raise SchemaError(problems)
    return Cells(frame=pd.DataFrame(columns), edges=logit_edges(), model_id="")


def _table(file: Path) -> pd.DataFrame:
    suffix = file.suffix.lower()
    if suffix not in {".csv", ".parquet"}:
        raise StudyError(f"cells must be a .parquet or .csv file; found {file.name}")
    try:
        if suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (OSError, ValueError) as err:
        raise StudyError(f"cells cannot be read: {file}: {err}") from err


def _column(values: pd.Series, field: Field) -> pd.Series:
    """Return a column in the type of its contract; what does not fit is missing."""
    if field.type in {"integer", "number"}:
        number = pd.to_numeric(values, errors="coerce").astype("Float64")
        number = number.mask(number.abs() == math.inf)
        if field.type == "number":
            return number.astype("float64")
        return number.mask(number % 1 != 0).astype("Int64")
    if field.type == "boolean":
        word = values.astype("string").str.lower()
        return word.map({**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}).astype("boolean")
    return values.astype("string").astype(object).where(values.notna(), None)


def _breaches(values: pd.Series[Any], frame: pd.DataFrame, field: Field, source: str) -> Iterator[Problem]:
    raw = frame[field.name]
    wrong = (values.isna() & raw.notna()) | (values.isna() & field.required)
    if field.enum:
        wrong |= values.notna() & ~values.isin(field.enum)
    if field.minimum is not None:
        wrong |= (values < field.minimum).fillna(False).astype(bool)
    if field.maximum is not None:
        wrong |= (values > field.maximum).fillna(False).astype(bool)
    wrong_rows = wrong.to_numpy(dtype=bool)
    if wrong_rows.any():
        first = int(wrong_rows.argmax())
        found = raw.iloc[first]
        yield Problem(
            kind="not_allowed",
            message="value is not allowed",
            source=source,
            row=first + 2,
            column=field.name,
            value=None if pd.isna(found) else str(found),
            allowed=field.allowed,
            count=int(wrong_rows.sum()),
        )


def _contradictions(frame: pd.DataFrame, source: str) -> Iterator[Problem]:
    """Yield what no cohort could have written, though each value by itself is allowed."""
    scored = frame["n_eyes"] > 0
    known = frame["recorded_sex"].isin(("male", "female"))
    last = len(logit_edges()) - 2
    keys = list(table_schema("cell").primary_key)
    graded, affected = frame["n_graded_eyes"], frame["n_diseased_eyes"]
    rules = (
        (
            graded.isna() != affected.isna(),
            "n_diseased_eyes",
            "one of n_graded_eyes and n_diseased_eyes is given without the other",
            "both, or neither",
        ),
        (
            (affected > graded).fillna(value=False),
            "n_diseased_eyes",
            "more eyes are affected than were graded",
            "at most n_graded_eyes",
        ),
        (
            (frame["diseased"] != (affected > 0)).fillna(value=False),
            "diseased",
            "diseased contradicts the number of affected eyes",
            "true where n_diseased_eyes is above 0, false where it is 0",
        ),
        (scored & frame["logit_bin"].isna(), "logit_bin", "a row with scored eyes has no bin", "a bin"),
        (
            (frame["logit_bin"] > last).fillna(False),
            "logit_bin",
            "the bin lies beyond the fixed bins: these cells were counted with a declared threshold other than 0.5",
            f"0 to {last}",
        ),
        (known & frame["fold"].isna(), "fold", "a validated row has no cross-fitting fold", "0 to 4"),
        (frame.duplicated(keys, keep="first"), keys[0], "the same keys stand in an earlier row", "each key once"),
    )
    for wrong, column, message, allowed in rules:
        rows = wrong.to_numpy(dtype=bool)
        if rows.any():
            yield Problem(
                kind="contradiction",
                message=message,
                source=source,
                row=int(rows.argmax()) + 2,
                column=column,
                value=str(frame[column].iloc[int(rows.argmax())]),
                allowed=allowed,
                count=int(rows.sum()),
            )
