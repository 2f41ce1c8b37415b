"""Parquet files read by the database itself: in parallel, column by column, again for every question, never copied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sexstrat.cohort.columns import find_columns
from sexstrat.cohort.csv_source import ROW
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.parquet_parts import PARQUET
from sexstrat.cohort.parsing import needs_cleaning, staged_expression, staged_type
from sexstrat.cohort.sql import Connection, compose, literal, quoted, single_row
from sexstrat.errors import Problem
from sexstrat.values.tables import TableSchema

__all__ = ["scanned_file", "scanned_files", "view_of_parquet"]


def scanned_file(table: TableInput) -> Path | None:
    """Return the file that the database reads itself: one Parquet file on this machine; None for any other input.

    Parameters
    ----------
    table : an input.

    Examples
    --------
    >>> scanned_file(TableInput(source="persons.csv")) is None
    True
    """
    if not isinstance(table.source, (str, Path)):
        return None
    path = Path(table.source)
    return path.absolute() if path.suffix.lower() in PARQUET and path.is_file() else None


def scanned_files(tables: Iterable[TableInput | None]) -> list[Path]:
    """Return those of the inputs that a connection must be allowed to read.

    Parameters
    ----------
    tables : inputs; None is none.

    Examples
    --------
    >>> scanned_files([None, TableInput(source="persons.csv")])
    []
    """
    found = [scanned_file(table) for table in tables if table is not None]
    return [path for path in found if path is not None]


def view_of_parquet(
    connection: Connection, view: str, path: Path, table: TableInput, schema: TableSchema, problems: list[Problem]
) -> dict[str, str] | None:
    """Make a view of a Parquet file's contract columns, each with the row it came from, in their staged types.

    Every value is read once here: columns without a blank to trim are taken as they are from then on, and a damaged
    file is found now. Such a file gets no view, and whoever reads it row by row says what is wrong with it.

    Parameters
    ----------
    connection : a connection that may read the file.
    view : name of the temporary view.
    path : the file.
    table : the input: its mapping of columns, and how messages call it.
    schema : the contract whose columns are wanted.
    problems : what is wrong with the header is added here.

    Returns
    -------
    Contract column -> staged type, or None where the database cannot read the file.
    """
    try:
        arrow = pq.read_schema(path)
        relation = compose("read_parquet({path}, file_row_number = true)", path=literal(str(path)))
        names = [name for name, *_ in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]
        found, wrong = find_columns(arrow.names, table.columns, schema, table.label)
        positions = {name: arrow.names.index(column) for name, column in found.items()}
        types = {name: staged_type(arrow.field(position).type) for name, position in positions.items()}
        columns = {name: quoted(names[position]) for name, position in positions.items()}
        values = _expressions(connection, relation, columns, types)
    except duckdb.OutOfMemoryException:
        raise
    except (OSError, pa.ArrowException, duckdb.Error):
        return None
    problems.extend(wrong)
    row = quoted(names[len(arrow.names)])
    shown = ", ".join([f"{row} + 1 AS {ROW}", *(f"{value} AS {quoted(name)}" for name, value in values.items())])
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(view)} AS SELECT {shown} FROM {relation}")  # noqa: S608
    return types


def _expressions(
    connection: Connection, relation: str, columns: Mapping[str, str], types: Mapping[str, str]
) -> dict[str, str]:
    """Return SQL for each column in its staged type; only those with something to clean are cleaned."""
    if not columns:
        return {}
    tests = ", ".join(f"coalesce(bool_or({needs_cleaning(columns[name], types[name])}), false)" for name in columns)
    dirty = single_row(connection, f"SELECT {tests} FROM {relation}")  # noqa: S608
    return {
        name: staged_expression(column, types[name]) if unclean else f"CAST({column} AS {types[name]})"
        for (name, column), unclean in zip(columns.items(), dirty, strict=True)
    }
