"""Bias analysis: impossible draws are counted by reason, too many refuse, and no number is ever called corrected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput, margin
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.measures import prevalence_of
from sexstrat.estimates.numbers.corrected_contrast import corrected_contrast, corrected_places
from sexstrat.estimates.numbers.misclassified_shares import IMPOSSIBLE
from sexstrat.estimates.sensitivity.beta_prior import BetaPrior, beta_prior
from sexstrat.estimates.sensitivity.bias_analysis import bias_analysis, bias_analysis_of_draws
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws, ErrorPriors, draw_errors
from sexstrat.estimates.sensitivity.misclassification_grid import misclassification_grid
from sexstrat.estimates.worked_example import worked_input
from sexstrat.values.design import Target, ValidationDesign


def unvalidated() -> ComposeInput:
    return replace(worked_input(), design=ValidationDesign.none)


def errors_of(*pairs: tuple[float, float]) -> ErrorDraws:
    """Return one draw a pair of sensitivity and specificity, the same in both disease states."""
    columns = [np.repeat(np.array(values)[:, None, None], 2, axis=2) for values in zip(*pairs, strict=True)]
    return ErrorDraws(sensitivity=columns[0], specificity=columns[1])


def near(value: float) -> ErrorPriors:
    prior = beta_prior(mean=value, sd=0.02)
    return ErrorPriors.alike(sensitivity=prior, specificity=prior, by_disease=0.8)


def test_every_impossible_draw_is_counted_with_its_reason() -> None:
    """Half of the well and 60 % of the diseased look male: one draw for each way in which that cannot be."""
    errors = errors_of((0.8, 0.8), (0.4, 0.5), (0.9, 0.39), (0.55, 0.9), (0.9, 0.45))
    found = bias_analysis_of_draws(unvalidated(), errors, np.zeros(5)).measure()
    expected = [0.2, 0.2, 0.2, 0.2, 0.0]
    assert [found.impossible[reason] for reason in IMPOSSIBLE] == pytest.approx(expected)
    assert found.share_impossible == pytest.approx(0.8)
    assert found.state == "refused"
    assert "80% of the draws are impossible" in found.why_refused
    assert "median" not in found.row()


def test_a_few_impossible_draws_warn_and_many_refuse() -> None:
    """Priors that the data mostly rule out give no number; others say in the note how much was left out."""
    refused = bias_analysis(unvalidated(), near(0.58), draws=2000)
    assert refused.state == "refused"
    assert refused.to_frame().loc[0, ["median", "low", "high"]].isna().all()
    assert refused.discarded()["share"].sum() > 0
    warned = bias_analysis(unvalidated(), near(0.62), draws=2000)
    assert warned.state == "bias_analysis"
    assert 0.1 < warned.measure().share_impossible < 0.5
    assert "left out" in (warned.measure().note or "")
    assert warned.warnings
    fine = bias_analysis(unvalidated(), near(0.8), draws=2000)
    assert fine.measure().note is None
    assert not fine.warnings


def test_no_state_is_ever_corrected() -> None:
    """Every row is a bias analysis or refused, at every place."""
    found = bias_analysis(unvalidated(), near(0.8), draws=1000, standardise="cohort")
    assert set(found.to_frame()["state"]) == {"bias_analysis"}
    assert len(found.measures) == 3 * 4
    assert found.to_frame()["n_scored"].tolist()[:3] == [1100] * 3


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("kind", list(CONTRASTS))
def test_value_and_variance_are_those_of_the_common_engine(kind: str, target: Target) -> None:
    """A draw's contrast and random error equal those of a margin with the same shares and covariance."""
    given = replace(unvalidated(), target=target)
    *_, place = corrected_places(given, errors_of((0.85, 0.78)), {40: 1.0, 60: 3.0})
    found = corrected_contrast(place, kind, sampled=given.sampled)
    pi, variance = place.shares.pi[0], place.shares.variance[0]
    same = margin(given, pi, np.diag(variance.ravel()), variance_df=np.full(pi.shape, np.inf))
    theta = CONTRASTS[kind][1](*(prevalence_of(same, sex, place.weights) for sex in ("male", "female")))
    assert found.value[0] == pytest.approx(theta.value, abs=1e-12)
    assert found.variance[0] == pytest.approx(same.uncertainty(theta.by_pi, theta.by_n).variance, rel=1e-10)


