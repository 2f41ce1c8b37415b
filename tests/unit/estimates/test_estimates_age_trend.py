"""Trends with age by sex: exact derivatives, the robust variance where sex is known, and what has no slope."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from sexstrat.errors import EstimationError
from sexstrat.estimates import Margin, compose
from sexstrat.estimates.age_trend import TRENDS, age_trend, band_ages, log_ratio_per_decade, mean_ages
from sexstrat.estimates.numbers.mean_model import LINKS, fit_mean_model
from sexstrat.estimates.worked_example import worked_arrays, worked_bands, worked_cells
from sexstrat.simulation import Setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

AGES = (45.0, 55.0, 67.5)
PI = np.array([[0.4, 0.6], [0.5, 0.7], [0.45, 0.3]])
N = np.array([[300.0, 40.0], [250.0, 60.0], [180.0, 90.0]])


def margin(pi: np.ndarray, n: np.ndarray, *, known: bool = False) -> Margin:
    return Margin(
        n=n,
        n_variance=n,
        n_patients=n,
        n_validated=n if known else n / 5,
        effective_validated=n if known else n / 5,
        pi=pi,
        covariance=np.diag((pi * (1 - pi) / np.where(n > 0, n, 1)).ravel()),
        counted=known,
    )


@pytest.mark.parametrize("link", TRENDS)
@pytest.mark.parametrize("sex", ["male", "female"])
def test_derivatives_agree_with_differences(link: str, sex: str) -> None:
    """Implicit differentiation of the fit equals refitting with each share and count moved."""
    found = log_ratio_per_decade(margin(PI, N), sex, AGES, link)
    for cell in np.ndindex(3, 2):
        step = np.zeros((3, 2))
        step[cell] = 1e-5
        values = [log_ratio_per_decade(margin(PI + sign * step, N), sex, AGES, link).value for sign in (1, -1)]
        assert found.by_pi[cell] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-6)
        step[cell] = 1e-2
        values = [log_ratio_per_decade(margin(PI, N + sign * step), sex, AGES, link).value for sign in (1, -1)]
        assert found.by_n[cell] == pytest.approx((values[0] - values[1]) / 2e-2, abs=1e-8)
    assert np.sum(found.by_n * N) == pytest.approx(0, abs=1e-10)


def people(pi: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return male, age and disease of everybody in whole tables."""
    men = np.rint(n * pi).astype(int)
    rows = [
        (sex, AGES[a], d)
        for (a, d), total in np.ndenumerate(n)
        for sex, count in ((1, men[a, d]), (0, int(total) - men[a, d]))
        for _ in range(count)
    ]
    return tuple(np.array(rows, dtype=float).T)  # type: ignore[return-value]


@pytest.mark.parametrize("link", TRENDS)
def test_with_sex_known_it_is_the_glm_with_its_robust_variance(link: str) -> None:
    """Slopes of men and women, their difference and all three standard errors equal statsmodels GLM with HC0."""
    pi = np.array([[0.4, 0.6], [0.5, 0.7], [0.45, 0.3]])
    one = margin(pi, N, known=True)
    male, age, d = people(pi, N)
    family = sm.families.Binomial() if link == "logistic" else sm.families.Poisson()
    x = np.column_stack([np.ones(male.size), age / 10, male, male * age / 10])
    fit = sm.GLM(d, x, family=family).fit(cov_type="HC0", tol=1e-12)
    men, women = (log_ratio_per_decade(one, sex, AGES, link) for sex in ("male", "female"))
    apart = men.plus(women, -1.0)
    own_men = sm.GLM(d[male == 1], x[male == 1, :2], family=family).fit(cov_type="HC0", tol=1e-12)
    expected = [(own_men.params[1], own_men.bse[1]), (fit.params[1], fit.bse[1]), (fit.params[3], fit.bse[3])]
    for found, (value, se) in zip((men, women, apart), expected, strict=True):
        assert found.value == pytest.approx(value, rel=1e-7)
        assert one.uncertainty(found.by_pi, found.by_n).variance ** 0.5 == pytest.approx(se, rel=1e-7)


def test_two_ages_give_the_ratio_itself() -> None:
    """Odds 1/9 at 50 and 1/4 at 60 among men: 9/4 per decade; prevalence .1 and .2: 2 per decade."""
    n = np.array([[180.0, 20.0], [160.0, 40.0]])
    pi = np.full((2, 2), 0.5)
    logistic, poisson = (log_ratio_per_decade(margin(pi, n), "male", (50.0, 60.0), link).value for link in TRENDS)
    assert np.exp(logistic) == pytest.approx(9 / 4)
    assert np.exp(poisson) == pytest.approx(2)


def test_relabelling_the_sexes_inverts_the_interaction() -> None:
    """Men called women: trends change places, and their ratio becomes its reciprocal with the same variance."""
    men, women = (log_ratio_per_decade(margin(PI, N), sex, AGES) for sex in ("male", "female"))
    mirrored = log_ratio_per_decade(margin(1 - PI, N), "female", AGES)
    assert mirrored.value == pytest.approx(men.value)
    np.testing.assert_allclose(mirrored.by_pi, -men.by_pi, rtol=1e-9)
    assert men.value != pytest.approx(women.value)


def test_a_shift_of_all_ages_changes_nothing() -> None:
    """The slope does not know where age 0 is, and is ten times the yearly one."""
    shifted = tuple(age + 100 for age in AGES)
    ours, theirs = (log_ratio_per_decade(margin(PI, N), "male", ages) for ages in (AGES, shifted))
    assert ours.value == pytest.approx(theirs.value, rel=1e-9)


