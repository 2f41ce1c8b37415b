"""Rows that a study may declare to leave out, by table and kind of problem; the flow counts what is left out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from sexstrat.errors import StudyError

__all__ = ["DROPPABLE", "SECTIONS", "checked_drop"]

SECTIONS: Mapping[str, str] = {
    "person": "persons",
    "image": "image_table",
    "score": "scores",
    "condition": "conditions",
}
"""Section of the study file that declares a table, unless the table says another."""

_ANY_TABLE = (
    "missing_value",
    "wrong_type",
    "below_minimum",
    "above_maximum",
    "not_allowed",
    "wrong_pattern",
    "duplicate_key",
    "wrong_field_count",
)
DROPPABLE: Mapping[str, tuple[str, ...]] = {
    "person": (
        *_ANY_TABLE,
        "undeclared_sex_code",
        "two_recorded_sexes",
        "visit_before_birth",
        "ages_disagree",
        "no_age",
        "partly_given",
        "outside_training_ages",
    ),
    "image": (*_ANY_TABLE, "unknown_patient", "image_before_birth"),
    "score": (
        *_ANY_TABLE,
        "unknown_patient",
        "status_contradicts_score",
        "no_patient",
        "image_not_listed",
        "patients_disagree",
    ),
    "condition": (
        *_ANY_TABLE,
        "unknown_patient",
        "condition_conflict",
        "person_and_eye_disagree",
        "not_known",
        "other_unit",
    ),
    "omop_measurement": ("other_unit",),  # declared in the section of the conditions made of it
}
"""Kinds of problem whose rows can be told apart from the rest of their table, by contract."""


def checked_drop(contract: str, section: str, kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of problem whose rows a table leaves out.

    Parameters
    ----------
    contract : name of the table's contract.
    section : the study's section, for messages.
    kinds : as declared.

    Raises
    ------
    StudyError : a kind is none of those whose rows can be left out.

    Examples
    --------
    >>> checked_drop("person", "persons", ["no_age"])
    ('no_age',)
    >>> checked_drop("person", "persons", ["noage"])
    Traceback (most recent call last):
    sexstrat.errors.StudyError: persons.drop: 'noage' is no kind of problem of this table; did you mean no_age? ...
    """
    allowed = DROPPABLE.get(contract, _ANY_TABLE)
    for kind in kinds:
        if kind not in allowed:
            close = difflib.get_close_matches(str(kind), allowed, n=1, cutoff=0.5)
            meant = f"; did you mean {close[0]}?" if close else ";"
            raise StudyError(
                f"{section}.drop: {kind!r} is no kind of problem of this table{meant} allowed: {', '.join(allowed)}"
            )
    return tuple(dict.fromkeys(kinds))
