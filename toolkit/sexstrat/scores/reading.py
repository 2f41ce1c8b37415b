"""Read the bytes of one listed file, or say in the words of the score table why that cannot be done."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sexstrat.errors import ImageError, StudyError
from sexstrat.scores.paths import lies_under, openable
from sexstrat.scores.storage import read_url
from sexstrat.scores.urls import is_remote

__all__ = ["MAXIMUM_BYTES", "FileState", "file_state", "read_photograph"]

MAXIMUM_BYTES = 2**30
"""A larger file is refused unread: 80 million pixels of 16-bit colour, uncompressed, take less than half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What the file system tells about a file without opening it; equal states mean an unchanged file.

    Parameters
    ----------
    size : bytes, or -1 when there is no such file.
    modified : time of the last change in nanoseconds, or 0.
    """

    size: int
    modified: int


def file_state(path: str) -> FileState:
    """Return size and time of change of a file.

    Parameters
    ----------
    path : path as listed.

    Examples
    --------
    >>> file_state("no such file")
    FileState(size=-1, modified=0)
    """
    try:
        found = os.stat(openable(path))  # noqa: PTH116  (Path would fold the escapes of odd names)
    except (OSError, ValueError):
        return FileState(size=-1, modified=0)
    return FileState(size=found.st_size, modified=found.st_mtime_ns)


def read_photograph(path: str, *, root: str | None = None, sha256: str | None = None) -> bytes:
    """Return the bytes of a listed file.

    Parameters
    ----------
    path : path or URL as listed.
    root : folder that the file must lie under, or None for anywhere; links are not followed for this check.
    sha256 : digest that the list gives for the file, or None.

    Returns
    -------
    All bytes, at least one.

    Raises
    ------
    ImageError
        The file is missing or outside the root (``missing_file``), empty (``empty_file``), too large
        (``too_large``), or a folder or device, not allowed to be read, or not the listed one (``unreadable``).

    Examples
    --------
    >>> read_photograph("no such file")
    Traceback (most recent call last):
    sexstrat.errors.ImageError: missing_file: no file of this name
    """
    if root is not None and not lies_under(path, root):
        raise ImageError("missing_file", "the path leads outside the root folder")
    try:
        data = _remote_bytes(path) if is_remote(path) else _local_bytes(path)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise ImageError("missing_file", "no file of this name") from err
    except ImageError:
        raise
    except StudyError as err:
        raise ImageError("unreadable", str(err)) from err
    except (OSError, ValueError, MemoryError) as err:
        reason = getattr(err, "strerror", None) or str(err) or type(err).__name__
        raise ImageError("unreadable", f"the file cannot be opened: {reason}") from err
    if not data:
        raise ImageError("empty_file", "the file has no content")
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise ImageError("unreadable", "the content is not that of the listed sha256")
    return data


def _local_bytes(path: str) -> bytes:
    file = Path(openable(path))
    _check_kind(file.stat())
    return file.read_bytes()


def _remote_bytes(url: str) -> bytes:
    data = read_url(url, most=MAXIMUM_BYTES)
    if len(data) > MAXIMUM_BYTES:
        raise ImageError("too_large", f"more than {MAXIMUM_BYTES:,} bytes, which is the most that is read")
    return data


def _check_kind(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise ImageError("unreadable", "a folder, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise ImageError("unreadable", "not a regular file")  # opening a pipe would wait for ever
    if found.st_size > MAXIMUM_BYTES:
        raise ImageError("too_large", f"{found.st_size:,} bytes; at most {MAXIMUM_BYTES:,} are read")
