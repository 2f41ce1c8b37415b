"""The audit against fairlearn, scikit-learn and aequitas on one table, and their defects, which it does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from sexstrat.audit import audit_scores
from sexstrat.audit.metric_frame import MetricFrame

STORED: dict[str, Any] = json.loads((Path(__file__).parent / "outputs" / "audit_aequitas.json").read_text("utf-8"))
MALE, PROB = np.array(STORED["male"]), np.array(STORED["prob"])
CALLED = (PROB >= 0.5).astype(int)
SITE = np.array(STORED["site"])
PEERS = {
    "accuracy": sk.accuracy_score,
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "true_negative_rate": fl.true_negative_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": sk.precision_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "count": fl.count,
}
DEFINED = SITE != "e"  # five women: there the rates among men do not exist


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Return the audit of the table by site, a patient an image."""
    frame = pd.DataFrame(
        {
            "image_id": np.arange(len(MALE)).astype(str),
            "patient_id": np.arange(len(MALE)).astype(str),
            "prob_male": PROB,
            "status": "ok",
            "age_years": 50.0,
            "recorded_sex": np.where(MALE == 1, "male", "female"),
            "site": SITE,
        }
    )
    result = audit_scores(frame, groups=("site",), min_patients=2, n_replicates=200)
    return result.to_frame().set_index(["metric", "level_name"])


def ours(**given: Any) -> MetricFrame:
    """Return our frame of all metrics on the rows where fairlearn's are defined."""
    common: dict[str, Any] = {"y_true": MALE[DEFINED], "y_pred": CALLED[DEFINED], "min_patients": 1}
    return MetricFrame(metrics={name: name for name in PEERS}, **common, sensitive_features=SITE[DEFINED], **given)


def theirs(**given: Any) -> fl.MetricFrame:
    """Return fairlearn's of the same."""
    common: dict[str, Any] = {"y_true": MALE[DEFINED], "y_pred": CALLED[DEFINED]}
    return fl.MetricFrame(metrics=dict(PEERS), **common, sensitive_features=SITE[DEFINED], **given)


def test_values_overall_and_by_group_are_those_of_fairlearn() -> None:
    """All ten metrics agree to 1e-9, over all rows and in each site."""
    np.testing.assert_allclose(ours().overall.astype(float), theirs().overall.astype(float), atol=1e-9)
    np.testing.assert_allclose(ours().by_group.astype(float), theirs().by_group.astype(float), atol=1e-9)
    assert list(ours().by_group.index) == list(theirs().by_group.index)


@pytest.mark.parametrize("method", ["between_groups", "to_overall"])
def test_gaps_are_those_of_fairlearn(method: Any) -> None:
    """Differences and ratios agree to 1e-9 where every group is defined and of sufficient size."""
    np.testing.assert_allclose(ours().difference(method), theirs().difference(method=method).astype(float), atol=1e-9)
    np.testing.assert_allclose(ours().ratio(method), theirs().ratio(method=method).astype(float), atol=1e-9)


def test_control_features_keep_the_shape_of_fairlearn() -> None:
    """Within each of two halves: the same values by half and site, and the same largest gaps by half."""
    half = np.where(np.arange(len(MALE)) % 2, "odd", "even")[DEFINED]
    ours_, theirs_ = ours(control_features=half), theirs(control_features=half)
    assert ours_.by_group.index.tolist() == theirs_.by_group.index.tolist()
    np.testing.assert_allclose(ours_.overall.astype(float), theirs_.overall.astype(float), atol=1e-9)
    np.testing.assert_allclose(ours_.by_group.astype(float), theirs_.by_group.astype(float), atol=1e-9)
    np.testing.assert_allclose(ours_.difference().astype(float), theirs_.difference().astype(float), atol=1e-9)


@pytest.mark.parametrize("site", ["all", "a", "b", "c", "d"])
def test_the_audit_agrees_with_scikit_learn(rows: pd.DataFrame, site: str) -> None:
    """Twelve metrics of the audit equal scikit-learn's in all rows and in each site to 1e-9."""
    inside = np.ones(len(SITE), dtype=bool) if site == "all" else site == SITE
    y, p, c = MALE[inside], PROB[inside], CALLED[inside]
    expected = {
        "accuracy": sk.accuracy_score(y, c),
        "balanced_accuracy": sk.balanced_accuracy_score(y, c),
        "correct_among_men": sk.recall_score(y, c),
        "correct_among_women": sk.recall_score(y, c, pos_label=0),
        "correct_among_called_men": sk.precision_score(y, c),
        "correct_among_called_women": sk.precision_score(y, c, pos_label=0),
        "f1": sk.f1_score(y, c),
        "auc": sk.roc_auc_score(y, p),
        "brier": sk.brier_score_loss(y, p),
        "log_loss": sk.log_loss(y, p),
        "predicted_male_share": c.mean(),
        "observed_male_share": y.mean(),
    }
    for metric, value in expected.items():
        if rows.loc[(metric, site), "state"] == "measured":
            assert rows.loc[(metric, site), "point"] == pytest.approx(value, abs=1e-9), metric
        else:  # too few of a sex for our AUC; five called men or fewer
            assert (metric, site) == ("auc", "d"), (metric, site)


