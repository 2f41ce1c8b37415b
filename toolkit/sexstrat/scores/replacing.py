"""Put a whole file in its place at once, and clear what was left by whoever was killed while writing."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sexstrat.scores.storage import write_url
from sexstrat.scores.urls import is_remote, without_file_scheme

__all__ = ["clear_leftovers", "replace_file"]


def replace_file(path: str | Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place and move it there at once, so that no one ever sees half of it.

    Parameters
    ----------
    path : where the file is to be, a path or a URL; its folder is made if need be.
    write : writes the file to the path it is given.

    Raises
    ------
    StudyError
        The place is a URL that cannot be written.

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
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
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
