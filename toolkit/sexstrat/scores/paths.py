"""Name files by their place under a root, and open every file whatever its name holds."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath

from sexstrat.scores.urls import is_remote, without_file_scheme

__all__ = ["joined", "lies_under", "openable", "relative_id", "storable"]


def storable(path: str | Path) -> str:
    r"""Return a path as text that any table can hold: bytes that are not UTF-8 are written as escapes.

    Examples
    --------
    >>> storable("caf\udce9.jpg")
    'caf\\udce9.jpg'
    """
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def openable(text: str) -> str:
    r"""Return the path that :func:`storable` was given.

    A text that names an existing file as it stands is returned unchanged.

    Examples
    --------
    >>> openable("caf\\udce9.jpg") == "caf\udce9.jpg"
    True
    """
    if "\\udc" not in text or os.path.lexists(text):
        return text
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), text)


def joined(start: str | Path, text: str) -> str:
    """Return where a path of a list leads: a relative one starts at a folder, which may be a URL.

    Parameters
    ----------
    start : folder of relative paths, a path or a URL.
    text : the path in the list; absolute, a URL, or relative.

    Examples
    --------
    >>> joined("s3://bucket/photos", "a/right.jpg"), joined(Path("photos"), "s3://bucket/b.jpg")
    ('s3://bucket/photos/a/right.jpg', 's3://bucket/b.jpg')
    >>> joined("zip://photos::study.zip", "a.jpg")
    'zip://photos/a.jpg::study.zip'
    """
    if is_remote(text):
        return without_file_scheme(text)
    if not is_remote(start):
        return str(Path(start) / text)
    head, chained, rest = str(start).partition("::")
    middle = "" if head.endswith("/") else "/"
    return f"{head}{middle}{text.lstrip('/')}{chained}{rest}"


def relative_id(path: str | Path, root: str | Path) -> str:
    """Return the image_id of a file: its POSIX path relative to the root, or its own path when it lies elsewhere.

    Parameters
    ----------
    path : the file, a path or a URL; need not exist.
    root : the folder that names start from.

    Examples
    --------
    >>> relative_id(Path("data/right/001.jpg"), Path("data"))
    'right/001.jpg'
    >>> relative_id(Path("other/001.jpg"), Path("data"))
    'other/001.jpg'
    >>> relative_id("s3://bucket/data/right/001.jpg", "s3://bucket/data")
    'right/001.jpg'
    """
    if is_remote(path) or is_remote(root):
        place = _below(str(path), str(root))
        return str(path) if place is None else place.as_posix()
    plain = Path(os.path.normpath(path))
    base = Path(os.path.normpath(root))
    return storable((plain.relative_to(base) if plain.is_relative_to(base) else plain).as_posix())


def lies_under(path: str | Path, root: str | Path) -> bool:
    """Tell whether a path stays below a folder, ``..`` resolved by name and links not followed.

    Examples
    --------
    >>> lies_under("data/a/../b.jpg", "data"), lies_under("data/../b.jpg", "data")
    (True, False)
    >>> lies_under("s3://bucket/data/../b.jpg", "s3://bucket/data")
    False
    """
    if is_remote(path) or is_remote(root):
        return _below(str(path), str(root)) is not None
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root))  # noqa: PTH100  (resolve follows links)


def _below(url: str, root: str) -> PurePosixPath | None:
    """Return the place of a URL below another, or None when it lies elsewhere."""
    (store, path), (home, folder) = _store_and_path(url), _store_and_path(root)
    if store != home or path.parts[:1] == ("..",) or not path.is_relative_to(folder):
        return None
    return path.relative_to(folder)


def _store_and_path(url: str) -> tuple[tuple[str, str], PurePosixPath]:
    head, _, rest = url.partition("::")
    name, _, path = head.partition("://")
    return (name, rest), PurePosixPath(posixpath.normpath(path.lstrip("/")) if path else "")
