"""What holds for the audit whatever the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.audit import auc_clustered, audit_scores, calibration_in_the_large, clustered_proportion
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((40, 60), end=80)
MAY_BE_NEGATIVE = (
    *("calibration_in_the_large", "calibration_slope", "predicted_minus_observed_male_share", "scaled_brier"),
    "log_predicted_observed_ratio",
)
MAY_EXCEED_ONE = (
    *("calibration_in_the_large", "calibration_slope", "predicted_sex_ratio", "log_predicted_observed_ratio"),
    "log_loss",
)
FEW = 200  # replicates; what holds does not depend on their number
seeds = st.integers(0, 2**32 - 1)


def cohort(seed: int, patients: int) -> pd.DataFrame:
    """Return patients with one to three images each, some without score, some without recorded sex."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 4, patients))
    sex = rng.choice(["male", "female", "other", "unknown"], patients, p=[0.4, 0.4, 0.05, 0.15])
    gradable = rng.random(len(patient)) < 0.9
    return pd.DataFrame(
        {
            "image_id": np.arange(len(patient)).astype(str),
            "patient_id": patient.astype(str),
            "prob_male": np.where(gradable, rng.choice([0.0, 0.2, 0.5, 0.7, 1.0], len(patient)), np.nan),
            "status": np.where(gradable, "ok", "ungradable"),
            "age_years": rng.uniform(30, 85, patients)[patient],
            "recorded_sex": sex[patient],
        }
    )


@settings(max_examples=30, deadline=None)
@given(seed=seeds, patients=st.integers(1, 80))
def test_every_figure_is_in_range_or_says_why_not(seed: int, patients: int) -> None:
    """A measured figure lies within its limits and its range; one without a number has a state and a reason."""
    rows = audit_scores(cohort(seed, patients), bands=BANDS, min_patients=3, n_replicates=FEW).to_frame()
    measured = rows[rows["state"] == "measured"]
    assert measured["point"].notna().all()
    absent = rows[rows["state"] != "measured"]
    assert absent[["point", "low", "high"]].isna().all(axis=None)
    assert (absent["note"] != "").all()
    bounded = measured[measured["low"].notna()]
    assert ((bounded["low"] <= bounded["point"]) & (bounded["point"] <= bounded["high"])).all()
    assert (bounded.loc[~bounded["metric"].isin(MAY_BE_NEGATIVE), "low"] >= 0).all()
    assert (bounded.loc[~bounded["metric"].isin(MAY_EXCEED_ONE), "high"] <= 1).all()
    assert (measured.loc[measured["se"].notna(), "se"] > 0).all()
    assert (bounded["low"] < bounded["high"]).all()


@settings(max_examples=20, deadline=None)
@given(seed=seeds, patients=st.integers(2, 60))
def test_order_of_rows_does_not_matter(seed: int, patients: int) -> None:
    """Shuffled images give the same audit and the same gaps."""
    frame = cohort(seed, patients)
    shuffled = frame.sample(frac=1, random_state=seed % 1000)
    first, second = (audit_scores(one, bands=BANDS, min_patients=3, n_replicates=FEW) for one in (frame, shuffled))
    pd.testing.assert_frame_equal(first.audit, second.audit, rtol=1e-9, atol=1e-12)
    pd.testing.assert_frame_equal(first.gaps, second.gaps, rtol=1e-9, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_copies_of_images_add_no_certainty(seed: int) -> None:
    """Listing every image three times changes neither an estimate nor its clustered standard error."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(40), 2)
    male, score = (patient % 2).astype(bool), np.round(rng.normal(patient % 2, 1.0), 1)
    prob = 1 / (1 + np.exp(-score))
    right = (prob >= 0.5) == male
    for once, thrice in (
        (auc_clustered(prob, male, patient), auc_clustered(*(np.tile(v, 3) for v in (prob, male, patient)))),
        (clustered_proportion(right, patient), clustered_proportion(np.tile(right, 3), np.tile(patient, 3))),
        (
            calibration_in_the_large(prob, male, patient),
            calibration_in_the_large(*(np.tile(v, 3) for v in (prob, male, patient))),
        ),
    ):
        assert once.point == pytest.approx(thrice.point, abs=1e-9)
        assert once.se == pytest.approx(thrice.se, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_auc_is_about_order_and_swaps_with_the_classes(seed: int) -> None:
    """A rising transform changes nothing; exchanging the sexes gives 1 − AUC with the same standard error."""
    rng = np.random.default_rng(seed)
    patient, male = np.repeat(np.arange(30), 2), np.repeat(rng.permutation(30) < 14, 2)
    score = rng.normal(male, 1.0)
    straight = auc_clustered(score, male, patient)
    bent, swapped = auc_clustered(np.arctan(score), male, patient), auc_clustered(score, ~male, patient)
    assert (bent.point, bent.se) == pytest.approx((straight.point, straight.se))
    assert (swapped.point, swapped.se) == pytest.approx((1 - straight.point, straight.se))


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_equal_weights_are_no_weights(seed: int) -> None:
    """Weights of 4 for everyone change no estimate and no standard error."""
    frame = cohort(seed, 50)
    plain = audit_scores(frame, bands=BANDS, min_patients=3, n_replicates=FEW).to_frame()
    weighted = audit_scores(frame.assign(weight=4.0), bands=BANDS, min_patients=3, n_replicates=FEW).to_frame()
    pd.testing.assert_series_equal(weighted["unweighted"], plain["point"], rtol=1e-9, atol=1e-12, check_names=False)
    same = weighted.drop(columns="unweighted")
    pd.testing.assert_frame_equal(plain.drop(columns="unweighted"), same, rtol=1e-9, atol=1e-12)
