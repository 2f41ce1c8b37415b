"""A study that declares a least quality and predicted ages runs to its page: counted, measured and said first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.cohort.use_frames import age_frame, disease_rows, quality_frame
from sexstrat.disclosure import release
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.errors import StudyError
from sexstrat.simulation import simulate_cohort
from sexstrat.study import load_study, run_study
from sexstrat.study.declared_use import age_notices, score_use, use_rows
from sexstrat.study.file import Study
from sexstrat.study.plan import stage_components
from sexstrat.study.predicted_ages import NOTE, refuse_predicted_ages
from sexstrat.study.results import study_results
from sexstrat.study.site_export import export_site
from sexstrat.study.table_export import export_tables

N = 900
TEXT = """
schema_version = 1
title = "Declared use"
[scores]
source = "scores.parquet"
min_quality = 0.3
[persons]
source = "persons.parquet"
age_source = "predicted"
[age_scores]
source = "ages.parquet"
[conditions]
source = "conditions.parquet"
[validation]
design = "random"
[analysis]
age_bands = [40, 50, 60, 70]
[disclosure]
profile = "none"
reason = "simulated data"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a study whose photographs are worse in old age, and whose ages are half recorded and all predicted."""
    folder = tmp_path_factory.mktemp("declared")
    made, rng = simulate_cohort("baseline", N, seed=5), np.random.default_rng(5)
    ages = made.persons.set_index("patient_id")["age_years"].astype(float)
    own = made.scores["patient_id"].map(ages).to_numpy()
    quality = np.clip(rng.uniform(0.2, 1.0, len(own)) - 0.004 * (own - 50), 0, 1)
    made.scores.assign(quality=quality).to_parquet(folder / "scores.parquet")
    persons = made.persons.copy()
    persons["age_years"] = persons["age_years"].astype(float).mask(rng.random(len(persons)) < 0.5)
    persons.to_parquet(folder / "persons.parquet")
    made.conditions.to_parquet(folder / "conditions.parquet")
    predicted = 60 + 0.7 * (own - 60) + rng.normal(0, 3, len(own))
    listed = made.scores[["image_id", "path", "patient_id", "eye", "precision", "decode", "status"]]
    table = listed.assign(model_id="age", model_sha256="1" * 64, predicted_age=np.clip(predicted, 0, 130))
    table["quality"] = 0.9
    table["predicted_age"] = table["predicted_age"].where(table["status"] == "ok")
    table.to_parquet(folder / "ages.parquet")
    (folder / "study.toml").write_text(TEXT, encoding="utf-8")
    return load_study(folder / "study.toml")


@pytest.fixture(scope="module")
def run_folder(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run it; return the folder."""
    return run_study(study, tmp_path_factory.mktemp("run")).out


@pytest.fixture(scope="module")
def results(run_folder: Path) -> tuple[dict[str, Any], str]:
    """Return the released results and the page."""
    released, page = run_folder / "tables" / "results.json", run_folder / "report.html"
    return json.loads(released.read_text(encoding="utf-8")), page.read_text(encoding="utf-8")


def audit(results: dict[str, Any], metric: str, group: str) -> dict[str, dict[str, Any]]:
    rows = results["tables"]["audit"]["rows"]
    return {row["level_name"]: row for row in rows if row["metric"] == metric and row["group"] == group}


def test_predicted_ages_are_flagged_in_the_flow_and_measured_by_band(results: tuple[dict[str, Any], str]) -> None:
    """About half of the patients; an error that shrinks to 60 shows as a bias up in the young and down in the old."""
    document, page = results
    flow = {row["name"]: row for row in document["tables"]["flow"]["rows"] if not row.get("variable")}
    entering = flow["age inside the declared bands: these enter the estimates"]
    assert "patients have an age that a model predicted from their photographs" in entering["reason"]
    assert 300 < int(entering["reason"].split(" patients have")[0].rsplit(" ", 1)[1].replace(",", "")) < 500
    bias = audit(document, "age_bias", "recorded_age_band")
    assert bias["40-49"]["low"] > 2
    assert bias["70+"]["high"] < -2
    overall = audit(document, "age_absolute_error", "overall")["all"]
    assert 0 < overall["low"] < overall["point"] < overall["high"]
    assert overall["n_patients"] == audit(document, "age_bias", "overall")["all"]["n_patients"]
    agreement = audit(document, "age_band_agreement", "predicted_age_band")
    assert set(agreement) == {"40-49", "50-59", "60-69", "70+"}
    assert "Errors of predicted age" in page
    assert "People of 70+ are taken for" in page
    assert "Where no age is recorded, age is predicted from photographs by a model" in page
    assert "Predicted ages draw towards the middle" in page


