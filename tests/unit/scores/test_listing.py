"""Folders, globs and single files are listed completely, once each, in one order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.scores import list_images
from sexstrat.scores.paths import openable, storable
from sexstrat.values.tables import table_schema


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_is_listed_with_its_subfolders_in_path_order(tmp_path: Path) -> None:
    """Every file that is not hidden is one row, sorted by POSIX path, whatever its suffix."""
    touch(tmp_path, "b/1.jpg", "a/2.png", "a/1.jpg", "notes.txt", ".hidden.jpg", ".cache/1.jpg", "a/.DS_Store")
    listing = list_images(tmp_path)
    assert listing["image_id"].tolist() == ["a/1.jpg", "a/2.png", "b/1.jpg", "notes.txt"]
    assert listing["path"].tolist() == [str(tmp_path / name) for name in listing["image_id"]]
    assert list(listing.columns) == table_schema("image").columns


def test_the_same_name_in_two_folders_stays_two_images(tmp_path: Path) -> None:
    """image_id tells two files of one name apart by their folder."""
    touch(tmp_path, "right/001.jpg", "left/001.jpg")
    listing = list_images(tmp_path)
    assert listing["image_id"].tolist() == ["left/001.jpg", "right/001.jpg"]
    assert listing["path"].nunique() == 2


def test_image_id_starts_at_the_root_given(tmp_path: Path) -> None:
    """With a root above the folder, image_id holds the folder's name too."""
    touch(tmp_path, "visit1/001.jpg")
    assert list_images(tmp_path / "visit1", root=tmp_path)["image_id"].tolist() == ["visit1/001.jpg"]


def test_a_glob_names_files_from_its_fixed_part(tmp_path: Path) -> None:
    """A recursive glob lists the files it matches; ids start where its fixed part ends; folders are no images."""
    touch(tmp_path, "a/1.jpg", "a/b/2.jpg", "a/3.png")
    found = list_images(str(tmp_path / "a" / "**" / "*.jpg"))
    assert found["image_id"].tolist() == ["1.jpg", "b/2.jpg"]
    assert list_images(str(tmp_path / "a" / "*"))["image_id"].tolist() == ["1.jpg", "3.png"]


def test_a_folder_whose_name_holds_glob_characters_is_a_folder(tmp_path: Path) -> None:
    """An existing path is taken as it stands before it is taken as a pattern."""
    touch(tmp_path, "study [2024]/1.jpg")
    assert list_images(tmp_path / "study [2024]")["image_id"].tolist() == ["1.jpg"]


def test_one_image_file_is_a_list_of_one(tmp_path: Path) -> None:
    """A path to a photograph lists that photograph."""
    touch(tmp_path, "1.jpg")
    assert list_images(tmp_path / "1.jpg")["image_id"].tolist() == ["1.jpg"]


@pytest.mark.parametrize("source", ["nowhere", "nowhere/*.jpg", "empty"])
def test_a_source_without_images_is_refused(tmp_path: Path, source: str) -> None:
    """A wrong folder, a glob without a match and an empty folder are mistakes of the command, not empty results."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match=r"no such folder|holds no file"):
        list_images(str(tmp_path / source))


def test_a_link_back_up_is_not_followed_for_ever(tmp_path: Path) -> None:
    """A link to a folder above is passed over; a link to another folder is followed; a dead link is a row."""
    touch(tmp_path, "photos/1.jpg", "elsewhere/2.jpg")
    (tmp_path / "photos" / "back").symlink_to(tmp_path / "photos", target_is_directory=True)
    (tmp_path / "photos" / "other").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "photos" / "dead.jpg").symlink_to(tmp_path / "gone.jpg")
    assert list_images(tmp_path / "photos")["image_id"].tolist() == ["1.jpg", "dead.jpg", "other/2.jpg"]


def test_a_folder_that_cannot_be_opened_is_listed_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a closed folder cannot be counted, so the folder stands in the list where it will be seen."""
    touch(tmp_path, "closed/1.jpg", "open/2.jpg")
    iterdir = Path.iterdir

    def guarded(self: Path) -> object:
        if self.name == "closed":
            raise PermissionError(13, "Permission denied")
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", guarded)
    assert list_images(tmp_path)["image_id"].tolist() == ["closed", "open/2.jpg"]


def test_names_of_any_script_and_of_broken_bytes_are_kept(tmp_path: Path) -> None:
    """Japanese names and spaces are ids as they stand; bytes that are no text are escaped and can still be opened."""
    touch(tmp_path, "右眼/患者 一.jpg", "émile.jpg")
    with open(os.fsencode(tmp_path) + b"/bad\xff.jpg", "wb") as file:  # noqa: PTH123  (Path takes no bytes)
        file.write(b"x")
    listing = list_images(tmp_path)
    assert listing["image_id"].tolist() == ["bad\\udcff.jpg", "émile.jpg", "右眼/患者 一.jpg"]
    assert all(Path(openable(path)).read_bytes() == b"x" for path in listing["path"])


def test_storable_text_goes_there_and_back() -> None:
    """A path that is plain text is not touched; one with escapes comes back as it was."""
    assert storable("a/b.jpg") == "a/b.jpg"
    assert openable(storable("a\udcff\udc80.jpg")) == "a\udcff\udc80.jpg"
