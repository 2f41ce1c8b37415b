"""The error tree: every mistake a user can make, each with the exit code a shell sees.

SexstratError (ValueError)      exit 1
├── StudyError                  exit 2   the study file or the command line
├── SchemaError                 exit 3   a table breaks its contract; carries every problem found
├── ImageError                  exit 3   an image cannot be read (scoring turns it into a row)
├── ModelError                  exit 3   weights or card cannot be trusted or used
├── EstimationError             exit 3   no estimator can work on these data
└── DisclosureError             exit 5   writing this would disclose a person
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "DisclosureError",
    "EstimationError",
    "ImageError",
    "ModelError",
    "Problem",
    "SchemaError",
    "SexstratError",
    "StudyError",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input: where it is, what was found, what is allowed.

    Parameters
    ----------
    kind : short stable code of the rule that is broken, for instance ``below_minimum``.
    message : what is wrong, in one sentence.
    source : file or table name, as the user gave it.
    row : 1-based line in the file (header is line 1), or None when the whole table is meant.
    column : column name, or None.
    value : the offending value as text, or None when it is absent.
    allowed : what would have been accepted, as text.
    hint : what to do or to write in the study file, or "".
    count : how many rows show this problem (``row`` is the first).
    severity : "error" stops the run; "warning" is counted and reported.

    Examples
    --------
    >>> print(
    ...     Problem(
    ...         kind="below_minimum",
    ...         message="age is below the minimum",
    ...         source="persons.csv",
    ...         row=7,
    ...         column="age_years",
    ...         value="-3",
    ...         allowed="0 to 120",
    ...     )
    ... )
    persons.csv, row 7, column age_years: age is below the minimum; found '-3'; allowed: 0 to 120
    """

    kind: str
    message: str
    source: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    allowed: str = ""
    hint: str = ""
    count: int = 1
    severity: str = "error"

    def __str__(self) -> str:
        where = self.source
        if self.row is not None:
            where += f", row {self.row}"
        if self.column is not None:
            where += f", column {self.column}"
        text = f"{where}: {self.message}"
        if self.value is not None:
            text += f"; found {self.value!r}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.count > 1:
            text += f" ({self.count:,} in all)" if self.row is None else f" ({self.count:,} rows; this is the first)"
        if self.hint:
            text += f". {self.hint}"
        return text


class SexstratError(ValueError):
    """The root of everything sexstrat raises on purpose.

    Examples
    --------
    >>> StudyError("unknown key").exit_code
    2
    """

    exit_code: ClassVar[int] = 1


class StudyError(SexstratError):
    """The study file or the command line asks for something that cannot be."""

    exit_code: ClassVar[int] = 2


class SchemaError(SexstratError):
    """Input tables break their contract; ``problems`` lists every breach at once.

    Parameters
    ----------
    problems : every breach found, in file and row order.

    Examples
    --------
    >>> problem = Problem(kind="missing_column", message="column is missing", source="a.csv", column="sex")
    >>> print(SchemaError([problem]))
    1 problem in the input:
    a.csv, column sex: column is missing
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__("\n".join([f"{len(self.problems)} {noun} in the input:", *map(str, self.problems)]))


class ImageError(SexstratError):
    """An image cannot be read or is not what its name says.

    Parameters
    ----------
    status : the ``status`` value of the score row this becomes.
    reason : one sentence for the ``reason`` column.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, status: str, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status}: {reason}")


class ModelError(SexstratError):
    """Model weights or their card cannot be trusted, found or used."""

    exit_code: ClassVar[int] = 3


class EstimationError(SexstratError):
    """No estimator can work on these data; the message says what is lacking."""

    exit_code: ClassVar[int] = 3


class DisclosureError(SexstratError):
    """Writing this result would disclose something about a person."""

    exit_code: ClassVar[int] = 5
