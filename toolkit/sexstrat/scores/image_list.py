"""Read a list of images (CSV, Parquet or a data frame) and hold it to the image contract."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.scores.breaches import column_breaches, typed_columns, value_breaches
from sexstrat.scores.paths import joined, relative_id
from sexstrat.values.tables import table_schema

__all__ = ["LIST_SUFFIXES", "read_image_list"]

LIST_SUFFIXES = (".csv", ".parquet")


def read_image_list(
    source: Path | pd.DataFrame,
    *,
    root: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
) -> pd.DataFrame:
    """Read a list of images and fill in what it leaves out.

    Parameters
    ----------
    source : CSV file (UTF-8 or CP932), Parquet file, or data frame.
    root : folder that relative paths start from; by default the list's own folder, for a data frame the
        working folder. A URL is allowed, and so are URLs as paths in the list.
    columns : contract column to the list's own name for it. When given, columns of the list that are neither
        named here nor part of the contract are left aside.
    name : what messages call the list; by default its path.

    Returns
    -------
    The columns of the image contract, in the list's order; ``path`` can be opened from the working folder.

    Raises
    ------
    SchemaError
        A column name or a value breaks the image contract; every breach is listed with file, row and column.
    StudyError
        The list names no image.

    Examples
    --------
    >>> listing = read_image_list(pd.DataFrame({"photo": ["p1/right.jpg"], "age": [60]}), columns={"path": "photo"})
    >>> listing["image_id"].tolist(), listing["patient_id"].isna().tolist()
    (['p1/right.jpg'], [True])
    """
    name = name or ("images" if isinstance(source, pd.DataFrame) else str(source))
    if isinstance(source, pd.DataFrame):
        frame, lines = _as_text(source), list(range(1, len(source) + 1))
        start = root or Path()
    else:
        frame, lines = _read_csv(source) if source.suffix.lower() == ".csv" else _read_parquet(source)
        start = root or source.parent
    schema = table_schema("image")
    frame = _renamed(frame, columns, schema.columns, name)
    problems = column_breaches(list(frame.columns), schema, source=name, optional=["image_id"])
    if problems:
        raise SchemaError(problems)
    if frame.empty:
        raise StudyError(f"{name} names no image; give a list with at least one row")
    if "image_id" not in frame.columns:
        frame["image_id"] = frame["path"].map(lambda text: relative_id(joined(start, text), start), na_action="ignore")
    problems = value_breaches(frame, schema, source=name, rows=lines)
    if problems:
        raise SchemaError(problems)
    frame["path"] = [joined(start, text) for text in frame["path"]]
    return typed_columns(frame, schema)


def _renamed(
    frame: pd.DataFrame, columns: Mapping[str, str] | None, contract: Sequence[str], source: str
) -> pd.DataFrame:
    if columns is None:
        return frame
    wrong = [key for key in columns if key not in contract]
    if wrong:
        raise StudyError(f"columns: unknown names {', '.join(wrong)}; allowed: {', '.join(contract)}")
    absent = [
        Problem(
            kind="missing_column",
            message=f"column is missing, declared as {key}",
            source=source,
            row=1,
            column=own,
            allowed=", ".join(map(str, frame.columns)),
        )
        for key, own in columns.items()
        if own not in frame.columns
    ]
    if absent:
        raise SchemaError(absent)
    kept = [name for name in frame.columns if name in contract and name not in columns]
    picked = frame[[*columns.values(), *(name for name in kept if name not in columns.values())]]
    return picked.set_axis([*columns, *(name for name in kept if name not in columns.values())], axis=1)


def _read_csv(path: Path) -> tuple[pd.DataFrame, list[int]]:
    reader = csv.reader(io.StringIO(_decoded(path), newline=""), strict=True)
    rows, lines = [], []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if not any(row):
                continue
            if len(row) != len(header):
                raise SchemaError([_width_problem(path, reader.line_num, len(row), len(header))])
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as err:
        raise SchemaError([_file_problem(path, "malformed", f"the CSV is malformed: {err}", reader.line_num)]) from err
    frame = pd.DataFrame(rows, columns=pd.Index(header, dtype="str"), dtype="str")
    return frame.mask(frame == ""), lines


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as err:
        raise StudyError(f"{path} cannot be opened: {err.strerror or err}") from err
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SchemaError([_file_problem(path, "encoding", "the text is neither UTF-8 nor CP932; save it as UTF-8", None)])


def _read_parquet(path: Path) -> tuple[pd.DataFrame, list[int]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        frame = pd.DataFrame({name: table[name].cast(pa.string()).to_pandas() for name in table.column_names})
    except (pa.ArrowException, OSError, NotImplementedError) as err:
        raise SchemaError([_file_problem(path, "malformed", f"the Parquet file cannot be read: {err}", None)]) from err
    return _as_text(frame), list(range(1, len(frame) + 1))


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every column as text; a whole number that a missing value turned into a fraction loses its ``.0``."""
    columns = {}
    for name in frame.columns:
        values = frame[name].reset_index(drop=True)
        if pd.api.types.is_float_dtype(values.dtype) and bool((values.dropna() % 1 == 0).all()):
            values = values.astype("Int64")
        text = values.astype("str")
        columns[str(name)] = text.mask(text == "")
    return pd.DataFrame(columns)


def _file_problem(path: Path, kind: str, message: str, row: int | None) -> Problem:
    return Problem(kind=kind, message=message, source=str(path), row=row, allowed="a CSV or Parquet table")


def _width_problem(path: Path, line: int, found: int, expected: int) -> Problem:
    return Problem(
        kind="wrong_width",
        message="the row does not have as many values as the header",
        source=str(path),
        row=line,
        value=str(found),
        allowed=f"{expected} values",
    )