def test_the_declared_quality_is_counted_by_sex_age_and_disease(results: tuple[dict[str, Any], str]) -> None:
    """More photographs are lost in old age, as they were made; the page shows for whom."""
    document, page = results
    flow = {row["name"]: row for row in document["tables"]["flow"]["rows"] if not row.get("variable")}
    step = flow["images not below the declared quality of 0.3"]
    assert step["images_lost"] > 0
    assert step["patients_lost"] == 0
    by_age = audit(document, "below_declared_quality", "age_band")
    assert by_age["70+"]["low"] > by_age["40-49"]["high"]
    sexes = audit(document, "below_declared_quality", "recorded_sex")
    assert {"male", "female", "unknown"} <= set(sexes)
    conditions = {row["group"] for row in document["tables"]["audit"]["rows"] if row["group"].startswith("condition: ")}
    assert len(conditions) >= 1
    assert "Photographs lost to the declared quality" in page
    lost = audit(document, "below_declared_quality", "overall")["all"]
    assert lost["n_images"] >= step["images_lost"]
    assert round(lost["point"] * lost["n_images"]) == step["images_lost"]


def test_a_new_quality_asks_for_a_new_cohort_and_no_new_scores(study: Study, tmp_path: Path) -> None:
    """Only what uses scores is stale; the settings are read from whichever section names the scores."""
    use = score_use(study)
    assert (use.min_quality, use.accept_inferred_eye) == (0.3, False)
    scored = study.path.with_name("scored.toml")
    scored.write_text(TEXT.replace("[scores]", "[images]").replace("scores.parquet", "photos"), encoding="utf-8")
    other = study.path.with_name("other.toml")
    other.write_text(scored.read_text(encoding="utf-8").replace("= 0.3", "= 0.4"), encoding="utf-8")
    one, two = load_study(scored), load_study(other)
    assert score_use(one) == use
    assert stage_components(one, "scores") == stage_components(two, "scores")
    assert stage_components(one, "cohort") != stage_components(two, "cohort")


def test_suppression_reaches_the_new_figures(study: Study, run_folder: Path) -> None:
    """A rule that hides counts below 60 hides the figures of a band with fewer patients, and keeps those of others."""
    strict = replace(PROFILES["us-cms-11"], minimum=60)
    released = release(study_results(study, run_folder), strict).audit
    new = released[released["metric"].str.startswith(("age_", "below_"))]
    hidden = new[new["state"] == "suppressed"]
    assert {"measured", "suppressed"} <= set(new["state"])
    assert (new.loc[new["state"] == "measured", "n_patients"].dropna() >= 60).all()
    assert hidden[["point", "low", "high", "n_patients", "n_images"]].isna().all(axis=None)


def test_the_pieces_behind_the_figures_tell_what_the_cohort_holds(study: Study, run_folder: Path) -> None:
    """Frames and rows by themselves: as many photographs as the flow loses, both ages side by side, who has what."""
    with Cohort.open(run_folder / "private" / "cohort.duckdb") as cohort:
        quality, ages, diseases = quality_frame(cohort), age_frame(cohort), disease_rows(cohort)
        rows = use_rows(study, cohort)
        flow = cohort.flow().set_index("name")
    step = flow.loc["images not below the declared quality of 0.3"]
    assert quality["below_quality"].sum() == step["images_lost"]
    assert set(quality["recorded_sex"]) == {"male", "female", "unknown"}
    assert 300 < len(ages) < 600
    assert (ages["predicted_age"] - ages["recorded_age"]).abs().median() < 10
    assert diseases.groupby("condition")["patient_id"].nunique().tolist() == [N]
    assert set(rows["metric"]) == {"below_declared_quality", "age_bias", "age_absolute_error", "age_band_agreement"}
    assert len(age_notices(study)) == 2
    plain = study.path.with_name("plain.toml")
    text = TEXT.replace('age_source = "predicted"\n[age_scores]\nsource = "ages.parquet"\n', "")
    plain.write_text(text.replace("min_quality = 0.3\n", ""), encoding="utf-8")
    undeclared = load_study(plain)
    assert age_notices(undeclared) == ()
    with Cohort.open(run_folder / "private" / "cohort.duckdb") as cohort:
        assert use_rows(undeclared, cohort).empty


