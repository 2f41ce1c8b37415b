"""Analytic derivatives agree with numerical ones, Var g with the multinomial; 0/0 is undefined, never a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sexstrat.estimates import Margin
from sexstrat.estimates.measures import (
    Smooth,
    difference,
    log_odds_ratio,
    log_ratio,
    logit_of,
    male_share_of,
    prevalence_of,
)

WEIGHTS = np.array([0.2, 0.5, 0.3])


def margin(pi: np.ndarray, n: np.ndarray) -> Margin:
    return Margin(
        n=n,
        n_variance=n,
        n_patients=n,
        n_validated=n / 5,
        effective_validated=n / 5,
        pi=pi,
        covariance=np.diag((pi * (1 - pi) / n).ravel()),
    )


PI = np.array([[0.4, 0.6], [0.5, 0.7], [0.45, 0.3]])
N = np.array([[300.0, 40.0], [250.0, 60.0], [180.0, 90.0]])


def both(formula: Callable[[Smooth, Smooth], Smooth], weights: np.ndarray) -> Callable[[Margin], Smooth]:
    return lambda one: formula(*(prevalence_of(one, sex, weights) for sex in ("male", "female")))


MEASURES: dict[str, Callable[[Margin], Smooth]] = {
    "men": lambda one: prevalence_of(one, "male", WEIGHTS),
    "women, logit": lambda one: logit_of(prevalence_of(one, "female", WEIGHTS)),
    "ratio": both(log_ratio, WEIGHTS),
    "difference": both(difference, WEIGHTS),
    "odds ratio": both(log_odds_ratio, WEIGHTS),
    "ratio in a band": both(log_ratio, np.array([0.0, 1.0, 0.0])),
    "share of men": male_share_of,
    "share of men in a band": lambda one: male_share_of(one, 1),
    "logit share": lambda one: logit_of(male_share_of(one)),
}


@pytest.mark.parametrize("name", MEASURES)
def test_derivatives_agree_with_differences(name: str) -> None:
    """Every derivative equals the central difference of the measure itself."""
    formula = MEASURES[name]
    found = formula(margin(PI, N))
    for a in range(3):
        for d in range(2):
            step = np.zeros((3, 2))
            step[a, d] = 1e-6
            by_pi = (formula(margin(PI + step, N)).value - formula(margin(PI - step, N)).value) / 2e-6
            assert found.by_pi[a, d] == pytest.approx(by_pi, abs=1e-6)
            step[a, d] = 1e-3
            by_n = (formula(margin(PI, N + step)).value - formula(margin(PI, N - step)).value) / 2e-3
            assert found.by_n[a, d] == pytest.approx(by_n, abs=1e-8)


@pytest.mark.parametrize("name", MEASURES)
def test_doubling_the_cohort_changes_no_measure(name: str) -> None:
    """Measures ignore the size of the cohort: sum N dg/dN = 0, so the multinomial has no cross terms."""
    found = MEASURES[name](margin(PI, N))
    assert np.sum(found.by_n * N) == pytest.approx(0, abs=1e-12)


def test_variance_agrees_with_drawing_whole_cohorts() -> None:
    """g'Vg + sum (dg/dN)^2 N is the variance over cohorts drawn from the multinomial of band x disease x sex."""
    rng = np.random.default_rng(3)
    people = np.stack([N * (1 - PI), N * PI], axis=-1)
    total = round(N.sum())
    cohorts = rng.multinomial(total, (people / people.sum()).ravel(), size=4000).reshape(-1, 3, 2, 2)
    for name in ("ratio", "share of men"):
        formula = MEASURES[name]
        values = [formula(margin(c[..., 1] / c.sum(axis=-1), c.sum(axis=-1).astype(float))).value for c in cohorts]
        smooth = formula(margin(PI, N))
        stated = margin(PI, N).uncertainty(smooth.by_pi, smooth.by_n).variance
        assert stated == pytest.approx(np.var(values), rel=0.08)


def test_a_very_cohort_has_no_sampling_variance() -> None:
    """For the target cohort the counts are what they are: only g'Vg is left."""
    one = replace(margin(PI, N), sampled=False)
    smooth = MEASURES["ratio"](one)
    g = smooth.by_pi.ravel()
    assert one.uncertainty(smooth.by_pi, smooth.by_n).variance == pytest.approx(g @ one.covariance @ g)


def test_what_cannot_be_divided_is_undefined() -> None:
    """A sex without a case, or nobody of a sex, gives NaN for the ratio: never 0 and never infinity."""
    no_male_case = margin(np.array([[0.5, 0.0]]), np.array([[50.0, 10.0]]))
    men, women = (prevalence_of(no_male_case, sex, np.ones(1)) for sex in ("male", "female"))
    assert men.value == 0
    assert np.isnan(log_ratio(men, women).value)
    assert np.isnan(log_odds_ratio(men, women).value)
    assert difference(men, women).value == pytest.approx(-10 / 35)
    no_men = margin(np.array([[0.0, 0.0]]), np.array([[50.0, 10.0]]))
    assert np.isnan(prevalence_of(no_men, "male", np.ones(1)).value)


def test_an_empty_band_without_weight_does_no_harm() -> None:
    """A band without patients carries NaN shares, and a standard that gives it no weight never looks at them."""
    pi, n = PI.copy(), N.copy()
    pi[2], n[2] = np.nan, 0.0
    one = replace(margin(PI, N), pi=pi, n=n, n_variance=n)
    found = prevalence_of(one, "male", np.array([0.4, 0.6, 0.0]))
    assert np.isfinite(found.value)
    assert np.isfinite(found.by_pi).all() and np.isfinite(found.by_n).all()
    assert np.isnan(prevalence_of(one, "male", WEIGHTS).value)
