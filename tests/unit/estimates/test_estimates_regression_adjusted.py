"""Regressions with imputed sexes: hand-checked numbers, draws against their limit, targets, clusters and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import ComposeInput, rubin_pool
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.numbers.mean_model import LINKS, fit_mean_model
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.estimates.regression.imputed_counts import expected_men, imputed_men
from sexstrat.estimates.regression.regression_adjusted import regression_adjusted
from sexstrat.estimates.regression.regression_design import regression_design
from sexstrat.estimates.regression.regression_result import REGRESSION_MEASURES, RegressionAdjusted
from sexstrat.estimates.regression.robust_variance import Counts, cluster_variance
from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
from sexstrat.simulation import Setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.tables import table_schema

BANDS = AgeBands((20, 50, 60, 70, 80))
CELLS = simulate_cells(Setting(name="s", validated=0.3, auc=0.9), 6_000, 2).cells


def given(cells: Cells, bands: AgeBands = BANDS, design: str = "random", target: str = "population") -> ComposeInput:
    declared = ValidationDesign(design)
    arrays = cell_arrays(cells, bands, declared)
    return ComposeInput(condition="disease", bands=bands, arrays=arrays, design=declared, target=Target(target))


def known(target: str = "population") -> ComposeInput:
    return given(worked_cells(all_known=True), worked_bands(), target=target)


def in_sites(cells: Cells, sites: int) -> Cells:
    """Return the cells dealt over sites."""
    frame = cells.frame.copy()
    frame["site"] = [f"site {row % sites}" for row in range(len(frame))]
    return replace(cells, frame=frame)


def test_every_sex_recorded_by_hand() -> None:
    """1/3 of 600 men, 1/5 of 500 women: ratio 5/3 and odds ratio 2, HC1 variance (1 - p) / (n p) in each sex."""
    ratio, odds = (regression_adjusted(known(), link=link).coefficients[0] for link in ("poisson", "logistic"))
    assert ratio.ratio == pytest.approx(5 / 3)
    assert odds.ratio == pytest.approx(2)
    scale = 1_100 / 1_097
    assert ratio.within == pytest.approx(((2 / 3) / 200 + (4 / 5) / 100) * scale)
    assert odds.within == pytest.approx((1 / 200 + 1 / 400 + 1 / 100 + 1 / 400) * scale)
    assert (ratio.between, ratio.fmi, ratio.df) == (0, 0, 1_097)


def test_pooling_is_rubins() -> None:
    """The table is Rubin's rules over the fits of the very imputations, made here one by one."""
    one = worked_input()
    found = regression_adjusted(one, imputations=30).coefficients[0]
    design = regression_design(one, link="poisson")
    draws = imputed_men(
        one.arrays, recalibrate(one.arrays), design.group, design.size, 30, np.random.default_rng(one.seed)
    )
    values = []
    for men in draws:
        counts = design.counts(men)
        fit = fit_mean_model(design.x, counts.cases, counts.people, "poisson")
        assert fit is not None
        values.append(fit.beta[1])
    pooled = rubin_pool(values, np.full(30, found.within), complete_df=1_097)
    assert np.log(found.ratio) == pytest.approx(pooled.point)
    assert found.between == pytest.approx(pooled.between)
    assert (found.df, found.fmi) == (pytest.approx(pooled.df), pytest.approx(pooled.fmi))
    assert found.monte_carlo_se == pytest.approx((pooled.between / 30) ** 0.5)


@pytest.mark.parametrize("link", LINKS)
def test_draws_approach_their_limit(link: str) -> None:
    """Point, W and B of 1,000 imputations equal the delta-method limit within Monte Carlo error."""
    one = given(CELLS)
    drawn = regression_adjusted(one, link=link, imputations=1_000)
    limit = regression_adjusted(one, link=link, imputations=np.inf)
    assert (drawn.imputations, limit.imputations) == (1_000, np.inf)
    for ours, theirs in zip(drawn.coefficients, limit.coefficients, strict=True):
        assert np.log(ours.ratio / theirs.ratio) == pytest.approx(0, abs=4 * ours.monte_carlo_se + 0.003)
        assert ours.within == pytest.approx(theirs.within, rel=0.02)
        assert ours.between == pytest.approx(theirs.between, rel=0.16)  # a variance of 1,000 draws: 4.5 % SE


