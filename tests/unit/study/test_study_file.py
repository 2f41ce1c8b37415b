"""A study file is refused with line, key, value and what is allowed, all breaches at once; a sound one is resolved."""

from __future__ import annotations

from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.study import load_study

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
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(StudyError) as caught:
        load_study(write(folder, text))
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_sound_study_gets_its_defaults_and_absolute_paths(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, SOUND))
    assert study.title == "A study"
    assert study.section("persons")["source"] == tmp_path / "persons.csv"
    assert study.section("persons")["encoding"] == "utf-8"
    assert study.section("analysis")["target"] == "population"
    assert study.section("disclosure")["profile"] == "uk-5"
    assert study.bands.labels == ("20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")
    assert study.audit_bands == study.bands
    assert "images" not in study


def test_every_breach_is_listed_with_its_line(tmp_path: Path) -> None:
    text = SOUND.replace('design = "random"', 'design = "randon"').replace(
        "[validation]", '[analysis]\nlevel = 95\nage_bands = ["40"]\n\n[validation]'
    )
    message = refusal(tmp_path, text)
    assert "3 problems" in message
    assert "line 15, analysis.level: found 95; allowed: a number from 0.5 to 0.999" in message
    assert "line 16, analysis.age_bands: found ['40']; allowed: a list of whole numbers" in message
    assert "line 19, validation.design: found 'randon'; allowed: one of random," in message
    assert "did you mean random?" in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[scores]", "[score]"), "line 4, score: no such section; did you mean scores?"),
        (("title =", "titel ="), "line 2, titel: no such key; did you mean title?"),
        (('title = "A study"', ""), "title: required and missing"),
        (("schema_version = 1", "schema_version = 2"), "line 1, schema_version: found 2"),
        (('[scores]\nsource = "scores.parquet"', ""), "give either [images] (to be scored) or [scores]"),
        (("[validation]", '[disclosure]\nprofile = "none"\n[validation]'), "profile 'none' needs a reason"),
        (("[validation]", "[analysis]\nage_bands = [50, 40]\n[validation]"), "must rise"),
        (("title =", "title"), "not valid TOML"),
        (('"iso5218"', "5218"), "persons.sex_coding: found 5218; allowed: the name of a coding or a table"),
        (
            ('"scores.parquet"', '"scores.parquet"\nmin_quality = 40'),
            "line 6, scores.min_quality: found 40; allowed: a number from 0 to 1",
        ),
        (
            ('"scores.parquet"', '"scores.parquet"\naccept_inferred_eyes = true'),
            "line 6, scores.accept_inferred_eyes: no such key; did you mean accept_inferred_eye?",
        ),
        (
            ('"scores.parquet"', '"scores.parquet"\naccept_inferred_eye = "yes"'),
            "line 6, scores.accept_inferred_eye: found 'yes'; allowed: true or false",
        ),
        (
            ('"iso5218"', '"iso5218"\nage_source = "predict"'),
            "line 10, persons.age_source: found 'predict'; allowed: one of recorded, predicted, predicted_for_all; "
            "did you mean predicted?",
        ),
        (
            ('"iso5218"', '"iso5218"\nage_source = "predicted"'),
            "section [age_scores] is missing; persons.age_source predicted needs it",
        ),
        (
            ("[validation]", '[age_scores]\nsource = "ages.parquet"\n[validation]'),
            "section [age_scores]: predicted ages are used by persons.age_source predicted; found 'recorded'",
        ),
    ],
)
def test_a_breach_says_what_is_wrong(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert expected in refusal(tmp_path, SOUND.replace(*change))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"not found: .*nowhere\.toml"):
        load_study(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(path)
