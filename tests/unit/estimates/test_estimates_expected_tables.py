"""Mantel-Haenszel from expected cells: exact derivatives, the classical interval where sex is known, honest states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import Composition, Margin, compose, truth_composition
from sexstrat.estimates.all_bands import all_bands_place
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.diagnosis.band_homogeneity import band_homogeneity
from sexstrat.estimates.expected_tables import (
    ADJUSTED,
    mantel_haenszel_at,
    mantel_haenszel_difference,
    mantel_haenszel_log_odds_ratio,
    mantel_haenszel_log_ratio,
    mantel_haenszel_rows,
)
from sexstrat.estimates.measures import Smooth
from sexstrat.estimates.numbers.breslow_day import breslow_day
from sexstrat.estimates.numbers.mantel_haenszel import mantel_haenszel
from sexstrat.estimates.numbers.stratified_tables import stratified_tables
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

PI = np.array([[0.4, 0.6], [0.5, 0.7], [0.45, 0.3]])
N = np.array([[300.0, 40.0], [250.0, 60.0], [180.0, 90.0]])
FORMULAS: dict[str, Callable[[Margin], Smooth]] = {
    "odds_ratio": mantel_haenszel_log_odds_ratio,
    "ratio": mantel_haenszel_log_ratio,
    "difference": mantel_haenszel_difference,
}
BANDS = AgeBands((20, 50, 60, 70, 80))


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


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives_agree_with_differences(name: str) -> None:
    """Every derivative equals the central difference of the measure itself, and doubling the cohort changes nothing."""
    formula = FORMULAS[name]
    found = formula(margin(PI, N))
    for cell in np.ndindex(3, 2):
        step = np.zeros((3, 2))
        step[cell] = 1e-6
        by_pi = (formula(margin(PI + step, N)).value - formula(margin(PI - step, N)).value) / 2e-6
        assert found.by_pi[cell] == pytest.approx(by_pi, abs=1e-6)
        step[cell] = 1e-3
        by_n = (formula(margin(PI, N + step)).value - formula(margin(PI, N - step)).value) / 2e-3
        assert found.by_n[cell] == pytest.approx(by_n, abs=1e-8)
    assert np.sum(found.by_n * N) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ADJUSTED)
def test_points_are_the_classical_ones(kind: str) -> None:
    """At expected cells the point equals the plain function on the same tables."""
    men, women = N * PI, N * (1 - PI)
    plain = mantel_haenszel(
        stratified_tables(
            male_cases=men[:, 1],
            male_people=men.sum(axis=1),
            female_cases=women[:, 1],
            female_people=women.sum(axis=1),
        ),
        kind,
    )
    value = FORMULAS[kind](margin(PI, N)).value
    assert (value if kind == "difference" else np.exp(value)) == pytest.approx(plain.point, rel=1e-12)


def common_odds_ratio(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return large tables with the same contrast in every band."""
    women = np.array([0.05, 0.12, 0.2, 0.3])
    men = {"odds_ratio": 1.5 * women / (1 - women + 1.5 * women), "ratio": 1.3 * women, "difference": women + 0.04}[
        kind
    ]
    n_men, n_women = np.array([900.0, 1300.0, 1500.0, 800.0]), np.array([1000.0, 1200.0, 1700.0, 1100.0])
    people = np.stack([n_men * (1 - men), n_men * men, n_women * (1 - women), n_women * women])
    n = np.column_stack([people[0] + people[2], people[1] + people[3]])
    return np.column_stack([people[0], people[1]]) / n, n