@pytest.mark.parametrize("site", ["a", "b", "c", "d", "e"])
def test_rates_are_those_of_aequitas(site: str) -> None:
    """Where aequitas defines a rate of a site it is ours to 1e-9; where it has none ours has a reason."""
    names = {
        "tpr": "true_positive_rate",
        "tnr": "true_negative_rate",
        "fpr": "false_positive_rate",
        "fnr": "false_negative_rate",
        "precision": "precision",
        "npv": "negative_predictive_value",
        "pprev": "selection_rate",
        "prev": "prevalence",
        "accuracy": "accuracy",
    }
    found = MetricFrame(
        metrics={name: name for name in names.values()}, y_true=MALE, y_pred=CALLED, sensitive_features=SITE
    )
    reasons = found.to_frame().set_index(["metric", "sensitive_feature_0"])
    for theirs_, ours_ in names.items():
        value, expected = found.by_group.loc[site, ours_], STORED["rates"][site][theirs_]
        if expected is None:
            assert np.isnan(value)
            assert reasons.loc[(ours_, site), "note"] == "nobody in the denominator"
        else:
            assert value == pytest.approx(expected, abs=1e-9), ours_


def test_a_rate_of_nobody_is_not_zero() -> None:
    """Site e has no men: fairlearn gives it a true positive rate of 0 and so a gap above 0.7; ours leaves e out."""
    given: dict[str, Any] = {"y_true": MALE, "y_pred": CALLED, "sensitive_features": SITE}
    peer = fl.MetricFrame(metrics=fl.true_positive_rate, **given)
    assert peer.by_group["e"] == 0
    assert peer.difference() > 0.7
    found = MetricFrame(metrics="true_positive_rate", **given)
    assert np.isnan(found.by_group.loc["e", "true_positive_rate"])
    assert found.difference()["true_positive_rate"] < 0.3
    left_out = found.left_out().set_index("sensitive_feature_0")["note"]
    assert left_out["e"] == "nobody in the denominator"


def test_a_ratio_of_zero_is_flagged_and_an_infinite_one_is_not_ten() -> None:
    """One group never called: the ratio is 0, the worst there is, neither NaN nor 10; all never called: NaN."""
    given: dict[str, Any] = {"y_true": [1, 0] * 20, "sensitive_features": ["a"] * 20 + ["b"] * 20}
    found = MetricFrame(metrics="selection_rate", y_pred=[1] * 20 + [0] * 20, **given)
    assert found.ratio()["selection_rate"] == 0.0
    assert np.isnan(MetricFrame(metrics="selection_rate", y_pred=[0] * 40, **given).ratio()["selection_rate"])


def test_the_size_that_counts_is_that_of_the_rate_in_patients() -> None:
    """Thirty rows with four positives, or of six patients, are too few for a gap though the rows are many."""
    site = np.repeat(["a", "b", "c"], 30)
    true = np.r_[np.tile([1, 0], 15), np.tile([1, 0], 15), np.r_[np.ones(4), np.zeros(26)]]
    patients = np.r_[np.arange(30), 100 + np.arange(30) % 6, 200 + np.arange(30)]
    found = MetricFrame(
        metrics="true_positive_rate", y_true=true, y_pred=true, sensitive_features=site, patients=patients
    )
    assert found.left_out()["sensitive_feature_0"].tolist() == ["b", "c"]
    assert np.isnan(found.difference()["true_positive_rate"])


def test_intervals_count_patients_and_opposite_errors_do_not_cancel(rows: pd.DataFrame) -> None:
    """Eyes listed twice give no narrower interval; a gap among men and an opposite one among women both stay."""
    once = MetricFrame(metrics="accuracy", y_true=MALE, y_pred=CALLED, sensitive_features=SITE).to_frame()
    twice = MetricFrame(
        metrics="accuracy",
        y_true=np.tile(MALE, 2),
        y_pred=np.tile(CALLED, 2),
        sensitive_features=np.tile(SITE, 2),
        patients=np.tile(np.arange(len(MALE)), 2),
    ).to_frame()
    np.testing.assert_allclose(once[["low", "high"]].astype(float), twice[["low", "high"]].astype(float), atol=1e-9)
    men, women = (rows.loc[(f"correct_among_{sex}", "all"), "point"] for sex in ("men", "women"))
    assert rows.loc[("accuracy", "all"), "point"] == pytest.approx(MALE.mean() * men + (1 - MALE.mean()) * women)
