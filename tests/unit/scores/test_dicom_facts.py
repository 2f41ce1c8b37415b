"""Listed DICOM files bring patient, eye and frames with them, and contradictions are told, not settled."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from sexstrat.scores import dicom_persons, list_images, with_dicom_facts

PIXELS = np.zeros((64, 64, 3), np.uint8)


def write(folder: Path, dicom: ModuleType, name: str, **facts: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dicom.dicom_bytes(PIXELS, **facts))
    return path


def test_a_folder_lists_dicom_files_by_content(tmp_path: Path, dicom: ModuleType) -> None:
    """Files with and without suffix bring their facts; other files stay as they are."""
    write(tmp_path, dicom, "a.dcm", PatientID="7", ImageLaterality="R", StudyDate="20230601", Manufacturer="Canon")
    write(tmp_path, dicom, "b/IM0001", PatientID="8", ImageLaterality="B")
    (tmp_path / "c.txt").write_text("notes")
    found = list_images(tmp_path)
    assert found["image_id"].tolist() == ["a.dcm", "b/IM0001", "c.txt"]
    assert found["patient_id"].fillna("").tolist() == ["7", "8", ""]
    assert found["eye"].fillna("").tolist() == ["R", "", ""]
    assert found["eye_source"].fillna("").tolist() == ["dicom", "", ""]
    assert found["acquired_on"].fillna("").tolist() == ["2023-06-01", "", ""]
    assert found["camera"].fillna("").tolist() == ["Canon", "", ""]


def test_the_list_goes_before_the_header(tmp_path: Path, dicom: ModuleType) -> None:
    """What a list says is kept; the header's eye stays beside it."""
    write(tmp_path, dicom, "a.dcm", PatientID="7", ImageLaterality="R")
    (tmp_path / "list.csv").write_text("path,patient_id,eye\na.dcm,P1,L\n")
    (row,) = list_images(tmp_path / "list.csv").to_dict("records")
    assert (row["patient_id"], row["eye"], row["eye_source"], row["dicom_eye"]) == ("P1", "L", "list", "R")


def test_each_frame_is_a_row(tmp_path: Path, dicom: ModuleType) -> None:
    """Three frames are three images of one file; a list may name the one it means."""
    (tmp_path / "a.dcm").write_bytes(dicom.several_frames([PIXELS] * 3, PatientID="7"))
    found = list_images(tmp_path)
    assert found["image_id"].tolist() == ["a.dcm#1", "a.dcm#2", "a.dcm#3"]
    assert found["frame"].tolist() == [1, 2, 3]
    assert set(found["patient_id"]) == {"7"}
    (tmp_path / "list.csv").write_text("image_id,path,frame\nthe second,a.dcm,2\n")
    chosen = list_images(tmp_path / "list.csv")
    assert chosen[["image_id", "frame"]].to_numpy().tolist() == [["the second", 2]]


def test_files_outside_the_root_are_not_opened(tmp_path: Path, dicom: ModuleType) -> None:
    """A list cannot make its reader open what lies elsewhere."""
    outside = write(tmp_path, dicom, "outside.dcm", PatientID="secret")
    (tmp_path / "in").mkdir()
    listed = pd.DataFrame({"image_id": ["x"], "path": [str(outside)]})
    found = list_images(listed, root=tmp_path / "in")
    assert found["patient_id"].isna().all()


def test_a_damaged_header_leaves_its_row(tmp_path: Path, dicom: ModuleType) -> None:
    """A file that cannot be read is listed all the same."""
    path = write(tmp_path, dicom, "a.dcm", PatientID="7")
    path.write_bytes(path.read_bytes()[:160])
    assert with_dicom_facts(list_images(tmp_path))["image_id"].tolist() == ["a.dcm"]


def test_persons_are_read_from_headers(tmp_path: Path, dicom: ModuleType) -> None:
    """Sex by DICOM's coding, age by dates or stated, one row a patient."""
    write(tmp_path, dicom, "1.dcm", PatientID="a", PatientSex="M", PatientAge="045Y")
    write(tmp_path, dicom, "2.dcm", PatientID="a", PatientSex="", PatientAge="045Y")
    write(tmp_path, dicom, "3.dcm", PatientID="b", PatientSex="F", PatientBirthDate="20000101", StudyDate="20200101")
    write(tmp_path, dicom, "4.dcm", PatientID="c", PatientSex="O", PatientAge="018M")
    write(tmp_path, dicom, "5.dcm", PatientID="d")
    write(tmp_path, dicom, "6.dcm", PatientSex="M")
    found = dicom_persons(list_images(tmp_path))
    assert found.table["patient_id"].tolist() == ["a", "b", "c", "d"]
    assert found.table["recorded_sex"].tolist() == ["male", "female", "other", "unknown"]
    assert found.table["age_years"].tolist() == pytest.approx([45.0, 20.0, 1.5, np.nan], nan_ok=True)
    assert (found.n_files, found.n_without_patient, found.problems) == (6, 1, ())


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (
            {"PatientSex": "M"},
            {"PatientSex": "F"},
            "files record different sexes: 'male' in .*1.dcm; 'female' in .*2.dcm",
        ),
        ({"PatientSex": "O"}, {"PatientSex": "F"}, "files record different sexes"),
        ({"PatientBirthDate": "19500101"}, {"PatientBirthDate": "19510101"}, "files record different birth dates"),
        ({"PatientAge": "045Y"}, {"PatientAge": "055Y"}, "files record ages that cannot both be true"),
        (
            {"PatientAge": "045Y", "PatientBirthDate": "19500101", "StudyDate": "20200101"},
            {},
            "the stated age is not that of the dates: '45 years stated, 70.0 by dates'",
        ),
        ({"PatientSex": "X"}, {}, "PatientSex is not in DICOM's coding: 'X' in .*1.dcm"),
        ({"PatientBirthDate": "20300101", "StudyDate": "20200101"}, {}, "the age is impossible"),
    ],
)
def test_contradictions_are_told_with_their_files(
    one: dict[str, str], other: dict[str, str], message: str, tmp_path: Path, dicom: ModuleType
) -> None:
    """Two files that cannot both be right leave the value open, and both are named."""
    write(tmp_path, dicom, "1.dcm", PatientID="a", **one)
    write(tmp_path, dicom, "2.dcm", PatientID="a", **other)
    found = dicom_persons(list_images(tmp_path))
    assert len(found.problems) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(str(found.problems[0]))
    (row,) = found.table.to_dict("records")
    assert row["recorded_sex"] == "unknown"
    assert np.isnan(row["age_years"])


def test_visits_years_apart_are_no_contradiction(tmp_path: Path, dicom: ModuleType) -> None:
    """Forty-five in 2013 and fifty-five in 2023 are one person; the age is that of the first photograph."""
    write(tmp_path, dicom, "1.dcm", PatientID="a", PatientAge="055Y", StudyDate="20230601")
    write(tmp_path, dicom, "2.dcm", PatientID="a", PatientAge="045Y", StudyDate="20130601")
    found = dicom_persons(list_images(tmp_path))
    assert found.problems == ()
    assert found.table["age_years"].tolist() == [45.0]
