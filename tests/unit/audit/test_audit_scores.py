"""The audit of a score table: denominators, groups, undefined figures and refused inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.audit import AuditResult, audit_scores
from sexstrat.audit.metrics import METRICS
from sexstrat.errors import SchemaError, StudyError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

BANDS = AgeBands((40, 50, 60), end=70)


def images(n: int = 60, **columns: Any) -> pd.DataFrame:
    """Return n patients with two images each: half men, all but every tenth patient called rightly, ages 40 to 59."""
    patient = np.repeat(np.arange(n), 2)
    male = patient % 2 == 0
    right = patient % 10 != 0
    frame = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(2 * n)],
            "patient_id": [f"p{k}" for k in patient],
            "prob_male": np.where(male == right, 0.8, 0.3),
            "status": "ok",
            "age_years": np.where(patient < n // 2, 45.0, 55.0),
            "recorded_sex": np.where(male, "male", "female"),
        }
    )
    return frame.assign(**columns)


def figure(result: AuditResult, metric: str, level_name: str = "all") -> pd.Series:
    """Return the one row of a metric in a group."""
    rows = result.to_frame().query("metric == @metric and level_name == @level_name")
    assert len(rows) == 1
    return rows.iloc[0]


def test_rows_have_the_columns_of_their_contracts() -> None:
    """The frames carry exactly the contract's columns, every metric in every group, states from the contract."""
    result = audit_scores(images(), bands=BANDS)
    assert list(result.audit.columns) == table_schema("audit").columns
    assert list(result.gaps.columns) == table_schema("gap").columns
    assert set(METRICS) <= set(table_schema("audit").column("metric").enum)
    assert list(result.audit["metric"]) == [*METRICS] * 4
    assert not result.audit.duplicated(list(table_schema("audit").primary_key)).any()
    assert set(result.audit["state"]) <= set(table_schema("audit").column("state").enum)


def test_correct_among_each_sex_by_hand() -> None:
    """Patients 0, 10, ... 50 are men called women: 24 of 30 men and all women are right."""
    result = audit_scores(images(), bands=BANDS)
    men, women = figure(result, "correct_among_men"), figure(result, "correct_among_women")
    assert men["point"] == pytest.approx(24 / 30)
    assert (men["n_images"], men["n_patients"], men["n_patients_numerator"], men["n_patients_complement"]) == (
        60,
        30,
        24,
        6,
    )
    assert men["design_effect"] == pytest.approx(2 * 30 / 29)
    assert women["point"] == 1.0
    assert figure(result, "accuracy")["point"] == pytest.approx(54 / 60)
    assert figure(result, "predicted_minus_observed_male_share")["point"] == pytest.approx(-6 / 60)
    assert figure(result, "observed_male_share")["point"] == 0.5


def test_empty_band_is_zero_patients_and_undefined_rates() -> None:
    """Nobody is 60-69: the counts are a measured zero and every rate is undefined with the reason."""
    result = audit_scores(images(), bands=BANDS)
    assert (figure(result, "n_patients", "60-69")[["point", "state"]] == [0.0, "measured"]).all()
    accuracy = figure(result, "accuracy", "60-69")
    assert np.isnan(accuracy["point"])
    assert (accuracy["state"], accuracy["note"]) == ("undefined", "no patients in the denominator")


def test_band_without_men_is_undefined_for_men_only() -> None:
    """A band of women alone has a rate for women, none for men, and no AUC."""
    frame = images()
    frame = frame[(frame["recorded_sex"] == "female") | (frame["age_years"] < 50)]
    result = audit_scores(frame, bands=BANDS)
    men = figure(result, "correct_among_men", "50-59")
    assert (men["state"], men["note"]) == ("undefined", "no men in the denominator")
    assert figure(result, "correct_among_women", "50-59")["point"] == 1.0
    assert figure(result, "auc", "50-59")["note"] == "no men in the denominator"
    assert figure(result, "calibration_in_the_large", "50-59")["state"] == "undefined"
    rows = result.gaps.query("metric == 'correct_among_men' and level_name == '50-59'")
    assert set(rows["comparison"]) == {"reference", "overall"}
    assert set(rows["state"]) == {"undefined"}
    assert set(rows["note"]) == {"group: no men in the denominator"}


