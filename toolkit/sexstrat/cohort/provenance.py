"""From what a cohort was built: the digest of each input file, and of the SQL and all else of this stage's code."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from sexstrat.cohort.ddl import comment_on_column, comment_on_table
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.sql import Connection

__all__ = ["note_input", "sql_digest", "write_provenance"]

NOTED = "CREATE TEMP TABLE IF NOT EXISTS noted_input (contract VARCHAR, label VARCHAR, path VARCHAR)"
COLUMNS = {
    "contract": "which table it gave; sql is what made this file of them",
    "label": "name of the file or table",
    "sha256": "digest of the file's bytes; empty for a table of the program, several files or one elsewhere",
}


def note_input(connection: Connection, contract: str, table: TableInput) -> None:
    """Note an input, whose digest is taken when the cohort is written.

    Parameters
    ----------
    connection : where it is staged.
    contract : name of the table's contract.
    table : the input.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> note_input(connection, "person", TableInput(source="nowhere.csv"))
    >>> connection.execute("SELECT contract, label, path FROM noted_input").fetchall()
    [('person', 'nowhere.csv', None)]
    """
    path = str(table.source) if isinstance(table.source, (str, Path)) and Path(table.source).is_file() else None
    connection.execute(NOTED)
    connection.execute("INSERT INTO noted_input VALUES (?, ?, ?)", [contract, table.label, path])


@cache
def sql_digest() -> str:
    """Return the SHA-256 of this stage's modules, whose SQL checks, links and counts.

    Examples
    --------
    >>> len(sql_digest())
    64
    """
    digest = hashlib.sha256()
    for path in sorted(Path(str(files("sexstrat.cohort"))).glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def write_provenance(connection: Connection) -> None:
    """Write the table ``provenance`` of a cohort.

    Parameters
    ----------
    connection : the cohort being built, its inputs noted.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> write_provenance(connection)
    >>> connection.execute("SELECT contract, sha256 = ? FROM provenance", [sql_digest()]).fetchall()
    [('sql', True)]
    """
    connection.execute(NOTED)
    connection.execute("CREATE TABLE provenance (contract VARCHAR, label VARCHAR, sha256 VARCHAR)")
    noted = connection.execute("SELECT contract, label, path FROM noted_input").fetchall()
    rows = [(contract, label, _digest(Path(path)) if path else None) for contract, label, path in noted]
    connection.executemany("INSERT INTO provenance VALUES (?, ?, ?)", [*rows, ("sql", "sexstrat.cohort", sql_digest())])
    comment_on_table(connection, "provenance", "digest of each input file and of the code that made this file of them")
    for name, comment in COLUMNS.items():
        comment_on_column(connection, "provenance", name, comment)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
