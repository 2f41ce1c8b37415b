"""`sexstrat simulate` turns every knob, writes what it says, and refuses in words."""

from __future__ import annotations

import inspect
import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.cli.simulate_command import simulate
from sexstrat.simulation import knob_names, population_truth, setting, settings, with_knobs


def test_every_knob_is_an_option() -> None:
    """Whatever can be turned in Python can be turned at the command line, but the name."""
    assert set(knob_names()) - {"name"} <= set(inspect.signature(simulate).parameters)


def test_the_settings_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a setting, each with a sentence; as JSON with every knob."""
    assert run(["simulate", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(settings())
    assert all(len(line.split()) > 2 for line in lines)
    assert run(["simulate", "--list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in document["settings"]] == list(settings())
    assert document["settings"][0]["auc"] == 0.95


def test_knobs_change_the_setting_and_the_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Options override the setting; tables, study file and truth agree with them."""
    words = "--setting baseline --patients 400 --seed 3 --auc 0.8 --shift-men -0.5 --sites 7 --recorded-by-male 0.8"
    assert run(["simulate", *words.split(), "--out", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["knobs"] == {"auc": 0.8, "shift_men": -0.5, "sites": 7, "recorded_by_male": 0.8}
    assert answer["design"] == "known_probability"
    persons = pd.read_csv(tmp_path / "persons.csv")
    assert len(persons) == 400
    assert set(persons["site"]) <= set(range(7))
    assert persons["validation_probability"].between(0.001, 1).all()
    study = tomllib.loads((tmp_path / "study.toml").read_text("utf-8"))
    assert study["validation"]["design"] == "known_probability"
    assert "auc 0.8" in study["title"]
    told = json.loads((tmp_path / "population_truth.json").read_text("utf-8"))
    one = with_knobs(setting("baseline"), auc=0.8, shift_men=-0.5, sites=7, recorded_by_male=0.8)
    values = [row["value"] for row in told["population"]]
    assert values == pytest.approx(population_truth(one, (20, 45, 55, 65, 75))["value"].tolist())
    assert told["setting"]["clusters"]["number"] == 7


def test_the_setting_says_how_many_and_about_whom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The small cohort needs no options: 2,700 patients, target these very people."""
    assert run(["simulate", "--setting", "small_cohort", "--out", str(tmp_path)]) == 0
    assert "2,700 simulated patients, setting small_cohort" in capsys.readouterr().out
    assert 'target = "cohort"' in (tmp_path / "study.toml").read_text("utf-8")


def test_tables_come_as_parquet_when_asked(tmp_path: Path) -> None:
    """The same rows in either format, and the study file names the one that was written."""
    for name in ("csv", "parquet"):
        words = ["--setting", "survey_weights", "--patients", "300", "--format", name, "--out", str(tmp_path / name)]
        assert run(["simulate", *words]) == 0
    rows = pd.read_parquet(tmp_path / "parquet" / "persons.parquet")
    text = pd.read_csv(tmp_path / "csv" / "persons.csv")
    assert rows["patient_id"].tolist() == text["patient_id"].tolist()
    assert rows["weight"].tolist() == pytest.approx(text["weight"].tolist())
    assert 'source = "persons.parquet"' in (tmp_path / "parquet" / "study.toml").read_text("utf-8")
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--auc 1.2", "auc is 1.2; allowed: above 0 and below 1"),
        ("--setting basline", "no simulation setting 'basline'; there are baseline"),
        ("--external-patients -3", "external: patients is -3; allowed: a whole number at least 1"),
        ("--validated 0 --recorded-by-age 1", "recording cannot depend on anything"),
        ("--format xls", "allowed: csv, parquet"),
        ("--design guess", "design is 'guess'; allowed: random"),
    ],
)
def test_refusals_name_the_knob_and_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    """Exit code 2, one line, nothing written."""
    out = tmp_path / "out"
    assert run(["simulate", *words.split(), "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
