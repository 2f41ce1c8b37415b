"""Bytes are read only from regular files that are there, are allowed, and are the listed ones."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sexstrat.errors import ImageError
from sexstrat.scores import reading
from sexstrat.scores.reading import file_state, read_photograph


def status_of(path: Path | str, **options: str) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        read_photograph(str(path), **options)
    return caught.value.status, caught.value.reason


def test_what_cannot_be_read_has_its_own_status(tmp_path: Path) -> None:
    """Missing, below a file, empty, a folder: each says so."""
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "folder.jpg").mkdir()
    assert status_of(tmp_path / "gone.jpg")[0] == "missing_file"
    assert status_of(tmp_path / "empty.jpg" / "1.jpg")[0] == "missing_file"
    assert status_of(tmp_path / "empty.jpg")[0] == "empty_file"
    assert status_of(tmp_path / "folder.jpg") == ("unreadable", "a folder, not a file")
    assert status_of("a\0b.jpg")[0] == "unreadable"


def test_a_link_that_leads_to_itself_is_unreadable(tmp_path: Path) -> None:
    """A loop of links ends in a status, not in waiting."""
    (tmp_path / "a.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    assert status_of(tmp_path / "a.jpg")[0] == "unreadable"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    """A pipe named like a photograph would be waited for for ever; it is refused unopened."""
    os.mkfifo(tmp_path / "pipe.jpg")
    assert status_of(tmp_path / "pipe.jpg") == ("unreadable", "not a regular file")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(5, "Input/output error"), "Input/output"),
    ],
)
def test_an_error_of_the_disk_is_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    """A file that may not be opened, or a read that fails half-way, says what the system said."""
    (tmp_path / "1.jpg").write_bytes(b"x")

    def failing(_: Path) -> bytes:
        raise error

    monkeypatch.setattr(Path, "read_bytes", failing)
    status, found = status_of(tmp_path / "1.jpg")
    assert status == "unreadable"
    assert reason in found


def test_a_read_that_gives_nothing_is_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that promises bytes and delivers none is not believed."""
    (tmp_path / "1.jpg").write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"")
    assert status_of(tmp_path / "1.jpg")[0] == "empty_file"


def test_a_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is checked before memory is spent."""
    monkeypatch.setattr(reading, "MAXIMUM_BYTES", 10)
    (tmp_path / "1.jpg").write_bytes(b"x" * 11)
    assert status_of(tmp_path / "1.jpg") == ("too_large", "11 bytes; at most 10 are read")


def test_a_path_outside_the_root_is_not_opened(tmp_path: Path) -> None:
    """With a root, ``..`` and absolute paths cannot lead out of it."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "secret.txt").write_bytes(b"x")
    for path in (tmp_path / "photos" / ".." / "secret.txt", tmp_path / "secret.txt"):
        assert status_of(path, root=str(tmp_path / "photos")) == (
            "missing_file",
            "the path leads outside the root folder",
        )
    assert read_photograph(str(tmp_path / "photos" / ".." / "secret.txt")) == b"x"


def test_the_listed_digest_is_checked(tmp_path: Path) -> None:
    """A file that is not the one listed is not scored under its name."""
    (tmp_path / "1.jpg").write_bytes(b"x")
    assert read_photograph(str(tmp_path / "1.jpg"), sha256=hashlib.sha256(b"x").hexdigest()) == b"x"
    assert "sha256" in status_of(tmp_path / "1.jpg", sha256="0" * 64)[1]


def test_a_changed_file_has_another_state(tmp_path: Path) -> None:
    """Size and time of change both count."""
    path = tmp_path / "1.jpg"
    path.write_bytes(b"x")
    before = file_state(str(path))
    assert file_state(str(path)) == before
    os.utime(path, ns=(before.modified + 10**9, before.modified + 10**9))
    assert file_state(str(path)) != before
