"""Gaps of the audit against R: metafor's fit with Morris's interval, beta-binomial, power, adjusted p values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from sexstrat.audit.gaps.beta_binomial import beta_binomial_shares
from sexstrat.audit.gaps.detectable import detectable_gap
from sexstrat.audit.gaps.multiplicity import adjusted
from sexstrat.audit.gaps.shrinkage import empirical_logits, shrunken_shares

FOUND = json.loads((Path(__file__).parent / "outputs" / "audit_gaps.json").read_text(encoding="utf-8"))
SETS = ("sites", "perfect")


@pytest.mark.parametrize("name", SETS)
def test_empirical_bayes_equals_metafor_and_morris(name: str) -> None:
    """tau2, I2 and the prediction interval are metafor's; points and limits Morris's formulas on its fit."""
    wanted = FOUND["morris"][name]
    x, n = np.array(wanted["x"]), np.array(wanted["n"])
    found = shrunken_shares((x / n).tolist(), n.tolist())
    assert found.point == pytest.approx(wanted["point"], rel=1e-6)
    assert found.low == pytest.approx(wanted["low"], rel=1e-6)
    assert found.high == pytest.approx(wanted["high"], rel=1e-6)
    assert found.between.tau2 == pytest.approx(wanted["tau2"], rel=1e-6)
    assert found.between.i2 == pytest.approx(wanted["i2_q"], rel=1e-6)
    predicted = (found.prediction_low, found.prediction_high)
    assert predicted == pytest.approx((wanted["prediction_low"], wanted["prediction_high"]), rel=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_shrinkage_without_morris_factor_is_metafors_blup(name: str) -> None:
    """With B divided by (k - 3)/(k - 1) the estimates are the best linear unbiased predictions."""
    wanted = FOUND["morris"][name]
    x, n = np.array(wanted["x"]), np.array(wanted["n"])
    logits, _ = empirical_logits(x / n, n)
    found, k = shrunken_shares((x / n).tolist(), n.tolist()), len(x)
    plain = logits - found.weight * (k - 1) / (k - 3) * (logits - found.between.mean)
    assert plain == pytest.approx(np.array(wanted["blup"]), rel=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_beta_binomial_equals_fine_integration_in_r(name: str) -> None:
    """Three passes of a 48 x 48 grid give what R's grid of two million points gives."""
    wanted = FOUND["beta_binomial"][name]
    point, low, high = beta_binomial_shares(wanted["x"], wanted["n"])
    for found, key in ((point, "point"), (low, "low"), (high, "high")):
        assert found == pytest.approx(np.array(wanted[key]), abs=2e-4), key


def test_detectable_gap_equals_power_prop_test() -> None:
    """R's power.prop.test finds the same smallest gap for groups of one size."""
    wanted = FOUND["power"]
    assert detectable_gap(0.9, 150, 150)[0] == pytest.approx(wanted["down"], rel=1e-6)
    assert detectable_gap(0.9, 150, 150)[1] == pytest.approx(wanted["up"], rel=1e-6)


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by")])
def test_adjusted_p_values_equal_statsmodels_and_r(method: str, theirs: str) -> None:
    """Holm, Benjamini-Hochberg and Benjamini-Yekutieli to 1e-12, ties and unsorted families included."""
    rng = np.random.default_rng(3)
    for size in (1, 2, 7, 40):
        raw = np.round(rng.random(size) ** 3, 3)
        assert adjusted(raw, method=method) == pytest.approx(multipletests(raw, method=theirs)[1], abs=1e-12)
    stored = FOUND["adjusted"]
    assert adjusted(stored["p"], method=method) == pytest.approx(stored[method], abs=1e-9)


def test_a_test_that_was_not_made_does_not_count() -> None:
    """A test without a p value stays without one, and the family is that much smaller."""
    assert adjusted([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
