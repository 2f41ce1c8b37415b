"""What is read in blocks, in the order of patients or from means of images alike is what all images at once give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from sexstrat.audit import auc_clustered, audit_scores
from sexstrat.audit.auc import auc_influence
from sexstrat.audit.calibration import intercept_influence
from sexstrat.audit.calibration_error import expected_calibration_error, expected_if_calibrated
from sexstrat.audit.clusters import Clusters
from sexstrat.audit.weighted_logistic import BINS, weighted_logistic
from sexstrat.values.age_bands import AgeBands

MANY = 20 * BINS + 1_000  # images, from which fits start from means of images alike


def images(n: int, patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the probability, sex, patient and weight of images in no order of patients."""
    rng = np.random.default_rng(8)
    patient = rng.permutation(np.arange(n) % patients)
    male = (rng.random(patients) < 0.45)[patient]
    return expit(rng.normal(male - 0.5, 1)), male, patient, rng.uniform(0.5, 2, n)


def test_a_fit_that_starts_from_means_solves_the_equations_of_all_images() -> None:
    """With 41,000 images the score equations are 0 at the coefficients and at the intercept."""
    prob, male, _, weight = images(MANY, 9_000)
    x = np.log(prob / (1 - prob))
    design = np.column_stack([np.ones(MANY), x, np.maximum(x - 0.5, 0) ** 3])
    fit = weighted_logistic(design, male.astype(float), weight)
    assert fit is not None
    assert fit.fitted == pytest.approx(expit(design @ fit.coefficients), abs=1e-14)
    assert np.abs(design.T @ (weight * (male - fit.fitted))).max() < 1e-10 * MANY
    intercept, each = intercept_influence(prob, male, weight)
    assert abs(weight @ (male - expit(intercept + x))) < 1e-10 * MANY
    assert abs(each.sum()) < 1e-8


def test_the_order_of_images_does_not_matter_to_their_ranks() -> None:
    """Placements by a known order of scores are those of sorting, with ties and without."""
    prob, male, patient, weight = images(3_000, 900)
    for score in (prob, prob.round(2)):
        order = np.argsort(score, kind="stable")
        area, each = auc_influence(score, male, weight)
        again, sorted_each = auc_influence(score[order], male[order], weight[order], np.arange(3_000))
        assert again == pytest.approx(area, rel=1e-12)
        assert sorted_each == pytest.approx(each[order], abs=1e-15)
        pairs = (score[male][:, None] > score[~male]) + 0.5 * (score[male][:, None] == score[~male])
        assert area == pytest.approx(
            float(weight[male] @ pairs @ weight[~male] / weight[male].sum() / weight[~male].sum())
        )
        assert auc_clustered(score, male, patient, weight=weight).point == pytest.approx(area, rel=1e-12)


def test_patients_of_a_part_are_coded_alike_in_any_order() -> None:
    """Patients in order are coded by where they change, others by looking each up: sums and counts are the same."""
    _, male, patient, weight = images(500, 120)
    inside = np.flatnonzero(weight > 1)
    order = np.argsort(patient[inside], kind="stable")
    mixed, which = Clusters.of(patient).part(inside)
    ordered, whose = Clusters(code=np.sort(patient[inside]).astype(np.intp), n=120).part(np.arange(len(inside)))
    assert mixed.n == ordered.n == len(np.unique(patient[inside]))
    assert sorted(mixed.total(weight[inside])) == pytest.approx(sorted(ordered.total(weight[inside][order])))
    assert mixed.sexes(male[inside]) == ordered.sexes(male[inside][order])
    assert len(which) == len(whose) == mixed.n
    single, _ = Clusters.of(patient).part(np.unique(patient, return_index=True)[1])
    assert single.n == len(single.code)
    assert (
        single.having(male[np.unique(patient, return_index=True)[1]])
        == single.sexes(male[np.unique(patient, return_index=True)[1]])[0]
    )


def test_calibration_errors_of_many_patients_are_those_of_one_block() -> None:
    """Over 9,000 patients, three blocks: the error and its spread are those of all patients' sums by bin at once."""
    prob, male, patient, weight = images(20_000, 9_000)
    bins = np.minimum((prob * 10).astype(int), 9)
    table = np.zeros((2, 9_000, 10))
    np.add.at(table[0], (patient, bins), weight * (prob - male))
    np.add.at(table[1], (patient, bins), weight)
    found = expected_calibration_error(prob, male, patient, weight=weight)
    assert found.point == pytest.approx(np.abs(table[0].sum(axis=0)).sum() / weight.sum(), rel=1e-12)
    added = np.column_stack([table[0], table[1].sum(axis=1)])
    total, n = added.sum(axis=0), 9_000
    covariance = n / (n - 1) * (added.T @ added - np.outer(total, total) / n)
    value, vector = np.linalg.eigh(covariance)
    root = (vector * np.sqrt(np.maximum(value, 0))) @ vector.T
    drawn = total + np.random.default_rng(1).standard_normal((2_000, 11)) @ root
    errors = np.abs(drawn[:, :10]).sum(axis=1) / drawn[:, 10]
    assert found.se == pytest.approx(errors.std(ddof=1), rel=1e-6)
    men = np.zeros((9_000, 10))
    np.add.at(men, (patient, bins), weight * prob)
    spread = np.sqrt(2 / np.pi * (men * (table[1] - men)).sum(axis=0)).sum() / weight.sum()
    assert expected_if_calibrated(prob, patient, weight=weight) == pytest.approx(spread, rel=1e-12)


def test_rows_in_any_order_give_the_same_audit() -> None:
    """A shuffled table, in which the eyes of a patient lie apart, gives every figure again."""
    prob, male, patient, _ = images(1_200, 600)
    frame = pd.DataFrame({"image_id": np.arange(1_200).astype(str), "patient_id": patient, "prob_male": prob})
    frame = frame.assign(status="ok", age_years=40.0 + patient % 40, recorded_sex=np.where(male, "male", "female"))
    frame["site"] = np.where(np.arange(1_200) % 3 == 0, "a", "b")
    given = {"bands": AgeBands((40, 60)), "groups": ("age_band", "site"), "n_replicates": 200}
    there, again = (audit_scores(one, **given) for one in (frame.sort_values("patient_id"), frame))
    pd.testing.assert_frame_equal(there.audit, again.audit, rtol=1e-9)
    pd.testing.assert_frame_equal(there.gaps, again.gaps, rtol=1e-7)
