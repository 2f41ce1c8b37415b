"""A Parquet file whose damage shows only when its rows are read: told as a problem of that file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb

from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.parquet_scan import scanned_file
from sexstrat.cohort.sql import Connection, compose, literal
from sexstrat.errors import Problem, SchemaError

__all__ = ["damage_told"]

EVERY_VALUE = "SELECT bit_xor(hash(t)) FROM read_parquet({path}) t"


@contextmanager
def damage_told(connection: Connection, inputs: Mapping[str, TableInput]) -> Iterator[None]:
    """Name the damaged file where a query of the block fails on one; any other failure passes.

    Parameters
    ----------
    connection : a connection that may read the files.
    inputs : the tables of the study.

    Raises
    ------
    SchemaError : a Parquet file of the study cannot be read to its end.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> with damage_told(connect(), {}):
    ...     pass
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as err:
        problems = [problem for table in inputs.values() for problem in _damage(connection, table)]
        if not problems:
            raise
        raise SchemaError(problems) from err


def _damage(connection: Connection, table: TableInput) -> list[Problem]:
    path = scanned_file(table)
    if path is None:
        return []
    try:
        connection.execute(compose(EVERY_VALUE, path=literal(str(path)))).fetchall()
    except duckdb.Error as err:
        return [
            Problem(
                kind="unreadable_file",
                message="the file is damaged: not all of its rows can be read",
                source=table.label,
                value=str(path),
                allowed="a readable Parquet file",
                hint=str(err).splitlines()[0][:300],
            )
        ]
    return []
