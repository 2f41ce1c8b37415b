"""Sampling units in every estimator's interval: twins in a unit are one person, patients one by one themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import (
    Composition,
    ErrorPriors,
    beta_prior,
    bias_analysis,
    compose,
    misclassification_grid,
    noisy_recorded_sex,
    noisy_recorded_sex_prior,
    shifted_composition,
)
from sexstrat.estimates.agreement import disagreement
from sexstrat.estimates.clustered_margin import ClusteredMargin
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.diagnosis.information import information
from sexstrat.estimates.sensitivity.misrecorded_margin import RecordingError, misrecorded_margin
from sexstrat.simulation import ExternalCohort, People, Setting, cells_of_people, draw_people
from sexstrat.simulation.external import external_setting
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

BANDS = AgeBands((20, 60))
ONE = Setting(name="units", auc=0.9, prevalence=0.3, validated=0.4, external=ExternalCohort(patients=900))
DESIGN = {"E4": "may_depend_on_sex", "E5": "may_depend_on_sex"}
LEARNING = ("E1", "E2", "E4")
COUNTING = ("complete_case", "naive_threshold", "naive_weighted")


@pytest.fixture(autouse=True)
def analytic_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take E2 in its analytic limit, which does not depend on random numbers."""
    monkeypatch.setattr("sexstrat.estimates.imputation.MAXIMUM_DRAWS", 0)


def people(n: int = 1_500, seed: int = 4, **fields: object) -> People:
    return replace(draw_people(ONE, n, np.random.default_rng(seed)), **fields)


def cells_of(one: People, *, known: bool = False) -> Cells:
    return cells_of_people(one, np.ones(one.male.size, dtype=bool) if known else one.validated)


def twins(one: People, **fields: object) -> People:
    """Return every patient twice, in any other way the same."""
    values = {name: getattr(one, name) for name in one.__dataclass_fields__}
    twice = {name: np.concatenate([value, value]) for name, value in values.items() if value is not None}
    return replace(one, **{**twice, **fields})


def asked(method: str, one: Cells, **more: object) -> Composition:
    return compose(one, bands=BANDS, design=DESIGN.get(method, "random"), method=method, **more)


def table(one: Composition) -> pd.DataFrame:
    parts = (one.prevalence("cohort"), one.contrast("ratio", "cohort"), one.contrast("difference"), one.male_share())
    return pd.concat([part.to_frame() for part in parts], ignore_index=True)


@pytest.mark.parametrize("method", ["complete_case", "naive_threshold"])
def test_counted_patients_one_by_one_keep_their_variance(method: str) -> None:
    """A unit for each of 1,500 patients: each standard error is the binomial one times sqrt(n / (n - 1))."""
    plain, found = (table(asked(method, cells_of(one))) for one in (people(), people(psu=np.arange(1_500))))
    np.testing.assert_allclose(found["point"], plain["point"], rtol=1e-12)
    np.testing.assert_allclose(found["se"], plain["se"] * np.sqrt(1_500 / 1_499), rtol=1e-9)


@pytest.mark.parametrize("method", LEARNING)
def test_patients_one_by_one_keep_about_their_variance(method: str) -> None:
    """A unit for each patient: standard errors of estimators that learn stay within a tenth of those of patients."""
    plain, found = (table(asked(method, cells_of(one))) for one in (people(), people(psu=np.arange(1_500))))
    np.testing.assert_allclose(found["point"], plain["point"], rtol=0.05)  # E1's folds follow the units
    np.testing.assert_allclose(found["se"], plain["se"], rtol=0.12)


@pytest.mark.parametrize("method", ["recorded", *COUNTING])
def test_twins_in_a_unit_are_one_person(method: str) -> None:
    """Everybody twice, each pair a unit: the standard errors of half as many people, exactly."""
    one = people(psu=np.arange(1_500))
    known = method == "recorded"
    single, double = (table(asked(method, cells_of(some, known=known))) for some in (one, twins(one)))
    np.testing.assert_allclose(double["se"], single["se"], rtol=1e-9)


@pytest.mark.parametrize("method", LEARNING)
def test_twins_in_a_unit_are_one_person_who_learns(method: str) -> None:
    """Everybody twice: about the same standard errors, where patients one by one would have 1 / sqrt 2 of them."""
    one = people(psu=np.arange(1_500))
    single, double = (table(asked(method, cells_of(some))) for some in (one, twins(one)))
    alone = table(asked(method, cells_of(twins(one, psu=None))))
    np.testing.assert_allclose(double["se"], single["se"], rtol=0.06)
    assert np.median(alone["se"] / double["se"]) == pytest.approx(0.5**0.5, rel=0.06)


