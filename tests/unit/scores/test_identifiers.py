"""Identifiers are replaced by a keyed hash whose key is guarded and never written."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.scores import hashed_identifier, read_key


def key_file(folder: Path, content: bytes = b"0123456789abcdef" * 4, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_hash_is_hmac_sha_256(tmp_path: Path) -> None:
    """The value is the one of Python's hmac, and another key, kind or value changes it."""
    key = read_key(key_file(tmp_path, b"k" * 32 + b"\n"))
    assert key == b"k" * 32
    expected = hmac.new(key, b"patient\x0017", hashlib.sha256).hexdigest()[:32]
    assert hashed_identifier(key, "patient", "17") == expected
    others = {
        hashed_identifier(key, "patient", "18"),
        hashed_identifier(key, "image", "17"),
        hashed_identifier(b"j" * 32, "patient", "17"),
    }
    assert len(others | {expected}) == 4


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
def test_a_key_that_others_can_use_is_refused(mode: int, tmp_path: Path) -> None:
    """Any right of group or others is too much."""
    path = key_file(tmp_path, mode=mode)
    with pytest.raises(StudyError, match=rf"\(mode {mode:o}\); allowed: 600 or 400; run: chmod 600"):
        read_key(path)


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    """A key shorter than 32 bytes could be tried out."""
    with pytest.raises(StudyError, match="the key has 31 bytes; at least 32 are needed"):
        read_key(key_file(tmp_path, b"k" * 31 + b"\r\n"))


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    """A path that is no file is refused in words."""
    with pytest.raises(StudyError, match="no such key file"):
        read_key(tmp_path)