def test_the_very_cohort_has_no_sampling_variance() -> None:
    """Target cohort: only the imputation varies, at most on the validated patients' degrees of freedom."""
    population, cohort = (
        regression_adjusted(given(CELLS, target=one), imputations=60).coefficients[0] for one in Target
    )
    assert cohort.within == 0
    assert cohort.between == population.between
    assert cohort.fmi == 1
    assert cohort.df is not None and cohort.df <= 59
    counted = regression_adjusted(known("cohort")).coefficients[0]
    assert counted.ratio == pytest.approx(5 / 3)
    assert (counted.low, counted.se, counted.p_value) == (None, None, None)
    assert "no interval" in counted.note


@pytest.mark.parametrize("age", ["linear", "quadratic", "bands"])
def test_age_enters_as_asked(age: str) -> None:
    """Decades, decades and their square, or one ratio per band over the youngest; sex hardly moves."""
    found = regression_adjusted(given(CELLS), age=age, imputations=30)
    terms = {
        "linear": ["age_per_decade"],
        "quadratic": ["age_per_decade", "age_per_decade_squared"],
        "bands": ["age_50-59", "age_60-69", "age_70-79", "age_80+"],
    }
    assert found.to_frame()["term"].tolist() == ["male", *terms[age]]
    linear = regression_adjusted(given(CELLS), imputations=30)
    assert found.coefficients[0].ratio == pytest.approx(linear.coefficients[0].ratio, rel=0.05)


def test_sites_are_adjusted_for_and_may_be_the_clusters() -> None:
    """Eight sites: their effects are fitted, not reported; as clusters they give t on at most seven df."""
    one = given(in_sites(CELLS, 8))
    patient, site = (regression_adjusted(one, cluster=unit, imputations=40) for unit in (None, "site"))
    assert patient.adjusted_for == site.adjusted_for == ("age", "site")
    assert (patient.cluster, patient.variance, patient.n_clusters) == ("patient", "HC1", 6_000)
    assert (site.cluster, site.variance, site.n_clusters) == ("site", "Mancl-DeRouen", 8)
    assert patient.coefficients[0].ratio == site.coefficients[0].ratio
    assert site.coefficients[0].df is not None and site.coefficients[0].df < 7
    assert "sites are independent" in site.assumptions[0]
    assert "8 clusters by site (Mancl-DeRouen)" in site.estimates.rows[0]["note"]


def test_a_site_of_its_own_is_left_out_with_its_effect() -> None:
    """With site effects the leave-one-out variance equals the one that drops the site's own column by hand."""
    rng = np.random.default_rng(8)
    site = np.repeat(np.arange(5), 4)
    x = np.column_stack([(site == code).astype(float) for code in range(5)] + [np.tile([1.0, 1.0, 0.0, 0.0], 5)])
    people = rng.integers(30, 90, 20).astype(float)
    counts = Counts.unweighted(rng.binomial(people.astype(int), 0.3).astype(float), people)
    fit = fit_mean_model(x, counts.cases, people, "logistic")
    assert fit is not None
    slope = LINKS["logistic"].slope(x @ fit.beta)
    found = cluster_variance(x, fit, counts, slope, site, np.array([5]))
    assert found is not None
    by_hand = 0.0
    for code in range(5):
        keep, others, own = [k for k in range(6) if k != code], site != code, site == code
        information = (x[others] * (people * slope)[others, None]).T @ x[others]
        score = x[own].T @ (counts.cases - people * fit.fitted)[own]
        by_hand += np.linalg.solve(information[np.ix_(keep, keep)], score[keep])[-1] ** 2
    assert found[5, 5] == pytest.approx(by_hand, rel=1e-8)


