"""Write and read score tables: Parquet or CSV, with the contract's types and its schema version."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.scores.breaches import column_breaches, typed_columns, value_breaches
from sexstrat.values.tables import TableSchema, table_schema

__all__ = ["read_scores", "replace_file", "write_scores"]

VERSION_COLUMN = "schema_version"  # CSV has no place for metadata, so the version is its last column


def write_scores(scores: pd.DataFrame, path: str | Path) -> None:
    """Write a score table; the file appears whole or not at all.

    Parameters
    ----------
    scores : rows of the score contract.
    path : where to write; ``.parquet`` carries the schema version in its metadata, ``.csv`` in its last column.

    Raises
    ------
    StudyError
        The suffix is neither ``.parquet`` nor ``.csv``.
    SchemaError
        A row breaks the score contract; nothing is written.

    Examples
    --------
    >>> write_scores(pd.DataFrame(), "scores.xlsx")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: scores.xlsx: a score table is written as .parquet or .csv
    """
    file, schema = Path(path), table_schema("score")
    suffix = table_suffix(file)
    frame = typed_columns(_checked(scores, schema, str(path)), schema)
    if suffix == ".csv":
        text = frame.assign(**{VERSION_COLUMN: schema.version})
        replace_file(file, lambda target: text.to_csv(target, index=False, lineterminator="\n"))
    else:
        replace_file(file, lambda target: _write_parquet(frame, schema, target))


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a score table and hold it to its contract.

    Parameters
    ----------
    path : ``.parquet`` or ``.csv``. A file without a schema version (written by something else) is taken to be
        of the present one.

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
    file, schema = Path(path), table_schema("score")
    suffix = table_suffix(file)
    if not file.is_file():
        raise StudyError(f"{path}: no such score table")
    frame, version = _read_csv(file) if suffix == ".csv" else _read_parquet(file)
    if version is not None and version != str(schema.version):
        raise SchemaError([_version_problem(str(path), version, schema)])
    return typed_columns(_checked(frame, schema, str(path)), schema)


def table_suffix(path: Path) -> str:
    """Return ``.parquet`` or ``.csv``, or raise StudyError.

    Examples
    --------
    >>> table_suffix(Path("scores.CSV"))
    '.csv'
    """
    suffix = path.suffix.lower()
    if suffix not in {".parquet", ".csv"}:
        raise StudyError(f"{path}: a score table is written as .parquet or .csv")
    return suffix


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place and move it there at once, so that no one ever sees half of it.

    Parameters
    ----------
    path : where the file is to be; its folder is made if need be.
    write : writes the file to the path it is given.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder, "a.txt"), lambda target: target.write_text("whole"))
    ...     Path(folder, "a.txt").read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _checked(frame: pd.DataFrame, schema: TableSchema, source: str) -> pd.DataFrame:
    problems = column_breaches(list(map(str, frame.columns)), schema, source=source)
    if not problems:
        problems = value_breaches(frame, schema, source=source)
    if problems:
        raise SchemaError(problems)
    return frame


def _write_parquet(frame: pd.DataFrame, schema: TableSchema, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    metadata = {"table": schema.name, "schema_version": str(schema.version)}
    arrow = pa.schema([pa.field(f.name, types[f.type], nullable=not f.required) for f in schema.fields], metadata)
    pq.write_table(
        pa.Table.from_pandas(frame, schema=arrow, preserve_index=False).replace_schema_metadata(metadata), path
    )


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
        allowed=f"version {schema.version}",
        hint="Score the images again with this version of sexstrat",
    )