def test_the_very_cohort_has_no_error_with_a_perfect_class() -> None:
    """Without errors these very people's difference is known: no random error; a population's is not."""
    for target, expected in ((Target.cohort, 0.0), (Target.population, None)):
        given = replace(unvalidated(), target=target)
        found = corrected_contrast(
            next(corrected_places(given, errors_of((1.0, 1.0)))), "difference", sampled=given.sampled
        )
        assert (
            found.variance[0] == pytest.approx(expected, abs=1e-15) if expected is not None else found.variance[0] > 0
        )


def test_the_copula_keeps_marginals_and_has_the_declared_correlation() -> None:
    """Means and deviations of 40,000 draws as stated; rank correlation 6/pi asin(r/2) of a Gaussian copula."""
    priors = ErrorPriors(
        sensitivity_well=beta_prior(mean=0.9, sd=0.03),
        sensitivity_diseased=beta_prior(mean=0.8, sd=0.05),
        specificity_well=beta_prior(mean=0.85, sd=0.04),
        specificity_diseased=beta_prior(mean=0.7, sd=0.06),
        by_disease=0.7,
        between_errors=-0.4,
    )
    found = draw_errors(priors, draws=40_000, seed=3)
    columns = np.column_stack([found.sensitivity[:, 0], found.specificity[:, 0]])
    np.testing.assert_allclose(columns.mean(axis=0), [0.9, 0.8, 0.85, 0.7], atol=2e-3)
    np.testing.assert_allclose(columns.std(axis=0), [0.03, 0.05, 0.04, 0.06], rtol=0.02)
    expected = 6 / np.pi * np.arcsin(priors.correlation / 2)
    np.testing.assert_allclose(spearmanr(columns).statistic, expected, atol=0.015)


def test_correlation_between_disease_states_narrows_the_interval() -> None:
    """Errors that move together cancel in the ratio: independent priors give a wider interval."""
    prior = beta_prior(mean=0.8, sd=0.03)
    widths = []
    for r in (0.0, 0.9):
        priors = ErrorPriors.alike(sensitivity=prior, specificity=prior, by_disease=r)
        row = bias_analysis(unvalidated(), priors, draws=4000).measure().row()
        widths.append(np.log(row["systematic_high"] / row["systematic_low"]))
    assert widths[1] < 0.6 * widths[0]


def test_priors_by_band_are_used_by_band() -> None:
    """A band whose classes are perfect keeps its naive ratio, the other is corrected to 5/3."""
    sure, right = (beta_prior(mean=mean, sd=1e-6) for mean in (1 - 1e-6, 0.8))
    priors = [ErrorPriors.alike(sensitivity=one, specificity=one, by_disease=1.0) for one in (right, sure)]
    frame = bias_analysis(unvalidated(), priors, draws=1000).to_frame()
    ratios = frame[(frame["measure"] == "prevalence_ratio") & frame["age_low"].notna()]["systematic_median"]
    assert ratios.astype(float).tolist() == pytest.approx([5 / 3, 90 / 290 / (60 / 260)], abs=1e-3)


def test_the_histogram_holds_nearly_all_draws() -> None:
    """Densities times the width of a bin on the log scale add up to 99 % with random error, less without."""
    one = bias_analysis(unvalidated(), near(0.8), draws=4000).measure()
    frame = one.histogram(25)
    width = np.log(frame["high"]) - np.log(frame["low"])
    assert np.ptp(width) < 1e-9
    assert (frame["density_total"] * width).sum() == pytest.approx(0.99, abs=0.002)
    assert len(frame) == 25


