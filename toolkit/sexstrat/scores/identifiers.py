"""Replace identifiers by a keyed hash: rows of one person stay together, and only the key leads back to them."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path, PurePosixPath

import pandas as pd

from sexstrat.errors import StudyError

__all__ = ["MINIMUM_KEY_BYTES", "hashed_identifier", "hashed_listing", "read_key"]

MINIMUM_KEY_BYTES = 32
"""As long as the hash: a shorter key could be found by trying (RFC 2104, section 3)."""

_DIGITS = 32  # hexadecimal digits kept: 128 bits, so that two of a billion identifiers do not meet


def read_key(path: str | Path) -> bytes:
    """Read the secret key of the hash.

    Parameters
    ----------
    path : file that holds at least 32 bytes, made for instance by ``openssl rand -hex 32 > key``. Only its owner may
        be able to read it. A line end after the key is not part of it.

    Returns
    -------
    The key.

    Raises
    ------
    StudyError
        There is no such file, it is too short, or others than its owner may read or write it.

    Examples
    --------
    >>> read_key("no such file")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: no such file: no such key file; make one with: openssl rand -hex 32 > no such file
    """
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"{path}: no such key file; make one with: openssl rand -hex 32 > {path}")
    mode = stat.S_IMODE(file.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise StudyError(
            f"{path}: others than its owner can use this key file (mode {mode:o}); allowed: 600 or 400; "
            f"run: chmod 600 {path}"
        )
    try:
        key = file.read_bytes().rstrip(b"\r\n")
    except OSError as err:
        raise StudyError(f"{path}: the key file cannot be opened: {err.strerror or err}") from err
    if len(key) < MINIMUM_KEY_BYTES:
        raise StudyError(f"{path}: the key has {len(key)} bytes; at least {MINIMUM_KEY_BYTES} are needed")
    return key


def hashed_identifier(key: bytes, kind: str, value: str) -> str:
    r"""Return the keyed hash of an identifier: the first 32 hexadecimal digits of HMAC-SHA-256.

    Parameters
    ----------
    key : the secret key.
    kind : what is named, for instance ``patient``; the same text of another kind gives another hash.
    value : the identifier.

    Returns
    -------
    32 hexadecimal digits.

    References
    ----------
    Krawczyk H, Bellare M, Canetti R. HMAC: keyed-hashing for message authentication. RFC 2104, 1997.

    Examples
    --------
    >>> import hashlib, hmac
    >>> expected = hmac.new(b"k" * 32, b"patient\0" + b"17", hashlib.sha256).hexdigest()[:32]
    >>> hashed_identifier(b"k" * 32, "patient", "17") == expected
    True
    """
    text = f"{kind}\0{value}".encode("utf-8", "backslashreplace")
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:_DIGITS]


def hashed_listing(listing: pd.DataFrame, key: bytes) -> pd.DataFrame:
    """Replace patient_id and image_id of listed images, and what is written as their path, by keyed hashes.

    Parameters
    ----------
    listing : columns of the image contract; ``path`` stays, since the files have to be read.
    key : the secret key.

    Returns
    -------
    The listing with ``shown_path``, what a score table says instead of the path: the hashed image_id and the
    file's suffix. File names often hold the number of a patient.

    Examples
    --------
    >>> listed = pd.DataFrame({"image_id": ["17_right.jpg"], "patient_id": ["17"], "path": ["/data/17_right.jpg"]})
    >>> found = hashed_listing(listed, b"k" * 32)
    >>> "17_right" in " ".join(found[["image_id", "patient_id", "shown_path"]].iloc[0])
    False
    """
    image = listing["image_id"].map(lambda value: hashed_identifier(key, "image", value))
    patient = listing["patient_id"].map(lambda value: hashed_identifier(key, "patient", value), na_action="ignore")
    suffixes = [PurePosixPath(path.replace("\\", "/")).suffix.lower() for path in listing["path"]]
    shown = [
        name + (suffix if suffix.isascii() and len(suffix) < 6 else "")
        for name, suffix in zip(image, suffixes, strict=True)
    ]
    return listing.assign(image_id=image, patient_id=patient.astype("str"), shown_path=shown)
