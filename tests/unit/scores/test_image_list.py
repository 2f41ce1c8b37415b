"""Lists of images keep the image contract, or every breach is named with its place."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.errors import SchemaError, StudyError
from sexstrat.scores import list_images


def refused(path: Path) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        list_images(path)
    return caught.value


def test_paths_start_at_the_list_and_give_the_ids(tmp_path: Path) -> None:
    """Without image_id, the path relative to the list's folder is the id; the list's order is kept."""
    source = tmp_path / "images.csv"
    source.write_text("patient_id,eye,path\np2,L,b/2.jpg\np1,,a/1.jpg\n", encoding="utf-8")
    listing = list_images(source)
    assert listing["image_id"].tolist() == ["b/2.jpg", "a/1.jpg"]
    assert listing["path"].tolist() == [str(tmp_path / "b/2.jpg"), str(tmp_path / "a/1.jpg")]
    assert listing["eye"].isna().tolist() == [False, True]


def test_a_root_moves_the_start_of_relative_paths(tmp_path: Path) -> None:
    """A list kept away from its photographs reads them from the root."""
    source = tmp_path / "lists" / "images.csv"
    source.parent.mkdir()
    source.write_text("path\n1.jpg\n", encoding="utf-8")
    listing = list_images(source, root=tmp_path / "photos")
    assert listing["path"].tolist() == [str(tmp_path / "photos" / "1.jpg")]
    assert listing["image_id"].tolist() == ["1.jpg"]


def test_a_wrong_column_name_is_met_with_the_nearest_right_one(tmp_path: Path) -> None:
    """The message has file, line, column, the value found, what is allowed, and the name that was likely meant."""
    source = tmp_path / "images.csv"
    source.write_text("image_id,pateint_id,path\na,p,1.jpg\n", encoding="utf-8")
    (problem,) = refused(source).problems
    assert (problem.source, problem.row, problem.column, problem.value) == (str(source), 1, "pateint_id", "pateint_id")
    assert problem.allowed.startswith("image_id, patient_id, eye, path")
    assert problem.hint == "Did you mean patient_id?"


def test_a_list_without_paths_says_which_column_is_missing(tmp_path: Path) -> None:
    """A column under another name is both unknown and missing, in one error."""
    source = tmp_path / "images.csv"
    source.write_text("image_id,file\na,1.jpg\n", encoding="utf-8")
    assert [(p.kind, p.column) for p in refused(source).problems] == [
        ("unknown_column", "file"),
        ("missing_column", "path"),
    ]


def test_a_repeated_id_names_its_second_line_and_how_often(tmp_path: Path) -> None:
    """Lines are those of the file, blank ones counted."""
    source = tmp_path / "images.csv"
    source.write_text("image_id,path\na,1.jpg\n\na,2.jpg\na,3.jpg\n", encoding="utf-8")
    (problem,) = refused(source).problems
    assert (problem.kind, problem.row, problem.value, problem.count) == ("duplicate_value", 4, "a", 2)


def test_all_breaches_come_at_once_in_line_order(tmp_path: Path) -> None:
    """An eye coded in words, an empty path and a digest of the wrong form are three problems of one error."""
    source = tmp_path / "images.csv"
    source.write_text("image_id,path,eye,sha256\na,1.jpg,OD,\nb,,R,\nc,3.jpg,L,xyz\n", encoding="utf-8")
    found = [(p.row, p.column, p.kind) for p in refused(source).problems]
    assert found == [(2, "eye", "not_allowed"), (3, "path", "empty_value"), (4, "sha256", "wrong_pattern")]


@pytest.mark.parametrize(
    ("content", "kind", "row"),
    [
        (b"path\n1.jpg,2.jpg\n", "wrong_width", 2),
        (b'path\n"1.jpg\n', "malformed", 2),
        (b"path\n\x81\xff\xfe.jpg\n", "encoding", None),
        (b"path,path\na,b\n", "duplicate_column", 1),
    ],
)
def test_a_broken_csv_is_named_not_guessed(tmp_path: Path, content: bytes, kind: str, row: int | None) -> None:
    """Ragged rows, open quotes, unknown bytes and repeated columns are problems with a line, never tracebacks."""
    source = tmp_path / "images.csv"
    source.write_bytes(content)
    (problem,) = refused(source).problems
    assert (problem.kind, problem.row) == (kind, row)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_japanese_lists_are_read_in_either_encoding(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with or without a mark and CP932 give the same paths."""
    source = tmp_path / "images.csv"
    source.write_bytes("path\n右眼/患者一.jpg\n".encode(encoding))
    assert list_images(source)["image_id"].tolist() == ["右眼/患者一.jpg"]


def test_parquet_and_frames_keep_whole_numbers_whole(tmp_path: Path) -> None:
    """patient_id 7 with another missing is "7", not "7.0", from Parquet and from a data frame."""
    frame = pd.DataFrame({"path": ["1.jpg", "2.jpg"], "patient_id": [7.0, None]})
    frame.astype({"patient_id": "Int64"}).to_parquet(tmp_path / "images.parquet")
    for source in (tmp_path / "images.parquet", frame):
        assert list_images(source)["patient_id"].fillna("").tolist() == ["7", ""]


def test_declared_columns_are_renamed_and_others_left_aside(tmp_path: Path) -> None:
    """A list in its own words is read when the words are declared; a name that is not there is refused."""
    source = tmp_path / "images.csv"
    source.write_text("file,age,patient_id\n1.jpg,60,p\n", encoding="utf-8")
    listing = list_images(source, columns={"path": "file"})
    assert (listing["image_id"].item(), listing["patient_id"].item()) == ("1.jpg", "p")
    with pytest.raises(SchemaError, match="declared as path"):
        list_images(source, columns={"path": "photo"})
    with pytest.raises(StudyError, match="unknown names picture"):
        list_images(source, columns={"picture": "file"})


def test_a_list_without_rows_is_refused(tmp_path: Path) -> None:
    """A header alone is a mistake of the command."""
    source = tmp_path / "images.csv"
    source.write_text("path\n", encoding="utf-8")
    with pytest.raises(StudyError, match="names no image"):
        list_images(source)


def test_a_file_that_only_claims_to_be_parquet_is_refused(tmp_path: Path) -> None:
    """Text named .parquet is a problem of the input, not a traceback."""
    source = tmp_path / "images.parquet"
    source.write_text("path\n1.jpg\n", encoding="utf-8")
    assert refused(source).problems[0].kind == "malformed"
