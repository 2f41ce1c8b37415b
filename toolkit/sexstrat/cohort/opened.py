"""Open a cohort file for reading, once it is known to be one of this layout."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sexstrat.cohort.build import FORMAT_VERSION
from sexstrat.cohort.sql import Connection, connect
from sexstrat.errors import Problem, SchemaError

__all__ = ["open_file"]


def open_file(path: Path, *, memory_limit: str | None = None, threads: int | None = None) -> Connection:
    """Return a connection to a cohort file that cannot change it.

    Parameters
    ----------
    path : file written by :meth:`sexstrat.cohort.Cohort.create`.
    memory_limit, threads : as in :func:`sexstrat.cohort.sql.connect`.

    Raises
    ------
    SchemaError : there is no such file, it is no cohort, or its layout is of another version.

    Examples
    --------
    >>> open_file(Path("nowhere.duckdb"))
    Traceback (most recent call last):
    sexstrat.errors.SchemaError: ...
    """
    if not path.is_file():
        raise SchemaError([_unreadable(path, "missing_file", "there is no cohort file", str(path))])
    try:
        connection = connect(path, read_only=True, memory_limit=memory_limit, threads=threads)
    except duckdb.Error as err:
        raise SchemaError([_unreadable(path, "not_a_cohort", "the file is no cohort", None)]) from err
    try:
        rows = connection.execute("SELECT version FROM schema_version WHERE name = 'cohort'").fetchall()
    except duckdb.Error as err:
        connection.close()
        raise SchemaError([_unreadable(path, "not_a_cohort", "the file is no cohort", None)]) from err
    version = rows[0][0] if rows else None
    if version != FORMAT_VERSION:
        connection.close()
        message = "the cohort file has another layout; build it again"
        raise SchemaError([_unreadable(path, "schema_version", message, str(version))])
    return connection


def _unreadable(path: Path, kind: str, message: str, value: str | None) -> Problem:
    allowed = f"a file written by Cohort.create, layout version {FORMAT_VERSION}"
    return Problem(kind=kind, message=message, source=path.name, value=value, allowed=allowed)
