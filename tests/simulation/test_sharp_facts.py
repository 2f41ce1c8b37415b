"""The sharp facts of the methods page, each as a number that can fail."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from sexstrat.estimates import ComposeInput, compose
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.imputation import analytic, imputed_composition
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.simulation import Setting, setting, simulate_cells, true_prevalence_ratio
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

ALL = AgeBands((20,))


def score_population(auc: float, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a calibrated score on a fine grid: p, and its density among men and among women."""
    separation = np.sqrt(2) * norm.ppf(auc)
    z = np.linspace(-9, 9, 20_001)
    men, women = (norm.pdf(z, sign * separation / 2) for sign in (1, -1))
    return expit(logit(share) + separation * z), men / men.sum(), women / women.sum()


def test_weighting_loses_the_conditional_covariance() -> None:
    """Fact 1: with a calibrated score the male prevalence is off by -E[Cov(S, D | p)] / pi, whatever the error."""
    p, men, women = score_population(0.9, 0.45)
    pi, ill_men, ill_women = 0.45, expit(-1 + 0.4 * p), expit(-1.6 + 0.8 * p)  # disease differs by sex and by p
    density = pi * men + (1 - pi) * women
    weighted = np.sum(density * p * (p * ill_men + (1 - p) * ill_women)) / pi
    truth = np.sum(men * ill_men)
    covariance = np.sum(density * p * (1 - p) * (ill_men - ill_women))
    assert weighted - truth == pytest.approx(-covariance / pi, abs=1e-9)


def test_what_naive_analyses_keep_of_a_difference() -> None:
    """Facts 1 to 3: nondifferential error leaves Var(p)/(pi (1 - pi)) by weighting and PPV + NPV - 1 by threshold."""
    for auc, by_weight, by_class in ((0.80, 0.27, 0.45), (0.90, 0.49, 0.64), (0.97, 0.73, 0.82)):
        p, men, women = score_population(auc, 0.5)
        density = (men + women) / 2
        assert np.sum(density * (p - 0.5) ** 2) / 0.25 == pytest.approx(by_weight, abs=0.012)
        correct = men[p >= 0.5].sum()  # PPV = NPV = share classified correctly, by symmetry
        assert 2 * correct - 1 == pytest.approx(by_class, abs=0.012)


def test_the_slope_on_a_calibrated_score_is_the_difference() -> None:
    """Fact 2: least squares of disease on a calibrated score gives the risk difference itself (nondifferential)."""
    p, men, women = score_population(0.85, 0.48)
    density = 0.48 * men + 0.52 * women
    risk = 0.30 * p + 0.12 * (1 - p)
    centred = p - np.sum(density * p)
    assert np.sum(density * centred * risk) / np.sum(density * centred**2) == pytest.approx(0.18, abs=1e-9)


def test_differential_error_fools_the_naive_and_not_e1() -> None:
    """Fact 5: true ratio 1.40 with the score shifted by disease: threshold near 1.98, E1 and E2 on the truth."""
    one = setting("error_by_disease")
    both = simulate_cells(one, 120_000, 4)
    found = {
        name: float(
            compose(both.cells, bands=ALL, design="random", method=name).contrast("ratio").to_frame().loc[0, "point"]
        )
        for name in ("naive_threshold", "naive_weighted", "E1", "E2")
    }
    assert found["naive_threshold"] == pytest.approx(1.95, abs=0.08)
    assert found["naive_weighted"] > 1.75
    for name in ("E1", "E2"):
        assert found[name] == pytest.approx(true_prevalence_ratio(one), abs=0.13)


def test_nondifferential_error_attenuates_as_measured() -> None:
    """The baseline's threshold ratio is 1.31 where the truth is 1.40."""
    cells = simulate_cells("baseline", 200_000, 4).cells
    frame = compose(cells, bands=ALL, design="random", method="naive_threshold").contrast("ratio").to_frame()
    assert frame.loc[0, "point"] == pytest.approx(1.31, abs=0.035)


def test_imputation_without_disease_equals_weighting() -> None:
    """Fact 6: leaving the disease out of the imputation model gives the attenuated ratio of weighting."""
    cells = simulate_cells(Setting(name="many", auc=0.85, validated=0.3), 60_000, 2).cells
    arrays = cell_arrays(cells, ALL, ValidationDesign.random)
    given = ComposeInput(
        condition="disease", bands=ALL, arrays=arrays, design=ValidationDesign.random, target=Target.population
    )
    model = recalibrate(arrays)
    blind = model.beta.copy()
    without = [not name.startswith("diseased") for name in model.names]
    # refit without disease: the same covariates but for the three that carry it
    from sexstrat.estimates.recalibration import fit_logistic

    rows = arrays.validated
    n, male = arrays.n[rows], arrays.male[rows].astype(float)
    blind[:] = 0
    beta, _ = fit_logistic(model.design[rows][:, without], male * n, n, np.full(sum(without), 1e-6))
    blind[without] = beta
    import dataclasses

    congenial, uncongenial = (
        imputed_composition(given, analytic(arrays, dataclasses.replace(model, beta=b))).contrast("ratio").to_frame()
        for b in (model.beta, blind)
    )
    truth = true_prevalence_ratio(setting("baseline"))
    assert congenial.loc[0, "low"] < truth < congenial.loc[0, "high"]
    assert uncongenial.loc[0, "high"] < truth
