"""Check a released file by its own bytes, whatever wrote it: no count that the profile hides, nobody's row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sexstrat.disclosure import Profile

__all__ = ["FileCheck", "check_table"]

_OF_ONE_PERSON = frozenset({"patient_id", "image_id", "path", "prob_male", "predicted_sex", "recorded_sex"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """One check of one file.

    Parameters
    ----------
    name : what was looked for.
    passed : whether none was found.
    found : what was found, in words without any count.

    Examples
    --------
    >>> FileCheck(name="no row about one person", passed=True, found="").passed
    True
    """

    name: str
    passed: bool
    found: str


def check_table(text: str, profile: Profile) -> tuple[FileCheck, ...]:
    r"""Check a released CSV table.

    Parameters
    ----------
    text : the file.
    profile : the disclosure profile it was released under.

    Returns
    -------
    Whether a column counts patients below the profile's smallest count, and whether a column is about one person.

    Examples
    --------
    >>> from sexstrat.disclosure import profile
    >>> [check.passed for check in check_table("n_patients,patient_id\n3,a\n", profile("uk-5"))]
    [False, False]
    """
    rows = list(csv.reader(StringIO(text)))
    header, body = (rows[0], rows[1:]) if rows else ([], [])
    small = sorted({name for place, name in enumerate(header) if _counts(name) and _small(body, place, profile)})
    persons = sorted(_OF_ONE_PERSON & set(header))
    return (
        FileCheck(name=f"no count hidden by {profile.name}", passed=not small, found=", ".join(small)),
        FileCheck(name="no row about one person", passed=not persons, found=", ".join(persons)),
    )


def _counts(name: str) -> bool:
    return name.startswith("n_")


def _small(body: Sequence[Sequence[str]], place: int, profile: Profile) -> bool:
    values = [float(row[place]) for row in body if len(row) > place and row[place] not in {"", "NA"}]
    return bool(values) and bool(profile.hides(values).any())
