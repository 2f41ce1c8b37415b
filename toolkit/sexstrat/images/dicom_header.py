"""Read from a DICOM header what the tables want: patient, recorded sex, age, eye, camera, date, frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from sexstrat.errors import ImageError
from sexstrat.images.dicom_file import frame_count, quiet, read_dicom

__all__ = ["DicomHeader", "age_in_years", "read_dicom_header"]

_DAYS_PER_YEAR = 365.2425
_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": _DAYS_PER_YEAR / 7, "D": _DAYS_PER_YEAR}


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomHeader:
    """What a DICOM file says about its photograph; None where it says nothing that is understood.

    Parameters
    ----------
    frames : number of frames, at least 1.
    patient_id : PatientID (0010,0020).
    patient_sex : PatientSex (0010,0040) as it stands: M, F, O, empty, or whatever the file holds.
    patient_age : PatientAge (0010,1010) in years.
    birth_date : PatientBirthDate (0010,0030).
    acquired_on : day of AcquisitionDateTime, AcquisitionDate, ContentDate or StudyDate, the first that is given.
    eye : R or L by ImageLaterality (0020,0062), else by Laterality (0020,0060); None for B (both) and for nothing.
    camera : Manufacturer and ManufacturerModelName.
    """

    frames: int
    patient_id: str | None
    patient_sex: str
    patient_age: float | None
    birth_date: date | None
    acquired_on: date | None
    eye: Literal["R", "L"] | None
    camera: str | None


def read_dicom_header(path: str | Path) -> DicomHeader:
    """Read the header of a DICOM file; pixels are not read and the file is not changed.

    Parameters
    ----------
    path : the file.

    Returns
    -------
    What the header says.

    Raises
    ------
    ImageError
        pydicom is not installed, or the file is damaged.
    """
    try:
        dataset = read_dicom(path, pixels=False)
    except OSError as err:
        raise ImageError("unreadable", f"the file cannot be opened: {err.strerror or err}") from err
    try:
        with quiet():
            return _header(dataset)
    except ImageError:
        raise
    except Exception as err:
        raise ImageError("unreadable", f"damaged DICOM header: {' '.join(str(err).split())[:200]}") from err


def age_in_years(text: str) -> float | None:
    """Turn a DICOM age string, three digits and D, W, M or Y, into years.

    Parameters
    ----------
    text : value of PatientAge.

    Returns
    -------
    Years, or None when the text is no age string.

    References
    ----------
    DICOM PS3.5 table 6.2-1, value representation AS.

    Examples
    --------
    >>> age_in_years("045Y"), age_in_years("018M"), age_in_years("45")
    (45.0, 1.5, None)
    """
    found = re.fullmatch(r"(\d{3})([DWMY])", text.strip())
    return None if found is None else int(found[1]) / _PER_YEAR[found[2]]


def _header(dataset: Any) -> DicomHeader:
    eye = _text(dataset, "ImageLaterality") or _text(dataset, "Laterality")
    days = [
        _day(_text(dataset, name)) for name in ("AcquisitionDateTime", "AcquisitionDate", "ContentDate", "StudyDate")
    ]
    if _text(dataset, "LongitudinalTemporalInformationModified") == "REMOVED":
        days = []  # dates of a de-identified file are dummies
    camera = " ".join(filter(None, [_text(dataset, "Manufacturer"), _text(dataset, "ManufacturerModelName")]))
    return DicomHeader(
        frames=frame_count(dataset),
        patient_id=_text(dataset, "PatientID") or None,
        patient_sex=_text(dataset, "PatientSex"),
        patient_age=age_in_years(_text(dataset, "PatientAge")),
        birth_date=_day(_text(dataset, "PatientBirthDate")),
        acquired_on=next((day for day in days if day is not None), None),
        eye="R" if eye == "R" else "L" if eye == "L" else None,
        camera=camera or None,
    )


def _text(dataset: Any, name: str) -> str:
    value = dataset.get(name, None)
    text = "" if value is None else str(value)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _day(text: str) -> date | None:
    found = re.match(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", text)
    try:
        return None if found is None else date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
