"""A table for others: Parquet with ordered categories, the same as CSV, a codebook and an R script that reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

import sexstrat
from sexstrat.reporting.csv_text import csv_text
from sexstrat.scores.replacing import clear_leftovers, refusal_told, replace_file

__all__ = ["Column", "write_shared_table"]

CODEBOOK, HEADLINE = "codebook.json", "headline.csv"
VERSION = 1
ARROW = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the table.

    Parameters
    ----------
    name : its name.
    type : string, integer, number or boolean.
    description : what it means.
    levels : the values of a category in their order; empty for any text.

    Examples
    --------
    >>> Column(name="recorded_sex", type="string", description="sex", levels=("female", "male")).arrow.ordered
    True
    """

    name: str
    type: str
    description: str
    levels: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.DataType:
        """Return its type in the Parquet file."""
        return pa.dictionary(pa.int32(), pa.string(), ordered=True) if self.levels else ARROW[self.type]

    def filled(self, values: Sequence[Any]) -> pa.Array:
        """Return values as this column's array; None is missing."""
        if not self.levels:
            return pa.array(values, type=ARROW[self.type])
        place = {level: k for k, level in enumerate(self.levels)}
        codes = pa.array([None if value is None else place[value] for value in values], type=pa.int32())
        return pa.DictionaryArray.from_arrays(codes, pa.array(self.levels, type=pa.string()), ordered=True)


def write_shared_table(
    folder: Path,
    name: str,
    columns: Sequence[Column],
    batches: Iterable[Mapping[str, Sequence[Any]]],
    *,
    script: str,
    headline: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any],
) -> Path:
    """Write the files of a table, each aside and renamed, the codebook that vouches for them last.

    Parameters
    ----------
    folder : made when absent; an older table of the name in it is replaced.
    name : stem of the files.
    columns : the columns, in order.
    batches : values of every column, some rows at a time.
    script : R that reads the table and recomputes the headline.
    headline : the numbers it is to find.
    about : what else the codebook says.

    Returns
    -------
    The codebook.

    Examples
    --------
    >>> import tempfile
    >>> columns = [Column(name="sex", type="string", description="sex", levels=("female", "male"))]
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = [{"sex": ["male", None]}]
    >>> path = write_shared_table(folder, "t", columns, rows, script="", headline=[{"n": 2}], about={})
    >>> sorted(file.name for file in folder.iterdir())
    ['codebook.json', 'headline.csv', 'read_t.R', 't.csv', 't.parquet']
    >>> (folder / "t.csv").read_text().splitlines()
    ['sex', 'male', 'NA']
    """
    with refusal_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CODEBOOK).unlink(missing_ok=True)
        n_rows = _write_rows(folder, name, columns, batches)
    _write_text(folder / f"read_{name}.R", script)
    _write_text(folder / HEADLINE, csv_text(headline))
    files = [f"{name}.parquet", f"{name}.csv", f"read_{name}.R", HEADLINE]
    document = {
        "schema_version": VERSION,
        "sexstrat": sexstrat.__version__,
        **about,
        "table": name,
        "n_rows": n_rows,
        "missing": "null in Parquet, NA in CSV",
        "columns": [
            {"name": c.name, "type": c.type, "description": c.description, "ordered_levels": list(c.levels)}
            for c in columns
        ],
        "headline": list(headline),
        "sha256": {file: _digest(folder / file) for file in files},
    }
    _write_text(folder / CODEBOOK, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return folder / CODEBOOK


def _write_rows(
    folder: Path, name: str, columns: Sequence[Column], batches: Iterable[Mapping[str, Sequence[Any]]]
) -> int:
    schema = pa.schema([pa.field(column.name, column.arrow) for column in columns])
    n_rows = 0
    parts = folder / f"{name}.parquet.part", folder / f"{name}.csv.part"
    with (
        pq.ParquetWriter(parts[0], schema) as parquet,
        parts[1].open("w", encoding="utf-8", newline="") as text,
    ):
        _write_csv(text, [[column.name for column in columns]])
        for batch in batches:
            arrays = [column.filled(batch[column.name]) for column in columns]
            parquet.write_table(pa.Table.from_arrays(arrays, schema=schema))
            _write_csv(text, zip(*(batch[column.name] for column in columns), strict=True))
            n_rows += len(arrays[0])
    for part in parts:
        part.replace(part.with_suffix(""))
    return n_rows


def _write_csv(text: TextIO, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as R reads them: TRUE, FALSE and NA are no text, a quoted NA is."""
    for row in rows:
        text.write(",".join(map(_written, row)) + "\n")


def _written(value: Any) -> str:
    if value is None:
        return "NA"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not isinstance(value, str):
        return repr(value)
    told = csv_text([{"": value}]).split("\n", 1)[1].removesuffix("\n")
    return f'"{told}"' if told == "NA" else told


def _write_text(path: Path, text: str) -> None:
    clear_leftovers(path)
    replace_file(path, lambda target: target.write_text(text, encoding="utf-8", newline="\n"))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
