"""Tables and views of a DuckDB file that others made, read without running anything of it but the one query."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from sexstrat.cohort.sql import Connection, compose, connect, quoted, single_row
from sexstrat.errors import StudyError

__all__ = ["DATABASE", "duckdb_batches", "duckdb_rows"]

DATABASE = (".duckdb", ".ddb", ".db")
BATCH = 250_000  # rows held at once
NAMES = """
SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'attached' UNION ALL
SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'attached' AND NOT internal ORDER BY ALL
"""


def duckdb_batches(path: Path, table: str | None, label: str) -> Iterator[pa.Table]:
    """Yield the rows of a table or view of a DuckDB file in batches.

    Parameters
    ----------
    path : the file.
    table : name of the table or view, or ``schema.name`` where several have the name.
    label : how messages call the file.

    Raises
    ------
    StudyError : no table is named, or the file has none of that name; the message lists those there are.
    FileNotFoundError, duckdb.Error : the file cannot be read.

    Examples
    --------
    >>> import tempfile, duckdb
    >>> path = Path(tempfile.mkdtemp()) / "registry.duckdb"
    >>> with duckdb.connect(str(path)) as made:
    ...     _ = made.execute("CREATE TABLE persons AS SELECT 'a' AS patient_id")
    >>> next(duckdb_batches(path, "persons", "registry.duckdb")).to_pydict()
    {'patient_id': ['a']}
    >>> next(duckdb_batches(path, "person", "registry.duckdb"))
    Traceback (most recent call last):
    sexstrat.errors.StudyError: registry.duckdb: it has no table 'person'; did you mean persons? allowed: persons
    """
    with _opened(path) as connection:
        yield from _rows(connection, compose("SELECT * FROM {table}", table=_found(connection, table, label)))


def duckdb_rows(path: Path, table: str | None, label: str) -> int:
    """Return how many rows a table or view of a DuckDB file has.

    Parameters
    ----------
    path, table, label : as in :func:`duckdb_batches`, which raises the same errors.

    Examples
    --------
    >>> import tempfile, duckdb
    >>> path = Path(tempfile.mkdtemp()) / "registry.duckdb"
    >>> with duckdb.connect(str(path)) as made:
    ...     _ = made.execute("CREATE TABLE persons AS SELECT 'a' AS patient_id")
    >>> duckdb_rows(path, "persons", "registry.duckdb")
    1
    """
    with _opened(path) as connection:
        query = compose("SELECT count(*) FROM {table}", table=_found(connection, table, label))
        (rows,) = single_row(connection, query)
    return int(rows)


@contextmanager
def _opened(path: Path) -> Iterator[Connection]:
    if not path.is_file():
        raise FileNotFoundError(path)
    connection = connect(path, read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def _found(connection: Connection, table: str | None, label: str) -> str:
    names = [(str(schema), str(name)) for schema, name in connection.execute(NAMES).fetchall()]
    return ".".join(map(quoted, _chosen(names, table, label)))


def _rows(connection: Connection, query: str) -> Iterator[pa.Table]:
    reader = connection.sql(query).to_arrow_reader(BATCH)
    empty = True
    for batch in reader:
        empty = False
        yield pa.Table.from_batches([batch])
    if empty:
        yield reader.schema.empty_table()


def _chosen(names: list[tuple[str, str]], table: str | None, label: str) -> tuple[str, str]:
    shown = [name if schema == "main" else f"{schema}.{name}" for schema, name in names]
    fitting = [pair for pair in names if table in {pair[1], f"{pair[0]}.{pair[1]}"}]
    if len(fitting) == 1:
        return fitting[0]
    allowed = f"allowed: {', '.join(shown) or 'none, the file is empty'}"
    if table is None:
        raise StudyError(f'{label} is a database: say which table of it is meant (table = "..."); {allowed}')
    if fitting:
        raise StudyError(f"{label}: several tables are called {table!r}; write schema.table; {allowed}")
    close = difflib.get_close_matches(table, shown, n=1, cutoff=0.5)
    raise StudyError(f"{label}: it has no table {table!r}{f'; did you mean {close[0]}?' if close else ';'} {allowed}")
