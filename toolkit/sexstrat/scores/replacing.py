"""Put a whole file in its place at once, and clear what was left by whoever was killed while writing."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sexstrat.errors import StudyError
from sexstrat.scores.storage import write_url
from sexstrat.scores.urls import is_remote, without_file_scheme

__all__ = ["clear_leftovers", "refusal_told", "replace_file"]

FULL = "free space there or name another place, then run the same command again; what is finished is kept"
CLOSED = "name a place that you may write to"
REFUSALS = {
    "ENOSPC": FULL,
    "EDQUOT": FULL,
    "EFBIG": FULL,
    "EROFS": CLOSED,
    "EACCES": CLOSED,
    "EPERM": CLOSED,
    "ENOTDIR": CLOSED,
    "ENOENT": CLOSED,
    "ENAMETOOLONG": CLOSED,
}


@contextmanager
def refusal_told(place: str | Path) -> Iterator[None]:
    """Say which place cannot be written, and what to do, when the disk refuses what the block writes.

    Parameters
    ----------
    place : the file or folder that the block writes; every other failure passes as it is.

    Raises
    ------
    StudyError
        The disk is full, or the place is closed to writing.

    Examples
    --------
    >>> with refusal_told("out"):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: out cannot be written: No space left on device; free space there or name another
    place, then run the same command again; what is finished is kept
    """
    try:
        yield
    except OSError as err:
        remedy = REFUSALS.get(errno.errorcode.get(err.errno or 0, ""))
        if remedy is None:
            raise
        raise StudyError(f"{place} cannot be written: {os.strerror(err.errno or 0)}; {remedy}") from err


def replace_file(path: str | Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place and move it there at once, so that no one ever sees half of it.

    Parameters
    ----------
    path : where the file is to be, a path or a URL; its folder is made if need be.
    write : writes the file to the path it is given.

    Raises
    ------
    StudyError
        The place cannot be written, or the disk is full; what lay there is as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder, "a.txt"), lambda target: target.write_text("whole"))
    ...     Path(folder, "a.txt").read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    if is_remote(path) and not str(path).startswith("file://"):
        with TemporaryDirectory(prefix="sexstrat-") as folder:
            write(Path(folder, "file"))
            write_url(str(path), Path(folder, "file"))
        return
    file = Path(without_file_scheme(str(path)))
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with refusal_told(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def clear_leftovers(path: str | Path) -> None:
    """Remove what runs that were killed while they wrote a file left beside it; nobody else may be writing it now.

    Parameters
    ----------
    path : the file, a path or a URL; a URL has no leftovers.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, ".a.csv.4711.tmp").write_text("half")
    ...     clear_leftovers(Path(folder, "a.csv"))
    ...     list(Path(folder).iterdir())
    []
    """
    if is_remote(path) and not str(path).startswith("file://"):
        return
    file = Path(without_file_scheme(str(path)))
    for leftover in file.parent.glob(f".{glob.escape(file.name)}.*.tmp"):
        leftover.unlink(missing_ok=True)
