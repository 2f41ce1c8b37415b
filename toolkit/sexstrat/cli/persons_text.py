"""Tell what the headers of DICOM files record of persons, and where they contradict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sexstrat.cli.terminal import print_line, progress_line

__all__ = ["described_persons", "print_persons"]


def described_persons(
    images: str, persons: str, root: str | None, hash_ids: Path | None, others: tuple[str | None, ...]
) -> dict[str, Any]:
    """Write the table of persons before a photograph is scored, and return what is told of it.

    Parameters
    ----------
    images : what is scored.
    persons : the table to write.
    root : folder that nothing outside of is read, or None.
    hash_ids : key file, or None.
    others : tables that the same command writes.

    Returns
    -------
    The part of the command's document that is about persons.

    Raises
    ------
    StudyError
        The table has no place of its own, or no header names a patient.
    """
    from sexstrat.errors import StudyError
    from sexstrat.scores import write_dicom_persons
    from sexstrat.scores.table import table_suffix

    table_suffix(persons)
    if persons in others:
        raise StudyError(f"--persons {persons}: another table of this command is written there; give it its own file")
    found = write_dicom_persons(images, persons, root=root, hash_ids=hash_ids)
    for problem in found.problems:
        progress_line(f"warning: {problem}")
    return {
        "persons_out": persons,
        "persons": len(found.table),
        "persons_without_recorded_sex": int((found.table["recorded_sex"] == "unknown").sum()),
        "persons_without_age": int(found.table["age_years"].isna().sum()),
        "dicom_files": found.n_files,
        "dicom_files_without_patient": found.n_without_patient,
        "person_problems": [asdict(problem) for problem in found.problems],
    }


def print_persons(described: dict[str, Any]) -> None:
    """Print what :func:`described_persons` returned, in a sentence; nothing when there is nothing to tell.

    Parameters
    ----------
    described : the part of the document, or an empty one.

    Examples
    --------
    >>> print_persons({})
    """
    if not described:
        return
    text = (
        f"{described['persons']:,} persons by {described['dicom_files']:,} DICOM files, "
        f"{described['persons_without_recorded_sex']:,} without recorded sex, "
        f"{described['persons_without_age']:,} without age, "
        f"{len(described['person_problems']):,} contradictions or values not understood"
    )
    if lost := described["dicom_files_without_patient"]:
        text += f"; {lost:,} DICOM files name no patient"
    print_line(f"{text}; table: {described['persons_out']}")
