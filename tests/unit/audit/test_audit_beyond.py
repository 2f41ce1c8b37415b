"""What the one call of an audit holds beyond groups: eyes, images without a score, consequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from sexstrat.audit import AuditResult, audit_scores
from sexstrat.audit.beyond import beyond_groups
from sexstrat.audit.consequences import consequences_of_scores
from sexstrat.audit.eye_rows import EYE_TESTS, eye_rows
from sexstrat.audit.group_data import Options
from sexstrat.audit.grouping import age_grouping
from sexstrat.audit.images import audit_images
from sexstrat.audit.laterality import compare_eyes
from sexstrat.audit.missingness import audit_missing, missing_rows
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.sampling import UNITS_NOTICE, sampling_units
from sexstrat.disclosure.group_rows import protect_tests
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.withhold import releasable_frame
from sexstrat.errors import SchemaError
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((40, 60))


def eyes_of_patients(n: int = 400) -> pd.DataFrame:
    """Return both eyes of patients, the left one more often wrong, some without a score, cataract in every third."""
    rng = np.random.default_rng(3)
    male = np.arange(n) % 2 == 0
    right = np.column_stack([rng.random(n) < 0.9, rng.random(n) < 0.8]).ravel()
    sex = np.repeat(male, 2)
    status = np.where(np.arange(2 * n) % 11 == 0, "ungradable", "ok")
    prob = np.where(right == sex, 0.8, 0.2) + rng.uniform(-0.15, 0.15, 2 * n)
    return pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(2 * n)],
            "patient_id": np.repeat([f"p{k}" for k in range(n)], 2),
            "eye": ["R", "L"] * n,
            "prob_male": np.where(status == "ok", prob, np.nan),
            "status": status,
            "age_years": np.repeat(rng.uniform(40, 80, n), 2),
            "recorded_sex": np.where(sex, "male", "female"),
            "cataract": np.repeat(np.arange(n) % 3 == 0, 2),
            "site": np.repeat(np.where(np.arange(n) < n // 2, "a", "b"), 2),
        }
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return the cohort of this module."""
    return eyes_of_patients()


@pytest.fixture(scope="module")
def result(frame: pd.DataFrame) -> AuditResult:
    """Return its full audit."""
    return audit_scores(
        frame, bands=BANDS, groups=("age_band", "site"), n_replicates=200, full=True, covariates=("cataract",),
        conditions=("cataract",),
    )  # fmt: skip


def test_one_call_compares_the_eyes(frame: pd.DataFrame, result: AuditResult) -> None:
    """The audit's tests hold McNemar's, the odds ratio and kappa of eyes, equal to those of the pairs by hand."""
    rows = result.tests.query("group == 'eye' and metric == 'accuracy'").set_index("test")
    assert set(rows.index) == set(EYE_TESTS)
    scored = frame[frame["status"] == "ok"]
    right = (scored["prob_male"] >= 0.5) == (scored["recorded_sex"] == "male")
    found = compare_eyes(right, scored["eye"], scored["patient_id"])
    assert rows.loc["mcnemar", "p_value"] == pytest.approx(found.mcnemar_p)
    assert rows.loc["eye_agreement", "point"] == pytest.approx(found.kappa)
    assert found.log_odds_ratio is not None
    assert rows.loc["eye_odds_ratio", "point"] == pytest.approx(np.exp(found.log_odds_ratio))
    assert rows.loc["eye_odds_ratio", "low"] < rows.loc["eye_odds_ratio", "point"] < rows.loc["eye_odds_ratio", "high"]
    assert rows["n_patients"].unique().tolist() == [min(found.both, found.only_right, found.only_left, found.neither)]


def test_several_photographs_of_an_eye_count_once(frame: pd.DataFrame) -> None:
    """An eye photographed twice is called by its mean score, once, and the note says so."""
    again = frame.assign(image_id=frame["image_id"] + "b")
    images, rows = audit_images(pd.concat([frame, again], ignore_index=True), ("eye",), "image")
    once, _ = audit_images(frame, ("eye",), "image")
    twice = {row["test"]: row for row in eye_rows(images, rows["eye"]) if row["metric"] == "accuracy"}
    for row in eye_rows(once, frame["eye"]):
        if row["metric"] == "accuracy":
            assert twice[row["test"]].get("point") == pytest.approx(row.get("point"))
            assert "mean score" in twice[row["test"]]["note"]


