"""Prevalence among eyes: hand-counted numbers, derivatives, equality with persons where both are one, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import ComposeInput
from sexstrat.estimates.all_estimates import all_estimates
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose import ESTIMATORS, compose_input, estimated
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.diagnosis.diagnostics import diagnose
from sexstrat.estimates.eye_aipw import _influence, _margin, _row_influence
from sexstrat.estimates.eye_composition import eye_composition
from sexstrat.estimates.eye_informative import informative_eyes, informative_warning
from sexstrat.estimates.eye_margin import eye_sums
from sexstrat.estimates.eye_rows import eye_rows
from sexstrat.estimates.measures import prevalence_of
from sexstrat.estimates.pooling.coarse_cells import coarse_bins
from sexstrat.estimates.pooling.site_pool import Site, joined_cells
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.worked_example import worked_input
from sexstrat.simulation import setting, simulate_cells, with_knobs
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

BANDS = AgeBands((20, 60, 70))
MEASURES = ["eye_prevalence", "eye_prevalence_ratio", "eye_prevalence_difference", "eye_prevalence_odds_ratio"]
METHODS = ("E1", "E2", "naive_threshold", "naive_weighted", "complete_case")


def simulated(n: int = 3_000, seed: int = 4, target: Target = Target.population, **knobs: Any) -> ComposeInput:
    one = with_knobs(setting("eye_level_disease"), validated=0.3, **knobs)
    return compose_input(simulate_cells(one, n, seed).cells, bands=BANDS, design=one.design, target=target)


def with_eyes(given: ComposeInput, graded: float) -> ComposeInput:
    """Give everybody as many graded eyes, all of them affected in the diseased."""
    d = given.arrays.diseased
    return replace(given, arrays=replace(given.arrays, eyes=graded * np.column_stack([1.0 - d, d])))


def rows_of(one: Composition) -> pd.DataFrame:
    parts = [one.prevalence("cohort"), *(one.contrast(kind, "cohort") for kind in ("ratio", "difference"))]
    return pd.concat([part.to_frame() for part in parts], ignore_index=True)


def of_everybody(sexes: list[str], graded: list[int], affected: list[int], n: list[int]) -> ComposeInput:
    """Return people of age 45 whose sex is known, given by how many eyes are graded and affected."""
    known = worked_input().arrays
    first = known.chosen(np.zeros(len(n), dtype=np.int64))
    diseased = (np.array(affected) > 0).astype(np.int64)
    count = np.array(n, dtype=float)
    sums = dict.fromkeys(("n", "w", "w2", "w_over_r", "w2_over_r", "w2_over_r2"), count)
    eyes = np.column_stack([np.array(graded) - np.array(affected), affected]).astype(float)
    arrays = replace(
        first,
        **sums,
        diseased=diseased,
        group=diseased,
        male=np.array(sexes) == "male",
        validated=np.ones(len(n), dtype=bool),
        eyes=eyes,
    )
    return replace(worked_input(), arrays=arrays)


def test_eyes_counted_by_hand() -> None:
    """Men: 10 x 1/1, 20 x 1/2, 5 x 2/2, 65 x 0/2 make 40 of 190 eyes; women: 8 x 1/2 and 42 x 0/2 make 8 of 100."""
    given = of_everybody(["male"] * 4 + ["female"] * 2, [1, 2, 2, 2, 2, 2], [1, 1, 2, 0, 1, 0], [10, 20, 5, 65, 8, 42])
    rows = list(eye_rows(given, ESTIMATORS["recorded"](given)))
    crude = {(row["measure"], row["sex"]): row for row in rows if row["age_low"] is None}
    assert [crude["eye_prevalence", sex]["point"] for sex in ("male", "female")] == pytest.approx([40 / 190, 8 / 100])
    assert crude["eye_prevalence_ratio", None]["point"] == pytest.approx(40 / 190 / 0.08)
    assert crude["eye_prevalence_difference", None]["point"] == pytest.approx(40 / 190 - 0.08)
    odds = (40 / 150) / (8 / 92)
    assert crude["eye_prevalence_odds_ratio", None]["point"] == pytest.approx(odds)
    male = crude["eye_prevalence", "male"]
    assert (male["n_patients"], male["n_diseased"], male["state"]) == (150, 43, "recorded")
    # patients are the units: var = 150/149 sum (k - p n)^2 / (sum n)^2 over all 150, women adding 0
    p = 40 / 190
    squares = 10 * (1 - p) ** 2 + 20 * (1 - 2 * p) ** 2 + 5 * (2 - 2 * p) ** 2 + 65 * (2 * p) ** 2
    expected = (150 / 149 * squares) ** 0.5 / 190 / (p * (1 - p))
    assert male["se"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("graded", [1.0, 2.0])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", list(Target))
def test_eyes_alike_are_persons(graded: float, method: str, target: Target) -> None:
    """With as many graded eyes in everybody, all or none affected, prevalence among eyes is that among persons."""
    one = with_knobs(setting("error_by_disease"), validated=0.3)
    cells = simulate_cells(one, 4_000, 2).cells
    given = compose_input(cells, bands=BANDS, design=one.design, target=target)
    persons = estimated(given, method)
    eyes = eye_composition(with_eyes(given, graded), persons)
    first, second = rows_of(persons), rows_of(eyes)
    counts = ["measure", "sex", "age_low", "standard", "n_patients", "n_diseased", "n_validated", "state"]
    pd.testing.assert_frame_equal(first[counts], second[counts])
    # E2: limit of infinitely many imputations against 400 draws, and a variance over patients against the model's
    tolerance, wide = (0.02, 0.15) if method == "E2" else (1e-9, 2e-3)
    np.testing.assert_allclose(first["point"], second["point"], rtol=tolerance, atol=tolerance / 10)
    np.testing.assert_allclose(first["se"], second["se"], rtol=wide)


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize(("n", "borrowing"), [(3_000, False), (400, True)])
def test_the_variance_of_e1_is_that_of_numerical_derivatives(sex: str, n: int, borrowing: bool) -> None:
    """Prevalence among eyes moves with one more patient of each row as the influence function says, thin bands too."""
    given = simulated(n=n)
    weights = np.array([0.2, 0.5, 0.3])

    def measured(arrays: CellArrays, p: np.ndarray) -> float:
        margin, borrowed = _margin(replace(given, arrays=arrays), p, by_band=True)
        assert borrowed.any() == borrowing
        return prevalence_of(margin, sex, weights).value

    arrays = given.arrays
    p = cross_fitted(arrays)
    margin = eye_composition(given, ESTIMATORS["E1"](given)).by_band
    found = prevalence_of(margin, sex, weights)
    variance = margin.uncertainty(found.by_pi, found.by_n).variance
    step = 1e-4
    rng = np.random.default_rng(1)
    chosen = rng.choice(arrays.n.size, 60, replace=False)
    moved = np.zeros(chosen.size)
    for at, row in enumerate(chosen):
        added = np.zeros(arrays.n.size)
        added[row] = step
        over = added * np.where(arrays.validated, arrays.w_over_r / arrays.w, 0.0)
        up, down = (
            measured(replace(arrays, w=arrays.w + sign * added, w_over_r=arrays.w_over_r + sign * over), p)
            for sign in (1, -1)
        )
        moved[at] = (up - down) / (2 * step)
    along = np.concatenate([found.by_pi.ravel(), found.by_n.ravel()])
    residual = np.where(arrays.validated, arrays.male - p, 0.0)
    influence = _row_influence(
        given, p, residual, _influence(given, p, residual, by_band=True), eye_sums(arrays, by_band=True)
    )
    analytic = influence.sums() @ along / arrays.n
    np.testing.assert_allclose(moved, analytic[chosen], rtol=1e-4, atol=1e-9)
    people = arrays.n.sum()
    squares = float(along @ influence.products(np.ones(arrays.n.size, dtype=bool)) @ along)
    total = float(influence.sums().sum(axis=0) @ along)
    assert variance == pytest.approx((squares - total**2 / people) * people / (people - 1), rel=1e-9)


def test_both_eyes_of_a_patient_widen_the_interval() -> None:
    """Eyes taken as independent would give a variance up to half as large: the patient is the unit."""
    given = of_everybody(["male", "male", "female", "female"], [2] * 4, [2, 0, 2, 0], [40, 60, 30, 70])
    row = next(eye_rows(given, ESTIMATORS["recorded"](given)))
    independent = (1 / (200 * 0.4 * 0.6)) ** 0.5
    assert row["point"] == pytest.approx(0.4)
    assert row["se"] == pytest.approx(independent * 2**0.5, rel=0.01)


def test_men_and_women_exchanged_exchange_the_answers() -> None:
    """Relabelling the sexes mirrors every estimator's prevalence among eyes."""
    given = simulated()
    arrays = given.arrays
    mirrored = replace(
        arrays,
        male=arrays.validated & ~arrays.male,
        logit=-arrays.logit,
        predicted_male=(arrays.n_eyes > 0) & ~arrays.predicted_male,
        mean_prob_male=1 - arrays.mean_prob_male,
    )
    for method in METHODS:
        one, other = (
            list(eye_rows(each, ESTIMATORS[method](each))) for each in (given, replace(given, arrays=mirrored))
        )
        found = {(row["sex"], row["age_low"]): row["point"] for row in one if row["measure"] == "eye_prevalence"}
        swapped = {(row["sex"], row["age_low"]): row["point"] for row in other if row["measure"] == "eye_prevalence"}
        for (sex, low), point in found.items():
            assert swapped["female" if sex == "male" else "male", low] == pytest.approx(point, rel=1e-6), method


