"""Columns are found by name or mapping, and slips of the pen are named."""

from __future__ import annotations

import pytest

from sexstrat.cohort.columns import find_columns, nearest
from sexstrat.errors import StudyError
from sexstrat.values.tables import table_schema

PERSON = table_schema("person")


@pytest.mark.parametrize(
    ("name", "available", "expected"),
    [
        ("patient_id", ["age", "Patient ID"], "Patient ID"),
        ("recorded_sex", ["Recorded-Sex", "x"], "Recorded-Sex"),
        ("weight", ["zzz"], None),
        ("weight", [], None),
    ],
)
def test_nearest(name: str, available: list[str], expected: str | None) -> None:
    """Case, spaces and punctuation do not hide the column that was meant."""
    assert nearest(name, available) == expected


def test_mapping_wins_and_a_mapped_column_must_be_there() -> None:
    """A mapped name replaces the contract's; when the file lacks it, the message says which name was sought."""
    header = ["ID", "age_years", "recorded_sex"]
    found, problems = find_columns(header, {"patient_id": "ID"}, PERSON, "p.csv")
    assert found["patient_id"] == "ID"
    assert problems == []
    _, problems = find_columns(header, {"patient_id": "Id"}, PERSON, "p.csv")
    assert [(p.message, p.value) for p in problems] == [("column 'Id' of the mapping is not in the file", "ID")]


def test_dates_replace_age_years() -> None:
    """Both dates make the age column unnecessary; one alone does not."""
    header = ["patient_id", "recorded_sex", "birth_date"]
    _, problems = find_columns([*header, "visit_date"], {}, PERSON, "p.csv")
    assert problems == []
    _, problems = find_columns(header, {}, PERSON, "p.csv")
    assert [(p.kind, p.column) for p in problems] == [("missing_column", "age_years")]


def test_nearly_named_optional_column_is_a_warning() -> None:
    """An unused column that looks like an optional one is pointed out; a clearly other one is not."""
    header = ["patient_id", "age_years", "recorded_sex", "weights", "smoker"]
    _, problems = find_columns(header, {}, PERSON, "p.csv")
    assert [(p.kind, p.column, p.value, p.severity) for p in problems] == [
        ("misnamed_column", "weight", "weights", "warning")
    ]


def test_mapping_of_an_unknown_contract_column() -> None:
    """A mapping to a column that the contract does not have is a mistake of the study."""
    with pytest.raises(StudyError, match="names 'sex', but the person table has patient_id, age_years"):
        find_columns(["a"], {"sex": "a"}, PERSON, "p.csv")