def test_a_cluster_that_alone_tells_a_coefficient_gives_no_variance() -> None:
    """All men in one of three clusters: without it there is no sex to compare, so no variance is made up."""
    cluster = np.repeat(np.arange(3), 2)
    x = np.column_stack([np.ones(6), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    counts = Counts.unweighted(np.array([4.0, 3, 5, 2, 6, 3]), np.full(6, 20.0))
    fit = fit_mean_model(x, counts.cases, counts.people, "poisson")
    assert fit is not None
    assert cluster_variance(x, fit, counts, fit.fitted, cluster, np.array([1])) is None


def test_a_site_without_cases_is_left_out_and_said() -> None:
    """Nobody diseased in one site: its effect is infinite, its patients say nothing, the rest is fitted."""
    cells = in_sites(CELLS, 4)
    frame = cells.frame[(cells.frame["site"] != "site 0") | ~cells.frame["diseased"].astype(bool)]
    found = regression_adjusted(given(replace(cells, frame=frame)), imputations=20)
    left = int(frame.loc[frame["site"] == "site 0", "n"].sum())
    assert f"{left} patients say nothing" in found.warnings[0]
    assert found.n_patients == frame["n"].sum() - left
    assert np.isfinite(found.coefficients[0].ratio)


def bare(found: RegressionAdjusted, state: str) -> str:
    """Return the reason of a result without numbers, after checking that it carries none."""
    assert found.state == state
    assert found.coefficients == ()
    assert found.to_frame().empty
    row = found.estimates.rows[0]
    assert row["state"] == state and "point" not in row
    assert found.estimates.to_frame()["point"].isna().all()
    return found.why


def test_designs_that_allow_no_imputation_are_refused() -> None:
    """No validation, too few validated: the reasons of the decision table, and no number."""
    assert "nobody's recorded sex is known" in bare(regression_adjusted(given(CELLS, design="none")), "refused")
    frame = worked_cells().frame.copy()
    gone = frame["diseased"].astype(bool) & (frame["recorded_sex"] != "unknown")
    frame.loc[gone, ["recorded_sex", "fold"]] = ["unknown", None]
    few = given(replace(worked_cells(), frame=frame), worked_bands())
    assert "known for only 0 patients with the disease" in bare(regression_adjusted(few), "refused")


def test_what_cannot_be_fitted_is_undefined() -> None:
    """No diseased women at all: the ratio is infinite; one site: no variance by site. Each says so."""
    cells = worked_cells(all_known=True)
    women = cells.frame["diseased"].astype(bool) & (cells.frame["recorded_sex"] == "female")
    without = given(replace(cells, frame=cells.frame[~women]), worked_bands())
    for link in LINKS:
        assert "no finite coefficients" in bare(regression_adjusted(without, link=link), "undefined")
    assert "one cluster only" in bare(regression_adjusted(worked_input(), cluster="site"), "undefined")
    one_age = given(replace(cells, frame=cells.frame[cells.frame["age_years"] == 45]), worked_bands())
    assert "no finite coefficients" in bare(regression_adjusted(one_age), "undefined")


def test_nobody_is_refused() -> None:
    """No patient within the bands: refused, not a traceback."""
    empty = given(CELLS, AgeBands((110,)))
    assert "only 0 patients" in bare(regression_adjusted(empty), "refused")


def test_mistakes_are_named() -> None:
    """Unknown link, age and cluster, one imputation, sampling units that are not there."""
    one = worked_input()
    with pytest.raises(EstimationError, match="no link 'probit'; there are logistic, poisson"):
        regression_adjusted(one, link="probit")
    with pytest.raises(EstimationError, match="age must be one of linear, quadratic, bands; found 'cubic'"):
        regression_adjusted(one, age="cubic")
    with pytest.raises(EstimationError, match="cluster must be one of patient, site, psu; found 'eye'"):
        regression_adjusted(one, cluster="eye")
    with pytest.raises(EstimationError, match="must be whole and at least 2, for a variance between them; found 1"):
        regression_adjusted(one, imputations=1)
    with pytest.raises(EstimationError, match="have no psu"):
        regression_adjusted(one, cluster="psu")


@pytest.mark.parametrize("link", LINKS)
def test_the_row_keeps_the_contract(link: str) -> None:
    """One row with the contract's measure and numbers that are those of the table."""
    found = regression_adjusted(worked_input(), link=link, imputations=20)
    frame, sex = found.estimates.to_frame(), found.coefficients[0]
    allowed = next(field for field in table_schema("estimate").fields if field.name == "measure").enum
    assert frame.loc[0, "measure"] == REGRESSION_MEASURES[link]
    assert frame.loc[0, "measure"] in allowed
    assert frame.loc[0, ["point", "low", "high", "fmi"]].tolist() == [sex.ratio, sex.low, sex.high, sex.fmi]
    assert frame.loc[0, "n_validated_diseased"] == 150


def test_imputed_men_have_the_expected_number() -> None:
    """Means of the draws approach the expected men and squares, also with unequal weights."""
    one = given(CELLS)
    arrays = replace(one.arrays, w=one.arrays.w * 1.5, w2=one.arrays.w2 * 4)  # a spread of weights within rows
    group = arrays.group
    model = recalibrate(arrays)
    draws = list(imputed_men(arrays, model, group, 10, 400, np.random.default_rng(1)))
    expected = expected_men(arrays, model, group, 10)
    for name in ("weight", "squares"):
        values = np.stack([getattr(men, name) for men in draws])
        error = values.std(axis=0) / 20
        np.testing.assert_array_less(np.abs(values.mean(axis=0) - getattr(expected, name)), 4.5 * error + 1e-9)
