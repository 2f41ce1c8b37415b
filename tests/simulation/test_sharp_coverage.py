"""The sharp facts of the methods page about coverage: how often a 95 % interval of the crude ratio holds the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from sexstrat.estimates import ComposeInput, Composition, ppi_mean
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose import compose_input, estimated
from sexstrat.estimates.diagnosis.imputation_comparison import compare_imputations
from sexstrat.estimates.imputation import Imputed, analytic, imputed_composition
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.simulation import (
    ExternalCohort,
    Setting,
    setting,
    simulate_cells,
    true_prevalence_ratio,
)
from sexstrat.values.age_bands import AgeBands

ALL = AgeBands((20,))
FIRST_SEED = 5_000


def figures(row: dict[str, float], truth: float) -> tuple[float, float, bool]:
    """Return how many standard errors off the log ratio is, its standard error, and whether the interval holds it."""
    se = float(row["se"])
    return float(np.log(row["point"] / truth) / se), se, bool(row["low"] < truth < row["high"])


def imputed(given: ComposeInput, arrays: CellArrays, *, known: bool = False) -> dict[str, float]:
    """Return the pooled ratio of infinitely many imputations from a model fitted to some cells, or with it known."""
    model = recalibrate(arrays)
    chosen = replace(model, covariance=np.zeros_like(model.covariance)) if known else model
    return imputed_composition(given, analytic(given.arrays, chosen)).contrast("ratio").rows[0]


def single(given: ComposeInput, seed: int) -> dict[str, float]:
    """Return the ratio after one draw of every missing sex, the model taken as known, and the sexes as recorded."""
    arrays, model = given.arrays, recalibrate(given.arrays)
    trials = np.where(arrays.validated, 0, arrays.n).astype(np.int64)
    men = np.random.default_rng(seed).binomial(trials, model.probability) + arrays.n * arrays.male
    pi = (arrays.total(men) / arrays.n_patients).ravel()
    once = Imputed(pi=pi, between=np.zeros((pi.size, pi.size)), imputations=np.inf)
    return imputed_composition(given, once).contrast("ratio").rows[0]


def ways(one: Setting, cohorts: int) -> dict[str, np.ndarray]:
    """Return the figures of proper, improper and single imputation and of one without disease, by cohort."""
    truth = true_prevalence_ratio(one)
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + cohorts):
        given = compose_input(simulate_cells(one, 20_000, seed).cells, bands=ALL, design="random", seed=seed)
        frame = compare_imputations(given, m=2).to_frame()
        crude = frame[(frame["standard"] == "crude") & (frame["measure"] == "prevalence_ratio")].set_index("method")
        blind = replace(given.arrays, diseased=np.zeros_like(given.arrays.diseased))
        rows = {
            "proper": crude.loc["analytic_limit"].to_dict(),
            "single": single(given, seed),
            "single_drawn": crude.loc["single_imputation"].to_dict(),
            "improper": imputed(given, given.arrays, known=True),
            "without_disease": imputed(given, blind),
        }
        for name, row in rows.items():
            found.setdefault(name, []).append(figures(row, truth))
    return {name: np.array(values) for name, values in found.items()}


def expected(found: np.ndarray, spread: np.ndarray) -> float:
    """Return the coverage of normal intervals of the claimed width around estimates with a true bias and spread."""
    claimed, true = found[:, 1].mean(), spread[:, 1].mean()
    off = float(np.mean(found[:, 0] * found[:, 1])) / true
    reach = 1.96 * claimed / true
    return float(norm.cdf(reach - off) - norm.cdf(-reach - off))


def test_imputations_that_forget_their_own_uncertainty_or_the_disease_do_not_cover() -> None:
    """Fact 6 in ten cohorts: by their widths fixed parameters cover 59 %, and a model without disease 28 %."""
    found = ways(setting("baseline"), 10)
    assert expected(found["improper"], found["proper"]) == pytest.approx(0.59, abs=0.06)
    assert expected(found["without_disease"], found["without_disease"]) == pytest.approx(0.28, abs=0.22)
    assert found["proper"][:, 2].sum() >= 8  # 7 or fewer of 10: once in 1,700 at .96
    assert found["without_disease"][:, 2].sum() <= 7  # 8 or more of 10: once in 1,000 at .28
    for once in ("single", "single_drawn"):
        assert (found[once][:, 1] < 0.55 * found["proper"][:, 1]).all()
    assert (np.abs(found["proper"][:, 0]) < 3.5).all()


def test_a_weak_score_without_disease_never_covers() -> None:
    """Fact 6: at AUC .85 the interval of a model without disease lies below the truth in every cohort."""
    assert not ways(setting("weak"), 4)["without_disease"][:, 2].any()


@pytest.mark.slow
def test_coverage_of_ways_to_impute() -> None:
    """Fact 6 in 400 cohorts: proper 96 %, fixed parameters 59 %, single 55 %, without disease 28 %; at AUC .85 0 %.

    A single imputation whose parameters were drawn, as the table of comparison has it, covers 40 %. Of the page's 28 %
    there are 16 % here, where the interval of the analytic limit is a little narrower.
    """
    found = ways(setting("baseline"), 400)
    coverage = {name: values[:, 2].mean() for name, values in found.items()}
    figures_of_the_page = {"proper": 0.96, "improper": 0.59, "single": 0.55}
    for name, figure in {**figures_of_the_page, "single_drawn": 0.40, "without_disease": 0.16}.items():
        error = (2 * figure * (1 - figure) / 400) ** 0.5  # the page's own figure has as much error
        assert coverage[name] == pytest.approx(figure, abs=3 * error + 0.02), name
    assert ways(setting("weak"), 400)["without_disease"][:, 2].mean() <= 0.01


def transported_calibration(given: ComposeInput) -> Composition:
    """Return the imputation of a cohort from the calibration of the labelled people of another: what is refused."""
    here, there = given.arrays, given.labelled
    arrays = [name for name in here.__dataclass_fields__ if isinstance(getattr(here, name), np.ndarray)]
    both = {name: np.concatenate([getattr(there, name), getattr(here, name)]) for name in arrays}
    model = recalibrate(replace(here, **both))
    return imputed_composition(given, analytic(here, replace(model, design=model.design[there.n.size :])))


def outside_cohorts(count: int) -> Iterator[ComposeInput]:
    """Yield cohorts with 1,000 labelled people elsewhere, among whom men are no sicker than women."""
    one = replace(setting("external"), external=ExternalCohort(disease_by_male=0.0))
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        drawn = simulate_cells(one, 20_000, seed)
        yield compose_input(drawn.cells, bands=ALL, design="external", external=drawn.external)


@pytest.mark.slow
def test_coverage_of_calibration_carried_over() -> None:
    """Fact 8 in 300 cohorts: transported calibration covers 67 %, transported likelihood ratios (E4) 95 %."""
    truth = true_prevalence_ratio(setting("external"))
    held = np.array(
        [
            [figures(made.contrast("ratio").rows[0], truth)[2] for made in (transported_calibration(given), e4)]
            for given in outside_cohorts(300)
            if (e4 := estimated(given, "E4")).state != "refused"
        ]
    )
    assert len(held) > 290
    calibration, ratios = held.mean(axis=0)
    assert calibration == pytest.approx(0.67, abs=0.13)
    assert 0.91 <= ratios <= 0.985


def cell_ppi(given: ComposeInput, like: Composition) -> Composition:
    """Return PPI++ of every age band and disease state, without weights, in place of another composition's shares."""
    arrays = given.arrays
    pi, variance = np.zeros((len(given.bands), 2)), np.zeros((len(given.bands), 2))
    for band, diseased in np.ndindex(pi.shape):
        rows = (arrays.group == 2 * band + diseased) & (arrays.n_eyes > 0)
        known, unknown = (
            np.repeat(np.flatnonzero(some), arrays.n[some].astype(int))
            for some in (rows & arrays.validated, rows & ~arrays.validated)
        )
        p = arrays.mean_prob_male
        one = ppi_mean(arrays.male[known].astype(float), p[known], p[unknown])
        pi[band, diseased], variance[band, diseased] = one.point, one.se**2
    share = arrays.n_patients / arrays.n_patients.sum(axis=0)
    overall = replace(
        like.overall,
        pi=(share * pi).sum(axis=0)[None],
        covariance=np.diag((share**2 * variance).sum(axis=0)),
        variance_df=None,
    )
    return replace(like, overall=overall)


@pytest.mark.slow
def test_coverage_of_ppi_where_recording_is_not_at_random() -> None:
    """Fact 10 in 300 cohorts with everything at once: PPI is off by .065 and covers 85 %, AIPW with the known r 95 %.

    The page's simulation, whose PPI was off by .11, had 72 %.
    """
    truth, found = true_prevalence_ratio(setting("everything")), []
    for seed in range(FIRST_SEED, FIRST_SEED + 300):
        given = compose_input(simulate_cells("everything", 20_000, seed).cells, bands=ALL, design="known_probability")
        aipw = estimated(given, "E1")
        rows = [made.contrast("ratio").rows[0] for made in (aipw, cell_ppi(given, aipw))]
        found.append([(np.log(row["point"] / truth), figures(row, truth)[2]) for row in rows])
    (aipw_off, aipw_covers), (ppi_off, ppi_covers) = np.mean(found, axis=0)
    assert 0.045 <= ppi_off <= 0.12 and abs(aipw_off) < 0.02
    assert 0.65 <= ppi_covers <= 0.90
    assert 0.92 <= aipw_covers <= 0.98
