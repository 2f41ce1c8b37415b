"""Codings of recorded sex: declared, checked, never guessed."""

from __future__ import annotations

import pandas as pd
import pytest

from sexstrat.cohort import SexCoding, check_inputs
from sexstrat.cohort.sex_coding import CODINGS, SEX_WORDS
from sexstrat.errors import StudyError


def sexes(values: list[object], coding: object) -> list[tuple[str, str | None]]:
    """Return the kind and value of each problem that a sex column has under a coding."""
    frame = pd.DataFrame({"patient_id": range(len(values)), "age_years": 50, "recorded_sex": values})
    return [(p.kind, p.value) for p in check_inputs(persons=frame, sex_coding=coding).problems]  # type: ignore[arg-type]


def test_one_means_male_in_iso5218_and_what_the_map_says_elsewhere() -> None:
    """The same number means what the declared coding says."""
    assert SexCoding.declared("iso5218").meanings["1"] == "male"
    assert SexCoding.declared({"1": "female", "2": "male"}).meanings["1"] == "female"


@pytest.mark.parametrize(
    ("coding", "values"),
    [
        ("iso5218", [0, 1, 2, 9]),
        ("omop", [8507, 8532, 8521, 44814653, 8551, 0]),
        ("dicom", ["M", "F", "O", None]),
        ("ja", ["男", "女", "男性", "女性", "不明", "その他"]),
        ("fhir", ["male", "female", "other", "unknown", ""]),
        ("english", ["Male", "FEMALE", "other", "Unknown"]),
        ({"1": "female", "0": "male"}, [1.0, 0.0]),
        (None, ["male", "female", "other", "unknown", "  "]),
    ],
)
def test_declared_values_are_accepted(coding: object, values: list[object]) -> None:
    """Each coding takes its own values, numbers however they are stored, and empty as unknown."""
    assert sexes(values, coding) == []


@pytest.mark.parametrize(
    ("coding", "value"),
    [
        ("iso5218", "M"),
        ("dicom", "m"),
        ("fhir", "Male"),
        (None, "1"),
        ("english", "M"),
        ("ja", "M"),
        ({"1": "male"}, "2"),
    ],
)
def test_any_other_value_is_refused(coding: object, value: str) -> None:
    """Nothing outside the declared coding is taken, not even in another case."""
    assert sexes(["", value], coding) == [("undeclared_sex_code", value)]


def test_every_coding_speaks_the_contract_words() -> None:
    """Each known coding maps to male, female, other or unknown, and to both sexes."""
    for meanings in CODINGS.values():
        assert {"male", "female"} <= set(meanings.values()) <= set(SEX_WORDS)


def test_a_coding_with_another_word_is_a_mistake_of_the_study() -> None:
    """A meaning that is no contract word, an empty map and an unknown name are refused with what is allowed."""
    with pytest.raises(StudyError, match="'man'; each value must mean one of male, female, other, unknown"):
        SexCoding.declared({"1": "man"})
    with pytest.raises(StudyError, match="no value at all"):
        SexCoding.declared({})
    with pytest.raises(StudyError, match="there are dicom, english, fhir, iso5218, ja, omop"):
        SexCoding.declared("iso")
