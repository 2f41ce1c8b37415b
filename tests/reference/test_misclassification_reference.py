"""Corrections of predicted sex against R: epiR, asht, simex, general-purpose optimisation, numerical derivatives.

The scripts that made the numbers are in ``scripts``, the numbers in ``outputs``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates.diagnosis.nondifferential import nondifferential_error
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.differential_error import differential_error_test
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.misclassification import lang_reiczigel, rogan_gladen_delta, rogan_gladen_known
from sexstrat.estimates.numbers.regression_calibration import regression_calibration
from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
from sexstrat.estimates.numbers.sex_measures import SexMeasures
from sexstrat.estimates.numbers.simex import mc_simex, misclassification_power
from sexstrat.estimates.numbers.validation_likelihood import validation_likelihood
from sexstrat.estimates.numbers.validation_table import closed_form_shares, validation_table

OUTPUTS = Path(__file__).parent / "outputs"


@cache
def stored(topic: str) -> Any:
    return json.loads((OUTPUTS / f"{topic}.json").read_text(encoding="utf-8"))


def scaled(found: SexMeasures) -> tuple[list[float], list[float]]:
    """Return the measures on the scale of their intervals, and their standard errors there."""
    five = (found.prevalence_men, found.prevalence_women, found.ratio, found.difference, found.odds_ratio)
    men, women, ratio, difference, odds = (float(one.point or 0) for one in five)
    values = [np.log(men / (1 - men)), np.log(women / (1 - women)), np.log(ratio), difference, np.log(odds)]
    return values, [float(one.se or 0) for one in five]


@pytest.mark.parametrize("case", stored("misclassification")["shares"])
def test_corrected_shares_agree_with_epir_and_asht(case: dict[str, float]) -> None:
    """Known accuracy as epiR's epi.prev, Lang-Reiczigel as asht's prevSeSp, delta by numerical gradient, to 1e-6."""
    accuracy = ClassAccuracy(**{name: case[name] for name in ("correct_men", "n_men", "correct_women", "n_women")})
    x, n = case["called_men"], case["n"]
    known = rogan_gladen_known(x, n, sensitivity=accuracy.sensitivity, specificity=accuracy.specificity)
    lang, delta = lang_reiczigel(x, n, accuracy=accuracy), rogan_gladen_delta(x, n, accuracy=accuracy)
    assert known.point == pytest.approx(case["point"], abs=1e-9)
    cut = np.clip([case["known_low"], case["known_high"]], 0, 1)
    np.testing.assert_allclose((known.low, known.high), cut, atol=1e-6)
    np.testing.assert_allclose((lang.low, lang.high), (case["lang_low"], case["lang_high"]), atol=1e-9)
    assert delta.se == pytest.approx(case["delta_se"], rel=1e-6)


@pytest.mark.parametrize("error", ["differential", "nondifferential"])
def test_the_matrix_method_agrees_with_numerical_gradients(error: str) -> None:
    """Shares, their covariance, every measure and its standard error, to 1e-6."""
    given = stored("misclassification")["matrix"]
    m, w = given["men"], given["women"]
    both = [ClassAccuracy(correct_men=m[i], n_men=m[i + 1], correct_women=w[i], n_women=w[i + 1]) for i in (0, 2)]
    pooled = ClassAccuracy(correct_men=m[0] + m[2], n_men=150, correct_women=w[0] + w[2], n_women=150)
    table = given["table"]
    accuracy = both if error == "differential" else pooled
    found = matrix_method(table["called_men"], table["patients"], accuracy=accuracy)
    expected = given[error]
    np.testing.assert_allclose(found.share_of_men, expected["value"][:2], rtol=1e-9)
    np.testing.assert_allclose(found.covariance, expected["covariance"], rtol=1e-6, atol=1e-12)
    values, errors = scaled(found.measures)
    np.testing.assert_allclose(values, expected["value"][2:], rtol=1e-6)
    np.testing.assert_allclose(errors, expected["se"][2:], rtol=1e-6)


@pytest.mark.parametrize("internal", [True, False])
@pytest.mark.parametrize("name", ["typical", "differential", "few"])
def test_the_validation_likelihood_agrees_with_optim(name: str, internal: bool) -> None:
    """Both fits, their information and measures, and the likelihood-ratio test, against R's optim, to 1e-6."""
    case = stored("validation_likelihood")[name]
    test = differential_error_test(validation_table(case["main"], case["validation"], internal=internal))
    expected = case["internal" if internal else "external"]
    assert test.statistic == pytest.approx(expected["statistic"], rel=1e-6)
    assert test.p_value == pytest.approx(expected["p_value"], rel=1e-6)
    for fit, there in (
        (test.differential, expected["differential"]),
        (test.nondifferential, expected["nondifferential"]),
    ):
        values = np.concatenate([fit.share_of_men, fit.sensitivity, fit.specificity])
        np.testing.assert_allclose(values, there["values"], rtol=1e-6)
        np.testing.assert_allclose(fit.covariance, there["covariance"], rtol=2e-5, atol=1e-9)
        measures, errors = scaled(fit.measures)
        np.testing.assert_allclose(measures, there["measures"], rtol=1e-6)
        np.testing.assert_allclose(errors, there["se"], rtol=1e-5)