def test_figures_by_age_vouch_for_nothing_where_ages_are_predicted(results: tuple[dict[str, Any], str]) -> None:
    """No band, standardised figure or course over age is called corrected; the crude figures stay as they are."""
    document, _ = results
    by_age = 0
    for row in document["tables"]["estimates"]["rows"]:
        crude = row["standard"] == "crude" and row["age_low"] is None and not row["measure"].endswith("per_decade")
        if crude:
            assert NOTE not in (row["note"] or "")
        else:
            by_age += 1
            assert row["state"] not in {"corrected", "model_based", "recorded"}, row
            assert row["state"] != "assumption" or NOTE in row["note"] or row["withheld"]
    assert by_age > 50


def test_the_intervals_by_age_do_miss_the_truth_where_ages_are_predicted(tmp_path: Path) -> None:
    """Why nothing vouches: with 4,000 patients of known sex and ages drawn to the middle, the old look too well.

    Sex is recorded for everybody, so that only the ages can be wrong: the interval of the oldest band lies below the
    prevalence at recorded ages, and its state says that it rests on an assumption.
    """
    made, rng = simulate_cohort("baseline", 4000, seed=6), np.random.default_rng(6)
    known = made.truth.set_index("patient_id")["true_sex"]
    persons = made.persons.assign(recorded_sex=made.persons["patient_id"].map(known))
    ages = persons.set_index("patient_id")["age_years"].astype(float)
    own = made.scores["patient_id"].map(ages).to_numpy()
    made.scores.to_parquet(tmp_path / "scores.parquet")
    persons.to_parquet(tmp_path / "persons.parquet")
    made.conditions.to_parquet(tmp_path / "conditions.parquet")
    listed = made.scores[["image_id", "path", "patient_id", "eye", "precision", "decode", "status", "quality"]]
    predicted = np.clip(60 + 0.2 * (own - 60) + rng.normal(0, 12, len(own)), 0, 130)
    table = listed.assign(model_id="age", model_sha256="1" * 64, predicted_age=predicted)
    table["predicted_age"] = table["predicted_age"].where(table["status"] == "ok")
    table.to_parquet(tmp_path / "ages.parquet")
    text = TEXT.replace("min_quality = 0.3\n", "").replace('"predicted"', '"predicted_for_all"')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    study = load_study(tmp_path / "study.toml")
    out = run_study(study, tmp_path / "out").out
    assert "assumption-based" in (out / "report.html").read_text(encoding="utf-8").lower()
    found = pd.read_csv(out / "tables" / "estimates.csv")
    bands = found[(found["measure"] == "prevalence") & (found["age_low"] == 70) & (found["state"] == "assumption")]
    sick = made.conditions[made.conditions["present"].astype(bool)]["patient_id"]
    old = persons[persons["age_years"] >= 70]
    for sex in ("male", "female"):
        true = old[old["recorded_sex"] == sex]["patient_id"].isin(sick).mean()
        rows = bands[bands["sex"] == sex]
        assert len(rows) > 0
        assert (rows["high"] < true).all(), (sex, true, rows[["estimator", "low", "high"]])
    for send in (
        lambda: refuse_predicted_ages(study),
        lambda: export_site(study, tmp_path / "out", tmp_path / "site", site="a"),
        lambda: export_tables(study, tmp_path / "out", tmp_path / "export"),
    ):
        with pytest.raises(StudyError, match=r"line 8, persons\.age_source: found 'predicted_for_all'"):
            send()
