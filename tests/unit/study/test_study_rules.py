"""Rules of the audit in a study file: read in full, refused with line, key, value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.study import load_study
from sexstrat.study.rules import rules_of

SOUND = """\
schema_version = 1
title = "A study"

[scores]
source = "scores.parquet"

[persons]
source = "persons.csv"
sex_coding = "iso5218"

[conditions]
source = "conditions.csv"

[validation]
design = "random"

[[audit.rules]]
name = "older women"
metric = "correct_among_women"
against = "correct_among_men"
age_from = 70
comparison = "not_below"
limit = 0.05
confidence = 0.9

[[audit.rules]]
metric = "accuracy"
comparison = "at_least"
limit = 0.8
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_rules_are_read_in_order(tmp_path: Path) -> None:
    """Both declared rules come out as sentences, with the confidence given or 90 %."""
    first, second = rules_of(load_study(write(tmp_path, SOUND)).settings)
    assert first.sentence == (
        "correct_among_women at ages 70 and over is not more than 0.05 below correct_among_men (90 % confidence)"
    )
    assert second.sentence == "accuracy is at least 0.8 (90 % confidence)"


def test_a_study_without_rules_has_none(tmp_path: Path) -> None:
    """Rules are optional."""
    assert rules_of(load_study(write(tmp_path, SOUND.split("[[audit.rules]]", maxsplit=1)[0])).settings) == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('"not_below"', '"not_bellow"'), "line 22, audit.rules 1, comparison: found 'not_bellow'; allowed: one of"),
        (('metric = "accuracy"', 'metric = "acuracy"'), "line 27, audit.rules 2, metric: found 'acuracy'"),
        (("limit = 0.8", 'limit = "0.8"'), "line 29, audit.rules 2, limit: found '0.8'; allowed: a number from 0"),
        (("limit = 0.8", ""), "line 26, audit.rules 2, limit: required and missing"),
        (("age_from = 70", "age_form = 70"), "line 21, audit.rules 1, age_form: no such key; did you mean age_from?"),
        (('against = "correct_among_men"', ""), "audit.rules 1, comparison not_below needs one thing to compare with"),
        (("age_from = 70", "age_from = 70\nage_before = 60"), "age_from must be below age_before; found 70 and 60"),
        (("confidence = 0.9", "confidence = 95"), "confidence must lie between 0.5 and 0.999; found 95"),
        (("limit = 0.05", "limit = -0.05"), "limit must be at least 0; found -0.05"),
        (('against = "correct_among_men"', 'group = "site"\nreference = "b"'), "give both"),
        (("[[audit.rules]]\nname", "[audit.rules]\nname"), "study.toml"),
    ],
)
def test_a_wrong_rule_says_where_and_what(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    """The message names the line, the rule by number, the key, the value and what is allowed."""
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, SOUND.replace(*change)))
    assert expected in str(caught.value)
    assert caught.value.exit_code == 2
