"""The pieces of a study run by themselves: its card, its tables, its stages, its results, a bare audit, the demo."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.errors import ModelError, SchemaError, StudyError
from sexstrat.models import shipped_card, write_card
from sexstrat.study import demo, load_study, run_study
from sexstrat.study.card import card_path, names_card, study_card
from sexstrat.study.demo import run_demo
from sexstrat.study.file import Study
from sexstrat.study.plan import stage_components
from sexstrat.study.predictions import audit_predictions
from sexstrat.study.results import study_results
from sexstrat.study.simulated import write_simulated_study
from sexstrat.study.stages import check_tables


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study file on 1,500 simulated patients."""
    return write_simulated_study(tmp_path_factory.mktemp("study"), setting="baseline", n_patients=1500, seed=6)


def changed(study: Path, old: str, new: str) -> Study:
    """Return the study with a line of its file changed, read from a file beside it."""
    text = study.read_text(encoding="utf-8")
    assert old in text
    path = study.with_name("changed.toml")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_study(path)


def test_a_study_goes_by_the_card_it_names(simulated: Path, tmp_path: Path) -> None:
    """No card named: the shipped one. A folder stands for the card in it; a card that is not there is an error."""
    plain = load_study(simulated)
    assert not names_card(plain)
    assert card_path(plain, "shipped") is None
    assert study_card(plain) == shipped_card()
    write_card(replace(shipped_card(), model_id="ours"), tmp_path / "card.json")
    named = changed(simulated, "seed = ", f'model_card = "{tmp_path.as_posix()}"\nseed = ')
    assert names_card(named)
    assert card_path(named, tmp_path.as_posix()) == tmp_path / "card.json"
    assert study_card(named).model_id == "ours"
    (tmp_path / "card.json").unlink()
    with pytest.raises(ModelError, match=r"card\.json cannot be read"):
        study_card(named)


def test_a_stage_depends_on_its_own_settings_and_on_those_before_it(simulated: Path) -> None:
    """A new seed of no stage, a new title of the report alone, new bands of all that count by band."""
    before = load_study(simulated)
    stages = ("scores", "cohort", "estimates", "audit", "report")

    def touched(study: Study) -> set[str]:
        old, new = ({stage: stage_components(one, stage) for stage in stages} for one in (before, study))
        assert all(old[stage].keys() == new[stage].keys() for stage in stages)
        return {stage for stage in stages if old[stage] != new[stage]}

    assert touched(changed(simulated, "# A simulated cohort", "# Another remark")) == set()
    assert touched(changed(simulated, 'title = "', 'title = "Another ')) == {"report"}
    assert touched(changed(simulated, "age_bands = [20, 45", "age_bands = [20, 40")) == set(stages) - {"scores"}


def test_tables_are_checked_before_anything_is_computed(simulated: Path, tmp_path: Path) -> None:
    """Sound tables give no problem; an age of -3 is named with its row."""
    assert check_tables(load_study(simulated)).problems == ()
    persons = pd.read_csv(simulated.with_name("persons.csv"))
    persons.loc[4, "age_years"] = -3
    persons.to_csv(tmp_path / "persons.csv", index=False)
    broken = changed(simulated, 'source = "persons.csv"', f'source = "{(tmp_path / "persons.csv").as_posix()}"')
    with pytest.raises(SchemaError) as caught:
        check_tables(broken)
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(6, "age_years")]


def test_results_are_those_of_the_stages_and_name_no_folder(simulated: Path, tmp_path: Path) -> None:
    """What is gathered equals what the stages left; files are named and hashed, the machine's folders are not told."""
    out = run_study(load_study(simulated), tmp_path / "out").out
    found = study_results(load_study(simulated), out)
    for name, frame in (("estimates", found.estimates), ("audit", found.audit), ("gaps", found.gaps)):
        pd.testing.assert_frame_equal(frame, pd.read_parquet(out / "private" / f"{name}.parquet"))
    assert found.flow.iloc[0]["n_patients"] == 1500
    assert set(found.provenance["inputs_sha256"]) == {
        "scores: scores.parquet", "persons: persons.csv", "conditions: conditions.csv", "truth: truth.csv", "cells",
    }  # fmt: skip
    told = json.dumps([dict(found.settings), dict(found.provenance)], default=str)
    assert str(simulated.parent) not in told
    assert str(tmp_path) not in told
    assert found.model_card is None  # simulated scores are of no model that is at hand


