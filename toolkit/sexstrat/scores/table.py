"""Write and read score tables: Parquet or CSV, with the contract's types and its schema version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.scores.breaches import column_breaches, typed_columns, value_breaches
from sexstrat.scores.replacing import replace_file
from sexstrat.scores.storage import files_below, local_copy
from sexstrat.scores.urls import is_remote
from sexstrat.values.tables import TableSchema, table_schema

__all__ = ["read_notes", "read_scores", "write_scores", "write_table"]

VERSION_COLUMN = "schema_version"  # CSV has no place for metadata, so the version is its last column
_READ_AS_WELL = ("2",)  # had no predicted_age, which then reads as empty


def write_scores(
    scores: pd.DataFrame | Iterable[pd.DataFrame], path: str | Path, *, notes: Mapping[str, str] | None = None
) -> None:
    """Write a score table; the file appears whole or not at all.

    Parameters
    ----------
    scores : rows of the score contract, in one frame or in several that follow each other: memory then holds one
        of them at a time.
    path : where to write, a path or a URL; ``.parquet`` carries the schema version in its metadata, ``.csv`` in its
        last column.
    notes : texts that a Parquet file carries beside its rows, see :func:`read_notes`; a CSV file has no place for
        them.

    Raises
    ------
    StudyError
        The suffix is neither ``.parquet`` nor ``.csv``, or the place cannot be written.
    SchemaError
        A row breaks the score contract; nothing is written.

    Examples
    --------
    >>> write_scores(pd.DataFrame(), "scores.xlsx")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: scores.xlsx: a score table is written as .parquet or .csv
    """
    write_table([scores] if isinstance(scores, pd.DataFrame) else scores, path, table_schema("score"), notes=notes)


def write_table(
    frames: Iterable[pd.DataFrame], path: str | Path, schema: TableSchema, *, notes: Mapping[str, str] | None = None
) -> None:
    """Write rows of any contract as :func:`write_scores` writes scores.

    Parameters
    ----------
    frames : rows in one frame or in several that follow each other.
    path, notes : as in :func:`write_scores`.
    schema : the contract.

    Raises
    ------
    StudyError, SchemaError
        As :func:`write_scores`.

    Examples
    --------
    >>> write_table([pd.DataFrame({"patient_id": ["a"]})], "patients.csv", table_schema("patient_score"))
    Traceback (most recent call last):
    sexstrat.errors.SchemaError: 5 problems in the input: ...
    """
    as_csv = table_suffix(path) == ".csv"
    frames = iter(frames)
    checked = (typed_columns(_checked(frame, schema, str(path)), schema) for frame in frames)
    first = next(checked, None)  # a table that breaks the contract leaves no trace of having been tried
    whole = chain([] if first is None else [first], checked)
    if as_csv:
        replace_file(path, lambda target: _write_csv(whole, schema, target))
    else:
        replace_file(path, lambda target: _write_parquet(whole, schema, target, notes or {}))


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a score table and hold it to its contract.

    Parameters
    ----------
    path : ``.parquet`` or ``.csv``, a path or a URL. A file without a schema version (written by something
        else) is taken to be of the present one; version 2, which had no predicted ages, is read as well.

    Returns
    -------
    Rows of the score contract, typed.

    Raises
    ------
    SchemaError
        The file is of another schema version, or a column or value breaks the contract.
    StudyError
        There is no such file.

    Examples
    --------
    >>> read_scores("nowhere.parquet")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: nowhere.parquet: no such score table
    """
    schema, suffix = table_schema("score"), table_suffix(path)
    if is_remote(path) and not files_below(str(path)):
        raise StudyError(f"{path}: no such score table")
    with local_copy(str(path)) as file:
        if not file.is_file():
            raise StudyError(f"{path}: no such score table")
        frame, version = _read_csv(file) if suffix == ".csv" else _read_parquet(file)
    if version is not None and version not in (str(schema.version), *_READ_AS_WELL):
        raise SchemaError([_version_problem(str(path), version, schema)])
    return typed_columns(_checked(frame, schema, str(path)), schema)


