"""Keep what is scored so far in parts on disk, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sexstrat.scores.reading import file_state
from sexstrat.scores.table import replace_file

__all__ = ["REPEATED_STATUSES", "Checkpoints", "empty_rows", "row_key"]

REPEATED_STATUSES = ("missing_file", "unreadable", "model_failed")
"""Outcomes that may be the machine's fault and not the photograph's: tried again at every start."""

_COLUMNS = {
    "key": "str",
    "prob_male": "float64",
    "status": "str",
    "reason": "str",
    "quality": "float64",
    "field_of_view": "float64",
}


def row_key(path: str, *, recipe: str, eye: str | None = None, sha256: str | None = None) -> str:
    """Return the identity of a score: same key, same file and same way of scoring it, so the same score.

    Parameters
    ----------
    path : path as listed; size and time of change of the file are part of the identity.
    recipe : what else decides the score: digest of the weights, card, precision, decoding, version.
    eye : R, L, or None when the list does not say: a model may look at the eyes differently.
    sha256 : digest that the list gives for the file, or None.

    Returns
    -------
    32 hexadecimal digits.

    Examples
    --------
    >>> row_key("no such file", recipe="a") == row_key("no such file", recipe="b")
    False
    """
    state = file_state(path)
    text = "\0".join([path, str(state.size), str(state.modified), eye or "", sha256 or "", recipe])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def empty_rows() -> pd.DataFrame:
    """Return the table of scored rows with no row in it.

    Examples
    --------
    >>> len(empty_rows())
    0
    """
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COLUMNS.items()})


class Checkpoints:
    """A folder of parts, each a Parquet file of scored rows that appears whole or not at all.

    Parameters
    ----------
    folder : where the parts lie; made at the first :meth:`add`.

    Examples
    --------
    >>> import tempfile
    >>> row = {"key": "k", "prob_male": 0.5, "status": "ok", "reason": None, "quality": 1.0, "field_of_view": 0.6}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Checkpoints(Path(folder, "parts")).add(pd.DataFrame([row]))
    ...     Checkpoints(Path(folder, "parts")).load()["prob_male"].tolist()
    [0.5]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> pd.DataFrame:
        """Return the rows of all parts that can be read, one a key, without those to be tried again."""
        frames = [
            frame for path in sorted(self.folder.glob("part-*.parquet")) if (frame := _read_part(path)) is not None
        ]
        if not frames:
            return empty_rows()
        rows = pd.concat(frames, ignore_index=True)
        return rows[~rows["status"].isin(REPEATED_STATUSES)].drop_duplicates("key", keep="last").reset_index(drop=True)

    def add(self, rows: pd.DataFrame) -> Path:
        """Write one part and return its path; it is on disk when this returns."""
        frame = rows[list(_COLUMNS)].reset_index(drop=True)
        path = self.folder / f"part-{_digest(frame['key'].tolist())}.parquet"
        replace_file(path, frame.to_parquet)
        return path

    def merge(self, rows: pd.DataFrame) -> None:
        """Put all parts together into one that holds these rows."""
        before = {*self.folder.glob("part-*.parquet"), *self.folder.glob(".*.tmp")}
        for path in before - {self.add(rows.drop_duplicates("key"))}:
            path.unlink(missing_ok=True)


def _digest(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]


def _read_part(path: Path) -> pd.DataFrame | None:
    """Return the rows of a part, or None when the file is damaged: its rows are then scored again."""
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException):
        return None
    return frame[list(_COLUMNS)] if set(_COLUMNS) <= set(frame.columns) else None
