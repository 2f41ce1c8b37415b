"""A DICOM header tells patient, recorded sex, age, eye, camera and day in the words of the standard."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sexstrat.errors import ImageError
from sexstrat.images import DicomHeader, has_preamble, read_dicom_header

PIXELS = np.zeros((64, 64, 3), np.uint8)


def header(folder: Path, dicom: ModuleType, **facts: object) -> DicomHeader:
    path = folder / "a.dcm"
    path.write_bytes(dicom.dicom_bytes(PIXELS, **facts))
    return read_dicom_header(path)


def test_a_full_header_is_read(tmp_path: Path, dicom: ModuleType) -> None:
    """Every field that the tables want comes out typed."""
    found = header(
        tmp_path,
        dicom,
        PatientID="P 7",
        PatientSex="F",
        PatientAge="045Y",
        PatientBirthDate="19780131",
        StudyDate="20230601",
        AcquisitionDateTime="20230602101500.00",
        ImageLaterality="R",
        Manufacturer="Canon",
        ManufacturerModelName="CR-2",
    )
    assert found == DicomHeader(
        frames=1,
        patient_id="P 7",
        patient_sex="F",
        patient_age=45.0,
        birth_date=date(1978, 1, 31),
        acquired_on=date(2023, 6, 2),
        eye="R",
        camera="Canon CR-2",
    )


def test_an_empty_header_says_nothing(tmp_path: Path, dicom: ModuleType) -> None:
    """Fields that are absent or empty are not known, never guessed."""
    found = header(tmp_path, dicom, PatientID="", PatientSex="")
    assert (found.patient_id, found.patient_sex, found.patient_age, found.eye, found.camera) == (
        None,
        "",
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("facts", "eye"),
    [
        ({"ImageLaterality": "L"}, "L"),
        ({"ImageLaterality": "B"}, None),
        ({"Laterality": "R"}, "R"),
        ({"ImageLaterality": "L", "Laterality": "R"}, "L"),
        ({"ImageLaterality": "B", "Laterality": "R"}, None),
    ],
)
def test_the_eye_of_the_image_goes_before_that_of_the_series(
    facts: dict[str, str], eye: str | None, tmp_path: Path, dicom: ModuleType
) -> None:
    """ImageLaterality decides; B, both, is no eye, even where the series names one."""
    assert header(tmp_path, dicom, **facts).eye == eye


def test_an_impossible_date_is_not_known(tmp_path: Path, dicom: ModuleType) -> None:
    """A thirtieth of February is no day; the next field that holds one is taken."""
    dataset = dicom.blank(PIXELS, "RGB")
    dataset.PixelData = PIXELS.tobytes()
    dataset.add_new("AcquisitionDate", "LO", "20230230")
    found = (tmp_path / "a.dcm", dicom.saved(dataset, StudyDate="20230301"))
    found[0].write_bytes(found[1])
    assert read_dicom_header(found[0]).acquired_on == date(2023, 3, 1)


def test_a_file_without_suffix_is_known_by_its_preamble(tmp_path: Path, dicom: ModuleType) -> None:
    """The letters DICM after 128 bytes decide, not the name."""
    (tmp_path / "IM0001").write_bytes(dicom.dicom_bytes(PIXELS))
    (tmp_path / "notes.dcm").write_text("no photograph")
    assert [has_preamble(tmp_path / name) for name in ("IM0001", "notes.dcm", "absent")] == [True, False, False]


def test_a_damaged_header_is_refused(tmp_path: Path, dicom: ModuleType) -> None:
    """A file cut off in its header is an image error, not a traceback."""
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00\xff\xff")
    with pytest.raises(ImageError, match="unreadable: damaged DICOM file"):
        read_dicom_header(path)