def test_nothing_recorded_is_missing_not_undefined() -> None:
    """Patients are there but nobody's sex was recorded: missing."""
    frame = images()
    frame.loc[frame["age_years"] > 50, "recorded_sex"] = "unknown"
    result = audit_scores(frame, bands=BANDS)
    assert figure(result, "accuracy", "50-59")["state"] == "missing"
    assert figure(result, "ungradable", "50-59")["state"] == "measured"
    assert set(result.gaps.query("metric == 'accuracy' and level_name == '50-59'")["state"]) == {"missing"}


def test_ungradable_is_the_share_of_listed_images() -> None:
    """Every fourth image without a score counts in the ungradable share and in no rate."""
    frame = images()
    lost = np.arange(len(frame)) % 4 == 1
    frame.loc[lost, ["prob_male", "status"]] = [np.nan, "unreadable"]
    result = audit_scores(frame, bands=BANDS)
    assert figure(result, "ungradable")["point"] == pytest.approx(30 / 120)
    assert figure(result, "accuracy")["n_images"] == 90
    assert figure(result, "n_images")["point"] == 120


def test_other_sex_is_counted_and_left_out_of_rates() -> None:
    """Recorded other stays in the counts, in no rate, and is told."""
    frame = images()
    frame.loc[frame["patient_id"] == "p1", "recorded_sex"] = "other"
    result = audit_scores(frame, bands=BANDS)
    count = figure(result, "n_patients")
    assert (count["point"], count["n_male"], count["n_female"]) == (60, 30, 29)
    assert figure(result, "accuracy")["n_patients"] == 59
    assert result.left_out["other"] == 2
    assert any("other" in notice for notice in result.notices)


def test_ages_outside_the_bands_stay_overall() -> None:
    """A patient of 90 counts overall and in no band, and the audit says so."""
    frame = images()
    frame.loc[frame["patient_id"] == "p3", "age_years"] = 90.0
    frame.loc[frame["patient_id"] == "p5", "age_years"] = np.nan
    result = audit_scores(frame, bands=BANDS)
    assert figure(result, "n_patients")["point"] == 60
    assert sum(figure(result, "n_patients", band)["point"] for band in BANDS.labels) == 58
    assert result.left_out["outside_age_bands"] == 4


def test_weights_are_inverse_validation_probabilities() -> None:
    """Men validated with r = ½ count twice in the accuracy: (2·24 + 30)/(2·30 + 30)."""
    frame = images()
    frame["validation_probability"] = np.where(frame["recorded_sex"] == "male", 0.5, 1.0)
    result = audit_scores(frame, bands=BANDS)
    assert figure(result, "accuracy")["point"] == pytest.approx(78 / 90)
    assert figure(result, "ungradable")["point"] == 0.0


def test_wholly_empty_weights_are_ignored() -> None:
    """Columns that the study did not fill change nothing."""
    plain = audit_scores(images(), bands=BANDS).to_frame()
    empty = audit_scores(images(weight=np.nan, validation_probability=np.nan), bands=BANDS).to_frame()
    pd.testing.assert_frame_equal(plain, empty)


def test_gap_is_group_minus_declared_reference() -> None:
    """40-49 holds errors 0, 10, 20 of 15 men and 50-59 30, 40, 50 of 15: no gap; the reference can be declared."""
    by_default = audit_scores(images(), bands=BANDS).gaps
    assert set(by_default.query("comparison == 'reference'")["reference"]) == {"40-49"}
    declared = audit_scores(images(), bands=BANDS, reference="50-59").gaps
    row = declared.query("metric == 'correct_among_men' and level_name == '40-49' and scale == 'difference'").iloc[0]
    assert row["point"] == pytest.approx(0.0)
    assert row["low"] == pytest.approx(-row["high"])
    assert row["low"] < 0 < row["high"]


def test_declared_groups_besides_age() -> None:
    """A condition flag and a site become groups; an empty flag is a group of its own."""
    frame = images()
    number = frame["patient_id"].str[1:].astype(int)
    frame["glaucoma"] = pd.array([None if k == 7 else k % 3 == 0 for k in number], dtype="boolean")
    frame["site"] = np.where(number < 20, "b", "a")
    result = audit_scores(frame, bands=BANDS, groups=("age_band", "glaucoma", "site"))
    levels = result.audit.groupby("group", sort=False)["level_name"].unique().map(list).to_dict()
    assert levels["glaucoma"] == ["no", "yes", "not recorded"]
    assert levels["site"] == ["a", "b"]
    assert figure(result, "n_patients", "yes")["point"] == 20
    assert set(result.gaps.query("group == 'site' and comparison == 'reference'")["reference"]) == {"a"}


