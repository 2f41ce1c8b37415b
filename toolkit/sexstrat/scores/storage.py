"""Read and write files wherever they lie: on this machine, or by URL in object storage and archives through fsspec."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sexstrat.errors import StudyError
from sexstrat.scores.urls import is_remote, opened_url, protocol, without_file_scheme

__all__ = ["files_below", "local_copy", "read_url", "remove_url", "url_state", "write_url"]

_ARCHIVES = ("zip", "tar")
_CHANGE_MARKS = ("ETag", "etag", "md5Hash", "content_md5", "checksum", "crc", "CRC", "mtime", "date_time")
_CHANGE_TIMES = ("LastModified", "last_modified", "modified", "updated", "created")


def files_below(url: str) -> list[str]:
    """List the files of a remote folder, or those that a remote glob names, in the order of their URLs.

    Hidden files, and files in hidden folders, are left out as on this machine.

    Parameters
    ----------
    url : folder, one file, or glob such as ``s3://bucket/photos/**/*.jpg``.

    Returns
    -------
    URLs, which :func:`read_url` opens; none when there is no such place.

    Raises
    ------
    StudyError
        The place cannot be opened, or the package for it is not installed.

    Examples
    --------
    >>> write_url("memory://doc/a.jpg", b"one")
    >>> write_url("memory://doc/b/c.jpg", b"three")
    >>> files_below("memory://doc"), files_below("memory://doc/**/c.*")
    (['memory://doc/a.jpg', 'memory://doc/b/c.jpg'], ['memory://doc/b/c.jpg'])
    """
    system, path = opened_url(url)
    try:
        system.invalidate_cache()
        found = system.glob(path, detail=True) if re.search(r"[*?\[]", path) else system.find(path, detail=True)
    except FileNotFoundError:
        return []
    except Exception as err:  # a backend may raise anything: refused credentials, no connection, a damaged archive
        raise StudyError(f"{url} cannot be listed: {_in_words(err)}") from err
    files = [name for name, info in found.items() if info.get("type") != "directory"]
    start = len(re.split(r"[^/]*[*?\[]", path)[0].rstrip("/"))
    return sorted(_url(url, name) for name in files if not re.search(r"(^|/)\.", name[start:]))


def read_url(url: str, *, most: int | None = None) -> bytes:
    """Return the bytes of a remote file.

    Parameters
    ----------
    url : the file.
    most : bytes that are read; a longer file comes back cut off after one byte more, or None for no limit.

    Returns
    -------
    The bytes.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    OSError
        The file cannot be read.
    StudyError
        The place cannot be opened, or the package for it is not installed.

    Examples
    --------
    >>> write_url("memory://doc/hello.txt", b"hello")
    >>> read_url("memory://doc/hello.txt", most=2)
    b'hel'
    """
    system, path = opened_url(url)
    try:
        with system.open(path, "rb") as file:
            return bytes(file.read() if most is None else file.read(most + 1))
    except OSError:
        raise
    except KeyError as err:  # an archive's way of saying that it has no such member
        raise FileNotFoundError(url) from err
    except Exception as err:
        raise OSError(_in_words(err)) from err


def write_url(url: str, source: bytes | Path) -> None:
    """Write a remote file, which appears whole or not at all: an object store shows an object when it is complete.

    Parameters
    ----------
    url : the file; an older one is replaced.
    source : its bytes, or the file on this machine that holds them.

    Raises
    ------
    StudyError
        The place cannot be written, or the package for it is not installed.

    Examples
    --------
    >>> write_url("memory://doc/x.txt", b"x")
    >>> read_url("memory://doc/x.txt")
    b'x'
    >>> write_url("zip://x.txt::archive.zip", b"x")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: zip://x.txt::archive.zip: an archive cannot be written to; ...
    """
    if protocol(url) in _ARCHIVES:
        raise StudyError(f"{url}: an archive cannot be written to; give a folder or object storage")
    system, path = opened_url(url)
    try:
        if isinstance(source, bytes):
            system.pipe_file(path, source)
        else:
            system.put_file(str(source), path)
    except Exception as err:
        raise StudyError(f"{url} cannot be written: {_in_words(err)}") from err


def remove_url(url: str) -> None:
    """Remove a remote file; that it is gone already is no error.

    Parameters
    ----------
    url : the file.

    Examples
    --------
    >>> write_url("memory://doc/gone.txt", b"x")
    >>> remove_url("memory://doc/gone.txt")
    >>> remove_url("memory://doc/gone.txt")
    >>> files_below("memory://doc/gone.txt")
    []
    """
    system, path = opened_url(url)
    try:
        system.rm_file(path)
    except FileNotFoundError:
        return


def url_state(url: str) -> tuple[int, int]:
    """Return size and a number that changes with the content of a remote file, without reading it.

    The number is made of the store's own mark (entity tag or checksum) where it gives one, else of the time of the
    last change; (-1, 0) when there is no such file.

    Parameters
    ----------
    url : the file.

    Returns
    -------
    Size in bytes, and a number from 0 to 2**63.

    Examples
    --------
    >>> write_url("memory://doc/state.txt", b"12345")
    >>> url_state("memory://doc/state.txt")[0], url_state("memory://doc/none.txt")
    (5, (-1, 0))
    """
    try:
        system, path = opened_url(url)
        info = system.info(path)
    except (OSError, KeyError, StudyError):
        return -1, 0
    marks = [str(info[name]) for name in _CHANGE_MARKS if info.get(name) is not None]
    times = [str(info[name]) for name in _CHANGE_TIMES if info.get(name) is not None]
    digest = hashlib.sha256("\0".join(marks or times).encode()).digest()
    return int(info.get("size") or 0), int.from_bytes(digest[:7])


@contextmanager
def local_copy(location: str) -> Iterator[Path]:
    """Give a path on this machine for a file wherever it lies; a remote one is copied for as long as the block lasts.

    Parameters
    ----------
    location : path or URL of a file.

    Raises
    ------
    StudyError
        There is no such remote file, or it cannot be read.

    Examples
    --------
    >>> write_url("memory://doc/list.csv", b"path")
    >>> with local_copy("memory://doc/list.csv") as path:
    ...     path.name, path.read_text()
    ('list.csv', 'path')
    """
    if not is_remote(location):
        yield Path(without_file_scheme(location))
        return
    with TemporaryDirectory(prefix="sexstrat-") as folder:
        path = Path(folder, location.partition("::")[0].rsplit("/", 1)[-1] or "file")
        try:
            path.write_bytes(read_url(location))
        except OSError as err:
            raise StudyError(f"{location} cannot be read: {_in_words(err)}") from err
        yield path


def _url(base: str, name: str) -> str:
    """Return the URL of a file that was found at a base."""
    _, chained, rest = base.partition("::")
    return f"{protocol(base)}://{name.lstrip('/')}{chained}{rest}"


def _in_words(err: Exception) -> str:
    text = " ".join(str(err).split())[:200]
    return text or type(err).__name__
