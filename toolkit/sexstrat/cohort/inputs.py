"""Input tables of a study: CSV, Parquet, DuckDB, here or in object storage, pandas or Arrow, with row numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from sexstrat.cohort.columns import find_columns
from sexstrat.cohort.csv_source import ENCODINGS, ROW, CsvFile
from sexstrat.cohort.duckdb_source import DATABASE, duckdb_batches
from sexstrat.cohort.omop import OmopSettings
from sexstrat.cohort.parquet_parts import PARQUET, ParquetPart, parquet_parts
from sexstrat.cohort.parsing import staged_type
from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.scores.storage import local_copy
from sexstrat.scores.urls import is_remote
from sexstrat.values.tables import TableSchema

__all__ = ["TableInput", "read_input"]

CONFLICTS = ("error", "present")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableInput:
    """One input table: where it is and how to read it.

    Rows are named in messages by the line of a CSV file (its header is line 1), elsewhere by the row, from 1.

    Parameters
    ----------
    source : path or URL of a CSV, Parquet or DuckDB file; folder or glob of Parquet files, whose folders
        ``key=value`` are columns; or a pandas or Arrow table. URLs are those of object storage (``s3://``, ``gs://``,
        ``abfs://``, ``memory://`` and others that fsspec opens).
    name : how messages call it; empty means the file's name.
    columns : contract column -> the file's column, where names differ.
    encoding : of a CSV file: utf-8, utf-8-sig or cp932.
    delimiter : of a CSV file, one character.
    decimal : decimal mark in text, ``"."`` or ``","``.
    table : table or view of a DuckDB file, or ``schema.table``.
    drop : kinds of problem whose rows are left out, each counted in the flow; other errors stop the run.
    on_conflict : where a condition is both present and absent: ``"error"``, or ``"present"`` to leave out the rows
        that say it is absent.
    section : section of the study file that declares it, for messages.
    omop : how to take persons or conditions out of an OMOP common data model; the source is then the folder of its
        tables or the DuckDB file.

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
    omop: OmopSettings | None = None

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
        return str(self.source) if is_remote(self.source) else Path(self.source).name

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


def read_input(
    table: TableInput, schema: TableSchema, problems: list[Problem], parts: list[tuple[int, str]] | None = None
) -> Iterator[pa.Table]:
    """Yield the contract columns of an input in batches, each with the row it came from.

    Parameters
    ----------
    table : the input.
    schema : the contract whose columns are wanted; others are left out.
    problems : what is wrong with the header or the shape of rows is added here.
    parts : first row and name of each file are added here, where the table lies in several.

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
    if isinstance(table.source, (pa.Table, pd.DataFrame)):
        rows = table.source if isinstance(table.source, pa.Table) else _from_pandas(table.source)
        yield from _numbered([rows], table, schema, problems)
    elif (files := parquet_parts(table.source)) is not None:
        yield from _numbered(_from_parts(files, table, [] if parts is None else parts), table, schema, problems)
    else:
        with _at_hand(table) as path:
            yield from _from_file(path, table, schema, problems)


@contextmanager
def _at_hand(table: TableInput) -> Iterator[Path]:
    """Give a path on this machine for the file, wherever it lies."""
    if not is_remote(table.source):
        yield Path(str(table.source))
        return
    try:
        copy = local_copy(str(table.source))
        path = copy.__enter__()
    except StudyError as err:
        raise SchemaError([_missing(table, "the file cannot be read", str(err))]) from err
    try:
        yield path
    finally:
        copy.__exit__(None, None, None)


def _from_file(path: Path, table: TableInput, schema: TableSchema, problems: list[Problem]) -> Iterator[pa.Table]:
    suffix = path.suffix.lower()
    if table.table is None and suffix not in {*PARQUET, *DATABASE}:
        csv_file = CsvFile(path=path, source=table.label, encoding=table.encoding, delimiter=table.delimiter)
        header = csv_file.header()
        found, wrong = find_columns(header, table.columns, schema, table.label)
        problems.extend(wrong)
        yield from csv_file.batches({name: header.index(column) for name, column in found.items()})
        problems.extend(csv_file.problems)
        return
    part = ParquetPart(name=table.label, location=str(path), keys={})
    parquet = table.table is None and suffix in PARQUET
    try:
        batches = part.batches() if parquet else duckdb_batches(path, table.table, table.label)
        yield from _numbered(batches, table, schema, problems)
    except (OSError, pa.ArrowException, duckdb.Error) as err:
        problem = Problem(
            kind="missing_file" if not path.is_file() else "unreadable_file",
            message="the file cannot be read",
            source=table.label,
            value=str(path),
            allowed=f"a readable {'Parquet' if parquet else 'DuckDB'} file",
            hint=_in_words(err),
        )
        raise SchemaError([problem]) from err


def _numbered(
    batches: Iterable[pa.Table], table: TableInput, schema: TableSchema, problems: list[Problem]
) -> Iterator[pa.Table]:
    """Yield the wanted columns of batches with the number of each row, from 1."""
    first = 1
    for number, batch in enumerate(batches):
        found, wrong = find_columns(batch.column_names, table.columns, schema, table.label)
        if number == 0:
            problems.extend(wrong)
        rows = pa.array(range(first, first + batch.num_rows), type=pa.int64())
        yield pa.table({ROW: rows, **{name: batch.column(batch.column_names.index(c)) for name, c in found.items()}})
        first += batch.num_rows


def _from_parts(files: Sequence[ParquetPart], table: TableInput, parts: list[tuple[int, str]]) -> Iterator[pa.Table]:
    """Yield the rows of several files, which must agree on columns and types, and note where each begins."""
    if not files:
        raise SchemaError([_missing(table, "there is no Parquet file", "Folders and globs are read as Parquet")])
    columns: dict[str, str] | None = None
    first = 1
    for part in files:
        parts.append((first, part.name))
        try:
            for batch in part.batches():
                found = {field.name: staged_type(field.type) for field in batch.schema}
                columns = found if columns is None else columns
                if found != columns:
                    raise SchemaError([_differs(part, files[0], found, columns)])
                yield batch
                first += batch.num_rows
        except (OSError, pa.ArrowException) as err:
            problem = Problem(
                kind="unreadable_file",
                message="the file cannot be read",
                source=part.name,
                value=part.location,
                allowed="a readable Parquet file",
                hint=_in_words(err),
            )
            raise SchemaError([problem]) from err


def _differs(part: ParquetPart, first: ParquetPart, found: Mapping[str, str], columns: Mapping[str, str]) -> Problem:
    column = next(name for name in [*columns, *found] if found.get(name) != columns.get(name))
    return Problem(
        kind="files_disagree",
        message="a column of this file is not that of the first file of the table",
        source=part.name,
        column=column,
        value=found.get(column, "no such column"),
        allowed=f"{columns.get(column, 'no such column')}, as in {first.name}",
        hint="Write all files of a table with the same columns and types",
    )


def _missing(table: TableInput, message: str, hint: str) -> Problem:
    return Problem(
        kind="missing_file",
        message=message,
        source=table.label,
        value=str(table.source),
        allowed="a readable file, or a folder or glob of Parquet files",
        hint=hint,
    )


def _in_words(err: Exception) -> str:
    return (str(err).strip() or type(err).__name__).splitlines()[0][:300]


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
