"""What a study names must be there: files, models, diseases; each that is not is told with the nearest that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.study import load_study
from sexstrat.study.referenced import check_conditions, check_references

TEXT = """\
schema_version = 1
title = "t"
model_card = "card.json"
[scores]
source = "scores.csv"
[persons]
source = "persons.csv"
[conditions]
source = "parts/*.parquet"
[validation]
design = "random"
[analysis]
conditions = ["glaucome", "cataract"]
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """Write the study beside a table of persons alone."""
    (tmp_path / "persons.csv").write_text("patient_id\n", encoding="utf-8")
    (tmp_path / "study.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path / "study.toml"


def test_every_absent_file_is_told_at_once(study_file: Path) -> None:
    """Scores and card are absent; a pattern is for the reader of tables to resolve."""
    with pytest.raises(StudyError) as told:
        check_references(load_study(study_file))
    first, *lines = str(told.value).splitlines()
    assert first == "study.toml: 2 problems"
    assert [line.strip().partition(":")[0] for line in lines] == ["line 5, scores.source", "line 3, model_card"]


def test_nothing_is_told_of_what_is_there(study_file: Path) -> None:
    """With scores and card in their place the study passes."""
    for name in ("scores.csv", "card.json"):
        (study_file.parent / name).write_text("", encoding="utf-8")
    check_references(load_study(study_file))


def test_an_unknown_disease_is_told_with_the_nearest(study_file: Path) -> None:
    """One of the two is not in the table."""
    study = load_study(study_file)
    with pytest.raises(StudyError, match=r"line 13, analysis\.conditions: found 'glaucome'.*did you mean glaucoma\?"):
        check_conditions(study, ("cataract", "glaucoma"))
    check_conditions(study, ("cataract", "glaucome"))
