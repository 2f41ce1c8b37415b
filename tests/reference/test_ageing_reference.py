"""The curves over age against geepack's stored figures and statsmodels' GEE, both with independence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm

from sexstrat.audit.ageing import band_trend, clustered_logistic, spline_columns

STORED = Path(__file__).parent / "outputs" / "ageing.json"


@pytest.fixture(scope="module")
def eyes() -> dict[str, Any]:
    """Return the simulated eyes and what geepack made of them."""
    found: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return found


def weights_of(eyes: dict[str, Any], kind: str) -> np.ndarray | None:
    return np.asarray(eyes["weight"], dtype=float) if kind == "weighted" else None


@pytest.mark.parametrize("kind", ["plain", "weighted"])
def test_spline_fit_is_geepack_with_independence(eyes: dict[str, Any], kind: str) -> None:
    """Coefficients and sandwich of the four-knot spline agree with R's geeglm to six digits."""
    x = spline_columns(eyes["age"], eyes["knots"])
    fit = clustered_logistic(x, eyes["right"], eyes["patient"], weight=weights_of(eyes, kind))
    np.testing.assert_allclose(fit.coefficients, eyes[kind]["coefficients"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fit.covariance, eyes[kind]["covariance"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
def test_spline_fit_is_statsmodels_gee_with_independence(eyes: dict[str, Any], kind: str) -> None:
    """The same fit agrees with statsmodels' GEE, which loops over patients, to 1e-8."""
    x = spline_columns(eyes["age"], eyes["knots"])
    weight = weights_of(eyes, kind)
    fit = clustered_logistic(x, eyes["right"], eyes["patient"], weight=weight)
    gee = sm.GEE(
        np.asarray(eyes["right"], dtype=float),
        x,
        groups=eyes["patient"],
        family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Independence(),
        weights=weight,
    ).fit(ctol=1e-13, maxiter=200)
    np.testing.assert_allclose(fit.coefficients, gee.params, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fit.covariance, gee.cov_robust, rtol=0, atol=1e-8)


def test_band_trend_is_the_gee_score_test(eyes: dict[str, Any]) -> None:
    """The clustered Cochran-Armitage z squared is statsmodels' GEE score test of the straight line, to 1e-8."""
    decade = np.floor(np.asarray(eyes["age"]) / 10)
    x = np.column_stack([np.ones(decade.size), decade])
    model = sm.GEE(
        np.asarray(eyes["right"], dtype=float), x, groups=eyes["patient"], family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Independence(),
    )  # fmt: skip
    null = sm.GEE(
        np.asarray(eyes["right"], dtype=float), x[:, :1], groups=eyes["patient"], family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Independence(),
    ).fit(ctol=1e-13, maxiter=200)  # fmt: skip
    score = model.compare_score_test(null)
    found = band_trend(decade, eyes["right"], eyes["patient"])
    assert found.z is not None
    assert found.z**2 == pytest.approx(float(np.squeeze(score["statistic"])), abs=1e-8)
    assert found.p_value == pytest.approx(float(np.squeeze(score["p-value"])), abs=1e-8)


def test_band_trend_with_one_image_a_patient_is_close_to_the_binomial_one() -> None:
    """With independent images the statistic tends to Cochran and Armitage's own, whose variance is binomial."""
    rng = np.random.default_rng(8)
    band = np.repeat([0.0, 1.0, 2.0], 3000)
    right = rng.random(9000) < 0.7 - 0.02 * band
    centred = band - band.mean()
    classic = float(centred @ right) / np.sqrt(right.mean() * (1 - right.mean()) * np.sum(centred**2))
    found = band_trend(band, right, np.arange(9000))
    assert found.z == pytest.approx(classic, rel=0.01)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(found.z or 0.0)))
