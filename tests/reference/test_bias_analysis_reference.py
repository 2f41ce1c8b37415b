"""Sensitivity analyses against a second derivation in R, and against figures published with the R package episensr.

``scripts/bias_analysis.R`` solves the error matrices by ``solve`` and takes numerical derivatives with respect to the
observed counts; its output is kept beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import beta

from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.sensitivity.beta_prior import beta_prior
from sexstrat.estimates.sensitivity.bias_analysis import bias_analysis, bias_analysis_of_draws
from sexstrat.estimates.sensitivity.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.sensitivity.duplicate_records import duplicate_disagreement
from sexstrat.estimates.sensitivity.e_value import e_value
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws, ErrorPriors
from sexstrat.estimates.sensitivity.misclassification_grid import misclassification_grid
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.logit_bins import logit_bin, logit_edges
from sexstrat.values.tables import table_schema

KINDS = {"ratio": "prevalence_ratio", "difference": "prevalence_difference", "odds_ratio": "prevalence_odds_ratio"}
# Greenland S et al. Int Arch Occup Environ Health 1994;66:49-54, the example of Fox, Lash and Greenland 2005: 45
# exposed and 94 unexposed cases, 257 and 945 controls; here, well and diseased predicted female, then male.
RESINS = [[945, 257, 94, 45]]
SMOKING = [[4296, 668, 1449, 215]]  # Fink AK, Lash TL. Cancer Causes Control 2003;14:477-482
TWO_BANDS = [[700, 420, 60, 75], [500, 410, 150, 190]]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    path = Path(__file__).parent / "outputs" / "bias_analysis.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def input_of(tables: list[list[int]], target: Target = Target.population) -> ComposeInput:
    """Return cells with nobody validated: well and diseased predicted female and male, one row of four a band."""
    edges, bands = logit_edges(), AgeBands((40, 60)[: len(tables)])
    rows = [
        {
            "condition": "disease",
            "age_years": 45 + 20 * band,
            "diseased": d == 1,
            "n_eyes": 2,
            "logit_bin": int(logit_bin([0.2 + 0.6 * male], edges)[0]),
            "recorded_sex": "unknown",
            "n": counts[2 * d + male],
            "sum_p": 0,
            "sum_w": float(counts[2 * d + male]),
            "sum_w2": float(counts[2 * d + male]),
        }
        for band, counts in enumerate(tables)
        for d in (0, 1)
        for male in (0, 1)
    ]
    frame = pd.DataFrame(rows).reindex(columns=table_schema("cell").columns)
    return ComposeInput(
        condition="disease",
        bands=bands,
        arrays=cell_arrays(Cells(frame=frame, edges=edges), bands, ValidationDesign.none),
        design=ValidationDesign.none,
        target=target,
        seed=7,
    )


def fixed_draws(expected: dict[str, Any], tables: list[list[int]]) -> BiasAnalysis:
    errors = ErrorDraws(
        sensitivity=np.array(expected["sensitivity"])[:, None, :],
        specificity=np.array(expected["specificity"])[:, None, :],
    )
    weights = {40: 0.7, 60: 0.3} if len(tables) > 1 else None
    return bias_analysis_of_draws(input_of(tables), errors, np.array(expected["noise"]), standardise=weights)


@pytest.mark.parametrize(
    ("name", "tables", "standard"),
    [("one", RESINS, "crude"), ("two_standardised", TWO_BANDS, "own"), ("two_crude", TWO_BANDS, "crude")],
)
def test_given_draws_agree_with_r(expected: dict[str, Any], name: str, tables: list[list[int]], standard: str) -> None:
    """300 draws, three contrasts, one band, two bands crude and standardised: 6 digits, and the discarded share."""
    found, reference = fixed_draws(expected, tables), expected[name]
    for kind, measure in KINDS.items():
        one = found.measure(measure, standard=standard)
        assert one.share_impossible == pytest.approx(reference["share_impossible"], abs=1e-12)
        row = one.row()
        for prefix, values in (("", reference[kind]["total"]), ("systematic_", reference[kind]["systematic"])):
            ours = [row[f"{prefix}{part}"] for part in ("median", "low", "high")]
            np.testing.assert_allclose(ours, values, rtol=1e-6)


def test_beta_priors_reproduce_episensr_on_the_resins_data() -> None:
    """Nondifferential beta(908, 16) and beta(153, 6), systematic error: figures in the tests of episensr 1.2.

    Relative risk 1.7479 (1.6857 to 1.8909), odds ratio 1.8878 (1.8086 to 2.0740), 50,000 draws each: within 0.5 %.
    """
    priors = ErrorPriors.alike(sensitivity=beta_prior(a=908, b=16), specificity=beta_prior(a=153, b=6), by_disease=1.0)
    found = bias_analysis(input_of(RESINS), priors, draws=50_000)
    for measure, values in (
        ("prevalence_ratio", (1.7479, 1.6857, 1.8909)),
        ("prevalence_odds_ratio", (1.8878, 1.8086, 2.0740)),
    ):
        row = found.measure(measure).row()
        ours = [row[f"systematic_{part}"] for part in ("median", "low", "high")]
        np.testing.assert_allclose(ours, values, rtol=5e-3)
        assert row["low"] < row["systematic_low"] < row["systematic_high"] < row["high"]


# Chu H et al. Epidemiology 2006;17:695-702: validation of reported smoking, diseased then well.
CORRELATED = {"sensitivity": ((156, 56), (908, 16)), "specificity": ((205, 18), (153, 6))}


def episensr_draws(draws: int, correlation: float, *, as_written: bool) -> ErrorDraws:
    """Return correlated beta errors as episensr 1.3 draws them, and as its formula means to.

    Fox, Lash and Greenland's recipe: a pair of logits sqrt(r) l0 + sqrt(1 - r) l1 and sqrt(r) l0 + sqrt(1 - r) l2 of
    logistic l is carried to (0, 1) by expit, p, and to the priors by their quantiles at p. For beta priors episensr
    takes the quantile at p / (1 + p) instead: expit a second time, on what is a probability already. p / (1 + p) lies
    between 0 and 1/2, so that every sensitivity and specificity is drawn from the lower half of its prior.
    """
    rng = np.random.default_rng(3)
    columns = {}
    for name, priors in CORRELATED.items():
        shared, *own = rng.logistic(size=(3, draws))
        pair = [expit(correlation**0.5 * shared + (1 - correlation) ** 0.5 * one) for one in own]
        at = [p / (1 + p) if as_written else p for p in pair]
        columns[name] = np.stack([beta.ppf(u, *ab) for u, ab in zip(at, priors, strict=True)], axis=-1)[:, None, :]
    return ErrorDraws(**columns)


def test_correlated_differential_priors_differ_from_episensr_by_its_second_expit() -> None:
    """With its second expit we find its published relative risk of 1.609; without it 1.593, by either copula.

    Published for the resins table, correlations .8, 20,000 draws: relative risk 1.6087 (1.4745 to 1.9400), odds ratio
    1.7143 (1.5506 to 2.1364) of systematic error.
    """
    draws = 100_000
    theirs, meant = (
        bias_analysis_of_draws(input_of(RESINS), episensr_draws(draws, 0.8, as_written=written), np.zeros(draws))
        for written in (True, False)
    )
    pairs = [beta_prior(a=a, b=b) for name in CORRELATED for a, b in CORRELATED[name]]
    names = ("sensitivity_well", "sensitivity_diseased", "specificity_well", "specificity_diseased")
    priors = ErrorPriors(**dict(zip(names, pairs, strict=True)), by_disease=0.8)
    ours = bias_analysis(input_of(RESINS), priors, draws=draws)
    for measure, values in (
        ("prevalence_ratio", (1.608690, 1.474532, 1.940020)),
        ("prevalence_odds_ratio", (1.714321, 1.550609, 2.136385)),
    ):
        as_published = theirs.measure(measure).row()
        np.testing.assert_allclose([as_published[part] for part in ("median", "low", "high")], values, rtol=0.01)
        median = ours.measure(measure).row()["systematic_median"]
        assert median == pytest.approx(meant.measure(measure).row()["median"], rel=5e-3)
    assert ours.measure("prevalence_ratio").row()["systematic_median"] == pytest.approx(1.593, abs=0.005)
    drawn = episensr_draws(2_000, 0.8, as_written=True)
    assert (drawn.sensitivity[..., 1] < beta.median(908, 16)).all()


def test_uniform_draws_reproduce_episensr_on_smoking_and_breast_cancer() -> None:
    """Sensitivity uniform (.7, .95), specificity uniform (.9, .99), nondifferential: its published vignette.

    Odds ratio .9254 (.8478 to .9488) and relative risk .9432 (.8817 to .9612) of systematic error: within 0.5 %.
    """
    rng = np.random.default_rng(1)
    draws = [np.repeat(rng.uniform(*limits, 50_000)[:, None, None], 2, axis=2) for limits in ((0.7, 0.95), (0.9, 0.99))]
    errors = ErrorDraws(sensitivity=draws[0], specificity=draws[1])
    found = bias_analysis_of_draws(input_of(SMOKING), errors, np.zeros(50_000))
    for measure, values in (
        ("prevalence_ratio", (0.9432, 0.8817, 0.9612)),
        ("prevalence_odds_ratio", (0.9254, 0.8478, 0.9488)),
    ):
        row = found.measure(measure).row()
        np.testing.assert_allclose([row[part] for part in ("median", "low", "high")], values, rtol=5e-3)


def test_uncorrected_resins_ratios_are_the_published_ones() -> None:
    """Odds ratio 1.76 (1.20 to 2.58), relative risk 1.647 (1.182 to 2.294), with no error at all."""
    grid = misclassification_grid(input_of(RESINS), sensitivity=[1.0], specificity=[1.0]).to_frame()
    np.testing.assert_allclose(grid.loc[0, ["ratio", "low", "high"]].astype(float), (1.6470, 1.1824, 2.2941), atol=1e-4)
    errors = ErrorDraws(sensitivity=np.ones((1, 1, 2)), specificity=np.ones((1, 1, 2)))
    odds = bias_analysis_of_draws(input_of(RESINS), errors, np.array([1.959964])).measure("prevalence_odds_ratio")
    np.testing.assert_allclose(np.exp([odds.systematic[0], odds.total[0]]), (1.7603, 2.5769), atol=1e-4)


def test_e_values_agree_with_the_formula_in_r(expected: dict[str, Any]) -> None:
    """Ratios above, below and at 1, and the square root of a common disease's odds ratio."""
    found = [e_value(ratio).point for ratio in (3.9, 1.8, 0.8, 1.41, 1.0)]
    np.testing.assert_allclose(found, expected["e_values"], rtol=1e-9)
    assert e_value(2.4, measure="odds_ratio_common").point == pytest.approx(expected["e_value_common"])


def test_error_rate_of_larger_groups_agrees_with_enumerated_patterns(expected: dict[str, Any]) -> None:
    """The likelihood of minorities gives the rate and interval of R's sum over every pattern of records, 37 % men."""
    sizes, minorities, counts = (2, 2, 3, 3, 4, 4), (0, 1, 0, 1, 0, 1), (300, 7, 40, 3, 12, 1)
    groups, sexes = [], []
    for size, minority, count in zip(sizes, minorities, counts, strict=True):
        for _ in range(count):
            groups += [groups[-1] + 1 if groups else 0] * size
            sexes += ["male"] * minority + ["female"] * (size - minority)
    found = duplicate_disagreement(groups, sexes)
    assert found.method == "likelihood"
    np.testing.assert_allclose((found.error_rate, found.low, found.high), expected["duplicates"], rtol=1e-5)


def test_prior_of_an_interval_agrees_with_r(expected: dict[str, Any]) -> None:
    """95 % from .85 to .97: the parameters that R's optimiser finds from qbeta, to 4 digits of a flat optimum."""
    prior = beta_prior(low=0.85, high=0.97)
    np.testing.assert_allclose((prior.a, prior.b), expected["prior"], rtol=1e-4)
