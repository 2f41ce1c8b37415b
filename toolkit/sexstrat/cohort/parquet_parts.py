"""A table that lies in several Parquet files: a glob, a folder with or without key=value folders, object storage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from sexstrat.scores.storage import files_below
from sexstrat.scores.urls import is_remote, opened_url

__all__ = ["PARQUET", "ParquetPart", "parquet_parts"]

PARQUET = (".parquet", ".pq")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # how Hive writes the folder of an empty value
BATCH = 250_000  # rows held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetPart:
    """One file of a table.

    Parameters
    ----------
    name : how messages call it: its path below the folder or glob.
    location : path or URL.
    keys : columns that its folders give, as text; None is an empty value.

    Examples
    --------
    >>> ParquetPart(name="site=a/p.parquet", location="t/site=a/p.parquet", keys={"site": "a"}).keys["site"]
    'a'
    """

    name: str
    location: str
    keys: dict[str, str | None]

    def batches(self) -> Iterator[pa.Table]:
        """Yield the rows with the columns of the folders, which stand for columns of the same name in the file.

        Raises
        ------
        OSError, pyarrow.ArrowException : the file cannot be read.
        """
        if not is_remote(self.location):
            with pq.ParquetFile(self.location) as file:
                yield from self._rows(file)
            return
        system, path = opened_url(self.location)
        with system.open(path, "rb") as stream, pq.ParquetFile(stream) as file:
            yield from self._rows(file)

    def _rows(self, file: pq.ParquetFile) -> Iterator[pa.Table]:
        if file.metadata.num_rows == 0:
            yield self._with_keys(file.schema_arrow.empty_table())
        for batch in file.iter_batches(batch_size=BATCH):
            yield self._with_keys(pa.Table.from_batches([batch]))

    def _with_keys(self, rows: pa.Table) -> pa.Table:
        for key, value in self.keys.items():
            if key in rows.column_names:
                rows = rows.drop_columns([key])
            rows = rows.append_column(key, pa.array([value] * rows.num_rows, type=pa.string()))
        return rows


def parquet_parts(source: str | Path) -> list[ParquetPart] | None:
    """Return the files of a table in several Parquet files, in the order of their names; None for any other source.

    Files and folders whose name begins with a dot or an underscore are left out. The folders ``key=value`` below a
    folder, or below the first wildcard of a glob, are columns of text: nothing of ``site=007`` is lost.

    Parameters
    ----------
    source : folder, glob (when no file has that very name), or URL of a file, folder or glob in object storage.

    Returns
    -------
    The files; an empty list when the place holds none.

    Raises
    ------
    StudyError : the object storage cannot be opened or listed.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for site in ("007", "x"):
    ...     (folder / f"site={site}").mkdir()
    ...     pq.write_table(pa.table({"patient_id": ["a"]}), folder / f"site={site}" / "p.parquet")
    >>> parts = parquet_parts(folder)
    >>> [(part.name, part.keys["site"]) for part in parts]
    [('site=007/p.parquet', '007'), ('site=x/p.parquet', 'x')]
    >>> next(parts[0].batches()).to_pydict()
    {'patient_id': ['a'], 'site': ['007']}
    """
    text = source if isinstance(source, str) else source.as_posix()
    if is_remote(text):
        return _remote(text)
    path = Path(text)
    if path.is_file() or not (path.is_dir() or re.search(r"[*?\[]", text)):
        return None
    base = path if path.is_dir() else _fixed(path)
    found = base.glob("**/*" if path.is_dir() else path.relative_to(base).as_posix())
    return _parts([(one.as_posix(), one.relative_to(base).as_posix()) for one in found if one.is_file()])


def _fixed(path: Path) -> Path:
    """Return the folders of a glob before its first wildcard."""
    parts = path.parts
    count = next(k for k, part in enumerate(parts) if re.search(r"[*?\[]", part))
    return Path(*parts[:count])


def _remote(url: str) -> list[ParquetPart] | None:
    magic = re.search(r"[*?\[]", url.partition("://")[2].partition("::")[0])
    if not magic and re.search(r"\.[A-Za-z0-9]+$", url.partition("::")[0]) and not url.endswith(PARQUET):
        return None
    base = url[: re.search(r"[^/]*[*?\[]", url).start()] if magic else url.rstrip("/") + "/"  # type: ignore[union-attr]
    found = files_below(url)
    return _parts([(one, one.removeprefix(base) if one.startswith(base) else one.rsplit("/", 1)[-1]) for one in found])


def _parts(found: list[tuple[str, str]]) -> list[ParquetPart]:
    kept = [
        (location, name)
        for location, name in found
        if name.lower().endswith(PARQUET) and not any(part.startswith((".", "_")) for part in name.split("/"))
    ]
    return [
        ParquetPart(name=name, location=location, keys=_keys(name))
        for location, name in sorted(kept, key=lambda pair: pair[1])
    ]


def _keys(name: str) -> dict[str, str | None]:
    keys: dict[str, str | None] = {}
    for folder in name.split("/")[:-1]:
        key, equals, value = folder.partition("=")
        if equals and key:
            keys[unquote(key)] = None if value == NO_VALUE else unquote(value)
    return keys
