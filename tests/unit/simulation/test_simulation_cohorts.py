"""Simulated tables obey the contracts, tables and cells hold the same people, truth stays apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from sexstrat.simulation import joint_shares, setting, settings, simulate_cells, simulate_cohort, true_composition
from sexstrat.values.tables import table_schema

EVERYTHING = replace(setting("everything"), no_image=0.03)


@pytest.mark.parametrize("name", settings())
def test_every_setting_draws_tables_that_obey_their_contracts(name: str) -> None:
    """Columns, keys, allowed values and bounds hold for every named setting."""
    cohort = simulate_cohort(name, 600, seed=2)
    for table, frame in (("person", cohort.persons), ("score", cohort.scores), ("condition", cohort.conditions)):
        contract = table_schema(table)
        assert frame.columns.tolist() == contract.columns
        assert not frame.duplicated(list(contract.primary_key)).any()
        for field in contract.fields:
            values = frame[field.name].dropna()
            assert not field.required or len(values) == len(frame), field.name
            assert not field.enum or values.isin(field.enum).all(), field.name
            if field.minimum is not None:
                assert (values >= field.minimum).all(), field.name
            if field.maximum is not None:
                assert (values <= field.maximum).all(), field.name
    assert set(cohort.scores["patient_id"]) == set(cohort.persons["patient_id"])
    scored = cohort.scores["status"] == "ok"
    assert cohort.scores.loc[scored, "prob_male"].notna().all()
    assert cohort.scores.loc[~scored, "prob_male"].isna().all()
    assert cohort.scores.loc[~scored, "reason"].notna().all()


def test_recorded_sex_is_true_where_it_is_known() -> None:
    """What is recorded equals the hidden truth; about one in twenty is recorded."""
    cohort = simulate_cohort("baseline", 8_000, seed=3)
    known = cohort.persons["recorded_sex"] != "unknown"
    assert (cohort.persons.loc[known, "recorded_sex"] == cohort.truth.loc[known, "true_sex"]).all()
    assert known.mean() == pytest.approx(0.05, abs=0.01)


def test_an_unknown_recording_probability_is_not_told() -> None:
    """When recording may depend on sex in an unknown way no validation probability is given away."""
    assert simulate_cohort("recording_by_sex_unknown", 300, 1).persons["validation_probability"].isna().all()
    assert simulate_cohort("recording_by_sex", 300, 1).persons["validation_probability"].notna().all()


def test_cells_hold_the_same_people_as_the_tables() -> None:
    """Counts by age, disease and recorded sex, and the sum of p, agree between the two ways to the same cohort."""
    cohort, both = (make(EVERYTHING, 3_000, seed=9) for make in (simulate_cohort, simulate_cells))
    people = cohort.persons.merge(cohort.conditions, on="patient_id")
    table = people.groupby(["age_years", "present", "recorded_sex"]).size()
    cells = both.cells.frame.groupby(["age_years", "diseased", "recorded_sex"])["n"].sum()
    assert table.tolist() == cells.tolist()
    usable = cohort.scores[cohort.scores["status"] == "ok"]
    mean_logit = logit(usable["prob_male"]).clip(-10, 10).groupby(usable["patient_id"]).mean()
    total = float((1 / (1 + np.exp(-mean_logit))).sum())
    assert both.cells.frame["sum_p"].sum() / 2**30 == pytest.approx(total, abs=1e-4)
    eyes = usable.groupby("patient_id").size().reindex(cohort.persons["patient_id"], fill_value=0)
    assert both.cells.frame.groupby("n_eyes")["n"].sum().tolist() == np.bincount(eyes, minlength=3).tolist()


def test_cells_obey_their_contract() -> None:
    """Fold only where validated, no bin without an eye, and no key twice."""
    frame = simulate_cells("everything", 3_000, seed=9).cells.frame
    validated = frame["recorded_sex"] != "unknown"
    assert frame["fold"].notna().equals(validated)
    assert frame["logit_bin"].isna().equals(frame["n_eyes"] == 0)
    assert not frame.duplicated(list(table_schema("cell").primary_key)).any()


def test_large_cohorts_come_close_to_the_exact_truth() -> None:
    """Shares of band, disease and sex of 200,000 drawn people agree with the formula."""
    lows = (20, 60)
    truth = simulate_cells("baseline", 200_000, seed=1).truth.frame
    band = (truth["age_years"] >= 60).astype(int)
    drawn = np.zeros((2, 2, 2))
    np.add.at(drawn, (band, truth["diseased"].astype(int), (truth["recorded_sex"] == "male").astype(int)), truth["n"])
    np.testing.assert_allclose(drawn / 200_000, true_composition(setting("baseline"), lows), atol=0.004)


def test_no_effect_means_no_difference_given_age() -> None:
    """In the null setting men and women of every age have the same prevalence, exactly."""
    shares = joint_shares(setting("null_error_by_disease"))
    prevalence = shares[:, 1] / shares.sum(axis=1)
    np.testing.assert_allclose(prevalence[:, 0], prevalence[:, 1])


def test_an_unknown_setting_lists_those_there_are() -> None:
    """A misspelt setting is answered with the names."""
    with pytest.raises(KeyError, match="baseline"):
        setting("basline")