@pytest.mark.parametrize("method", ["E3", "E4", "E5"])
def test_estimators_without_eyes_are_refused_with_their_reason(method: str) -> None:
    """An estimator of shares by disease alone gives rows without a number, in the state refused, with the reason."""
    given = simulated()
    persons = estimated(given, method)
    rows = list(eye_rows(given, persons, ["cohort"]))
    assert {row["measure"] for row in rows} == set(MEASURES)
    assert all(row["state"] == "refused" and row.get("point") is None for row in rows)
    reason = persons.why if persons.state == "refused" else f"{method} estimates shares of men"
    assert all(str(row["note"]).startswith(reason[:40]) for row in rows)


def test_rows_about_persons_among_rows_about_eyes_are_refused() -> None:
    """Pooled cells of which one site records by eye and another by person give no number about eyes."""
    given = simulated()
    eyes = np.array(given.arrays.eyes)
    eyes[0] = 0
    mixed = replace(given, arrays=replace(given.arrays, eyes=eyes))
    found = eye_composition(mixed, ESTIMATORS["E1"](mixed))
    assert found.state == "refused"
    assert "the condition is about the person" in found.why


def test_too_few_validated_refuse_eyes_as_they_refuse_persons() -> None:
    """What cannot be said of persons cannot be said of their eyes."""
    given = simulated(n=400, design="random")
    few = given.arrays.validated & (np.cumsum(given.arrays.validated) <= 8)
    arrays = replace(given.arrays, validated=few, male=given.arrays.male & few)
    given = replace(given, arrays=arrays)
    persons = ESTIMATORS["auto"](given)
    rows = list(eye_rows(given, persons))
    assert persons.state == "refused"
    assert {row["note"] for row in rows} == {persons.why}