@pytest.mark.parametrize("link", TRENDS)
@pytest.mark.parametrize(
    ("pi", "n"),
    [
        (PI[:1], N[:1]),  # one band
        (np.array([[0.5, 0.0], [0.5, 0.0]]), N[:2]),  # no diseased men
        (np.array([[0.5, 0.0], [0.5, 0.5]]), N[:2]),  # diseased men in the last band alone
        (np.array([[0.0, 0.0], [0.5, 0.5]]), N[:2]),  # men in one band alone
        (np.full((2, 2), np.nan), N[:2]),  # refused shares
    ],
)
def test_what_has_no_finite_slope_is_undefined(link: str, pi: np.ndarray, n: np.ndarray) -> None:
    """One age, no case, cases at one end alone, shares not known: NaN inside, a state outside, never a huge number."""
    found = log_ratio_per_decade(margin(pi, n), "male", AGES[: len(n)], link)
    assert np.isnan(found.value)
    assert not found.by_pi.any()
    one = compose(worked_cells(), bands=worked_bands(), design="random")
    bands = AgeBands(tuple(range(40, 40 + 10 * len(n), 10)))
    shown = replace(one, bands=bands, by_band=margin(pi, n), band_state=("corrected",) * len(n))
    trend = age_trend(shown, link=link, ages=AGES[: len(n)])
    assert (trend.state, trend.statistic, trend.p_value) == ("undefined", None, None)
    assert "no finite slope" in trend.reason
    assert "point" not in trend.estimates.rows[0]


def test_rows_and_test_belong_together() -> None:
    """Three rows of the contract; the statistic is the squared log ratio over its SE; p agrees with the limits."""
    cells = simulate_cells(Setting(name="s", validated=0.3, disease_by_male_age=0.3), 20_000, 5).cells
    one = compose(cells, bands=AgeBands((20, 50, 60, 70, 80)), design="random")
    for link, (one_sex, both) in TRENDS.items():
        found = age_trend(one, link=link)
        men, women, ratio = found.estimates.rows
        assert [(row["measure"], row["sex"]) for row in (men, women, ratio)] == [
            (one_sex, "male"),
            (one_sex, "female"),
            (both, None),
        ]
        assert ratio["point"] == pytest.approx(men["point"] / women["point"])
        assert found.statistic == pytest.approx((np.log(ratio["point"]) / ratio["se"]) ** 2)
        assert found.p_value is not None
        assert (found.p_value < 0.05) == (not ratio["low"] < 1 < ratio["high"])
        frame = found.estimates.to_frame()
        allowed = next(field for field in table_schema("estimate").fields if field.name == "measure").enum
        assert set(frame["measure"]) <= set(allowed)
        assert "open last band" in found.estimates.rows[0]["note"]


def test_a_log_linear_model_above_one_says_so() -> None:
    """Prevalences .05, .6, .95 on a log line pass 1 at the last age: the note sends the reader to the odds ratio."""
    n = np.array([[190.0, 10.0], [80.0, 120.0], [10.0, 190.0]])
    one = compose(worked_cells(), bands=worked_bands(), design="random")
    shown = replace(
        one,
        bands=AgeBands((40, 50, 60), end=70),
        by_band=margin(np.full((3, 2), 0.5), n),
        band_state=("corrected",) * 3,
    )
    rows = age_trend(shown, link="poisson").estimates.rows
    assert "above 1" in rows[0]["note"]
    assert age_trend(shown, link="logistic").estimates.rows[0]["note"] is None


def test_refused_compositions_stay_refused() -> None:
    """No validation: no trend, and the composition's own reason."""
    one = compose(worked_cells(), bands=worked_bands(), design="none")
    found = age_trend(one)
    assert (found.state, found.statistic, found.reason) == ("refused", None, one.why)
    assert {row["state"] for row in found.estimates.rows} == {"refused"}


def test_ages_stand_for_bands() -> None:
    """Middles of bands, and the mean age of the patients in them."""
    assert band_ages(AgeBands((70,))) == (75.0,)
    assert band_ages(AgeBands((20, 50), end=60)) == (35.0, 55.0)
    assert mean_ages(worked_arrays()) == (45.0, 65.0)


def test_mistakes_are_named() -> None:
    """Unknown link, too few ages, an age that is not a number."""
    one = compose(worked_cells(), bands=worked_bands(), design="random")
    with pytest.raises(EstimationError, match="no link 'probit'; there are logistic, poisson"):
        age_trend(one, link="probit")
    with pytest.raises(EstimationError, match="for each of the 2 bands"):
        age_trend(one, ages=(45.0,))
    with pytest.raises(EstimationError, match="nan"):
        age_trend(one, ages=(45.0, float("nan")))


@pytest.mark.parametrize("link", LINKS)
def test_the_fit_solves_its_equation(link: str) -> None:
    """At the solution sum x (cases - people x mean) is 0, from any start, and groups may be split at will."""
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    people = rng.integers(1, 60, 40).astype(float)
    cases = rng.binomial(people.astype(int), 0.3).astype(float)
    fit = fit_mean_model(x, cases, people, link)
    assert fit is not None
    np.testing.assert_allclose(x.T @ (cases - people * fit.fitted), 0, atol=1e-7)
    again = fit_mean_model(np.vstack([x, x]), np.tile(cases / 2, 2), np.tile(people / 2, 2), link, start=fit.beta + 0.5)
    assert again is not None
    np.testing.assert_allclose(again.beta, fit.beta, atol=1e-9)
    assert fit_mean_model(np.column_stack([x, x[:, 1]]), cases, people, link) is None
