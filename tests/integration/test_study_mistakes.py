"""Fifty wrong study files: each is told on one screen, by line, key, value, what is allowed and the nearest word."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run

SOUND = """\
schema_version = 1
title = "A study"
seed = 5

[scores]
source = "scores.csv"

[persons]
source = "persons.csv"

[conditions]
source = "conditions.csv"

[validation]
design = "random"

[analysis]
age_bands = [20, 50, 70]
conditions = ["glaucoma"]
standards = ["who_2000_2025"]

[disclosure]
profile = "uk-5"
"""
PERSONS, SCORES = 'source = "persons.csv"', 'source = "scores.csv"'
BIAS = "[bias_analysis]\n{}\n\n[disclosure]"
MISTAKES: list[tuple[str, str, list[str]]] = [
    ("title =", "titel =", ["line 2, titel: no such key; did you mean title?"]),
    ("[persons]", "[person]", ["line 8, person: no such section; did you mean persons?"]),
    ("[conditions]\n" + 'source = "conditions.csv"', "", ["section [conditions] is missing"]),
    ('design = "random"', "", ["line 14, validation.design: required and missing", "may_depend_on_sex"]),
    ("seed = 5", 'seed = "five"', ["line 3, seed: found 'five'; allowed: a whole number from 0"]),
    ("seed = 5", "seed = 5.5", ["line 3, seed: found 5.5; allowed: a whole number from 0"]),
    ("seed = 5", "seed = -1", ["line 3, seed: found -1; allowed: a whole number from 0"]),
    ("seed = 5", "seed = true", ["line 3, seed: found True; allowed: a whole number from 0"]),
    ("seed = 5", "seed = ", ["not valid TOML", "line 3", "seed ="]),
    ("seed = 5", "seed = 5\nseed = 6", ["not valid TOML", "line 4: seed = 6"]),
    ("[disclosure]", "[analysis]\n[disclosure]", ["not valid TOML", "line 22: [analysis]"]),
    ('title = "A study"', "title = 5", ["line 2, title: found 5; allowed: text"]),
    (
        "schema_version = 1",
        "schema_version = 2",
        ["line 1, schema_version: found 2; allowed: a whole number from 1 to 1"],
    ),
    ("schema_version = 1\n", "", ["schema_version: required and missing"]),
    ('"random"', '"randon"', ["line 15, validation.design: found 'randon'", "did you mean random?"]),
    ("[20, 50, 70]", "[50, 20, 70]", ["line 18, analysis.age_bands: found [50, 20, 70]", "must rise"]),
    ("[20, 50, 70]", "[20, 20, 70]", ["line 18, analysis.age_bands: found [20, 20, 70]", "must rise"]),
    ("[20, 50, 70]", "[-20, 50]", ["line 18, analysis.age_bands: found [-20, 50]; allowed: years from 0 to 130"]),
    ("[20, 50, 70]", "[20, 300]", ["line 18, analysis.age_bands: found [20, 300]; allowed: years from 0 to 130"]),
    (
        "[20, 50, 70]",
        '["20", "50"]',
        ["line 18, analysis.age_bands: found ['20', '50']; allowed: a list of whole numbers"],
    ),
    ("[20, 50, 70]", "[20.5, 50]", ["line 18, analysis.age_bands: found [20.5, 50]"]),
    ("[20, 50, 70]", "[]", ["line 18, analysis.age_bands: found []"]),
    (
        "age_bands =",
        "age_end = 60\nage_bands =",
        ["line 19, analysis.age_bands: found [20, 50, 70, 60]", "before age_end"],
    ),
    ('["glaucoma"]', '["glaucome"]', ["line 19, analysis.conditions: found 'glaucome'", "did you mean glaucoma?"]),
    (
        '["glaucoma"]',
        '["glaucoma", "gout"]',
        ["line 19, analysis.conditions: found 'gout'; allowed: cataract, glaucoma"],
    ),
    ('["glaucoma"]', '"glaucoma"', ["line 19, analysis.conditions: found 'glaucoma'; allowed: a list of texts"]),
    ('"who_2000_2025"', '"who_2000"', ["line 20, analysis.standards: found 'who_2000'", "did you mean who_2000_2025?"]),
    (
        "age_bands =",
        "level = 95\nage_bands =",
        ["line 18, analysis.level: found 95; allowed: a number from 0.5 to 0.999"],
    ),
    (
        "age_bands =",
        "level = 1\nage_bands =",
        ["line 18, analysis.level: found 1; allowed: a number from 0.5 to 0.999"],
    ),
    (
        "age_bands =",
        'target = "populaton"\nage_bands =',
        ["line 18, analysis.target: found 'populaton'", "mean population?"],
    ),
    ('"uk-5"', '"uk5"', ["line 23, disclosure.profile: found 'uk5'", "did you mean uk-5?"]),
    ('"uk-5"', '"none"', ["line 22, disclosure.reason: found ''; profile 'none' needs a reason"]),
    (PERSONS, PERSONS + '\nsex_coding = "iso5128"', ["line 10, persons.sex_coding: found 'iso5128'", "mean iso5218?"]),
    (
        PERSONS,
        PERSONS + '\nsex_coding = { "1" = "man" }',
        ["line 10, persons.sex_coding", "'man'", "male, female, other"],
    ),
    (PERSONS, 'source = "person.csv"', ["line 9, persons.source: found 'person.csv'", "did you mean persons.csv?"]),
    (PERSONS, 'source = "tables/persons.csv"', ["line 9, persons.source: found 'persons.csv'; no such folder"]),
    (PERSONS, 'source = ""', ["line 9, persons.source: found ''; allowed: a file"]),
    (SCORES, 'source = "score.csv"', ["line 6, scores.source: found 'score.csv'", "did you mean scores.csv?"]),
    (PERSONS, PERSONS + '\nencoding = "shift-jis"', ["line 10, persons.encoding: found 'shift-jis'", "cp932"]),
    (PERSONS, PERSONS + '\ndelimiter = ";;"', ["line 10, persons.delimiter: found ';;'; allowed: one character"]),
    (
        PERSONS,
        PERSONS + '\ncolumns = { age_year = "age" }',
        ["line 10, persons.columns: found 'age_year'", "mean age_years?"],
    ),
    (PERSONS, PERSONS + "\ncolumns = { age_years = 5 }", ["line 10, persons.columns: found {'age_years': 5}"]),
    ("[persons]", '[images]\nsource = "x"\n[persons]', ["give either [images]", "one of the two"]),
    ("[scores]\n" + SCORES, "", ["give either [images]", "one of the two"]),
    ("[scores]\n" + SCORES, '[images]\nsource = "scores.csv"\nmodel = "mine"', ["line 7, images.model: found 'mine'"]),
    (SCORES, SCORES + "\nmin_quality = 2", ["line 7, scores.min_quality: found 2; allowed: a number from 0 to 1"]),
    ('"random"', '"external"', ["line 15, section [external_persons] is missing; validation.design external needs it"]),
    ("[validation]", "[external_persons]\n" + PERSONS + "\n[validation]", ["line 14, [external_persons]", "'random'"]),
    (
        '"random"',
        '"random"\nrecorded_sex_error = 2',
        ["line 16, validation.recorded_sex_error: found 2", "from 0 to 0.2"],
    ),
    (
        "[disclosure]",
        BIAS.format("sensitivity = [0.8, 0.9]"),
        ["line 22, bias_analysis.specificity: missing; sensitivity"],
    ),
    ("[disclosure]", BIAS.format("sensitivity = [0.9, 0.8]"), ["line 23, bias_analysis.sensitivity: found [0.9, 0.8]"]),
    ("[disclosure]", "[audit]\nmin_patients = 1\n[disclosure]", ["line 23, audit.min_patients: found 1", "from 2"]),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tables of a sound study of 60 patients and two diseases."""
    folder = tmp_path_factory.mktemp("tables")
    patients = [f"p{number:02d}" for number in range(60)]
    sexes = ["male", "female", "unknown"] * 20
    persons = {"patient_id": patients, "age_years": [20 + number for number in range(60)], "recorded_sex": sexes}
    pd.DataFrame(persons).to_csv(folder / "persons.csv", index=False)
    present = [number % 3 == 0 for number in range(120)]
    diseases = {"patient_id": patients * 2, "condition": ["glaucoma"] * 60 + ["cataract"] * 60, "present": present}
    pd.DataFrame(diseases).to_csv(folder / "conditions.csv", index=False)
    scores = {"image_id": patients, "patient_id": patients, "prob_male": [0.01 + number / 61 for number in range(60)]}
    fixed = {"path": "x.jpg", "model_id": "m", "model_sha256": "0" * 64, "precision": "float32", "decode": "safe"}
    pd.DataFrame(scores | fixed | {"status": "ok"}).to_csv(folder / "scores.csv", index=False)
    return folder


def test_the_study_without_a_mistake_is_sound(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the mistakes are made in passes the check."""
    study = tables / "sound.toml"
    study.write_text(SOUND, encoding="utf-8")
    assert run(["check", str(study)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(("right", "wrong", "told"), MISTAKES)
def test_a_mistake_is_told_on_one_screen(
    tables: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str, told: list[str]
) -> None:
    """Exit code 2, no traceback, at most 24 lines."""
    assert right in SOUND
    study = tables / "wrong.toml"
    study.write_text(SOUND.replace(right, wrong, 1), encoding="utf-8")
    assert run(["check", str(study)]) == 2
    message = capsys.readouterr().err
    for words in told:
        assert words in message
    assert len(message.splitlines()) <= 24
    assert "Traceback" not in message