def test_all_estimates_hold_eyes_for_auto_and_the_naive_ones_and_the_truth() -> None:
    """Every measure of eyes for every estimator, crude, by band and standardised, once; none for persons alone."""
    both = simulate_cells(with_knobs(setting("eye_level_disease"), validated=0.3), 3_000, 4)
    frame, choices = all_estimates(both.cells, bands=BANDS, design="random", truth=both.truth)
    eyes = frame[frame["measure"].str.startswith("eye_")]
    assert set(eyes["measure"]) == set(MEASURES)
    assert set(eyes["estimator"]) == {*METHODS, "truth"}
    key = ["measure", "estimator", "condition", "sex", "age_low", "age_high", "standard"]
    assert not frame.duplicated(key).any()
    assert eyes.groupby("estimator").size().eq(5 * (1 + len(BANDS) + 1)).all()
    truth = eyes[(eyes["estimator"] == "truth") & (eyes["measure"] == "eye_prevalence")].iloc[0]
    known = both.truth.frame
    men = known[known["recorded_sex"] == "male"]
    expected = (men["n"] * men["n_diseased_eyes"]).sum() / (men["n"] * men["n_graded_eyes"]).sum()
    assert truth["point"] == pytest.approx(float(expected))
    assert np.isnan(truth["low"])
    assert any("different questions" in warning for warning in choices[0]["warnings"])
    plain, _ = all_estimates(simulate_cells("baseline", 2_000, 1).cells, bands=BANDS, design="random")
    assert not plain["measure"].str.startswith("eye_").any()