def test_too_few_patients_in_a_cell_are_refused() -> None:
    """With nine diseased the normal approximation to random error is not trusted; nobody at all is no traceback."""
    given = unvalidated()
    ill = given.arrays.diseased == 1
    scale = np.where(ill, 0.02, 1.0)
    few = replace(given, arrays=replace(given.arrays, n=given.arrays.n * scale, w=given.arrays.w * scale))
    found = bias_analysis(few, near(0.8), draws=1000)
    assert found.state == "refused"
    assert "patients with the disease have a score" in found.why
    none = replace(
        given, arrays=replace(given.arrays, n=given.arrays.n * 0, w=given.arrays.w * 0, w2=given.arrays.w2 * 0)
    )
    assert "only 0 patients" in bias_analysis(none, near(0.8), draws=1000).why


def test_the_grid_says_what_the_data_rule_out() -> None:
    """A corrected ratio where possible, with random error; elsewhere the reason and no number; differential too."""
    frame = misclassification_grid(
        unvalidated(), sensitivity=[0.48, 0.8], specificity=[0.8], difference=(0.1, -0.1)
    ).to_frame()
    assert frame["state"].tolist() == ["impossible", "bias_analysis"]
    assert frame.loc[0, ["ratio", "low", "high"]].isna().all()
    assert frame.loc[0, "note"] in IMPOSSIBLE
    diseased = (0.6 + 0.7 - 1) / (0.9 + 0.7 - 1)  # half of the diseased are men then, as of the well: a ratio of 1
    assert diseased == pytest.approx(0.5)
    assert frame.loc[1, "ratio"] == pytest.approx(1.0)
    assert frame.loc[1, "low"] < 1 < frame.loc[1, "high"]


def test_the_ends_of_random_error_are_the_normal_ones() -> None:
    """With one fixed error the simulated 95 % interval is the Wald interval on the log scale."""
    draws = 200_000
    noise = norm.ppf((np.arange(draws) + 0.5) / draws)
    errors = ErrorDraws(sensitivity=np.full((draws, 1, 2), 0.8), specificity=np.full((draws, 1, 2), 0.8))
    row = bias_analysis_of_draws(unvalidated(), errors, noise).measure().row()
    grid = misclassification_grid(unvalidated(), sensitivity=[0.8], specificity=[0.8]).to_frame()
    assert [row["low"], row["high"]] == pytest.approx(grid.loc[0, ["low", "high"]].astype(float).tolist(), rel=1e-4)


def test_mistakes_are_named() -> None:
    """Too few draws, a prior given twice or that no beta has, correlations and bands that do not fit."""
    with pytest.raises(EstimationError, match="at least 1000 draws"):
        bias_analysis(unvalidated(), near(0.8), draws=10)
    with pytest.raises(EstimationError, match="exactly one pair"):
        beta_prior(mean=0.9, sd=0.1, a=3.0)
    with pytest.raises(EstimationError, match="below sqrt"):
        beta_prior(mean=0.9, sd=0.4)
    with pytest.raises(EstimationError, match="inside 0 to 1"):
        beta_prior(low=0.9, high=1.0)
    with pytest.raises(EstimationError, match="positive"):
        BetaPrior(a=0.0, b=1.0)
    with pytest.raises(EstimationError, match="between -1 and 1"):
        ErrorPriors.alike(sensitivity=BetaPrior(a=9, b=1), specificity=BetaPrior(a=9, b=1), by_disease=1.2)
    with pytest.raises(EstimationError, match="3 age bands and the study has 2"):
        bias_analysis(unvalidated(), [near(0.8)] * 3, draws=1000)
    with pytest.raises(EstimationError, match="one draw of random error"):
        bias_analysis_of_draws(unvalidated(), errors_of((0.8, 0.8)), np.zeros(3))
    with pytest.raises(EstimationError, match="no prevalence_ratio"):
        bias_analysis(unvalidated(), near(0.8), draws=1000).measure(standard="esp_2013")
