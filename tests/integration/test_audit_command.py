"""The audit command on tables that other models made: groups, rules, classes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.study.prediction_table import Classes, read_predictions


@pytest.fixture
def smokers(tmp_path: Path) -> Path:
    """Return predictions of smoking: 300 of each class, 9 in 10 smokers and 8 in 10 others right, two sites."""
    n = np.arange(600)
    smoker = n % 2 == 0
    right = np.where(smoker, n % 20 != 0, n % 10 > 2)
    frame = pd.DataFrame(
        {
            "who": [f"p{k}" for k in n],
            "smoking": np.where(smoker, "yes", "no"),
            "call": np.where(smoker == right, "yes", "no"),
            "site": np.where(n < 300, "a", "b"),
            "quality": (n % 7) / 7,
        }
    )
    frame.to_csv(tmp_path / "smokers.csv", index=False)
    return tmp_path / "smokers.csv"


OPTIONS = (
    *("--column", "patient_id=who", "--column", "recorded_sex=smoking", "--column", "predicted=call"),
    *("--positive", "yes", "--negative", "no"),
)


def rule(folder: Path, limit: float) -> Path:
    """Write one rule: the accuracy is at least the limit."""
    path = folder / "rules.toml"
    path.write_text(
        f'[[audit.rules]]\nmetric = "accuracy"\ncomparison = "at_least"\nlimit = {limit}\n', encoding="utf-8"
    )
    return path


def test_predicted_classes_of_another_attribute(smokers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without probabilities the errors are told by the names of the classes, by site and site x quality."""
    groups = ("--by", "site", "--intersect", "site,quality", "--cut", "quality=0.5", "--reference", "site=b", "--json")
    assert run(["audit", str(smokers), *OPTIONS, *groups]) == 0
    document = json.loads(capsys.readouterr().out)
    rows = {(row["metric"], row["group"], row["level_name"]): row for row in document["audit"]}
    assert rows[("correct_among_men", "overall", "all")]["point"] == pytest.approx(0.9)
    assert rows[("correct_among_women", "overall", "all")]["point"] == pytest.approx(0.8)
    assert ("accuracy", "site x quality", "a x under 0.5") in rows
    assert not any(metric in {"auc", "brier", "ece"} for metric, _, _ in rows)
    assert document["classes"] == {"positive": "yes", "negative": "no"}
    out = smokers.parent / "released"
    assert run(["audit", str(smokers), *OPTIONS, "--by", "site", "--full", "--out", str(out)]) == 0
    gaps = pd.read_csv(out / "gaps.csv")
    assert {"reference", "overall", "largest"} <= set(gaps["comparison"])
    assert "Correct among yes" in capsys.readouterr().out


def test_what_errors_do_to_a_disease(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each disease is a group of the audit, and its naive ratio is told, half of each sex being called wrongly."""
    n = np.arange(1200)
    man, sick = n % 2 == 0, n % 12 < 5
    frame = pd.DataFrame({"patient_id": n, "prob_male": np.where(n % 8 < 4, 0.9, 0.1), "age_years": 50 + n % 20})
    frame = frame.assign(recorded_sex=np.where(man, "male", "female"), amd=np.where(sick, "yes", "no"))
    path = tmp_path / "seen.csv"
    frame.assign(amd=sick.astype(int)).to_csv(path, index=False)
    given = ["audit", str(path), "--bands", "50,60", "--condition", "amd"]
    assert run([*given, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    points = {row["quantity"]: row["point"] for row in document["consequences"] if row["age_band"] == "all"}
    assert points["true_prevalence_ratio"] == pytest.approx(1.5)  # 3 of 6 men, 2 of 6 women
    called = frame["prob_male"].to_numpy() > 0.5
    naive = sick[called].mean() / sick[~called].mean()
    assert points["relative_bias"] == pytest.approx(naive / 1.5 - 1)
    assert points["attenuation_factor"] == 0  # half of each sex are called men: nothing can be corrected by that
    notes = {row["quantity"]: row["note"] for row in document["consequences"] if row["state"] == "undefined"}
    assert "as many women as men are called men" in notes["bias_after_equal_correction"]
    assert {("accuracy", "amd", "yes"), ("accuracy", "amd", "no")} <= {
        (row["metric"], row["group"], row["level_name"]) for row in document["audit"]
    }
    assert run([*given, "--design", "external", "--out", str(tmp_path / "released")]) == 0
    assert "Amd: the naive ratio is" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "released" / "consequences.csv"))
    frame.to_csv(path, index=False)
    assert run(given) == 3
    assert "row 2, column amd" in (told := capsys.readouterr().err), told
    assert "true, false, 1, 0 or empty" in told


def test_a_failed_rule_ends_with_exit_code_four(
    smokers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Accuracy is 0.85: at least 0.6 passes, at least 0.95 fails, at least 0.85 cannot be told."""
    for limit, code, outcome in ((0.6, 0, "pass"), (0.95, 4, "fail"), (0.85, 0, "cannot tell")):
        given = ["audit", str(smokers), *OPTIONS, "--by", "site", "--rules", str(rule(tmp_path, limit)), "--json"]
        assert run(given) == code
        document = json.loads(capsys.readouterr().out)
        assert (document["ok"], document["rules"][0]["outcome"]) == (code == 0, outcome)


def test_what_cannot_be_audited_is_named(smokers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An undeclared class, a column that is not there, a rule without a limit, and a cut that is no number."""
    classes = ["--column", "patient_id=who", "--column", "recorded_sex=smoking", "--column", "predicted=call"]
    bad = tmp_path / "bad.toml"
    bad.write_text('[[audit.rules]]\nmetric = "accuracy"\ncomparison = "at_least"\n', encoding="utf-8")
    for given, code, told in (
        ([*classes, "--positive", "1", "--negative", "0", "--by", "site"], 3, "value is no declared class"),
        ([*OPTIONS, "--by", "camera"], 3, "column camera: column is missing"),
        ([*OPTIONS, "--by", "site", "--rules", str(bad)], 2, "limit: required and missing"),
        ([*OPTIONS, "--by", "quality", "--cut", "quality=half"], 2, "must be numbers"),
        ([*OPTIONS, "--by", "site", "--column", "weight=w"], 2, "'w', which smokers.csv does not have"),
    ):
        assert run(["audit", str(smokers), *given]) == code, told
        assert told in capsys.readouterr().err, told


def test_predicted_classes_become_the_audits_columns(smokers: Path) -> None:
    """A predicted class is a probability of 1 or 0, the positive class is coded male, and identifiers stay text."""
    columns = {"patient_id": "who", "recorded_sex": "smoking", "predicted": "call"}
    frame = read_predictions(smokers, Classes(positive="yes", negative="no"), columns, ("site",))
    assert frame["prob_male"].tolist()[:3] == [0.0, 1.0, 1.0]
    assert frame["recorded_sex"].tolist()[:3] == ["male", "female", "male"]
    assert frame["patient_id"].tolist()[:2] == ["p0", "p1"]