def test_without_eyes_or_covariates_a_full_audit_says_the_rest(frame: pd.DataFrame) -> None:
    """No column of eyes, no tests of eyes; curves, trends and absence are there all the same."""
    images, rows = audit_images(frame.drop(columns="eye"), (), "image")
    tables, tests = beyond_groups(images, rows, BANDS, (), Options(n_replicates=200))
    assert tests == []
    assert {name: len(table) > 0 for name, table in tables.items()} == dict.fromkeys(
        ("curves", "trends", "missingness"), True
    )
    alone = missing_rows(images, rows, age_grouping(rows["age_years"], BANDS))
    pd.testing.assert_frame_equal(tables["missingness"], alone)


def test_one_eye_only_is_not_compared(frame: pd.DataFrame) -> None:
    """Without left eyes there is no comparison; with few pairs it is undefined with the reason, never a number."""
    rights = frame[frame["eye"] == "R"]
    images, rows = audit_images(rights, ("eye",), "image")
    assert eye_rows(images, rows["eye"]) == []
    few = pd.concat([rights, frame[(frame["eye"] == "L")].head(5)])
    images, rows = audit_images(few, ("eye",), "image")
    found = eye_rows(images, rows["eye"])
    assert {row["state"] for row in found} == {"undefined"}
    assert all("show both eyes" in row["note"] and "p_value" not in row for row in found)


def test_one_call_tells_of_images_without_a_score(frame: pd.DataFrame, result: AuditResult) -> None:
    """Absence, its bounds and the weighted figures are those of the building block, told by every grouping variable."""
    alone = audit_missing(frame, bands=BANDS, groups=("site",), covariates=("cataract",))
    pd.testing.assert_frame_equal(result.missingness, alone)
    assert {"overall", "age_band", "recorded_sex", "site"} == set(result.missingness["group"])


def test_one_call_says_what_the_errors_do(frame: pd.DataFrame, result: AuditResult) -> None:
    """The consequences for a named disease are those of the building block; none are made up where none is named."""
    alone = consequences_of_scores(frame, conditions=["cataract"], bands=BANDS)
    pd.testing.assert_frame_equal(result.consequences, alone)
    assert audit_scores(frame, bands=BANDS, n_replicates=200).consequences.empty


def test_a_disease_that_is_not_there_is_named(frame: pd.DataFrame) -> None:
    """A condition or covariate without a column is refused by name."""
    for wrong in ({"conditions": ("glaucoma",)}, {"covariates": ("glaucoma",), "full": True}):
        with pytest.raises(SchemaError, match="glaucoma"):
            audit_scores(frame, bands=BANDS, n_replicates=200, **wrong)  # type: ignore[arg-type]


def test_eyes_of_few_pairs_are_suppressed_together() -> None:
    """Where men's tests rest on three patients of a kind, women's and everybody's go too: they could be subtracted."""
    rows = [
        {"metric": metric, "group": "eye", "test": test, "p_value": 0.2, "point": 1.5, "low": 1.0, "high": 2.0,
         "level": 0.95, "n_patients": n, "state": "measured"}
        for metric, n in (("correct_among_men", 3), ("correct_among_women", 40), ("accuracy", 43)) for test in EYE_TESTS
    ]  # fmt: skip
    none = releasable_frame(pd.DataFrame(), "audit")
    done = protect_tests(releasable_frame(pd.DataFrame(rows), "audit_test"), none, PROFILES["uk-5"])
    assert set(done["state"]) == {"suppressed"}
    assert done[["p_value", "point", "low", "high"]].isna().all().all()
    enough = releasable_frame(pd.DataFrame([row | {"n_patients": 40} for row in rows]), "audit_test")
    assert set(protect_tests(enough, none, PROFILES["uk-5"])["state"]) == {"measured"}


