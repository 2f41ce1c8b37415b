"""Input tables of a study, from CSV, Parquet, a DuckDB file, pandas or Arrow, put beside their row numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sexstrat.cohort.columns import find_columns
from sexstrat.cohort.csv_source import ENCODINGS, ROW, CsvFile
from sexstrat.cohort.sql import compose, connect, quoted
from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.values.tables import TableSchema

__all__ = ["TableInput", "read_input"]

PARQUET = (".parquet", ".pq")
DATABASE = (".duckdb", ".ddb", ".db")
CONFLICTS = ("error", "present")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableInput:
    """One input table: where it is and how to read it.

    Rows are named in messages by the line of a CSV file (its header is line 1), elsewhere by the row, from 1.

    Parameters
    ----------
    source : path of a CSV, Parquet or DuckDB file, or a pandas or Arrow table.
    name : how messages call it; empty means the file's name.
    columns : contract column -> the file's column, where names differ.
    encoding : of a CSV file: utf-8, utf-8-sig or cp932.
    delimiter : of a CSV file, one character.
    decimal : decimal mark in text, ``"."`` or ``","``.
    table : table of a DuckDB file.
    drop : kinds of problem whose rows are left out, each counted in the flow; other errors stop the run.
    on_conflict : where a condition is both present and absent: ``"error"``, or ``"present"`` to leave out the rows
        that say it is absent.
    section : section of the study file that declares it, for messages.

    Raises
    ------
    StudyError : a setting is none of those allowed.

    Examples
    --------
    >>> TableInput(source=Path("persons.csv"), columns={"patient_id": "ID"}).label
    'persons.csv'
    """

    source: str | Path | pd.DataFrame | pa.Table
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    table: str | None = None
    drop: Sequence[str] = ()
    on_conflict: str = "error"
    section: str = ""

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise StudyError(f"encoding {self.encoding!r} is not known; allowed: {', '.join(ENCODINGS)}")
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise StudyError(f"a delimiter is one character such as ',' or a tab; found {self.delimiter!r}")
        if self.on_conflict not in CONFLICTS:
            raise StudyError(f"on_conflict is one of {', '.join(CONFLICTS)}; found {self.on_conflict!r}")
        if self.decimal not in {".", ","}:
            raise StudyError(f"a decimal mark is '.' or ','; found {self.decimal!r}")

    @property
    def label(self) -> str:
        """Name the table in messages."""
        if self.name or not isinstance(self.source, (str, Path)):
            return self.name or "table"
        return Path(self.source).name

    @classmethod
    def of(cls, table: TableInput | str | Path | pd.DataFrame | pa.Table, name: str) -> TableInput:
        """Return the table as an input; a bare path or frame is read with the defaults.

        Parameters
        ----------
        table : an input, or what its ``source`` may be.
        name : how messages call a frame.

        Examples
        --------
        >>> TableInput.of(pd.DataFrame(), "persons").label
        'persons'
        """
        if isinstance(table, TableInput):
            return table
        return cls(source=table, name="" if isinstance(table, (str, Path)) else name)


def read_input(table: TableInput, schema: TableSchema, problems: list[Problem]) -> Iterator[pa.Table]:
    """Yield the contract columns of an input in batches, each with the row it came from.

    Parameters
    ----------
    table : the input.
    schema : the contract whose columns are wanted; others are left out.
    problems : what is wrong with the header or the shape of rows is added here.

    Raises
    ------
    SchemaError : the file cannot be opened or decoded.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> frame = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> next(read_input(TableInput.of(frame, "persons"), table_schema("person"), [])).column_names
    ['source_row', 'patient_id', 'age_years', 'recorded_sex']
    """
    if isinstance(table.source, (str, Path)) and Path(table.source).suffix.lower() not in (*PARQUET, *DATABASE):
        csv_file = CsvFile(
            path=Path(table.source), source=table.label, encoding=table.encoding, delimiter=table.delimiter
        )
        header = csv_file.header()
        found, wrong = find_columns(header, table.columns, schema, table.label)
        problems.extend(wrong)
        yield from csv_file.batches({name: header.index(column) for name, column in found.items()})
        problems.extend(csv_file.problems)
        return
    first = 1
    for number, batch in enumerate(_batches(table)):
        found, wrong = find_columns(batch.column_names, table.columns, schema, table.label)
        if number == 0:
            problems.extend(wrong)
        rows = pa.array(range(first, first + batch.num_rows), type=pa.int64())
        yield pa.table({ROW: rows, **{name: batch.column(batch.column_names.index(c)) for name, c in found.items()}})
        first += batch.num_rows


def _batches(table: TableInput) -> Iterator[pa.Table]:
    if isinstance(table.source, pa.Table):
        yield table.source
    elif isinstance(table.source, pd.DataFrame):
        yield _from_pandas(table.source)
    else:
        path = Path(table.source)
        try:
            yield from _parquet(path) if path.suffix.lower() in PARQUET else _database(path, table)
        except (OSError, pa.ArrowException, duckdb.Error) as err:
            problem = Problem(
                kind="missing_file" if not path.is_file() else "unreadable_file",
                message="the file cannot be read",
                source=table.label,
                value=str(path),
                allowed=f"a readable {'Parquet' if path.suffix.lower() in PARQUET else 'DuckDB'} file",
                hint=str(err).splitlines()[0],
            )
            raise SchemaError([problem]) from err


def _parquet(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        if file.metadata.num_rows == 0:
            yield file.schema_arrow.empty_table()
        for batch in file.iter_batches(batch_size=250_000):
            yield pa.Table.from_batches([batch])


def _database(path: Path, table: TableInput) -> Iterator[pa.Table]:
    if table.table is None:
        raise StudyError(f"{table.label} is a database: say which table of it is meant (table = ...)")
    if not path.is_file():
        raise FileNotFoundError(path)
    connection = connect(path, read_only=True)
    try:
        yield connection.sql(compose("SELECT * FROM {table}", table=quoted(table.table))).to_arrow_table()
    finally:
        connection.close()


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    columns: list[pa.Array] = []
    for position in range(frame.shape[1]):
        series = frame.iloc[:, position]
        try:
            columns.append(pa.array(series, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            texts = [None if pd.isna(value) else str(value) for value in series]
            columns.append(pa.array(texts, type=pa.string()))
    return pa.Table.from_arrays(columns, names=[str(name) for name in frame.columns])