def test_patients_in_several_groups_go_with_their_correlation() -> None:
    """Eyes as groups share patients, always alike here: the full audit or not, the gap has no room left to differ."""
    frame = images()
    frame["eye"] = ["R", "L"] * 60
    for full in (False, True):
        result = audit_scores(frame, bands=BANDS, groups=("eye",), n_replicates=200, full=full)
        row = result.gaps.query("metric == 'accuracy' and comparison == 'reference' and scale == 'difference'").iloc[0]
        apart = figure(result, "accuracy", row["level_name"])
        assert row["high"] - row["low"] < 0.8 * (apart["high"] - apart["low"])


def test_patient_unit_averages_the_gradable_images() -> None:
    """Scores .9 and .3 of a man make .6, called male; a patient with no gradable image is ungradable."""
    frame = images()
    frame.loc[frame["patient_id"] == "p2", "prob_male"] = [0.9, 0.3]
    frame.loc[frame["patient_id"] == "p4", ["prob_male", "status"]] = [np.nan, "unreadable"]
    frame.loc[[12], ["prob_male", "status"]] = [np.nan, "unreadable"]
    result = audit_scores(frame, bands=BANDS, unit="patient")
    men = figure(result, "correct_among_men")
    assert (men["n_images"], men["n_patients"]) == (29, 29)
    assert men["point"] == pytest.approx(23 / 29)
    assert figure(result, "ungradable")["point"] == pytest.approx(1 / 60)


def test_images_without_patient_are_left_out_and_told() -> None:
    """A row without patient_id cannot be counted by patient."""
    frame = images()
    frame.loc[0, "patient_id"] = None
    result = audit_scores(frame, bands=BANDS)
    assert figure(result, "n_images")["point"] == 119
    assert result.left_out["no_patient_id"] == 1


def test_html_says_it_has_not_passed_the_gate() -> None:
    """The notebook view warns that it is not fit to be passed on, and escapes names."""
    frame = images()
    frame["site"] = "<b>north</b>"
    html = audit_scores(frame, bands=BANDS, groups=("site",))._repr_html_()
    assert "Not yet through disclosure control" in html
    assert "<b>north" not in html


def test_every_problem_of_the_input_is_listed() -> None:
    """Wrong sexes, probabilities, weights, repeated images and contradicting sexes come in one error."""
    frame = images(weight=1.0, validation_probability=1.0)
    frame["recorded_sex"] = frame["recorded_sex"].astype(object)
    frame.loc[0, "recorded_sex"] = "M"
    frame.loc[2, "prob_male"] = 1.5
    frame.loc[3, "image_id"] = "i2"
    frame.loc[4, "weight"] = 0.0
    frame.loc[6, "validation_probability"] = 0.0
    frame.loc[8, "recorded_sex"] = "female"
    with pytest.raises(SchemaError) as caught:
        audit_scores(frame, bands=BANDS)
    found = {(problem.kind, problem.column) for problem in caught.value.problems}
    assert found == {
        ("not_allowed", "recorded_sex"),
        ("out_of_range", "prob_male"),
        ("duplicate", "image_id"),
        ("out_of_range", "weight"),
        ("out_of_range", "validation_probability"),
        ("conflict", "recorded_sex"),
    }


def test_duplicate_images_already_marked_are_no_problem() -> None:
    """Scoring marks the second image of a name as duplicate_id: the audit counts it as listed and ungradable."""
    frame = images()
    frame.loc[1, ["image_id", "status", "prob_male"]] = ["i0", "duplicate_id", np.nan]
    assert figure(audit_scores(frame, bands=BANDS), "ungradable")["n_patients_numerator"] == 1


def test_missing_columns_are_named() -> None:
    """A missing column is named; nothing else is checked until it is there."""
    with pytest.raises(SchemaError, match="column site: column is missing"):
        audit_scores(images(), bands=BANDS, groups=("age_band", "site"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "eye"}, "unknown unit 'eye'"),
        ({"level": 1.0}, "confidence level"),
        ({"threshold": 1.0}, "threshold"),
        ({"min_patients": 1}, "min_patients"),
        ({"groups": "age_band"}, "sequence of different names"),
        ({"groups": ("overall",)}, "other than 'overall'"),
        ({"reference": "40-48"}, "did you mean '40-49'"),
        ({"reference": {"site": "a"}}, "not grouped by"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], message: str) -> None:
    """An option that cannot be is a usage error that names what is allowed."""
    with pytest.raises(StudyError, match=message):
        audit_scores(images(), bands=BANDS, **options)