def in_units(n_units: int, seed: int = 1) -> pd.DataFrame:
    """Return twenty patients a unit, one photograph each; a unit's patients are rightly called more or less often."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_units), 20)
    right = rng.random(len(unit)) < rng.beta(2, 1, n_units)[unit]
    male = np.arange(len(unit)) % 2 == 0
    return pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(len(unit))],
            "patient_id": [f"p{k}" for k in range(len(unit))],
            "prob_male": np.where(right == male, 0.8, 0.2),
            "status": "ok",
            "age_years": 50.0,
            "recorded_sex": np.where(male, "male", "female"),
            "site": np.where(unit % 2 == 0, "a", "b"),
            "psu": unit.astype(str),
        }
    )


def test_intervals_count_the_units_of_a_survey() -> None:
    """Patients sampled in units: as wide as the units taken for patients, by t of 39, with the counts of patients."""
    frame = in_units(40)
    given: dict[str, Any] = {"bands": BANDS, "groups": ("site",), "n_replicates": 200, "full": True}
    surveyed, plain = audit_scores(frame, **given), audit_scores(frame.drop(columns="psu"), **given)
    whole = audit_scores(frame.drop(columns="psu").assign(patient_id=frame["psu"], recorded_sex="male"), **given)
    key = ["metric", "level_name"]
    ours, without, units = (one.audit.set_index(key).loc[("ungradable", "all")] for one in (surveyed, plain, whole))
    assert (ours["n_patients"], without["n_patients"], units["n_patients"]) == (800, 800, 40)
    ours, without = (one.audit.set_index(key).loc[("accuracy", "all")] for one in (surveyed, plain))
    right = ((frame["prob_male"] >= 0.5) == (frame["recorded_sex"] == "male")).to_numpy()
    expected = clustered_proportion(right, frame["psu"], level=2 * norm.cdf(student.ppf(0.975, 39)) - 1)
    assert (ours["low"], ours["high"]) == pytest.approx((expected.low, expected.high))
    assert ours["point"] == pytest.approx(without["point"])
    assert ours["high"] - ours["low"] > 1.8 * (without["high"] - without["low"])
    gaps = [one.gaps.query("metric == 'accuracy' and comparison == 'reference' and scale == 'difference'").iloc[0]
            for one in (surveyed, plain)]  # fmt: skip
    assert gaps[0]["high"] - gaps[0]["low"] > 1.8 * (gaps[1]["high"] - gaps[1]["low"])
    permuted = surveyed.tests.query("test == 'permutation'")
    assert set(permuted["state"]) == {"undefined"}
    assert permuted["note"].str.contains("cannot be dealt").all()
    assert UNITS_NOTICE in surveyed.notices
    assert UNITS_NOTICE not in plain.notices


def test_few_units_are_said_and_one_has_no_interval() -> None:
    """Twelve units: the note says that the interval may be too narrow; one unit: the share stays, the interval goes."""
    rows = audit_scores(in_units(12), bands=BANDS, n_replicates=200).audit.set_index(["metric", "level_name"])
    assert "fewer than 30 primary sampling units" in rows.loc[("accuracy", "all"), "note"]
    one = audit_scores(in_units(12).assign(psu="x"), bands=BANDS, n_replicates=200).audit
    row = one.set_index(["metric", "level_name"]).loc[("auc", "all")]
    assert np.isnan(row["low"]) and not np.isnan(row["point"])
    assert "too few primary sampling units" in row["note"]


def test_the_units_that_hold_men_decide_the_interval_among_men() -> None:
    """Men in three of forty units: Wilson's limits by t of 2, not of 39, and the few units are said."""
    frame = in_units(40)
    in_three = frame["psu"].astype(int) < 3
    frame = frame.assign(recorded_sex=frame["recorded_sex"].where(in_three, "female"))
    row = audit_scores(frame, bands=BANDS, n_replicates=200).audit.set_index(["metric", "level_name"])
    found = row.loc[("correct_among_men", "all")]
    men = frame["recorded_sex"] == "male"
    right = (frame["prob_male"] >= 0.5)[men]
    expected = clustered_proportion(right, frame["psu"][men], level=2 * norm.cdf(student.ppf(0.975, 2)) - 1)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert "fewer than 30 primary sampling units" in found["note"]


def test_a_patient_belongs_to_one_unit() -> None:
    """Two units of one patient are a conflict, named; units of one name in two strata are two."""
    frame = in_units(12)
    twice = pd.concat([frame, frame.head(1).assign(image_id="again", psu="7")])
    with pytest.raises(SchemaError, match="several values of psu"):
        audit_scores(twice, bands=BANDS, n_replicates=200)
    units = sampling_units(frame.assign(psu="x", stratum=frame["site"]))
    assert units is not None and units.n == 2