@pytest.mark.parametrize("kind", ADJUSTED)
def test_with_sex_known_the_interval_is_the_classical_one(kind: str) -> None:
    """Where the contrast is common, the standard error is within 2 % of Robins', Greenland's and Sato's."""
    pi, n = common_odds_ratio(kind)
    found = FORMULAS[kind](margin(pi, n, known=True))
    stated = margin(pi, n, known=True).uncertainty(found.by_pi, found.by_n).variance ** 0.5
    men, women = n * pi, n * (1 - pi)
    plain = mantel_haenszel(
        stratified_tables(
            male_cases=men[:, 1],
            male_people=men.sum(axis=1),
            female_cases=women[:, 1],
            female_people=women.sum(axis=1),
        ),
        kind,
    )
    assert stated == pytest.approx(plain.se, rel=0.02)


def test_one_band_is_the_crude_measure() -> None:
    """With a single band the adjusted ratio, difference and odds ratio and their intervals are the crude ones."""
    one = compose(worked_cells(), bands=AgeBands((40,)), design="random", method="E1")
    rows = {row["measure"]: row for row in mantel_haenszel_rows(one).rows}
    for kind, (measure, _, _) in ADJUSTED.items():
        crude = one.contrast(kind).rows[1]  # the band, whose margin the adjusted one uses
        for column in ("point", "low", "high", "df"):
            assert rows[measure][column] == pytest.approx(crude[column], rel=1e-9)


def test_an_empty_band_adds_nothing() -> None:
    """A band without patients carries NaN shares and no weight."""
    pi, n = np.vstack([PI, [np.nan, np.nan]]), np.vstack([N, [0.0, 0.0]])
    for formula in FORMULAS.values():
        found, plain = formula(margin(pi, n)), formula(margin(PI, N))
        assert found.value == pytest.approx(plain.value)
        np.testing.assert_allclose(found.by_pi[:3], plain.by_pi)
        assert np.isfinite(found.by_pi).all() and np.isfinite(found.by_n).all()


@pytest.mark.parametrize("kind", ADJUSTED)
def test_relabelling_the_sexes_mirrors(kind: str) -> None:
    """1 - pi for pi turns a log ratio and a difference into their negatives, with the same variance."""
    ours, mirror = FORMULAS[kind](margin(PI, N)), FORMULAS[kind](margin(1 - PI, N))
    assert mirror.value == pytest.approx(-ours.value)
    np.testing.assert_allclose(mirror.by_pi, ours.by_pi, rtol=1e-10)
    np.testing.assert_allclose(mirror.by_n, -ours.by_n, rtol=1e-10)


def test_what_cannot_be_formed_is_undefined() -> None:
    """No diseased man, or no men at all: no ratio; without men there is no difference either."""
    no_male_case = margin(np.array([[0.5, 0.0]]), np.array([[50.0, 10.0]]))
    assert np.isnan(mantel_haenszel_log_ratio(no_male_case).value)
    assert np.isnan(mantel_haenszel_log_odds_ratio(no_male_case).value)
    assert mantel_haenszel_difference(no_male_case).value == pytest.approx(-10 / 35)
    no_men = margin(np.array([[0.0, 0.0]]), np.array([[50.0, 10.0]]))
    assert np.isnan(mantel_haenszel_difference(no_men).value)


def test_rows_keep_the_contract() -> None:
    """Measures are those that the contract lists; intervals hold their point; the note names the strata."""
    one = compose(simulate_cells("baseline", 20_000, 1).cells, bands=BANDS, design="random")
    frame = mantel_haenszel_rows(one).to_frame()
    assert list(frame.columns) == table_schema("estimate").columns
    allowed = next(field for field in table_schema("estimate").fields if field.name == "measure").enum
    assert set(frame["measure"]) <= set(allowed)
    assert ((frame["low"] < frame["point"]) & (frame["point"] < frame["high"])).all()
    assert frame["note"].str.contains("strata are the age bands").all()


def test_thin_bands_hand_over_to_the_fallback() -> None:
    """With more than 5 % of the patients in bands too thin for E1 all bands come from E2, and the row says so."""
    decades = AgeBands((20, 40, 50, 55, 60, 65, 70, 75, 80))
    one = compose(simulate_cells("baseline", 6_000, 3).cells, bands=decades, design="random")
    assert one.estimator == "E1" and one.fallback is not None
    place = all_bands_place(one, "mantel_haenszel")
    assert (place.source.estimator, place.state) == ("E2", "model_based")
    assert "all bands imputed" in mantel_haenszel_at(place, "odds_ratio")["note"]