def test_persons_stay_as_they_were_when_cells_carry_eyes() -> None:
    """Counting eyes changes no number about persons."""
    cells = simulate_cells(with_knobs(setting("eye_level_disease"), validated=0.3), 3_000, 4).cells
    frame, _ = all_estimates(cells, bands=BANDS, design="random")
    keys = [name for name in cells.frame.columns if name.startswith(("sum_", "n")) and name != "n_eyes"]
    amounts = [name for name in keys if name not in {"n_graded_eyes", "n_diseased_eyes"}]
    by = [name for name in cells.frame.columns if name not in keys]
    person = cells.frame.groupby(by, dropna=False)[amounts].sum(min_count=1).reset_index()
    bare, _ = all_estimates(replace(cells, frame=person), bands=BANDS, design="random")
    persons = frame[~frame["measure"].str.startswith("eye_")].reset_index(drop=True)
    deterministic = persons["estimator"] != "E2"  # whose draws follow the rows
    columns = ["measure", "estimator", "sex", "age_low", "standard", "point", "low", "high", "df", "state"]
    pd.testing.assert_frame_equal(persons.loc[deterministic, columns], bare.loc[deterministic, columns], rtol=1e-7)


def test_units_of_a_sample_count_eyes_once_a_unit() -> None:
    """A patient alone in a unit gives the variance of patients; whole units give that of their totals."""
    given = simulated(n=1_500)
    arrays = given.arrays
    rows = np.repeat(np.arange(arrays.n.size), arrays.n.astype(int))
    single = arrays.chosen(rows)
    each = {name: getattr(single, name) / single.n for name in ("w", "w2", "w_over_r", "w2_over_r", "w2_over_r2")}
    single = replace(single, **each, n=np.ones(rows.size))
    alone = replace(single, psu=np.arange(rows.size))
    grouped = replace(single, psu=np.arange(rows.size) % 40)
    for method in METHODS:
        found = [
            list(eye_rows(one, ESTIMATORS[method](one)))
            for one in (replace(given, arrays=each) for each in (single, alone, grouped))
        ]
        ses = np.array([[row.get("se", np.nan) for row in rows[:5]] for rows in found], dtype=float)
        if method != "naive_weighted":  # whose binomial part is averaged out within a named unit
            np.testing.assert_allclose(ses[0], ses[1], rtol=0.02 if method == "E2" else 1e-6)
        assert np.all(np.abs(ses[2] / ses[0] - 1) > 1e-3)

        assert all(row["df"] <= 39 for row in found[2][:5])


