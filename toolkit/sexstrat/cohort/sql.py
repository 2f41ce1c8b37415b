"""How this stage speaks SQL: quoted identifiers, parameters for values, a connection that reaches nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from sexstrat.cohort.resources import named_memory
from sexstrat.errors import StudyError

__all__ = ["Connection", "compose", "connect", "literal", "quoted", "single_row"]

Connection = duckdb.DuckDBPyConnection


def quoted(identifier: str) -> str:
    """Return an identifier quoted for SQL, whatever characters it holds.

    Parameters
    ----------
    identifier : name of a table or column.

    Raises
    ------
    StudyError : the name holds a null character, which no database accepts.

    Examples
    --------
    >>> quoted('age"; DROP TABLE person; --')
    '"age""; DROP TABLE person; --"'
    """
    if "\x00" in identifier:
        raise StudyError(f"a column or table name holds a null character: {identifier!r}")
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as an SQL literal, for the statements that take no parameters (``COMMENT ON``).

    Parameters
    ----------
    text : any text of this package's contracts.

    Examples
    --------
    >>> literal("the patient's age")
    "'the patient''s age'"
    """
    return "'" + text.replace("'", "''") + "'"


def compose(template: str, **parts: str) -> str:
    """Return SQL with ``{name}`` replaced by quoted identifiers or by SQL written in this package.

    Values never come this way: they are parameters.

    Parameters
    ----------
    template : SQL with named places.
    parts : what to put there: results of :func:`quoted` or of :func:`compose`.

    Examples
    --------
    >>> compose("SELECT {column} FROM person", column=quoted("age"))
    'SELECT "age" FROM person'
    """
    return template.format(**parts)


def single_row(connection: Connection, query: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Return the one row of a query, leaving the connection free for the next.

    Parameters
    ----------
    connection : where to ask.
    query : SQL that gives exactly one row.
    parameters : its parameters.

    Examples
    --------
    >>> single_row(connect(), "SELECT 1, ?", ["a"])
    (1, 'a')
    """
    (row,) = connection.execute(query, list(parameters)).fetchall()
    return tuple(row)


def connect(
    path: Path | None = None,
    *,
    read_only: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
    temp_directory: Path | None = None,
    readable: Sequence[Path] = (),
    ordered: bool = True,
) -> Connection:
    """Open a database that installs nothing, loads nothing and reads no file but its own and those named.

    Parameters
    ----------
    path : database file, or None for one in memory.
    read_only : open an existing file without the right to change it.
    memory_limit : as DuckDB writes it, for instance ``"4GB"``; None is what the command allows, else 80 % of the
        machine's memory.
    threads : number of threads, at least 1; None is one per core.
    temp_directory : where large intermediate results are spilled; None is beside the file, or the system's.
    readable : files that queries may read.
    ordered : keep rows in the order of their source; False needs less memory.

    Raises
    ------
    StudyError : a setting is not understood.

    Examples
    --------
    >>> connect(threads=1).execute("SELECT 6 * 7").fetchone()
    (42,)
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "true" if ordered else "false",
    }
    memory = named_memory(memory_limit)
    if memory is not None:
        config["memory_limit"] = memory
    if threads is not None:
        config["threads"] = str(threads)
    if temp_directory is None and path is None:
        temp_directory = Path(tempfile.gettempdir()) / "sexstrat-spill"
    if temp_directory is not None:
        config["temp_directory"] = str(temp_directory)
    attached = read_only and path is not None
    try:
        connection = duckdb.connect(":memory:" if path is None or attached else str(path), config=config)
    except (duckdb.InvalidInputException, duckdb.SyntaxException, duckdb.ParserException) as err:
        raise StudyError(f"the database settings are not understood (memory_limit, threads): {err}") from err
    if attached:
        _attach(connection, str(path))
    if readable:
        names = ", ".join(literal(str(one)) for one in readable)
        connection.execute(compose("SET allowed_paths = [{names}]", names=names))
    _draw_no_progress(connection)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _draw_no_progress(connection: Connection) -> None:
    """Switch the database's own progress bar off: it would be drawn on stdout, among the results.

    In a notebook without ipywidgets the bar is off already, and DuckDB refuses to have it set.
    """
    if connection.sql("SELECT current_setting('enable_progress_bar')").fetchall() != [(False,)]:
        connection.execute("SET enable_progress_bar = false")


def _attach(connection: Connection, path: str) -> None:
    """Attach a file for reading.

    Opening it directly would share one instance among all who open that path in this process, so that a cohort built
    anew under an open one would silently show the old rows.
    """
    try:
        connection.execute(f"ATTACH {literal(path)} AS attached (READ_ONLY)")
        connection.execute("USE attached")
    except duckdb.Error:
        connection.close()
        raise