def test_twins_of_another_cohort_teach_as_one_person() -> None:
    """Labelled people elsewhere, twice each in units of two: E4's errors are those of half as many; not one by one."""
    there = external_setting(ONE)
    others = draw_people(there, 900, np.random.default_rng(9))
    nobody = cells_of_people(people(20_000), np.zeros(20_000, dtype=bool))
    paired = twins(others, psu=np.tile(np.arange(900), 2))
    se = [
        compose(nobody, bands=BANDS, design="external", method="E4", external=cells_of(one, known=True))
        .contrast("ratio")
        .to_frame()
        .loc[0, "se"]
        for one in (others, paired, twins(others))
    ]
    assert se[1] == pytest.approx(se[0], rel=0.03)
    assert se[2] < 0.85 * se[1]


def test_for_the_very_cohort_only_other_peoples_units_count() -> None:
    """Target cohort: its own units change nothing; pairs elsewhere widen E4 as they do for the population."""
    own = people(psu=np.arange(1_500) % 30)
    for method in (*LEARNING, "recorded"):
        known = method == "recorded"
        plain = table(asked(method, cells_of(replace(own, psu=None), known=known), target="cohort"))
        found = table(asked(method, cells_of(own, known=known), target="cohort"))
        np.testing.assert_allclose(found["se"].fillna(0), plain["se"].fillna(0), rtol=0.05)
    others = draw_people(external_setting(ONE), 900, np.random.default_rng(9))
    nobody = cells_of_people(people(), np.zeros(1_500, dtype=bool))
    paired = twins(others, psu=np.tile(np.arange(900), 2))
    one, two = (
        compose(
            nobody, bands=BANDS, design="external", method="E4", external=cells_of(some, known=True), target="cohort"
        )
        .contrast("ratio")
        .to_frame()
        .loc[0]
        for some in (twins(others), paired)
    )
    assert two["se"] > 1.1 * one["se"]
    assert two["df"] < 900


