"""Say roughly how many rows a table has, without reading it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sexstrat.cohort.duckdb_source import DATABASE, duckdb_rows
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.parquet_parts import PARQUET, parquet_parts
from sexstrat.errors import StudyError
from sexstrat.scores.urls import is_remote

__all__ = ["rough_rows"]

SAMPLE = 1 << 16  # bytes of a text file from which the length of its lines is taken


def rough_rows(table: TableInput) -> int | None:
    r"""Return how many rows a table has: exact for Parquet and DuckDB, from the size of the file for text.

    Parameters
    ----------
    table : the table; only files on this machine are looked at.

    Returns
    -------
    The number of rows, or None where it cannot be told: a frame, object storage, a file that is not there or damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "persons.csv"
    >>> _ = path.write_text("patient_id,age_years\n" + "a1,61\n" * 50)
    >>> rough_rows(TableInput(source=path)), rough_rows(TableInput(source=path.with_name("none.csv")))
    (50, None)
    """
    if not isinstance(table.source, (str, Path)) or is_remote(table.source):
        return None
    path = Path(table.source)
    try:
        parts = parquet_parts(table.source)
        if parts is not None:
            return sum(int(pq.read_metadata(part.location).num_rows) for part in parts)
        if table.table is None and path.suffix.lower() in PARQUET:
            return int(pq.read_metadata(path).num_rows)
        if table.table is not None or path.suffix.lower() in DATABASE:
            return duckdb_rows(path, table.table, table.label)
        return _text_rows(path)
    except (OSError, pa.ArrowException, duckdb.Error, StudyError):
        return None  # whoever reads the table says what is wrong with it


def _text_rows(path: Path) -> int:
    """Return the rows below the header, taking the first lines for as long as the others."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    header, _, rest = sample.partition(b"\n")
    whole = path.stat().st_size - len(header) - 1
    lines = rest.count(b"\n") + (len(sample) < SAMPLE and rest[-1:] not in {b"", b"\n"})
    length = len(rest[: rest.rfind(b"\n") + 1]) if len(sample) == SAMPLE else len(rest)
    return round(whole * lines / length) if length > 0 else 0
