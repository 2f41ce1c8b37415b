"""What a DICOM file calls its patient and its people, in order to find the same words where nobody expects them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["identity_words", "names_somebody"]

_IDENTITY = frozenset(
    {
        "PatientID", "OtherPatientIDs", "PatientBirthDate", "PatientAddress", "PatientTelephoneNumbers",
        "AccessionNumber", "StudyID", "MedicalRecordLocator", "InstitutionName", "InstitutionAddress",
        "InstitutionalDepartmentName", "MilitaryRank", "PatientInsurancePlanCodeSequence", "DeviceSerialNumber",
        "IssuerOfPatientID", "AdmissionID", "StationName", "PatientComments",
    }
)  # fmt: skip
_LEAST, _LEAST_CHARACTERS = 4, 2  # of a word that is looked for within others; shorter ones must stand alone
_PARTS = re.compile(r"[\^=\s,;/\\]+")


def identity_words(dataset: Any, more: Iterable[str] = ()) -> frozenset[str]:
    """Return the words by which a file names its patient and other people, without regard to case.

    Parameters
    ----------
    dataset : a ``pydicom`` data set; sequences are looked into.
    more : further identifiers, such as those of a list of images.

    Returns
    -------
    Whole values and their parts: of a name, each of its components.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> dataset = Dataset()
    >>> dataset.PatientName, dataset.PatientID = "Mori^Hanako", "H-0017"
    >>> sorted(identity_words(dataset))
    ['h-0017', 'hanako', 'mori', 'mori^hanako']
    """
    words: set[str] = set()
    for value in (*_values(dataset), *more):
        text = " ".join(value.split()).casefold()
        words.update(part for part in (text, *_PARTS.split(text)) if len(part) >= 2)
    return frozenset(words)


def names_somebody(value: str, words: frozenset[str]) -> bool:
    """Tell whether a text holds one of the words: longer ones anywhere, short ones as words of their own.

    Parameters
    ----------
    value : the text.
    words : as :func:`identity_words` returns them.

    Examples
    --------
    >>> words = frozenset({"mori", "li"})
    >>> names_somebody("taken by MORI2", words), names_somebody("Li, 2nd visit", words), names_somebody("lid", words)
    (True, True, False)
    """
    text = " ".join(value.split()).casefold()
    alone = set(re.split(r"\W+", text))
    return any(word in text if len(word) >= _least(word) else word in alone for word in words)


def _least(word: str) -> int:
    """Return the length from which a word is looked for within others: two characters may be a whole Japanese name."""
    return _LEAST if word.isascii() else _LEAST_CHARACTERS


def _values(dataset: Any) -> Iterator[str]:
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            kind = element.VR
            if kind == "SQ":
                for item in element.value:
                    yield from _values(item)
            elif kind == "PN" or element.keyword in _IDENTITY:
                several = element.value if element.VM > 1 else [element.value]
                yield from (str(value) for value in several)
        except Exception:  # noqa: BLE001, S112  (a value that cannot be read is removed, whatever it says)
            continue