def test_a_refused_composition_stays_refused() -> None:
    """No validation: every row is refused with its reason and carries no number, and so is the test."""
    one = compose(simulate_cells("baseline", 3_000, 3).cells, bands=BANDS, design="none")
    for row in mantel_haenszel_rows(one).rows:
        assert row["state"] == "refused"
        assert row["note"] == one.why
        assert "point" not in row
    found = band_homogeneity(one)
    assert (found.state, found.statistic, found.reason) == ("refused", None, one.why)


def test_a_counted_cohort_has_no_interval() -> None:
    """The truth of these very people is counted: a point, and no interval of width 0."""
    one = truth_composition(worked_cells(all_known=True), bands=worked_bands())
    row = mantel_haenszel_rows(one).rows[0]
    assert row["point"] == pytest.approx(2.0)
    assert "low" not in row
    assert "no interval" in row["note"]


def test_an_unknown_measure_is_named() -> None:
    """The message lists what there is."""
    one = compose(worked_cells(), bands=worked_bands(), design="random")
    with pytest.raises(EstimationError, match="no Mantel-Haenszel measure 'hazard'; there are odds_ratio, ratio"):
        mantel_haenszel_at(all_bands_place(one, "mantel_haenszel"), "hazard")
    with pytest.raises(EstimationError, match="no contrast 'hazard'"):
        band_homogeneity(one, "hazard")


def known_composition(pi: np.ndarray, n: np.ndarray) -> Composition:
    """Return a composition of counted sexes with these tables."""
    one = compose(worked_cells(all_known=True), bands=worked_bands(), design="random", method="recorded")
    bands = AgeBands(tuple(range(40, 40 + 10 * len(n), 10)))
    return replace(one, bands=bands, by_band=margin(pi, n, known=True), band_state=("recorded",) * len(n))


def test_homogeneity_with_sex_known_agrees_with_breslow_day() -> None:
    """Large tables, sex recorded: Wald and Breslow-Day-Tarone give nearly the same chi-square on the same df."""
    pi, n = common_odds_ratio("odds_ratio")
    pi = pi + np.array([[0.0, 0.04], [0.0, -0.03], [0.0, 0.02], [0.0, 0.0]])
    men, women = n * pi, n * (1 - pi)
    classical = breslow_day(
        stratified_tables(
            male_cases=men[:, 1],
            male_people=men.sum(axis=1),
            female_cases=women[:, 1],
            female_people=women.sum(axis=1),
        )
    )
    found = band_homogeneity(known_composition(pi, n))
    assert found.df == classical.df == 3
    assert classical.statistic is not None and classical.statistic > 2
    assert found.statistic == pytest.approx(classical.statistic, rel=0.03)


def test_homogeneity_of_two_bands_by_hand() -> None:
    """Two bands: the statistic is the squared difference of the log odds ratios over the sum of their variances."""
    pi, n = PI[:2], N[:2]
    men, women = n * pi, n * (1 - pi)
    logs = np.log(men[:, 1] * women[:, 0] / (men[:, 0] * women[:, 1]))
    variance = (1 / men + 1 / women).sum(axis=1)
    found = band_homogeneity(known_composition(pi, n))
    assert found.statistic == pytest.approx((logs[1] - logs[0]) ** 2 / variance.sum())


@pytest.mark.parametrize("kind", CONTRASTS)
def test_homogeneity_needs_two_bands(kind: str) -> None:
    """One band cannot differ from itself: undefined, with the reason."""
    found = band_homogeneity(known_composition(PI[:1], N[:1]), kind)
    assert (found.state, found.p_value) == ("undefined", None)
    assert "two are needed" in found.reason
