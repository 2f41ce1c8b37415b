"""The audit against independent derivations, another package, and a known defect of one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from sexstrat.audit import auc_clustered, audit_scores, calibration_in_the_large, delong
from sexstrat.values.age_bands import AgeBands

Floats = NDArray[np.float64]


def eyes(seed: int, patients: int = 80, agreement: float = 0.6) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Return rounded scores, sex and patient of one or two eyes each, correlated within patients."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 3, patients))
    male = (rng.random(patients) < 0.45)[patient]
    noise = np.sqrt(agreement) * rng.normal(size=patients)[patient] + np.sqrt(1 - agreement) * rng.normal(
        size=len(male)
    )
    return np.round(1.2 * male + noise, 1), male, patient


def kernel(score: Floats, male: NDArray[np.bool_]) -> Floats:
    """Return ψ for every man-woman pair: 1 right, ½ tied, 0 wrong."""
    men, women = score[male][:, None], score[~male][None, :]
    return (men > women) + 0.5 * (men == women)


def test_delong_is_the_quadratic_derivation() -> None:
    """DeLong's AUC and variance from all pairs, written out as in the paper, equal the fast ones."""
    score, male, patient = eyes(1)
    first = np.unique(patient, return_index=True)[1]
    score, male = score[first], male[first]
    psi = kernel(score, male)
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    variance = v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01)
    result = delong(score, male)
    assert result.point == pytest.approx(psi.mean(), abs=1e-12)
    assert result.se == pytest.approx(np.sqrt(variance), abs=1e-12)


def obuchowski(score: Floats, male: NDArray[np.bool_], patient: NDArray[np.int64]) -> float:
    """Return the variance of Obuchowski 1997 by loops over pairs and patients, following her notation."""
    psi = kernel(score, male)
    theta, (m, n) = psi.mean(), psi.shape
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    labels = np.unique(patient)
    excess10 = np.array([np.sum(v10[patient[male] == k] - theta) for k in labels])
    excess01 = np.array([np.sum(v01[patient[~male] == k] - theta) for k in labels])
    i10, i01, i = len(np.unique(patient[male])), len(np.unique(patient[~male])), len(labels)
    s10 = i10 / ((i10 - 1) * m) * np.sum(excess10**2)
    s01 = i01 / ((i01 - 1) * n) * np.sum(excess01**2)
    s11 = i / (i - 1) * np.sum(excess10 * excess01)
    return float(s10 / m + s01 / n + 2 * s11 / (m * n))


@pytest.mark.parametrize("mixed", [False, True])
def test_obuchowski_by_loops(mixed: bool) -> None:
    """The clustered variance equals the loop version, also when clusters hold both classes (the covariance term)."""
    score, male, patient = eyes(2)
    cluster = patient % 40 if mixed else patient
    assert auc_clustered(score, male, cluster).se == pytest.approx(np.sqrt(obuchowski(score, male, cluster)), abs=1e-12)


def test_obuchowski_with_one_image_a_patient_is_delong() -> None:
    """With single images clustering changes nothing."""
    score, male, _ = eyes(3)
    clustered, plain = auc_clustered(score, male, np.arange(len(score))), delong(score, male)
    assert (clustered.point, clustered.se, clustered.low, clustered.high) == (
        plain.point,
        plain.se,
        plain.low,
        plain.high,
    )
    assert clustered.design_effect == pytest.approx(1.0)


def test_clustered_auc_se_agrees_with_a_patient_bootstrap() -> None:
    """2,000 resamples of patients within each sex give the same standard error within 6 %, and more than DeLong's."""
    score, male, patient = eyes(4, patients=150, agreement=0.9)
    rng = np.random.default_rng(4)
    labels = np.unique(patient)
    rows = [np.flatnonzero(patient == k) for k in labels]
    by_sex = [np.flatnonzero([male[r[0]] == sex for r in rows]) for sex in (True, False)]
    replicates = []
    for _ in range(2000):
        drawn = np.concatenate([rows[k] for one in by_sex for k in rng.choice(one, len(one))])
        replicates.append(float(delong(score[drawn], male[drawn]).point or 0))
    result = auc_clustered(score, male, patient)
    assert result.se == pytest.approx(np.std(replicates, ddof=1), rel=0.06)
    assert result.se is not None
    assert result.se > 1.1 * (delong(score, male).se or 0)


def test_calibration_equals_statsmodels() -> None:
    """Intercept and clustered standard error equal a binomial GLM with offset and cluster covariance."""
    score, male, patient = eyes(5)
    prob = 1 / (1 + np.exp(-(1.5 * score - 0.4)))
    fitted = sm.GLM(
        male.astype(float), np.ones(len(male)), family=sm.families.Binomial(), offset=np.log(prob / (1 - prob))
    ).fit(cov_type="cluster", cov_kwds={"groups": patient})
    result = calibration_in_the_large(prob, male, patient)
    assert result.point == pytest.approx(fitted.params[0], abs=1e-8)
    assert result.se == pytest.approx(fitted.bse[0], rel=1e-8)


def test_whole_weights_equal_repeated_rows_in_statsmodels() -> None:
    """A weight of 3 is the same as listing the image three times under its patient, in an unweighted GLM."""
    score, male, patient = eyes(6)
    prob, weight = 1 / (1 + np.exp(-score)), 1 + (patient % 3)
    offset = np.repeat(np.log(prob / (1 - prob)), weight)
    outcome, groups = np.repeat(male.astype(float), weight), np.repeat(patient, weight)
    model = sm.GLM(outcome, np.ones(len(outcome)), family=sm.families.Binomial(), offset=offset)
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    result = calibration_in_the_large(prob, male, patient, weight=weight)
    assert result.point == pytest.approx(fitted.params[0], abs=1e-8)
    assert result.se == pytest.approx(fitted.bse[0], rel=1e-8)


def test_five_patient_site_of_women_is_undefined_not_zero() -> None:
    """A site with five patients, all women, has no rate among men; fairlearn returns 0 and a gap of .974 from it."""
    rng = np.random.default_rng(7)
    site = np.repeat(["north", "south", "island"], [150, 120, 5])
    male = np.where(site == "island", False, rng.random(275) < 0.5)
    right = rng.random(275) < np.where(site == "north", 0.95, 0.9)
    frame = pd.DataFrame(
        {
            "image_id": np.arange(275).astype(str),
            "patient_id": np.arange(275).astype(str),
            "prob_male": np.where(male == right, 0.9, 0.1),
            "status": "ok",
            "age_years": 55.0,
            "recorded_sex": np.where(male, "male", "female"),
            "site": site,
        }
    )
    result = audit_scores(frame, bands=AgeBands((40,), end=None), groups=("site",))
    island = result.audit.query("level_name == 'island'").set_index("metric")
    for metric in ("correct_among_men", "correct_among_women", "accuracy", "auc"):
        assert island.loc[metric, "state"] == "undefined"
        assert np.isnan(island.loc[metric, "point"])
    assert island.loc["correct_among_men", "note"] == "no men in the denominator"
    gaps = result.gaps.query("metric == 'correct_among_men'").set_index("level_name")
    assert set(gaps.loc["island", "state"]) == {"undefined"}
    south = gaps.query("comparison == 'reference' and scale == 'difference'").loc["south"]
    assert abs(south["point"]) < 0.2
