"""The database reaches nothing but its own file, and names cannot become statements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sexstrat.cohort.ddl import column_type, create_table
from sexstrat.cohort.sql import connect, quoted
from sexstrat.errors import StudyError
from sexstrat.values.tables import table_names, table_schema


def test_quoted_names_survive_any_character() -> None:
    """A name with quotes and semicolons is a name."""
    connection = connect(threads=1)
    name = 'x"; DROP TABLE y; --'
    connection.execute(f"CREATE TABLE {quoted(name)} (a INTEGER)")
    assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [(name,)]
    with pytest.raises(StudyError, match="null character"):
        quoted("a\x00b")


def test_no_file_network_or_extension_can_be_reached(tmp_path: Path) -> None:
    """Reading another file, attaching, installing and unlocking the settings are all refused."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    connection = connect(tmp_path / "own.duckdb", threads=1)
    for statement in (
        f"SELECT * FROM read_csv('{secret.as_posix()}')",
        f"ATTACH '{(tmp_path / 'other.duckdb').as_posix()}'",
        f"COPY (SELECT 1) TO '{(tmp_path / 'out.csv').as_posix()}'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)
    connection.close()


def test_every_contract_becomes_a_commented_table() -> None:
    """Each contract's columns, types, required marks and words are in the file."""
    connection = connect(threads=1)
    for name in table_names():
        schema = table_schema(name)
        create_table(connection, schema)
        query = "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() WHERE table_name = ?"
        assert connection.execute(query, [name]).fetchall() == [
            (field.name, column_type(field), not field.required, field.description) for field in schema.fields
        ]


IN_A_NOTEBOOK = """
import sys, types
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["ipywidgets"] = None
from sexstrat.cohort.sql import connect
print(connect(threads=1).execute("SELECT 6 * 7").fetchone())
"""


def test_a_notebook_without_widgets_can_open_a_database() -> None:
    """There DuckDB has no progress bar, and refuses to have it switched off."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_NOTEBOOK], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "(42,)\n", done.stderr
