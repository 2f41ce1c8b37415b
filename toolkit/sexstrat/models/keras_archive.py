"""Open a ``.keras`` archive without trusting it: its configuration as data and the bytes of its weights."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from sexstrat.errors import ModelError

__all__ = ["ARCHIVE_ERRORS", "checked_entries", "json_object", "read_keras_archive"]

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_LARGEST_TEXT = 32 * 2**20
_LARGEST_WEIGHTS = 2 * 2**30  # EfficientNetB7 with its training state has 0.8 GB
_MOST_ENTRIES = 10_000
_MOST_SQUEEZED = 100

ARCHIVE_ERRORS = (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError, ValueError)
"""What ``zipfile`` raises for a damaged archive, by kind of damage."""


def read_keras_archive(path: str | Path) -> tuple[dict[str, Any], bytes]:
    """Return configuration and weights of a ``.keras`` file; nothing is unpacked to disk.

    Parameters
    ----------
    path : the file.

    Returns
    -------
    The parsed configuration, and the bytes of the HDF5 file within.

    Raises
    ------
    ModelError
        The archive is damaged, or an entry has a path outside it, is a link, doubled, encrypted, or swells.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = checked_entries(archive)
            for name, most in ((_CONFIG, _LARGEST_TEXT), (_WEIGHTS, _LARGEST_WEIGHTS)):
                if name not in entries:
                    raise ModelError(f"{path} holds no {name}; allowed: a .keras file as Keras writes it")
                if entries[name].file_size > most:
                    raise ModelError(f"{name} in {path} has {entries[name].file_size:,} bytes; at most {most:,}")
            return json_object(archive.read(_CONFIG), f"{_CONFIG} in {path}"), archive.read(_WEIGHTS)
    except ARCHIVE_ERRORS as err:
        if isinstance(err, ModelError):
            raise
        raise ModelError(f"{path} is not a readable .keras archive: {err}") from err


def checked_entries(archive: zipfile.ZipFile, *, bounded: bool = False) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of an archive by name, once none of them can do harm.

    Parameters
    ----------
    archive : opened archive.
    bounded : whether the reader bounds each entry by what it must hold, so that swelling does no harm.

    Raises
    ------
    ModelError
        A name leaves the archive, is doubled, is a link, is encrypted or would swell a hundredfold.
    """
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise ModelError(f"the archive holds {len(entries):,} entries; at most {_MOST_ENTRIES:,}")
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
            raise ModelError(f"the archive's entry {name!r:.80} leads outside it; allowed: names within")
        if name in found:
            raise ModelError(f"the archive holds {name!r:.80} twice")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ModelError(f"the archive's entry {name!r:.80} is a link; allowed: files")
        if entry.flag_bits & 1:
            raise ModelError(f"the archive's entry {name!r:.80} is encrypted")
        if not bounded and entry.file_size > _MOST_SQUEEZED * max(entry.compress_size, 1024):
            raise ModelError(f"the archive's entry {name!r:.80} would swell from {entry.compress_size:,} bytes to "
                             f"{entry.file_size:,}")  # fmt: skip
        found[name] = entry
    return found


def json_object(text: str | bytes, source: str) -> dict[str, Any]:
    """Parse JSON text that must be an object.

    Parameters
    ----------
    text : the text.
    source : name for messages.

    Raises
    ------
    ModelError
        It is not JSON or not an object.

    Examples
    --------
    >>> json_object('{"a": 1}', "x")
    {'a': 1}
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ModelError(f"{source} is not JSON: {err}") from err
    if not isinstance(value, dict):
        raise ModelError(f"{source} is not a JSON object")
    return value
