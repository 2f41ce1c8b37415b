"""The user's cache folder: entries that appear whole, are checked when read, and are made anew when damaged."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from sexstrat.errors import ModelError
from sexstrat.models.weights import file_sha256

__all__ = ["cache_folder", "cached_files"]

_MANIFEST = "manifest.json"


def cache_folder() -> Path:
    """Return where converted models are kept: ``SEXSTRAT_CACHE``, or the user's cache folder.

    Returns
    -------
    The folder; it need not exist.

    Examples
    --------
    >>> import os
    >>> before = os.environ.get("SEXSTRAT_CACHE")
    >>> os.environ["SEXSTRAT_CACHE"] = "/scratch/cache"
    >>> cache_folder().as_posix()
    '/scratch/cache'
    >>> _ = os.environ.pop("SEXSTRAT_CACHE") if before is None else os.environ.update(SEXSTRAT_CACHE=before)
    """
    chosen = os.environ.get("SEXSTRAT_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("sexstrat"))


def cached_files(kind: str, digest: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of a cache entry, made by ``make`` unless a sound one is there.

    The files are made in a folder aside that is then renamed, so no one ever sees half an entry and two
    processes that make the same one do not disturb each other. A manifest holds the SHA-256 of every file;
    an entry that does not match its manifest is thrown away and made anew.

    Parameters
    ----------
    kind : subfolder, for instance ``openvino``.
    digest : what identifies the entry, in hexadecimal.
    make : writes the entry's files into the folder that it is given.

    Returns
    -------
    The folder with the files.

    Raises
    ------
    ModelError
        The cache folder cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.environ["SEXSTRAT_CACHE"] = folder
    ...     place = cached_files("texts", "0a", lambda target: (target / "a.txt").write_text("made") and None)
    ...     again = cached_files("texts", "0a", lambda target: print("not made a second time"))
    ...     del os.environ["SEXSTRAT_CACHE"]
    ...     (again / "a.txt").read_text()
    'made'
    """
    place = cache_folder() / kind / digest
    if _is_sound(place):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{digest[:16]}.", suffix=".tmp", dir=place.parent))
    except OSError as err:
        raise ModelError(
            f"the cache folder {place.parent} cannot be written: {err.strerror or err}; "
            "set SEXSTRAT_CACHE to a folder that can"
        ) from err
    try:
        make(aside)
        _write_manifest(aside)
        return _moved(aside, place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _moved(aside: Path, place: Path) -> Path:
    """Put a finished entry in its place, unless another process has just done so."""
    for _ in range(3):
        try:
            return aside.rename(place)
        except OSError:
            if _is_sound(place):
                return place
        discarded = aside.with_suffix(".old")  # renamed first, so that no one meets an entry that is half removed
        with contextlib.suppress(OSError):
            place.rename(discarded)
            shutil.rmtree(discarded, ignore_errors=True)
            discarded.unlink(missing_ok=True)
    raise ModelError(f"the cache entry {place} cannot be replaced; remove it, or set SEXSTRAT_CACHE elsewhere")


def _write_manifest(folder: Path) -> None:
    digests = {path.name: file_sha256(path) for path in sorted(folder.iterdir())}
    (folder / _MANIFEST).write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")


def _is_sound(folder: Path) -> bool:
    try:
        digests = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return bool(digests) and all(file_sha256(folder / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False
