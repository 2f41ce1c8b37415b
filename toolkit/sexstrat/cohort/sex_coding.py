"""Declared codings of recorded sex: a number means male in one file and female in the next, so nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sexstrat.errors import StudyError

__all__ = ["CODINGS", "SEX_WORDS", "SexCoding"]

SEX_WORDS = ("male", "female", "other", "unknown")  # the contract's own, those of FHIR administrative-gender

CODINGS: Mapping[str, Mapping[str, str]] = {
    "fhir": {word: word for word in SEX_WORDS},
    # ISO/IEC 5218: 0 not known, 1 male, 2 female, 9 not applicable
    "iso5218": {"0": "unknown", "1": "male", "2": "female", "9": "unknown"},
    # OMOP: 8507 and 8532 are the standard concepts; the rest as the FHIR-to-OMOP guide maps them
    "omop": {
        "8507": "male",
        "8532": "female",
        "8521": "other",
        "44814653": "other",
        "8551": "unknown",
        "0": "unknown",
    },
    # DICOM PatientSex (0010,0040): M, F, O, or empty
    "dicom": {"M": "male", "F": "female", "O": "other"},
    "ja": {
        "男": "male",
        "男性": "male",
        "女": "female",
        "女性": "female",
        "その他": "other",
        "不明": "unknown",
    },
    "english": {word: word for word in SEX_WORDS},
}
ANY_CASE = frozenset({"english"})  # codings whose words are compared without regard to case


@dataclass(frozen=True, slots=True, kw_only=True)
class SexCoding:
    """What each value of a file's sex column means.

    Parameters
    ----------
    name : how messages call it.
    meanings : value in the file -> male, female, other or unknown.
    any_case : compare without regard to upper and lower case.

    Raises
    ------
    StudyError : a meaning is none of the four words.

    Examples
    --------
    >>> SexCoding.declared("iso5218").meanings["1"]
    'male'
    >>> SexCoding.declared({"1": "female", "0": "male"}).allowed
    '0 (male), 1 (female)'
    """

    name: str
    meanings: Mapping[str, str]
    any_case: bool = False

    def __post_init__(self) -> None:
        wrong = sorted({word for word in self.meanings.values() if word not in SEX_WORDS})
        if wrong or not self.meanings:
            found = ", ".join(repr(word) for word in wrong) or "no value at all"
            raise StudyError(f"sex coding {self.name}: {found}; each value must mean one of {', '.join(SEX_WORDS)}")

    @property
    def allowed(self) -> str:
        """List the values it accepts, each with its meaning."""
        return ", ".join(
            value if value == word else f"{value} ({word})" for value, word in sorted(self.meanings.items())
        )

    @classmethod
    def declared(cls, coding: SexCoding | Mapping[str, str] | str | None) -> SexCoding:
        """Return the coding a study declares; without one, only the contract's own four words.

        Parameters
        ----------
        coding : name of a known coding, a map from value to meaning, a coding, or None.

        Raises
        ------
        StudyError : no coding has this name, or a meaning is none of the four words.

        Examples
        --------
        >>> SexCoding.declared(None).name
        'none declared'
        """
        if isinstance(coding, SexCoding):
            return coding
        if coding is None:
            return cls(name="none declared", meanings=CODINGS["fhir"])
        if isinstance(coding, str):
            if coding not in CODINGS:
                raise StudyError(
                    f"no sex coding is called {coding!r}; there are {', '.join(sorted(CODINGS))}, "
                    'or a map such as { "1" = "male", "2" = "female" }'
                )
            return cls(name=coding, meanings=CODINGS[coding], any_case=coding in ANY_CASE)
        return cls(name="of the study", meanings={str(value).strip(): word for value, word in coding.items()})
