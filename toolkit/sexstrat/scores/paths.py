"""Name files by their place under a root, and open every file whatever its name holds."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["lies_under", "openable", "relative_id", "storable"]


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


def relative_id(path: Path, root: Path) -> str:
    """Return the image_id of a file: its POSIX path relative to the root, or its own path when it lies elsewhere.

    Parameters
    ----------
    path : the file; need not exist.
    root : the folder that names start from.

    Examples
    --------
    >>> relative_id(Path("data/right/001.jpg"), Path("data"))
    'right/001.jpg'
    >>> relative_id(Path("other/001.jpg"), Path("data"))
    'other/001.jpg'
    """
    plain = Path(os.path.normpath(path))
    folder = Path(os.path.normpath(root))
    return storable((plain.relative_to(folder) if plain.is_relative_to(folder) else plain).as_posix())


def lies_under(path: str | Path, root: str | Path) -> bool:
    """Tell whether a path stays below a folder, ``..`` resolved by name and links not followed.

    Examples
    --------
    >>> lies_under("data/a/../b.jpg", "data"), lies_under("data/../b.jpg", "data")
    (True, False)
    """
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root))  # noqa: PTH100  (resolve follows links)