@pytest.mark.parametrize("internal", [True, False])
@pytest.mark.parametrize("name", ["typical", "differential", "few"])
def test_the_saturated_likelihood_is_its_closed_form(name: str, internal: bool) -> None:
    """With differential error the shares and their variances are those of the closed form, to 1e-8."""
    case = stored("validation_likelihood")[name]
    table = validation_table(case["main"], case["validation"], internal=internal)
    shares, variances = closed_form_shares(table)
    fit = validation_likelihood(table)
    np.testing.assert_allclose(fit.share_of_men, shares, atol=1e-8)
    np.testing.assert_allclose(np.diag(fit.covariance)[:2], variances, rtol=1e-6)


@pytest.mark.parametrize("number", [0, 1])
def test_simex_agrees_with_the_package_of_its_authors(number: int) -> None:
    """Naive value and matrix power to 1e-9; curve, extrapolation and standard error within Monte Carlo error."""
    there = stored("simex")["cases"][number]
    case = there["case"]
    more = 20_000
    found = mc_simex(**case, simulations=more, seed=3)
    assert np.log(found.naive) == pytest.approx(there["naive"], abs=1e-9)
    power = misclassification_power(case["sensitivity"], case["specificity"], 1.5)
    np.testing.assert_allclose(power, there["power_1.5"], rtol=1e-9)
    errors = np.array(there["spread"]) / np.sqrt(there["simulations"])
    assert (np.abs(found.log_estimates[1:] - there["curve"][1:]) < 4 * errors).all()
    amounts = np.array(there["lambdas"])
    weights = np.array([1.0, -1.0, 1.0]) @ np.linalg.pinv(np.vander(amounts, 3, increasing=True))
    spread = float(np.sqrt(np.sum((weights[1:] * errors) ** 2)))
    assert abs(np.log(found.point) - there["log_odds_ratio"]) < 4 * spread
    assert found.se == pytest.approx(there["se"], rel=0.05)


@cache
def cells() -> pd.DataFrame:
    return pd.DataFrame(stored("regression_calibration")["cells"]).astype(float)


def test_regression_calibration_agrees_with_a_numerical_sandwich() -> None:
    """Slope and standard errors of both stages against glm, lm and numerical derivatives, to 1e-6."""
    there, frame = stored("regression_calibration"), cells()
    rows = sex_disease_rows(
        frame["logit_p"], frame["diseased"], frame["male"], counts=frame["counts"], stratum=frame["stratum"]
    )
    found = regression_calibration(rows, assume_nondifferential=True)
    assert found.point == pytest.approx(there["slope"], rel=1e-6)
    assert found.se == pytest.approx(there["se"], rel=1e-6)
    assert found.naive_se == pytest.approx(there["naive_se"], rel=1e-6)


def test_the_shift_by_disease_agrees_with_lm_and_sandwich() -> None:
    """Shift of logit p in men and women with the 90 % interval of the HC3 variance, to 1e-6."""
    there, frame = stored("regression_calibration"), cells()
    found = nondifferential_error(
        sex_disease_rows(
            frame["logit_p"], frame["diseased"], frame["male"], counts=frame["counts"], stratum=frame["stratum"]
        )
    )
    for sex, shift, interval in (
        ("men", found.shift_men, found.interval_men),
        ("women", found.shift_women, found.interval_women),
    ):
        assert interval is not None
        assert shift == pytest.approx(there[f"shift_{sex}"], rel=1e-6)
        assert (interval[1] - interval[0]) / (2 * 1.6448536) == pytest.approx(there[f"shift_{sex}_se"], rel=1e-6)
