"""A study says whom the model saw: patients outside its training ages, and patients it may have been trained on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.models import shipped_card
from sexstrat.study import check_study, load_study, plan_study, run_study
from sexstrat.study.simulated import write_simulated_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a study file on 1,000 simulated patients, 40 of them 95 years old, scored by the shipped model's weights.

    The scores are simulated; only what they say of their model is that of the shipped card.
    """
    path = write_simulated_study(tmp_path / "study", setting="baseline", n_patients=1000, seed=5)
    card = shipped_card()
    scores = pd.read_parquet(path.with_name("scores.parquet"))
    scores = scores.assign(model_id=card.model_id, model_sha256=card.weights_sha256)
    scores.to_parquet(path.with_name("scores.parquet"), index=False)
    for name in ("persons.csv", "truth.csv"):
        persons = pd.read_csv(path.with_name(name), dtype=str)
        persons.loc[:39, "age_years"] = "95"
        persons.to_csv(path.with_name(name), index=False)
    return path


def scored_outside(study: Path, low: float, high: float) -> int:
    """Return how many patients with a usable score are younger or older than that."""
    persons = pd.read_csv(study.with_name("persons.csv"), dtype={"patient_id": str})
    scores = pd.read_parquet(study.with_name("scores.parquet"))
    outside = persons.loc[(persons["age_years"] < low) | (persons["age_years"] >= high + 1), "patient_id"]
    return int(scores.loc[(scores["status"] == "ok") & scores["patient_id"].isin(outside), "patient_id"].nunique())


def whole_steps(out: Path) -> pd.DataFrame:
    """Return the released flow without the rows about characteristics."""
    flow = pd.read_csv(out / "tables" / "flow.csv")
    return flow[flow["variable"].isna()]


def test_training_ages_of_the_card_are_checked_told_and_counted_in_the_flow(study: Path, tmp_path: Path) -> None:
    low, high = shipped_card().training_ages
    expected = scored_outside(study, low, high)
    assert expected >= 40
    (warning,) = check_study(load_study(study)).problems
    assert (warning.kind, warning.count, warning.allowed) == ("outside_training_ages", expected, f"{low:g} to {high:g}")
    told: list[str] = []
    out = run_study(load_study(study), tmp_path / "out", tell=told.append).out
    assert sum("outside the ages on which the model was trained" in line for line in told) == 1
    flow = whole_steps(out).set_index("name")
    where = f"patients are outside the ages {low:g} to {high:g}"
    assert f">=5 {where}" in flow.loc["patients with a usable score", "reason"]  # no table protects the number itself
    assert "outside the ages" in (out / "report.html").read_text(encoding="utf-8")
    told_cohort = next(line for line in told if line.startswith("cohort: "))
    with Cohort.open(out / "private" / "cohort.duckdb") as cohort:
        counts, lost = cohort.patient_counts(), cohort.flow()
        assert counts["analysed"] == int(cohort.cells().frame["n"].sum())
    assert lost["reason"].str.contains(f"{expected} {where}").sum() == 1  # whole for those who hold the data
    for name in ("analysed", "scored", "validated"):
        assert f"{counts[name]:,}" in told_cohort


def test_scores_of_other_weights_are_not_judged_by_the_shipped_card(study: Path) -> None:
    scores = pd.read_parquet(study.with_name("scores.parquet"))
    scores.assign(model_sha256="0" * 64).to_parquet(study.with_name("scores.parquet"), index=False)
    assert check_study(load_study(study)).problems == ()


def test_patients_without_fold_beside_patients_with_one_validate_nothing(study: Path, tmp_path: Path) -> None:
    """Half of the scores are out of fold: the recorded sex of the other half must reach no estimate and no audit."""
    persons = pd.read_csv(study.with_name("persons.csv"), dtype=str)
    seen = set(persons["patient_id"][::2])
    scores = pd.read_parquet(study.with_name("scores.parquet"))
    scores["fold"] = pd.array([None if patient in seen else 1 for patient in scores["patient_id"]], dtype="Int64")
    scores.to_parquet(study.with_name("scores.parquet"), index=False)
    usable = set(scores.loc[scores["status"] == "ok", "patient_id"])
    recorded = persons.loc[persons["recorded_sex"].isin(["male", "female"]), "patient_id"]
    kept = sum(patient not in (seen & usable) for patient in recorded)
    told: list[str] = []
    out = run_study(load_study(study), tmp_path / "out", tell=told.append).out
    assert any("the recorded sex validates nothing" in line for line in told)
    cells = pd.read_parquet(out / "private" / "cells.parquet")
    assert int(cells.loc[cells["recorded_sex"].isin(["male", "female"]), "n"].sum()) == kept < len(recorded)
    last = whole_steps(out).iloc[-1]
    assert last["name"] == "recorded sex validates the scores"
    audit = pd.read_parquet(out / "private" / "audit.parquet")
    overall = audit[(audit["metric"] == "accuracy") & (audit["level_name"] == "all")]
    assert overall["n_patients"].tolist() == [last["n_patients"]]


def test_the_cohort_follows_the_bands_and_nothing_else_of_the_analysis(study: Path, tmp_path: Path) -> None:
    """Patients outside the bands are lost in the flow; a new level does not build the cohort again, new bands do."""
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("age_bands = [20, 45", "age_bands = [45"), encoding="utf-8")
    out = run_study(load_study(study), tmp_path / "out").out
    flow = whole_steps(out).set_index("name")
    ages = pd.read_csv(study.with_name("persons.csv"))["age_years"]
    entered = flow.loc["age inside the declared bands: these enter the estimates"]
    assert (entered["n_patients"], entered["patients_lost"]) == ((ages >= 45).sum(), (ages < 45).sum())
    other = study.with_name("other.toml")
    for old, new, stale in (
        ('target = "population"', 'target = "population"\nlevel = 0.9', {"estimates", "audit", "report"}),
        ("age_bands = [45, 55", "age_bands = [45, 50", {"cohort", "estimates", "audit", "report"}),
    ):
        other.write_text(study.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        assert {plan.name for plan in plan_study(load_study(other), out) if plan.stale} == stale


def test_a_changed_card_makes_the_cohort_stale(study: Path, tmp_path: Path) -> None:
    """The training ages are those of the card named, so another card counts again; its folder may be named too."""
    from sexstrat.models import write_card

    (tmp_path / "model").mkdir()
    write_card(shipped_card(), tmp_path / "model" / "card.json")
    study.write_text(f'model_card = "{(tmp_path / "model").as_posix()}"\n' + study.read_text("utf-8"), "utf-8")
    out = run_study(load_study(study), tmp_path / "out").out
    assert [plan.stale for plan in plan_study(load_study(study), out)] == [False] * 5
    path = tmp_path / "model" / "card.json"
    path.write_text(path.read_text("utf-8").replace("91.0", "99.0"), "utf-8")
    plans = {plan.name: plan for plan in plan_study(load_study(study), out)}
    assert plans["cohort"].stale
    assert plans["cohort"].why.startswith("changed: model card")
    assert check_study(load_study(study)).problems == (), "95 lies inside 15 to 99"