@pytest.mark.parametrize("method", [*LEARNING, *COUNTING])
def test_units_bound_the_degrees_of_freedom_and_are_counted(method: str) -> None:
    """Twelve units in two strata: at most ten degrees of freedom, a warning that they are few, and no other one."""
    unit = np.random.default_rng(1).integers(0, 12, 1_500)
    one = asked(method, cells_of(people(psu=unit, stratum=unit // 6)))
    assert one.diagnostics["sampling_units"], one.diagnostics["sampling_strata"] == (12, 2)
    assert table(one)["df"].max() <= 10
    assert any("rests on 12 sampling units in 2 strata" in text for text in one.warnings)
    assert not any("does not count" in text for text in one.warnings)


@pytest.mark.parametrize("method", [*LEARNING, *COUNTING])
def test_one_unit_is_refused_and_a_lonely_one_is_told(method: str) -> None:
    """All in one unit: no number, and why. A stratum of one unit: its distance from the mean, and a warning."""
    alone = asked(method, cells_of(people(psu=np.zeros(1_500, dtype=int))))
    assert alone.state == "refused"
    assert "1 sampling units in 1 strata: nothing shows how units differ" in alone.why
    unit = np.arange(1_500) % 40
    lonely = asked(method, cells_of(people(psu=unit, stratum=(unit == 39).astype(int))))
    assert any("1 of 2 strata has one primary sampling unit" in text for text in lonely.warnings)


def test_validated_patients_of_few_units_bound_e2() -> None:
    """Validated patients come from four of thirty units: E2 has three degrees of freedom, not 29."""
    unit = np.arange(1_500) % 30
    one = people(psu=unit)
    given = replace(one, validated=one.validated & (unit < 4))
    assert set(table(asked("E2", cells_of(given)))["df"]) == {3.0}


def test_strata_alone_make_patients_units() -> None:
    """Strata without units: patients one by one within them, the same as a unit for each."""
    stratum = np.arange(1_500) % 3
    plain, found = (
        table(asked("E4", cells_of(people(stratum=stratum, psu=units)))) for units in (None, np.arange(1_500))
    )
    np.testing.assert_allclose(found[["point", "se"]], plain[["point", "se"]], rtol=1e-9)


def test_weights_times_four_change_nothing() -> None:
    """Survey weights count by their ratio: four times as large, the same figures, for every estimator."""
    rng = np.random.default_rng(2)
    weight, unit = rng.uniform(0.5, 5.0, 1_500), rng.integers(0, 40, 1_500)
    for method in (*LEARNING, *COUNTING):
        one, four = (table(asked(method, cells_of(people(psu=unit, weight=k * weight)))) for k in (1.0, 4.0))
        np.testing.assert_allclose(four[["point", "se"]], one[["point", "se"]], rtol=1e-6)


def test_wrong_records_widen_an_interval_over_units() -> None:
    """A tenth of either sex recorded wrong: the share's variance over units is divided by (1 - .1 - .1)^2."""
    one = asked("complete_case", cells_of(people(psu=np.arange(1_500) % 50)))
    margin = one.overall
    assert isinstance(margin, ClusteredMargin)
    found = misrecorded_margin(margin, RecordingError.common(0.1))
    g, h = np.array([[0.0, 1.0]]), np.zeros((1, 2))
    assert found.uncertainty(g, h).variance == pytest.approx(margin.uncertainty(g, h).variance / 0.8**2, rel=1e-12)
    assert noisy_recorded_sex(one).to_frame()["point"].notna().any()


def test_e1_and_e2_are_compared_over_units() -> None:
    """Twins double the evidence that E1 and E2 differ, unless each pair is a unit: then it stays as it was."""
    one = people(psu=np.arange(1_500))
    gradient = np.array([[-1.0, 1.0, 0.0, 0.0]])
    z = [
        disagreement(compose_input(cells_of(some), bands=BANDS, design="random"), gradient)[0][0]
        for some in (one, twins(one), twins(one, psu=None))
    ]
    assert z[1] == pytest.approx(z[0], rel=0.05)
    assert z[2] == pytest.approx(z[1] * 2**0.5, rel=0.05)


def test_a_plan_of_a_clustered_sample_says_that_it_counts_patients() -> None:
    """Missing information and the number still to validate are of patients one by one: in units their note says so."""
    for units, told in ((None, False), (np.arange(1_500) % 30, True)):
        given = compose_input(cells_of(people(psu=units)), bands=BANDS, design="random")
        rows = [
            row for row in information(given) if row.statistic in {"fraction_missing_information", "more_validated"}
        ]
        assert len(rows) == 4
        assert all(("patients counted one by one" in str(row.note)) == told for row in rows)


@pytest.mark.parametrize("estimator", ["em", "weighted"])
def test_a_score_shifted_by_assumption_is_counted_over_units(estimator: str) -> None:
    """Nobody validated: twins in a unit are one person there too, patients one by one keep about their variance."""
    one = people(psu=np.arange(1_500))
    cells = [cells_of_people(some, np.zeros(some.male.size, dtype=bool)) for some in (one, twins(one))]
    single, double, plain = (
        table(shifted_composition(compose_input(some, bands=BANDS, design="none"), 0.2, estimator=estimator))
        for some in (*cells, cells_of_people(people(), np.zeros(1_500, dtype=bool)))
    )
    np.testing.assert_allclose(double["se"], single["se"], rtol=1e-6)
    if estimator == "em":
        np.testing.assert_allclose(single["se"], plain["se"], rtol=0.1)


def test_a_prior_of_wrong_records_adds_to_the_error_over_units() -> None:
    """With records hardly ever wrong the simulated interval is that of the composition over units."""
    one = asked("complete_case", cells_of(people(psu=np.random.default_rng(3).integers(0, 60, 1_500))))
    found = noisy_recorded_sex_prior(one, beta_prior(mean=1e-5, sd=1e-6), draws=40_000).to_frame()
    row = one.contrast("ratio").to_frame().loc[0]
    simulated = found[found["measure"] == "prevalence_ratio"].iloc[0]
    assert np.log(simulated["high"] / simulated["low"]) == pytest.approx(np.log(row["high"] / row["low"]), rel=0.03)


def test_random_error_of_a_bias_analysis_says_that_it_counts_patients() -> None:
    """Stated priors in a sample of units: a warning, and in the grid an assumption, that patients are counted."""
    near = beta_prior(mean=0.9, sd=0.02)
    priors = ErrorPriors.alike(sensitivity=near, specificity=near, by_disease=0.8)
    for units, told in ((None, False), (np.arange(1_500) % 30, True)):
        given = compose_input(cells_of(people(psu=units)), bands=BANDS, design="none")
        grid = misclassification_grid(given, sensitivity=[0.9], specificity=[0.9])
        for texts in (bias_analysis(given, priors, draws=1_000).warnings, grid.assumptions):
            assert any("counts patients one by one" in text for text in texts) == told
