"""Diagnostics, Rubin's rules and the mixture of scores against R: stats, sandwich, mice.

The numbers were made by tests/reference/scripts/diagnostics.R and stand in tests/reference/outputs/diagnostics.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from sexstrat.estimates import rubin_pool
from sexstrat.estimates.diagnosis.accuracy_by_age import accuracy_by_age
from sexstrat.estimates.diagnosis.calibration_by_disease import calibration_by_disease
from sexstrat.estimates.diagnosis.calibration_measures import calibration_measures
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow
from sexstrat.estimates.diagnosis.disease_shift import disease_shift
from sexstrat.estimates.diagnosis.entropy_balance import entropy_balance
from sexstrat.estimates.diagnosis.mixture_fit import fit_mixture
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "outputs" / "diagnostics.json").read_text(encoding="utf-8")
)
Z90, Z95 = 1.6448536269514722, 1.959963984540054


def people(*, weighted: bool) -> ValidatedPeople:
    """Return R's data, one row a person."""
    data = {name: np.asarray(values, dtype=float) for name, values in STORED["data"].items()}
    one = np.ones(data["male"].size)
    weight = data["w"] / data["w"].mean() if weighted else one
    return ValidatedPeople(
        n=one,
        weight=weight,
        squares=weight**2,
        male=data["male"] > 0,
        diseased=data["diseased"],
        one_eye=data["one_eye"],
        score=data["score"],
        prob_male=expit(data["score"]),
        decades=(data["age"] - 60) / 10,
        band=data["band"].astype(np.int64),
        site=np.zeros(one.size, dtype=np.int64),
        predicted_male=data["score"] > 0,
    )


def found(rows: tuple[DiagnosticRow, ...], statistic: str, level: str = "all") -> DiagnosticRow:
    """Return the row of a figure."""
    (row,) = (one for one in rows if one.statistic == statistic and one.level == level)
    return row


def estimate_and_error(row: DiagnosticRow, z: float = Z95) -> tuple[float, float]:
    """Return the point and the standard error that the interval implies."""
    assert row.point is not None
    assert row.low is not None
    assert row.high is not None
    return row.point, (row.high - row.low) / (2 * z)


def test_the_disease_in_the_calibration_agrees_with_a_likelihood_ratio_test() -> None:
    """Chi-square and p-value equal R's anova(glm, glm), the log odds ratio and its robust error those of sandwich."""
    rows, stored = calibration_by_disease(people(weighted=False)), STORED["calibration_by_disease"]
    test = found(rows, "likelihood_ratio_chi_square")
    np.testing.assert_allclose((test.point, test.p_value), (stored["chi_square"], stored["p_value"]), rtol=1e-6)
    ratio = estimate_and_error(found(rows, "log_odds_ratio_of_disease"))
    np.testing.assert_allclose(ratio, stored["log_odds"], rtol=1e-6)
    heavy = calibration_by_disease(people(weighted=True))
    ratio = estimate_and_error(found(heavy, "log_odds_ratio_of_disease"))
    np.testing.assert_allclose(ratio, stored["weighted"], rtol=1e-6)
    wald = (stored["weighted"][0] / stored["weighted"][1]) ** 2
    assert found(heavy, "likelihood_ratio_chi_square").point == pytest.approx(wald, rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_shift_by_disease_agrees_with_hc3(weighted: bool) -> None:
    """Shift of logit p in women, in men and their difference, with vcovHC(lm, type = "HC3"), weighted or not."""
    rows, stored = disease_shift(people(weighted=weighted)), STORED["shift"]["weighted" if weighted else "equal"]
    for sex in ("women", "men", "men_minus_women"):
        ours = estimate_and_error(found(rows, "shift_of_logit_p", sex))
        np.testing.assert_allclose(ours, stored[sex], rtol=1e-6)
        in_sd = estimate_and_error(found(rows, "shift_in_sd", sex), Z90)
        assert in_sd[1] / in_sd[0] == pytest.approx(stored[sex][1] / stored[sex][0], rel=1e-6)


def test_sensitivity_by_age_agrees() -> None:
    """Wilson limits equal prop.test, heterogeneity chisq.test, the trend glm with a robust error."""
    rows, stored = accuracy_by_age(people(weighted=False), ("40-59", "60-74", "75+")), STORED["accuracy"]
    for label, numbers in zip(("40-59", "60-74", "75+"), stored["bands"], strict=True):
        row = found(rows, "sensitivity", label)
        np.testing.assert_allclose((row.point, row.low, row.high), numbers, rtol=1e-6)
    test = found(rows, "heterogeneity_of_sensitivity")
    np.testing.assert_allclose((test.point, test.p_value), (stored["heterogeneity"], stored["p_value"]), rtol=1e-6)
    trend = estimate_and_error(found(rows, "trend_of_sensitivity_per_decade"))
    np.testing.assert_allclose(trend, stored["trend"], rtol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_calibration_agrees(weighted: bool) -> None:
    """Brier, calibration in the large, Cox intercept and slope, ECE and the spline curve's ICI, weighted or not."""
    rows = calibration_measures(people(weighted=weighted), ())
    stored = STORED["calibration"]["weighted" if weighted else "equal"]
    names = {
        "brier": "brier",
        "calibration_in_the_large": "large",
        "cox_intercept": "intercept",
        "cox_slope": "slope",
    }
    for ours, theirs in names.items():
        np.testing.assert_allclose(estimate_and_error(found(rows, ours)), stored[theirs], rtol=1e-6, atol=1e-9)
    assert found(rows, "integrated_calibration_index").point == pytest.approx(stored["ici"], rel=1e-6)
    assert found(rows, "expected_calibration_error").point == pytest.approx(stored["ece"], rel=1e-6)


def test_rubins_rules_agree_with_mice() -> None:
    """Point, W, B, T, Barnard-Rubin df and fmi of seven imputations equal mice::pool.scalar."""
    stored = STORED["rubin"]
    pooled = rubin_pool(stored["q"], stored["u"], complete_df=stored["complete_df"])
    ours = (pooled.point, pooled.within, pooled.between, pooled.total, pooled.df, pooled.fmi)
    theirs = [stored[name] for name in ("qbar", "ubar", "b", "t", "df", "fmi")]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_the_mixture_agrees_with_a_general_optimiser() -> None:
    """Deviance to six digits, and the share of men, equal those that R's nlm finds for the same likelihood."""
    stored = STORED["mixture"]
    fit = fit_mixture(*(np.array([stored[name]], dtype=float) for name in ("mixed", "men", "women")))
    assert fit.deviance[0] == pytest.approx(stored["deviance"], rel=1e-6)
    assert fit.pi[0] == pytest.approx(stored["pi"], abs=1e-4)
    assert fit.df[0] == 4


def test_entropy_balance_agrees_with_the_dual_problem() -> None:
    """The factors equal those of R's optim on the dual, and reach the target means."""
    sample = people(weighted=True)
    men = sample.of(sample.male)
    x = np.column_stack([men.decades, men.decades**2, men.one_eye])
    target = np.asarray(STORED["balance"]["target"])
    factor = entropy_balance(x, men.weight, target)
    assert factor is not None
    np.testing.assert_allclose(np.average(x, axis=0, weights=men.weight * factor), target, atol=1e-6)
    np.testing.assert_allclose(factor, STORED["balance"]["factor"], rtol=1e-4)