def read_notes(path: str | Path) -> dict[str, str]:
    """Return the texts that a Parquet score table carries beside its rows.

    Parameters
    ----------
    path : path or URL of the table.

    Returns
    -------
    Name to text; the table's name and schema version are among them.

    Raises
    ------
    SchemaError
        The file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_scores([], Path(folder, "a.parquet"), notes={"shard": "1/8"})
    ...     read_notes(Path(folder, "a.parquet"))["shard"]
    '1/8'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with local_copy(str(path)) as file:
        try:
            metadata = pq.read_schema(file).metadata or {}
        except (pa.ArrowException, OSError) as err:
            raise SchemaError([_unreadable(Path(path), err)]) from err
    return {name.decode(): text.decode() for name, text in metadata.items() if not name.startswith(b"ARROW:")}


def table_suffix(path: str | Path) -> str:
    """Return ``.parquet`` or ``.csv``, or raise StudyError.

    Examples
    --------
    >>> table_suffix("scores.CSV")
    '.csv'
    """
    suffix = Path(str(path).partition("::")[0]).suffix.lower()
    if suffix not in {".parquet", ".csv"}:
        raise StudyError(f"{path}: a score table is written as .parquet or .csv")
    return suffix


def _checked(frame: pd.DataFrame, schema: TableSchema, source: str) -> pd.DataFrame:
    problems = column_breaches(list(map(str, frame.columns)), schema, source=source)
    if not problems:
        problems = value_breaches(frame, schema, source=source)
    if problems:
        raise SchemaError(problems)
    return frame


def _write_parquet(frames: Iterable[pd.DataFrame], schema: TableSchema, path: Path, notes: Mapping[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}  # all else, and dates, are text
    metadata = {"table": schema.name, "schema_version": str(schema.version), **notes}
    arrow = pa.schema(
        [pa.field(f.name, types.get(f.type, pa.string()), nullable=not f.required) for f in schema.fields], metadata
    )
    with pq.ParquetWriter(path, arrow) as writer:
        for frame in frames:
            table = pa.Table.from_pandas(frame, schema=arrow, preserve_index=False)
            writer.write_table(table.replace_schema_metadata(metadata))


def _write_csv(frames: Iterable[pd.DataFrame], schema: TableSchema, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, frame in enumerate(frames):
            text = frame.assign(**{VERSION_COLUMN: schema.version})
            text.to_csv(file, index=False, header=number == 0, lineterminator="\n")


def _read_parquet(path: Path) -> tuple[pd.DataFrame, str | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as err:
        raise SchemaError([_unreadable(path, err)]) from err
    version = (table.schema.metadata or {}).get(b"schema_version")
    return table.to_pandas(), None if version is None else version.decode("utf-8", "replace")


def _read_csv(path: Path) -> tuple[pd.DataFrame, str | None]:
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (ValueError, OSError) as err:
        raise SchemaError([_unreadable(path, err)]) from err
    if VERSION_COLUMN not in frame.columns:
        return frame, None
    versions = frame.pop(VERSION_COLUMN).dropna().unique()
    return frame, versions[0] if len(versions) == 1 else ", ".join(versions) or None


def _unreadable(path: Path, err: Exception) -> Problem:
    return Problem(
        kind="malformed",
        message=f"the score table cannot be read: {err}",
        source=str(path),
        allowed="a Parquet or UTF-8 CSV table",
    )


def _version_problem(source: str, version: str, schema: TableSchema) -> Problem:
    return Problem(
        kind="schema_version",
        message=f"the {schema.name} table is of another schema version",
        source=source,
        value=version,
        allowed=f"version {' or '.join((*_READ_AS_WELL, str(schema.version)))}",
        hint="Score the images again with this version of sexstrat",
    )
