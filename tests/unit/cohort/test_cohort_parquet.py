"""Parquet files are read where they lie, and only as far as the database can read them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sexstrat.cohort import TableInput
from sexstrat.cohort.parquet_scan import view_of_parquet
from sexstrat.cohort.sql import connect
from sexstrat.errors import Problem
from sexstrat.values.tables import table_schema


def test_rows_are_numbered_and_only_unclean_columns_are_cleaned(tmp_path: Path) -> None:
    """Blanks go, empty text is missing, other columns are left out, and a row keeps its number in the file."""
    path = tmp_path / "odd [1] 'name'.parquet"
    frame = {
        "more": [1, 2, 3],
        "ID": ["a", " b\u3000", ""],
        "condition": ["amd", "amd", "dr"],
        "present": [1.0, 0.0, None],
    }
    pd.DataFrame(frame).to_parquet(path, index=False)
    connection, problems = connect(readable=[path]), list[Problem]()
    table = TableInput(source=path, columns={"patient_id": "ID"})
    types = view_of_parquet(connection, "staged", path, table, table_schema("condition"), problems)
    assert types == {"patient_id": "VARCHAR", "condition": "VARCHAR", "present": "DOUBLE"}
    assert problems == []
    rows = connection.execute("SELECT source_row, patient_id, present FROM staged ORDER BY 1").fetchall()
    assert rows == [(1, "a", 1.0), (2, "b", 0.0), (3, None, None)]


def test_a_damaged_file_gets_no_view(tmp_path: Path) -> None:
    """Half a file is left to the reader that says what is wrong with it."""
    path = tmp_path / "half.parquet"
    pd.DataFrame({"patient_id": ["a"] * 1000}).to_parquet(path, index=False)
    path.write_bytes(path.read_bytes()[:200])
    table = TableInput(source=path)
    assert view_of_parquet(connect(readable=[path]), "staged", path, table, table_schema("condition"), []) is None
