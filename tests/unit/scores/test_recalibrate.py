"""Patient scores are recalibrated by number of eyes, each labelled patient by the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from sexstrat.errors import EstimationError, SchemaError, StudyError
from sexstrat.scores import calibration_line, patient_scores, read_recorded_sex, recalibrated_patients

DISTANCE = 1.5  # between the sexes, in standard deviations of one eye's score


def simulated(n: int, correlation: float, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return scores of n pairs of eyes, each score calibrated by itself, and the recorded sex of each patient."""
    rng = np.random.default_rng(seed)
    male = rng.random(n) < 0.5
    shared, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 2))
    noise = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    signal = np.where(male, 0.5, -0.5)[:, None] * DISTANCE + noise
    names = [f"p{number:06d}" for number in range(n)]
    scores = pd.DataFrame(
        {
            "patient_id": np.repeat(names, 2),
            "eye": ["R", "L"] * n,
            "prob_male": expit(DISTANCE * signal).ravel(),  # the likelihood ratio of one eye's score
            "status": "ok",
            "model_id": "m",
            "model_sha256": "0" * 64,
        }
    )
    return scores, pd.Series(np.where(male, "male", "female"), index=names)


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, 2.0), (0.6, 1.25), (1.0, 1.0)])
def test_the_slope_of_the_mean_of_two_eyes_is_two_over_one_plus_rho(correlation: float, expected: float) -> None:
    """Two calibrated logits whose errors correlate by rho: their mean is under-confident by 2 / (1 + rho)."""
    scores, sex = simulated(60_000, correlation, seed=20)
    found = recalibrated_patients(patient_scores(scores), sex)
    (line,) = found.lines
    assert (line.n_eyes, line.n_male + line.n_female, line.state) == (2, 60_000, "ok")
    assert line.slope == pytest.approx(expected, abs=0.04)
    assert line.slope_low is not None and line.slope_high is not None
    assert line.slope_high - line.slope_low < 0.12
    assert line.slope_low - 0.02 < expected < line.slope_high + 0.02
    again, _ = calibration_line(
        logit(found.patients["prob_male_calibrated"].to_numpy()),
        (found.patients["patient_id"].map(sex) == "male").to_numpy(),
    )
    assert again.tolist() == pytest.approx([0, 1], abs=0.03)
    one_eye = recalibrated_patients(patient_scores(scores[scores["eye"] == "R"]), sex)
    assert one_eye.lines[0].slope == pytest.approx(1.0, abs=0.04)


def test_a_labelled_patient_is_scored_by_the_others_and_an_unlabelled_one_by_all() -> None:
    """Turning one patient's label around moves neither their own fold's scores nor only theirs."""
    scores, sex = simulated(200, 0.5, seed=1)
    patients = patient_scores(scores)
    sex = sex.iloc[:150]
    found = recalibrated_patients(patients, sex).patients
    assert found["calibration"].tolist() == ["cross_fitted"] * 150 + ["fitted"] * 50
    turned = sex.copy()
    turned.iloc[0] = "female" if sex.iloc[0] == "male" else "male"
    again = recalibrated_patients(patients, turned).patients
    same = np.isclose(found["prob_male_calibrated"], again["prob_male_calibrated"], atol=1e-12)
    assert same[0]
    assert 10 < same[:150].sum() < 60
    assert not same[150:].any()


def test_too_few_of_a_sex_gives_no_line_and_says_so() -> None:
    """Nineteen men with two eyes are too few; with no other group calibration is refused, with one it goes on."""
    scores, sex = simulated(400, 0.5, seed=2)
    men = sex.index[sex == "male"]
    few = sex.drop(men[19:])
    with pytest.raises(EstimationError, match=r"19 men and .* women with a score; needed: 20 of each"):
        recalibrated_patients(patient_scores(scores), few)
    lone = scores[~((scores["eye"] == "L") & scores["patient_id"].isin(sex.index[:200]))]
    keep = [*men[men <= sex.index[199]], *men[men > sex.index[199]][:5], *sex.index[sex == "female"]]
    found = recalibrated_patients(patient_scores(lone), sex.loc[keep])
    assert [(line.n_eyes, line.state) for line in found.lines] == [(1, "ok"), (2, "too_few")]
    assert found.lines[1].slope is None
    two = found.patients["n_eyes"] == 2
    assert set(found.patients.loc[two, "calibration"]) == {"too_few"}
    assert found.patients.loc[two, "prob_male_calibrated"].isna().all()
    assert found.patients.loc[~two, "prob_male_calibrated"].notna().all()


def test_scores_that_part_the_sexes_completely_have_no_line() -> None:
    """No slope is the likeliest when any steeper one is likelier."""
    with pytest.raises(EstimationError, match="no calibration line exists"):
        calibration_line(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))


def test_a_patient_without_a_score_stays_a_row() -> None:
    """Unreadable images leave a row with no eye, no probability and no calibration; other models are refused."""
    scores, sex = simulated(100, 0.5, seed=3)
    scores.loc[scores["patient_id"] == "p000007", ["prob_male", "status"]] = [np.nan, "unreadable"]
    found = recalibrated_patients(patient_scores(scores), sex).patients.set_index("patient_id").loc["p000007"]
    assert (found["n_eyes"], found["n_images"], found["n_listed"]) == (0, 0, 2)
    assert found[["prob_male", "eye_spread", "prob_male_calibrated", "calibration"]].isna().all()
    mixed = scores.assign(model_id=["m", "other"] * 100)
    with pytest.raises(StudyError, match=r"of 2 models \(m, other\)"):
        patient_scores(mixed)
    with pytest.raises(StudyError, match="name no patient"):
        patient_scores(scores.assign(patient_id=None))


def test_recorded_sex_is_read_and_never_guessed(tmp_path: Path) -> None:
    """Codes other than the contract's, and missing columns, are named with row and column."""
    table = tmp_path / "persons.csv"
    table.write_text("patient_id,recorded_sex\na,male\nb,F\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="row 3, column recorded_sex: value is not allowed; found 'F'"):
        read_recorded_sex(table)
    table.write_text("patient_id,sex\na,male\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="column recorded_sex: column is missing"):
        read_recorded_sex(table)
    with pytest.raises(StudyError, match="no such table"):
        read_recorded_sex(tmp_path / "nowhere.csv")