def test_a_sex_without_an_affected_eye_has_a_wilson_limit_in_patients() -> None:
    """No eye of 50 women with two graded eyes is affected: Wilson at 50 patients, not at 100 eyes."""
    given = of_everybody(["male", "male", "female"], [2, 2, 2], [2, 0, 0], [20, 30, 50])
    rows = list(eye_rows(given, ESTIMATORS["recorded"](given)))
    female = next(row for row in rows if row["sex"] == "female" and row["age_low"] is None)
    z2 = 1.959964**2
    assert (female["point"], female["low"]) == (0.0, 0.0)
    assert female["high"] == pytest.approx(z2 / (50 + z2), rel=1e-5)


def test_the_number_of_graded_eyes_tested_by_hand() -> None:
    """30 patients with one eye, 15 affected; 60 with two, mean share 20 x 1/2 / 60 = 1/6: difference 1/3."""
    given = of_everybody(["male"] * 4, [1, 1, 2, 2], [1, 0, 1, 0], [15, 15, 20, 40])
    found = informative_eyes(given)
    first, second = 30 * 0.25 / 30**2, (20 * (1 / 3) ** 2 + 40 * (1 / 6) ** 2) / 60**2
    assert (found.n_one, found.n_two, found.df) == (30, 60, 89)
    assert found.point == pytest.approx(1 / 3)
    assert found.se == pytest.approx((90 / 89 * (first + second)) ** 0.5)
    assert found.rejects
    warning = informative_warning(found)
    assert warning is not None
    assert "more often in patients with one graded eye" in warning
    (row,) = [row for row in diagnose(simulated()).rows if row.diagnostic == "informative_eyes"]
    assert (row.state, row.statistic) == ("ok", "affected_share_one_eye_minus_two")


def test_the_test_of_graded_eyes_keeps_its_size_and_has_power() -> None:
    """Where one eye of a tenth of all is graded whatever the disease, about 5 % reject; where of the diseased, all."""
    even = with_knobs(setting("eye_level_disease"), one_eye_diseased=0.1, one_eye=0.1)
    rejected = 0
    for seed in range(120):
        cells = simulate_cells(even, 3_000, seed).cells
        rejected += informative_eyes(compose_input(cells, bands=BANDS, design="random")).rejects
    assert 1 <= rejected <= 14  # binomial(120, .05) lies there with probability .997
    assert informative_eyes(simulated(one_eye_diseased=0.4)).rejects


def test_known_probability_weighs_eyes_too() -> None:
    """With r known and unequal the estimate follows the weights, not the share validated."""
    one = with_knobs(setting("eye_level_disease"), recorded_by_disease=1.0, validated=0.2)
    assert one.design is ValidationDesign.known_probability
    both = simulate_cells(one, 20_000, 5)
    given = compose_input(both.cells, bands=BANDS, design=one.design)
    known = both.truth.frame
    for method in ("E1", "E2"):
        rows = list(eye_rows(given, estimated(given, method)))
        for row, sex in zip(rows[:2], ("male", "female"), strict=True):
            of = known[known["recorded_sex"] == sex]
            truth = float((of["n"] * of["n_diseased_eyes"]).sum() / (of["n"] * of["n_graded_eyes"]).sum())
            half = (row["high"] - row["low"]) / 2
            assert abs(row["point"] - truth) < 1.5 * half


def test_pooled_and_coarsened_cells_keep_their_eyes() -> None:
    """Wider score bins and the cells of two sites added up give the eyes of all their patients."""
    one = with_knobs(setting("eye_level_disease"), validated=0.3)
    first, second = (simulate_cells(one, 1_500, seed).cells for seed in (1, 2))
    both = joined_cells([Site(name="north", cells=first), Site(name="south", cells=second)])
    assert both is not None
    edges = np.union1d(both.edges[::10], [both.edges[-1], 0.0])
    coarse = coarse_bins(both, edges)
    for cells in (both, coarse):
        frame = cells.frame
        assert (frame["n"] * frame["n_graded_eyes"]).sum() == sum(
            (each.frame["n"] * each.frame["n_graded_eyes"]).sum() for each in (first, second)
        )
        given = compose_input(cells, bands=BANDS, design="random")
        assert next(eye_rows(given, ESTIMATORS["E1"](given)))["state"] == "corrected"
