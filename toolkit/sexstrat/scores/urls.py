"""Tell URLs from paths, and open what a URL names through fsspec; nothing is fetched from the web."""

from __future__ import annotations

import re
from typing import Any
from urllib.request import url2pathname

from sexstrat.errors import StudyError

__all__ = ["PROTOCOLS", "is_remote", "opened_url", "protocol", "without_file_scheme"]

PROTOCOLS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "oss": "ossfs",
    "memory": "fsspec",
    "zip": "fsspec",
    "tar": "fsspec",
    "file": "fsspec",
}
"""What a URL may start with, and the package that opens it. The web is not among them: nothing is fetched from it."""


def is_remote(location: object) -> bool:
    """Tell whether a location is a URL that fsspec opens, and not a path on this machine.

    Examples
    --------
    >>> is_remote("s3://bucket/a.jpg"), is_remote("zip://a.jpg::photos.zip"), is_remote("C:/photos/a.jpg")
    (True, True, False)
    """
    return isinstance(location, str) and re.match(r"[a-z][a-z0-9+.-]+://", location) is not None


def without_file_scheme(location: str) -> str:
    """Return the path that a ``file://`` URL names; any other location as it is.

    Examples
    --------
    >>> without_file_scheme("s3://bucket/a.jpg")
    's3://bucket/a.jpg'
    >>> without_file_scheme("photos/a.jpg")
    'photos/a.jpg'
    """
    if not location.startswith("file://") or "::" in location:
        return location
    return url2pathname(location.removeprefix("file://").removeprefix("localhost"))


def protocol(url: str) -> str:
    """Return what a URL starts with, before ``://``.

    Examples
    --------
    >>> protocol("s3://bucket/a.jpg")
    's3'
    """
    return url.partition("://")[0]


def opened_url(url: str) -> tuple[Any, str]:
    """Return the file system that a URL names, and the path in it.

    Parameters
    ----------
    url : one of ``PROTOCOLS`` first, or several in a chain, as in ``zip://a.jpg::s3://bucket/photos.zip``.

    Raises
    ------
    StudyError
        The URL is of another kind, the package for it is not installed, or the place cannot be opened.

    Examples
    --------
    >>> opened_url("memory://doc/a.jpg")[1]
    '/doc/a.jpg'
    >>> opened_url("https://example.org/a.jpg")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: https://example.org/a.jpg: https:// is not opened; allowed: s3://, ...
    """
    for link in url.split("::"):
        name = protocol(link)
        if "://" in link and name not in PROTOCOLS:
            raise StudyError(f"{url}: {name}:// is not opened; allowed: {', '.join(f'{one}://' for one in PROTOCOLS)}")
    package = PROTOCOLS[protocol(url)]
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(url)
    except ImportError as err:
        raise StudyError(f"{url}: needs the package {package}; install it: pip install {package}") from err
    except Exception as err:
        raise StudyError(f"{url} cannot be opened: {_in_words(err)}") from err
    return system, str(path)


def _in_words(err: Exception) -> str:
    text = " ".join(str(err).split())[:200]
    return text or type(err).__name__
