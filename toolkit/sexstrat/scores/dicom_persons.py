"""Read recorded sex and age of patients from the headers of their DICOM files, and tell where files contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from sexstrat.errors import Problem
from sexstrat.images import DicomHeader
from sexstrat.scores.dicom_facts import dicom_header_of
from sexstrat.scores.identifiers import hashed_identifier

__all__ = ["DicomPersons", "dicom_persons"]

_SEX = {"M": "male", "F": "female", "O": "other", "": "unknown"}
"""DICOM's own coding of PatientSex (PS3.3, C.7.1.1); other values are reported and taken as unknown."""

_DAYS_PER_YEAR = 365.2425
_AGE_SLACK = 1.5  # years: ages are rounded down, and may stand for the day of the study or of the registration


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DicomPersons:
    """Persons as their DICOM headers describe them.

    Parameters
    ----------
    table : one row a patient: patient_id, age_years (at the first photograph; empty when not known or contradicted),
        recorded_sex (unknown when no file tells or files contradict).
    problems : contradictions between files of one patient and values that are not understood, with file names.
    n_files : DICOM files read.
    n_without_patient : DICOM files that name no patient; they are in no row.
    """

    table: pd.DataFrame
    problems: tuple[Problem, ...]
    n_files: int
    n_without_patient: int


def dicom_persons(listing: pd.DataFrame, *, key: bytes | None = None) -> DicomPersons:
    """Make a table of persons from listed DICOM files; recorded sex is taken as recorded, never estimated.

    Age is the time from birth date to photograph where the header gives both, else PatientAge. Two files that
    record different sexes, birth dates, or ages that cannot both be true leave the value open and are reported:
    nothing here can know which of them is right. A file that records no sex contradicts none.

    Parameters
    ----------
    listing : images as :func:`sexstrat.scores.list_images` lists them; the patient is the list's, where it names one.
    key : when given, patient_id is replaced by its keyed hash, as in the score table, and problems name files by
        their hashed image_id and no birth date.

    Returns
    -------
    The persons, in the order of patient_id, and what contradicts.
    """
    found: dict[str, list[tuple[str, DicomHeader]]] = {}
    n_files = n_without = 0
    files = listing[["path", "patient_id", "image_id"]].drop_duplicates(["path", "patient_id"])
    for path, patient, image in files.itertuples(index=False):
        header = dicom_header_of(path)
        if header is None:
            continue
        n_files += 1
        if pd.isna(patient):
            n_without += 1
            continue
        name = path if key is None else hashed_identifier(key, "image", image)
        found.setdefault(patient, []).append((name, header))
    rows, problems = [], []
    for patient in sorted(found):
        sex, sex_problems = _recorded_sex(found[patient])
        age, age_problems = _age(found[patient], hide_dates=key is not None)
        shown = patient if key is None else hashed_identifier(key, "patient", patient)
        rows.append({"patient_id": shown, "age_years": age, "recorded_sex": sex})
        problems += [*sex_problems, *age_problems]
    table = pd.DataFrame(rows, columns=["patient_id", "age_years", "recorded_sex"])
    table = table.astype({"patient_id": "str", "age_years": "float64", "recorded_sex": "str"})
    return DicomPersons(table=table, problems=tuple(problems), n_files=n_files, n_without_patient=n_without)


def _recorded_sex(files: Sequence[tuple[str, DicomHeader]]) -> tuple[str, list[Problem]]:
    problems = [
        _problem("unknown_code", "PatientSex is not in DICOM's coding", "PatientSex", [(path, header.patient_sex)])
        for path, header in files
        if header.patient_sex not in _SEX
    ]
    told = [
        (path, _SEX[header.patient_sex])
        for path, header in files
        if _SEX.get(header.patient_sex, "unknown") != "unknown"
    ]
    values = {value for _, value in told}
    if len(values) > 1:
        return "unknown", [*problems, _problem("contradiction", "files record different sexes", "PatientSex", told)]
    return (values.pop() if values else "unknown"), problems


def _age(files: Sequence[tuple[str, DicomHeader]], *, hide_dates: bool = False) -> tuple[float | None, list[Problem]]:
    births = [(path, str(header.birth_date)) for path, header in files if header.birth_date is not None]
    if len({value for _, value in births}) > 1:
        told = [(path, "a date") for path, _ in births] if hide_dates else births
        return None, [_problem("contradiction", "files record different birth dates", "PatientBirthDate", told)]
    born = next((header.birth_date for _, header in files if header.birth_date is not None), None)
    aged = [(path, header, _age_at(header, born)) for path, header in files]
    stated = [(path, f"{age:.1f} years", header.acquired_on, age) for path, header, age in aged if age is not None]
    both = [
        (path, f"{header.patient_age:g} years stated, {age:.1f} by dates")
        for path, header, age in aged
        if age is not None and header.patient_age is not None and abs(age - header.patient_age) > _AGE_SLACK
    ]
    if both:
        return None, [_problem("contradiction", "the stated age is not that of the dates", "PatientAge", both)]
    if not stated:
        return None, []
    years = [_birth_year(day, age) for _, _, day, age in stated]
    if any(value < 0 or value > 120 for _, _, _, value in stated):
        wrong = [(path, text) for path, text, _, value in stated if not 0 <= value <= 120]
        return None, [_problem("impossible", "the age is impossible", "PatientAge", wrong)]
    if max(years) - min(years) > _AGE_SLACK:
        told = [(path, text) for path, text, _, _ in stated]
        return None, [_problem("contradiction", "files record ages that cannot both be true", "PatientAge", told)]
    return round(min(age for _, _, _, age in stated), 2), []


def _age_at(header: DicomHeader, born: date | None) -> float | None:
    if born is not None and header.acquired_on is not None:
        return (header.acquired_on - born).days / _DAYS_PER_YEAR
    return header.patient_age


def _birth_year(day: date | None, age: float) -> float:
    """Return the time of birth in years; without the day of a photograph all are taken to be of one day."""
    return (0.0 if day is None else day.toordinal() / _DAYS_PER_YEAR) - age


def _problem(kind: str, message: str, column: str, told: Sequence[tuple[str, str]]) -> Problem:
    shown = "; ".join(f"{value!r} in {path}" for path, value in told[:4])
    more = f" and {len(told) - 4} more files" if len(told) > 4 else ""
    return Problem(
        kind=kind,
        message=f"{message}: {shown}{more}",
        source=told[0][0],
        column=column,
        allowed="M, F, O or empty" if kind == "unknown_code" else "",
        hint="Correct the header that is wrong, or give sex and age in a table of persons",
        severity="warning",
    )
