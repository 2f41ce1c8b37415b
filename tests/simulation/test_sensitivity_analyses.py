"""Sensitivity analyses recover the truth when the assumed error is the true one, and only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sexstrat.estimates import ComposeInput, compose
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.places import crude_place
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.estimates.sensitivity.beta_prior import beta_prior
from sexstrat.estimates.sensitivity.bias_analysis import bias_analysis
from sexstrat.estimates.sensitivity.delta_adjustment import delta_adjusted
from sexstrat.estimates.sensitivity.duplicate_records import duplicate_disagreement
from sexstrat.estimates.sensitivity.error_priors import ErrorPriors
from sexstrat.estimates.sensitivity.misrecorded_margin import RecordingError, misrecorded_place
from sexstrat.estimates.sensitivity.score_logit_shift import ScoreModel, shifted_composition
from sexstrat.simulation import cells_of_people, draw_people, setting, simulate_cells, true_prevalence_ratio
from sexstrat.simulation.setting import Setting
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

BANDS = AgeBands((20, 50, 60, 70, 80))
BY_DISEASE = setting("error_by_disease")
SCORE = ScoreModel(trained_male_share=0.48, two_eye_slope=2 / (1 + 0.6))  # 2 / (1 + correlation of the eyes' errors)


def given_of(one: Setting, n: int, seed: int, design: ValidationDesign) -> ComposeInput:
    cells = simulate_cells(one, n, seed).cells
    arrays = cell_arrays(cells, BANDS, design)
    return ComposeInput(condition="disease", bands=BANDS, arrays=arrays, design=design, target=Target.population)


def ratios(replicates: int, n: int, delta: float) -> np.ndarray:
    """Return log ratio, its standard error and whether its interval holds the truth, one row a cohort."""
    truth, rows = true_prevalence_ratio(BY_DISEASE), []
    for seed in range(3_000, 3_000 + replicates):
        given = given_of(BY_DISEASE, n, seed, ValidationDesign.none)
        row = shifted_composition(given, delta, model=SCORE).contrast("ratio").rows[0]
        rows.append((np.log(row["point"]), row["se"], row["low"] <= truth <= row["high"]))
    return np.array(rows, dtype=float)


def test_the_right_shift_of_the_score_recovers_the_truth() -> None:
    """Error by disease, z shifted by .6, that is .6 x 2.326 of logit p: the ratio is 1.40, without the shift 2.6."""
    delta = 0.6 * BY_DISEASE.separation
    found = ratios(12, 20_000, delta)
    error = found[:, 0].std(ddof=1) / 12**0.5
    assert abs(found[:, 0].mean() - np.log(true_prevalence_ratio(BY_DISEASE))) < 3 * error
    assert error < 0.02
    assert found[:, 2].mean() >= 10 / 12
    assert np.exp(ratios(2, 20_000, 0.0)[:, 0].mean()) > 2.2


def test_the_right_delta_of_recording_recovers_the_share_of_men() -> None:
    """Men recorded with .8 more log odds: shifted by -.8 the share of men is .48, without the shift above .52."""
    one, shares = setting("recording_by_sex_unknown"), []
    for seed in range(12):
        given = given_of(one, 20_000, seed, ValidationDesign.may_depend_on_sex)
        model = recalibrate(given.arrays)
        both = [delta_adjusted(given, model, well=shift, diseased=shift) for shift in (-0.8, 0.0)]
        shares.append([made.male_share().rows[0]["point"] for made in both])
    right, wrong = np.mean(shares, axis=0)
    assert right == pytest.approx(0.48, abs=0.006)
    assert wrong > 0.52


def recorded_with_errors(seed: int, rate: float) -> tuple[float, float, bool]:
    """Return the log ratio of E1 as recorded and corrected for the rate, and whether the corrected interval covers."""
    people = draw_people(setting("baseline"), 20_000, np.random.default_rng(seed))
    wrong = np.random.default_rng(seed + 1).random(people.male.size) < rate
    people = replace(people, male=np.where(people.validated & wrong, ~people.male, people.male))
    cells = cells_of_people(people, people.validated)
    one = compose(cells, bands=BANDS, design="random", method="E1")
    rows = []
    for error in (0.0, rate):
        place = misrecorded_place(crude_place(one), RecordingError.common(error))
        rows.append(replace(one, overall=place.margin).contrast("ratio").rows[0])
    truth = true_prevalence_ratio(setting("baseline"))
    return np.log(rows[0]["point"]), np.log(rows[1]["point"]), rows[1]["low"] <= truth <= rows[1]["high"]


def recovered(replicates: int) -> np.ndarray:
    return np.array([recorded_with_errors(50 + 10 * k, 0.08) for k in range(replicates)], dtype=float)


def test_correcting_records_at_their_true_rate_recovers_the_truth() -> None:
    """8 % of recorded sexes wrong: the correction widens the ratio by about 1 / .84, and its intervals cover."""
    found = recovered(12)
    truth = np.log(true_prevalence_ratio(setting("baseline")))
    error = found[:, 1].std(ddof=1) / 12**0.5
    assert abs(found[:, 1].mean() - truth) < 3 * error
    assert (found[:, 1] / found[:, 0]).mean() == pytest.approx(1 / 0.84, rel=0.05)
    assert found[:, 2].mean() >= 9 / 12


def test_bias_analysis_around_the_true_errors_holds_the_truth() -> None:
    """Differential error, priors centred on each disease state's own true errors: the median lies near 1.40.

    Pooled priors, which take error as the same in both disease states, put it near the 2.4 of the pooled matrix.
    """
    both = simulate_cells(BY_DISEASE, 60_000, 8)
    arrays = cell_arrays(both.truth, BANDS, ValidationDesign.random)
    given = given_of(BY_DISEASE, 60_000, 8, ValidationDesign.none)

    def rate(male: bool, *states: int) -> float:
        rows = (arrays.male == male) & np.isin(arrays.diseased, states)
        return float(np.average(arrays.predicted_male[rows] == male, weights=arrays.n[rows]))

    def priors(*states: tuple[int, ...]) -> ErrorPriors:
        well, ill = ([beta_prior(mean=rate(male, *one), sd=0.01) for male in (True, False)] for one in states)
        return ErrorPriors(
            sensitivity_well=well[0],
            specificity_well=well[1],
            sensitivity_diseased=ill[0],
            specificity_diseased=ill[1],
            by_disease=0.8,
        )

    truth = true_prevalence_ratio(BY_DISEASE)
    right = bias_analysis(given, priors((0,), (1,)), draws=4000).measure().row()
    assert right["median"] == pytest.approx(truth, abs=0.12)
    assert right["low"] < truth < right["high"]
    pooled = bias_analysis(given, priors((0, 1), (0, 1)), draws=4000).measure().row()
    assert pooled["median"] > 2.1


def duplicates_covered(replicates: int, rate: float) -> float:
    """Return how often the interval of groups of two to four records holds the rate."""
    hits = []
    for seed in range(replicates):
        rng = np.random.default_rng(seed)
        person = np.repeat(np.arange(300), rng.choice([2, 2, 2, 3, 4], 300))
        male = (rng.random(300) < 0.4)[person] ^ (rng.random(person.size) < rate)
        found = duplicate_disagreement(person.tolist(), np.where(male, "male", "female").tolist())
        assert found.low is not None
        assert found.high is not None
        hits.append(found.low <= rate <= found.high)
    return float(np.mean(hits))


def test_the_interval_of_the_error_rate_covers() -> None:
    """150 registers of 300 duplicated people, 4 % of records wrong: between .90 and .99 of 95 % intervals cover."""
    assert 0.90 <= duplicates_covered(150, 0.04) <= 0.99


@pytest.mark.slow
def test_the_right_assumption_covers_full() -> None:
    """200 cohorts each, 1,000 registers: coverage of the shifted score, of corrected records, and of duplicates."""
    assert 0.92 <= ratios(200, 20_000, 0.6 * BY_DISEASE.separation)[:, 2].mean() <= 0.99
    assert 0.92 <= recovered(200)[:, 2].mean() <= 0.98
    assert 0.93 <= duplicates_covered(1000, 0.04) <= 0.97
