"""Building blocks against independent software and published formulas.

``statsmodels`` 0.15 supplies the single proportions and the multiple-imputation variance; the gamma interval is held
against the exact Poisson interval that it must equal when there is one band.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, ttest_1samp
from statsmodels.stats.proportion import proportion_confint

from sexstrat.estimates import clopper_pearson, direct_standardised, jeffreys, ppi_mean, rubin_pool, wilson


@pytest.mark.parametrize(("x", "n"), [(1, 30), (5, 20), (27, 40), (81, 263), (15, 148)])
def test_single_proportions_agree_with_statsmodels(x: int, n: int) -> None:
    """Wilson, Clopper-Pearson and Jeffreys limits agree with statsmodels to 1e-9."""
    for ours, theirs in ((wilson, "wilson"), (clopper_pearson, "beta"), (jeffreys, "jeffreys")):
        np.testing.assert_allclose(ours(x, n), proportion_confint(x, n, method=theirs), atol=1e-9)


def test_wilson_agrees_with_newcombe() -> None:
    """81 of 263 and 15 of 148: limits printed by Newcombe (Stat Med 1998;17:857-872, table I, method 3)."""
    np.testing.assert_allclose(wilson(81, 263), (0.2553, 0.3662), atol=5e-5)
    np.testing.assert_allclose(wilson(15, 148), (0.0624, 0.1605), atol=5e-5)


def test_gamma_interval_of_one_band_is_the_exact_poisson_one() -> None:
    """With a single band Fay and Feuer's limits are chi-square quantiles over twice the population."""
    found = direct_standardised([7], [1_000], [1])
    expected = chi2.ppf(0.025, 14) / 2_000, chi2.ppf(0.975, 16) / 2_000
    np.testing.assert_allclose((found.low, found.high), expected, rtol=1e-9)


def test_rubin_against_its_own_formulas_written_out() -> None:
    """W, B, T, lambda and the Barnard-Rubin df of five imputations, computed step by step from the paper."""
    q, u, c = np.array([1.0, 1.3, 0.8, 1.1, 1.4]), np.array([0.04, 0.05, 0.045, 0.05, 0.04]), 60.0
    w, b, m = u.mean(), q.var(ddof=1), 5
    t = w + (1 + 1 / m) * b
    lam = (1 + 1 / m) * b / t
    old, observed = (m - 1) / lam**2, (c + 1) / (c + 3) * c * (1 - lam)
    pooled = rubin_pool(q, u, complete_df=c)
    assert (pooled.point, pooled.total) == pytest.approx((1.12, t))
    assert pooled.df == pytest.approx(old * observed / (old + observed))
    r = lam / (1 - lam)
    assert pooled.fmi == pytest.approx((r + 2 / (pooled.df + 3)) / (1 + r))


def test_ppi_without_power_is_the_mean_of_the_labels() -> None:
    """Lambda 0 gives the label mean and the standard error of a one-sample t test."""
    rng = np.random.default_rng(2)
    y, p, u = rng.integers(0, 2, 60), rng.random(60), rng.random(500)
    found = ppi_mean(y, p, u, power=0.0)
    test = ttest_1samp(y, 0.0)
    assert found.point == pytest.approx(y.mean())
    assert found.point / found.se == pytest.approx(test.statistic)


def test_ppi_default_level_is_95_and_two_sided() -> None:
    """Regression against a known defect elsewhere (default alpha 0.1): 1.96 standard errors each way."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 200)
    found = ppi_mean(y, 0.7 * y + 0.3 * rng.random(200), rng.random(2_000))
    assert (found.high - found.low) / found.se == pytest.approx(2 * 1.959964, rel=1e-6)
    assert 0 < found.power <= 1


def test_ppi_covers_with_a_biased_prediction() -> None:
    """A prediction that is off by 0.2 everywhere: 300 samples, coverage of the true mean within Monte Carlo error."""
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(300):
        y = rng.random(1_100) < 0.4
        p = 0.2 + 0.5 * y + 0.2 * rng.random(1_100)
        found = ppi_mean(y[:100], p[:100], p[100:])
        hits += found.low <= 0.4 <= found.high
    assert 0.91 <= hits / 300 <= 0.985
