"""Keep what is scored so far in parts on disk, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sexstrat.scores.breaches import typed_columns
from sexstrat.scores.replacing import replace_file
from sexstrat.scores.storage import files_below, read_url, remove_url
from sexstrat.scores.urls import is_remote
from sexstrat.values.tables import table_schema

__all__ = ["REPEATED_STATUSES", "Checkpoints", "empty_rows", "row_columns", "typed_rows"]

REPEATED_STATUSES = ("missing_file", "unreadable", "model_failed")
"""Outcomes that may be the machine's fault and not the photograph's: tried again at every start."""

_LISTED = ("image_id", "path", "patient_id", "frame", "eye", "eye_source", "eye_disagreement")
_FROM_MODEL = ("model_id", "model_sha256", "precision", "runtime", "decode", "fold")


def row_columns() -> list[str]:
    """Return the columns of a scored row: its key, and those of the score contract that the photograph decides.

    Examples
    --------
    >>> row_columns()[:4]
    ['key', 'prob_male', 'predicted_age', 'status']
    """
    return ["key", *(name for name in table_schema("score").columns if name not in _LISTED + _FROM_MODEL)]


def typed_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return scored rows with the types of the score contract; a column that is lacking comes out empty.

    Parameters
    ----------
    rows : key and columns of the score contract.

    Examples
    --------
    >>> typed_rows(pd.DataFrame({"key": ["a"], "status": ["ok"]}))["prob_male"].isna().tolist()
    [True]
    """
    typed = typed_columns(rows, table_schema("score"))
    typed.insert(0, "key", rows["key"].astype("str").to_numpy())
    return typed[row_columns()]


def empty_rows() -> pd.DataFrame:
    """Return the table of scored rows with no row in it.

    Examples
    --------
    >>> len(empty_rows())
    0
    """
    return typed_rows(pd.DataFrame({"key": pd.Series(dtype="str")}))


class Checkpoints:
    """A folder of parts, each a Parquet file of scored rows that appears whole or not at all.

    Parameters
    ----------
    folder : where the parts lie, a path or a URL; made at the first :meth:`add`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Checkpoints(Path(folder, "parts")).add(pd.DataFrame([{"key": "k", "prob_male": 0.5, "status": "ok"}]))
    ...     Checkpoints(Path(folder, "parts")).load()["prob_male"].tolist()
    [0.5]
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = str(folder)

    def load(self, keys: pd.Index | None = None) -> pd.DataFrame:
        """Return the rows of all parts that can be read, one a key, without those to be tried again.

        Parameters
        ----------
        keys : the keys that are wanted, each once; None takes all. Memory holds the wanted rows and one part.
        """
        frames = [frame for part in self.parts() if (frame := _read_part(part, keys)) is not None and len(frame)]
        if not frames:
            return empty_rows()
        return pd.concat(frames, ignore_index=True).drop_duplicates("key", keep="last").reset_index(drop=True)

    def parts(self) -> list[str]:
        """Return paths or URLs of the parts, in the order of their names."""
        if is_remote(self.folder):
            return [url for url in files_below(self.folder) if _is_part(url.rsplit("/", 1)[-1])]
        return sorted(str(path) for path in Path(self.folder).glob("part-*.parquet"))

    def add(self, rows: pd.DataFrame) -> str:
        """Write one part and return where it lies; it is on disk when this returns."""
        frame = typed_rows(rows)
        part = f"{self.folder}/part-{_digest(frame['key'].tolist())}.parquet"
        part = part if is_remote(part) else str(Path(part))
        replace_file(part, frame.to_parquet)
        return part

    def merge(self, rows: pd.DataFrame) -> None:
        """Put all parts together into one that holds these rows, and clear what killed runs left behind.

        Nothing is written when one part holds them already. The new part is whole before an old one goes, so that
        every row is in the folder at every moment.
        """
        before = self.parts()
        if [_row_count(part) for part in before] != [len(rows)] or len(before) != 1:
            kept = self.add(rows)
            for part in before:
                if part != kept:
                    _remove(part)
        for leftover in Path(self.folder).glob(".part-*.tmp"):
            leftover.unlink(missing_ok=True)


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def _digest(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]


def _remove(part: str) -> None:
    if is_remote(part):
        remove_url(part)
    else:
        Path(part).unlink(missing_ok=True)


def _read_part(part: str, keys: pd.Index | None) -> pd.DataFrame | None:
    """Return the wanted rows of a part, or None when the file is damaged: its rows are then scored again."""
    import pyarrow as pa

    try:
        frame = pd.read_parquet(io.BytesIO(read_url(part)) if is_remote(part) else part)
    except (OSError, ValueError, pa.ArrowException):
        return None
    if not set(row_columns()) <= set(frame.columns):
        return None
    wanted = ~frame["status"].isin(REPEATED_STATUSES).to_numpy()
    if keys is not None:
        wanted &= keys.get_indexer(pd.Index(frame["key"])) >= 0  # keeps its table of hashes from part to part
    return typed_rows(frame[wanted])


def _row_count(part: str) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = io.BytesIO(read_url(part)) if is_remote(part) else part
        return int(pq.read_metadata(source).num_rows)
    except (OSError, pa.ArrowException):
        return -1