def test_the_plan_of_a_fresh_run_is_told_stage_by_stage(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was run, so everything will be, in order; nothing is written."""
    assert run(["plan", str(simulated), "--out", str(tmp_path / "out"), "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert [row["stage"] for row in stages] == ["scores", "cohort", "estimates", "audit", "report"]
    assert {(row["runs"], row["why"]) for row in stages} == {(True, "never run")}
    assert not (tmp_path / "out").exists()


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Return 400 people, every second a man; of each sex 150 are told right by a score of 0.9 or 0.1."""
    male = [i % 2 == 0 for i in range(400)]
    right = [i < 300 for i in range(400)]
    frame = pd.DataFrame(
        {
            "patient_id": [f"p{i}" for i in range(400)],
            "prob_male": [0.9 if one == hit else 0.1 for one, hit in zip(male, right, strict=True)],
            "recorded_sex": ["male" if one else "female" for one in male],
            "age_years": [50.0] * 400,
        }
    )
    frame.to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path / "predictions.csv"


def test_any_table_of_predictions_is_audited(predictions: Path, tmp_path: Path) -> None:
    """Three quarters told right in each sex: accuracy 0.75, AUC .75 x .75 + half of the ties = 0.75."""
    found = audit_predictions(predictions, bands="40,60", out=tmp_path / "released")
    rows = {row["metric"]: row for row in found.document() if row["level_name"] == "all"}
    for metric in ("accuracy", "correct_among_men", "correct_among_women", "auc"):
        assert rows[metric]["point"] == pytest.approx(0.75), metric
        assert rows[metric]["low"] < 0.75 < rows[metric]["high"]
    assert rows["accuracy"]["n_patients"] == 400
    assert (tmp_path / "released" / "audit.csv").is_file()


def test_the_audit_command_prints_a_line_a_figure(predictions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure stands under its group with its interval and its patients; as JSON, in one document."""
    assert run(["audit", str(predictions), "--bands", "40,60"]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = next(line for line in lines if "Correct among men" in line)
    assert "75.0% (" in shown
    assert shown.endswith(" 200")
    assert run(["audit", str(predictions), "--bands", "40,60", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"]
    assert len(document["audit"]) == sum(line.startswith("  ") for line in lines)


def test_predictions_that_cannot_be_audited_are_named(predictions: Path, tmp_path: Path) -> None:
    """A missing column, a probability above one, bands that fall and an absent file: each with what is allowed."""
    frame = pd.read_csv(predictions)
    frame.drop(columns="recorded_sex").to_csv(tmp_path / "bare.csv", index=False)
    with pytest.raises(SchemaError, match="recorded_sex"):
        audit_predictions(tmp_path / "bare.csv")
    frame.assign(prob_male=1.5).to_csv(tmp_path / "above.csv", index=False)
    with pytest.raises(SchemaError) as caught:
        audit_predictions(tmp_path / "above.csv")
    assert [(p.row, p.column, p.value, p.count) for p in caught.value.problems] == [(2, "prob_male", "1.5", 400)]
    with pytest.raises(StudyError, match="--bands '60,40': must be rising whole numbers"):
        audit_predictions(predictions, bands="60,40")
    with pytest.raises(StudyError, match="predictions not found"):
        audit_predictions(tmp_path / "none.csv")


def test_the_demonstration_ends_in_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded photographs are scored, and a cohort with known truth is analysed."""
    monkeypatch.setattr(demo, "N_PATIENTS", 3000)
    told: list[str] = []
    summary = run_demo(tmp_path / "demo", tell=told.append)
    assert summary.report.is_file()
    scores = pd.read_parquet(tmp_path / "demo" / "private" / "photographs.parquet")
    assert (scores["status"] == "ok").sum() >= 1
    assert any(f"{(scores['status'] == 'ok').sum()} of {len(scores)} embedded real photographs" in one for one in told)
    estimates = pd.read_csv(tmp_path / "demo" / "tables" / "estimates.csv")
    assert {"truth", "naive_threshold"} <= set(estimates["estimator"])
