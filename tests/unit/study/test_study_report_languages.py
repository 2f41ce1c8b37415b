"""The languages of the report, declared in the study file."""

from __future__ import annotations

import pytest

from sexstrat.errors import StudyError
from sexstrat.reporting.languages import LANGUAGES
from sexstrat.study.drafting import draft_study
from sexstrat.study.file import load_study
from sexstrat.study.keys import SECTIONS

LINES = ["schema_version = 1", 'title = "t"', "[persons]", 'source = "p.csv"', "[conditions]", 'source = "c.csv"',
         "[scores]", 'source = "s.parquet"', "[validation]", 'design = "random"']  # fmt: skip


def read(tmp_path, languages: str | None):
    """Read a study file whose last line declares these languages."""
    file = tmp_path / "study.toml"
    last = [] if languages is None else ["[report]", f"languages = {languages}"]
    file.write_text("\n".join([*LINES, *last]), encoding="utf-8")
    return load_study(file).section("report")["languages"]


def test_a_study_without_languages_is_reported_in_english(tmp_path):
    """English alone unless the study says otherwise, and the order that it says is kept."""
    assert tuple(read(tmp_path, None)) == ("en",)
    assert read(tmp_path, '["ja", "en"]') == ["ja", "en"]


@pytest.mark.parametrize(
    ("languages", "hint"),
    [
        ('["en", "jp"]', "; did you mean ja[?]"),
        ('["ja", "ja"]', ", each once"),
        ('"ja"', ""),
        ("[]", ""),
        ("[1]", ""),
    ],
)
def test_wrong_languages_are_told_with_line_and_allowed(tmp_path, languages, hint):
    """The message names line, key, value and what is allowed, and the nearest where one is near."""
    with pytest.raises(StudyError, match=rf"line 12, report\.languages: found .*; allowed: a list of en, ja{hint}"):
        read(tmp_path, languages)


def test_what_a_study_may_declare_is_what_the_page_can_say():
    """The contract of the study file names the languages for which there is a catalogue."""
    assert SECTIONS["report"]["languages"].allowed == tuple(LANGUAGES)


def test_a_drafted_study_shows_the_languages():
    """Who starts a study sees the key, what it is about and what holds when it is left out."""
    text = draft_study({"": {"title": "t"}, "validation": {"design": "random"}})
    assert "[report]" in text
    assert '#languages = ["en"]' in text
    assert "a list of en, ja" in text
