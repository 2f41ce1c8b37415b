"""Diagnostics as data: verdicts that take evidence, figures with intervals, states instead of numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.accuracy_by_age import accuracy_by_age
from sexstrat.estimates.diagnosis.diagnostics import Diagnostics, diagnose
from sexstrat.estimates.diagnosis.disease_shift import disease_shift, shown_nondifferential
from sexstrat.estimates.diagnosis.information import planned_validation
from sexstrat.estimates.diagnosis.recorded_against_unrecorded import (
    recorded_against_unrecorded,
    standardised_difference,
)
from sexstrat.estimates.diagnosis.score_mixture import score_mixture
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople, validated_people
from sexstrat.estimates.planning.variance_parts import VarianceParts, limits_ratio, variance_parts
from sexstrat.estimates.worked_example import worked_arrays, worked_bands, worked_input
from sexstrat.simulation import Setting, setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 50, 60, 70, 80))
STATES = {"ok", "too_few", "undefined", "not_applicable"}


def given_of(
    name: str | Setting, n: int, seed: int, design: ValidationDesign = ValidationDesign.random
) -> ComposeInput:
    arrays = cell_arrays(simulate_cells(name, n, seed).cells, BANDS, design)
    return replace(worked_input(), arrays=arrays, bands=BANDS, design=design)


def row_of(found: Diagnostics, statistic: str, level: str = "all") -> pd.Series:
    """Return the one row of a figure."""
    frame = found.to_frame()
    chosen = frame[(frame["statistic"] == statistic) & (frame["level"] == level)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def sound(frame: pd.DataFrame) -> None:
    """Check that every row has a known state, that numbers and states agree, and that no interval has no width."""
    assert set(frame["state"]) <= STATES
    ok = frame["state"] == "ok"
    assert frame.loc[ok, "point"].notna().all()
    assert frame.loc[~ok, ["point", "low", "high", "p_value"]].isna().all().all()
    assert frame.loc[~ok, "note"].notna().all()
    held = frame["low"].notna()
    assert (held == frame["high"].notna()).all()
    assert (held == frame["confidence"].notna()).all()
    assert (frame.loc[held, "high"] > frame.loc[held, "low"]).all()
    assert (frame.loc[held, "low"] <= frame.loc[held, "point"] + 1e-9).all()
    assert (frame.loc[held, "point"] <= frame.loc[held, "high"] + 1e-9).all()
    assert not frame.duplicated(["diagnostic", "group", "level", "statistic"]).any()


@pytest.fixture(scope="module")
def by_disease() -> Diagnostics:
    return diagnose(given_of("error_by_disease", 60_000, 7))


def test_every_row_is_sound(by_disease: Diagnostics) -> None:
    """Numbers only where the state is ok, intervals with a width around the point, one row a figure."""
    sound(by_disease.to_frame())


def test_error_by_disease_is_found(by_disease: Diagnostics) -> None:
    """z shifted by 0.6 at a separation of 2.33 is 1.40 of logit p, 0.67 SD within sex; calibration differs too."""
    for sex in ("men", "women"):
        row = row_of(by_disease, "shift_of_logit_p", sex)
        assert row["low"] < 0.6 * 2.326 < row["high"]
        assert row_of(by_disease, "shift_in_sd", sex)["confidence"] == 0.90
    assert row_of(by_disease, "likelihood_ratio_chi_square")["p_value"] < 1e-6
    assert not by_disease.shown_nondifferential


def test_no_significant_shift_is_not_enough() -> None:
    """Without error by disease 1,000 validated patients show no shift, and do not show that there is none."""
    found = diagnose(given_of("baseline", 20_000, 11))
    assert (row_of(found, "shift_of_logit_p", "men")["p_value"] > 0.05).all()
    assert not found.shown_nondifferential
    assert row_of(found, "shown_nondifferential")["point"] == 0.0


def everybody_known(name: str, n: int, seed: int) -> ValidatedPeople:
    """Return a simulated cohort in which every sex is known."""
    return validated_people(cell_arrays(simulate_cells(name, n, seed).truth, BANDS, ValidationDesign.random))


def test_enough_patients_show_that_error_is_nondifferential() -> None:
    """With 60,000 validated the 90 % intervals of both sexes lie within 0.1 SD; with such an error they do not."""
    assert shown_nondifferential(disease_shift(everybody_known("baseline", 60_000, 12)))
    assert not shown_nondifferential(disease_shift(everybody_known("error_by_disease", 60_000, 12)))


def test_an_effect_of_age_is_not_taken_for_one_of_disease() -> None:
    """Error by age alone: no shift by disease although disease depends on age; accuracy differs by age."""
    people = everybody_known("error_by_age", 60_000, 5)
    assert shown_nondifferential(disease_shift(people))
    rows = {(row.statistic, row.level): row for row in accuracy_by_age(people, BANDS.labels)}
    falling = rows["trend_of_specificity_per_decade", "all"]
    assert falling.high is not None
    assert falling.high < 0
    different = rows["heterogeneity_of_specificity", "all"].p_value
    assert different is not None
    assert different < 1e-6


def test_calibration_sees_overconfidence() -> None:
    """Reported logit = 0.4 + 2 x calibrated: the slope is well below that of a calibrated score, and differs from 1."""
    plain, steep = (  # a score weak enough that doubled logits stay inside the bins' +-10
        row_of(diagnose(given_of(replace(setting(name), auc=0.85), 20_000, 13)), "cox_slope")
        for name in ("baseline", "overconfident")
    )
    assert steep["point"] == pytest.approx(plain["point"] / 2, rel=1e-2)
    assert steep["p_value"] < 1e-6


def test_the_index_of_a_calibrated_score_may_be_zero() -> None:
    """A score calibrated by construction: the range of the integrated index starts at 0 although its point cannot."""
    rng = np.random.default_rng(3)
    arrays = worked_arrays()
    n = 4_000
    logit = (np.floor(10 * rng.normal(size=n) * 2) + 0.5) / 10
    p = 1 / (1 + np.exp(-logit))
    fields = {name: np.zeros(n) for name in ("w_over_r", "w2_over_r", "w2_over_r2", "w", "w2", "n")}
    one = replace(
        arrays,
        **{name: values + 1.0 for name, values in fields.items()},
        group=np.zeros(n, dtype=np.int64),
        age_years=rng.integers(40, 60, n).astype(float),
        diseased=rng.integers(0, 2, n),
        n_eyes=np.full(n, 2),
        site=np.zeros(n, dtype=np.int64),
        stratum=np.zeros(n, dtype=np.int64),
        psu=np.full(n, -1),
        validated=np.ones(n, dtype=bool),
        male=rng.random(n) < p,
        logit=logit,
        predicted_male=logit > 0,
        fold=np.zeros(n, dtype=np.int64),
        mean_prob_male=p,
    )
    row = row_of(diagnose(replace(worked_input(), arrays=one)), "integrated_calibration_index")
    assert row["low"] == 0.0 < row["point"] < row["high"] < 0.08


def test_known_recording_probabilities_put_the_weights_right() -> None:
    """Recording by age, disease and score: validated differ from others, weighted by w/r they resemble the cohort."""
    given = given_of("recording_by_age_disease_score", 60_000, 3, ValidationDesign.known_probability)
    found = diagnose(given)
    assert row_of(found, "disease")["low"] > 0.2
    assert row_of(found, "age_years")["high"] < -0.1
    for statistic in ("weighted_disease", "weighted_age_years", "weighted_logit_p"):
        assert abs(row_of(found, statistic)["point"]) < 0.1
    effective = row_of(found, "effective_validated")
    assert effective["point"] < 0.9 * effective["n_validated"]
    assert row_of(found, "mixture_deviance")["p_value"] > 1e-3


def test_the_mixture_contradicts_scores_that_differ_without_record() -> None:
    """Unvalidated patients whose logits are doubled: no mixture of the validated men's and women's scores fits."""
    arrays = given_of("baseline", 20_000, 4).arrays
    assert score_mixture(arrays)[0].p_value is not None
    other = replace(arrays, logit=np.where(arrays.validated, arrays.logit, 2 * arrays.logit))
    p = score_mixture(other)[0].p_value
    assert p is not None
    assert p < 1e-6


def test_standardised_differences_by_hand() -> None:
    """Means 1 and 0 with variances 1: d = 1; equal constants: 0; unequal constants: not defined."""
    values = np.array([0.0, 2.0, -1.0, 1.0])
    first, second = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
    assert standardised_difference(values, first, second) == pytest.approx(1.0)
    assert standardised_difference(np.ones(4), first, second) == 0.0
    assert np.isnan(standardised_difference(np.array([1.0, 1.0, 2.0, 2.0]), first, second))


def test_recorded_patients_are_compared_only_with_others() -> None:
    """Where everybody is recorded there is nobody to compare with, and the state says so."""
    arrays = worked_arrays()
    rows = recorded_against_unrecorded(replace(arrays, validated=np.ones_like(arrays.validated)), worked_bands().labels)
    assert {row.state for row in rows} == {"too_few"}


def test_a_plan_is_kept_when_it_is_carried_out() -> None:
    """The variance predicted for twice as many validated as 1,000 of 20,000 is the one then found, within 12 %."""
    parts = variance_parts(given_of("baseline", 20_000, 21))
    twice = simulate_cells(replace(setting("baseline"), validated=0.10), 20_000, 21)
    arrays = cell_arrays(twice.cells, BANDS, ValidationDesign.random)
    found = variance_parts(replace(worked_input(), arrays=arrays, bands=BANDS))
    assert found.n_validated > 1.8 * parts.n_validated
    assert found.variance(found.n_validated) == pytest.approx(parts.variance(found.n_validated), rel=0.12)


def test_a_width_no_recording_can_reach_is_not_promised() -> None:
    """Where the cohort itself is too small the plan says so; a width already reached needs nobody more."""
    parts = VarianceParts(within=0.02, draws=0.0, parameters=0.01, n_patients=900, n_validated=100, fmi=0.3)
    narrow, wide = planned_validation(parts, (1.2, 5.0))
    assert (narrow.state, narrow.point) == ("undefined", None)
    assert "more patients are needed" in (narrow.note or "")
    assert wide.point == 0.0
    assert limits_ratio(parts.variance(100)) < 5
    with pytest.raises(EstimationError, match="above 1"):
        planned_validation(parts, (1.0,))


@pytest.mark.parametrize("case", ["nobody", "one sex", "no disease", "constant score", "two", "no eyes"])
def test_degenerate_data_give_states(case: str) -> None:
    """Nobody validated, one sex, no disease, one score, two patients, no photograph: states and reasons instead."""
    arrays = worked_arrays()
    none = np.zeros_like(arrays.validated)
    changed: dict[str, CellArrays] = {
        "nobody": replace(arrays, validated=none, male=none),
        "one sex": replace(arrays, male=arrays.validated.copy()),
        "no disease": replace(arrays, diseased=0 * arrays.diseased, group=2 * (arrays.group // 2)),
        "constant score": replace(
            arrays, logit=0 * arrays.logit + 0.05, mean_prob_male=0 * arrays.logit + 0.5, predicted_male=~none
        ),
        "two": replace(arrays, validated=(np.arange(none.size) < 2)),
        "no eyes": replace(arrays, n_eyes=0 * arrays.n_eyes, logit=0 * arrays.logit, predicted_male=none),
    }
    found = diagnose(replace(worked_input(), arrays=changed[case]))
    sound(found.to_frame())
    assert not found.shown_nondifferential


def test_an_external_sample_is_what_the_errors_are_read_from() -> None:
    """With an external sample the transport test stands in the table, and the cohort need know no sex."""
    both = simulate_cells("external_broken", 20_000, 2)
    assert both.external is not None
    design = ValidationDesign.external
    given = replace(
        worked_input(),
        bands=BANDS,
        design=design,
        arrays=cell_arrays(both.cells, BANDS, design),
        external=cell_arrays(both.external, BANDS, ValidationDesign.random),
    )
    found = diagnose(given)
    assert found.transport is not None
    assert found.transport.rejects
    frame = found.to_frame()
    sound(frame)
    assert frame.loc[frame["diagnostic"] == "transport", "p_value"].item() < 1e-6
    together = diagnose(replace(given, external_has_disease=False))
    assert together.transport is not None
    assert all(not row["diseased"] for row in together.transport.rows)


def test_sites_are_named_or_the_lack_is_said() -> None:
    """Calibration by site, once each; fewer names than sites is a mistake."""
    arrays = worked_arrays()
    two = replace(arrays, site=(arrays.age_years > 50).astype(np.int64))
    frame = diagnose(replace(worked_input(), arrays=two), sites=("north", "south")).to_frame()
    brier = frame[(frame["statistic"] == "brier") & (frame["group"] == "site")]
    assert brier["level"].tolist() == ["north", "south"]
    with pytest.raises(EstimationError, match="2 sites"):
        diagnose(replace(worked_input(), arrays=two), sites=("north",))
