"""The table of all estimates: its contract, its keys, its standards, and what carries no number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import all_estimates, compose, headline_rows, standard_weights
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.tables import table_schema

BANDS = AgeBands((20, 50, 60, 70, 80))


def two_conditions() -> tuple[Cells, Cells]:
    one, other = simulate_cells("baseline", 20_000, 1), simulate_cells("rare", 20_000, 2)
    made = []
    for name in ("cells", "truth"):
        frames = [getattr(both, name).frame.assign(condition=label) for both, label in ((one, "amd"), (other, "rare"))]
        made.append(Cells(frame=pd.concat(frames, ignore_index=True), edges=one.cells.edges))
    return made[0], made[1]


def test_all_estimates_obey_the_contract() -> None:
    """Columns, enumerations, bounds and the primary key hold; a refused condition stands beside an answered one."""
    cells, truth = two_conditions()
    frame, choices = all_estimates(cells, bands=BANDS, design="random", standards=("cohort", "esp_2013"), truth=truth)
    contract = table_schema("estimate")
    assert frame.columns.tolist() == contract.columns
    assert not frame.duplicated(list(contract.primary_key)).any()
    for field in contract.fields:
        values = frame[field.name].dropna()
        assert not field.required or len(values) == len(frame), field.name
        assert not field.enum or values.isin(field.enum).all(), field.name
        assert field.minimum is None or (values >= field.minimum).all(), field.name
        assert field.maximum is None or (values <= field.maximum).all(), field.name
    assert set(frame["estimator"]) == {
        "E1",
        "E2",
        "naive_threshold",
        "naive_weighted",
        "complete_case",
        "truth",
    }
    assert [choice["state"] for choice in choices] == ["corrected", "refused"]
    assert [choice["sex_ratio"] for choice in choices] == [True, False]
    rare = frame[(frame["condition"] == "rare") & frame["estimator"].isin(["E1", "E2"])]
    assert (rare["state"] == "refused").all() and rare["point"].isna().all()
    given = frame[frame["point"].notna() & frame["low"].notna()]
    assert (given["low"] <= given["point"]).all() and (given["point"] <= given["high"]).all()
    assert np.isfinite(given[["low", "high"]]).all(axis=None)


def test_the_headline_has_one_row_for_every_question() -> None:
    """One estimator answers each measure, sex, band and standard of each condition, E2 where a band is thin."""
    cells, _ = two_conditions()
    frame, choices = all_estimates(cells, bands=BANDS, design="random")
    head = headline_rows(frame, choices, BANDS)
    question = ["measure", "condition", "sex", "age_low", "standard"]
    assert not head.duplicated(question).any()
    leads = ["male_share", "prevalence", "prevalence_ratio", "prevalence_difference", "prevalence_odds_ratio"]
    assert set(head["measure"]) == set(leads), "trend, Mantel-Haenszel and regression rows never lead"
    everything = frame.loc[frame["measure"].isin(leads), question].drop_duplicates()
    assert len(head) == len(everything)
    amd = head[(head["condition"] == "amd") & head["age_low"].notna()]
    assert set(amd["estimator"]) == {"E1", "E2"}


def test_a_band_without_a_case_is_zero_not_missing() -> None:
    """No diseased patient at 65: prevalence 0 with a Wilson upper limit; the ratio there is undefined, with a note."""
    cells = worked_cells()
    frame = cells.frame[~((cells.frame["age_years"] == 65) & cells.frame["diseased"].astype(bool))]
    one = compose(
        Cells(frame=frame.reset_index(drop=True), edges=cells.edges), bands=worked_bands(), design="random", method="E1"
    )
    prevalence = one.prevalence().to_frame()
    old = prevalence[prevalence["age_low"] == 60]
    assert (old["point"] == 0).all() and (old["low"] == 0).all() and (old["high"] > 0).all()
    ratio = one.contrast("ratio", "cohort").to_frame()
    undefined = ratio[ratio["age_low"] == 60].iloc[0]
    assert undefined["state"] == "undefined" and np.isnan(undefined["point"]) and undefined["note"]
    assert ratio.loc[ratio["standard"] == "cohort", "point"].notna().all()


def test_an_empty_band_is_undefined_and_gets_no_weight() -> None:
    """Nobody aged 80: its rows are undefined, and the standard says that it was cut."""
    bands = AgeBands((40, 60, 80))
    one = compose(worked_cells(), bands=bands, design="random", method="E1")
    frame = one.prevalence("who_2000_2025").to_frame()
    assert (frame.loc[frame["age_low"] == 80, "state"] == "undefined").all()
    standard = frame[frame["standard"] == "who_2000_2025"]
    assert standard["point"].notna().all()
    assert standard["note"].str.contains("cut to ages 40-59, 60-79").all()


def test_standard_weights_are_the_published_ones() -> None:
    """Weights of 10-year bands from 40 against the published columns, summed by hand."""
    bands = AgeBands((40, 50, 60, 70, 80))
    who = np.array([6.59 + 6.04, 5.37 + 4.55, 3.72 + 2.96, 2.21 + 1.52, 0.91 + 0.44 + 0.15 + 0.04 + 0.005])
    esp = np.array([14000, 13500, 11500, 9000, 5000])
    japan = np.array([9400 + 8651, 7616 + 6581, 5546 + 4511, 3476 + 2441, 1406 + 784])
    for name, expected in (("who_2000_2025", who), ("esp_2013", esp), ("japan_1985", japan)):
        found = standard_weights(name, bands)
        np.testing.assert_allclose(found.weights, expected / expected.sum(), rtol=1e-9)
        assert "renormalised" in found.note


def test_own_weights_and_split_groups() -> None:
    """A user's standard is taken as given; a band that cuts a group takes its years' share and says so."""
    np.testing.assert_allclose(standard_weights({40: 1, 60: 3}, AgeBands((40, 60))).weights, [0.25, 0.75])
    split = standard_weights({40: 10, 50: 10}, AgeBands((40, 45, 50)))
    np.testing.assert_allclose(split.weights, [0.25, 0.25, 0.5])
    assert "split evenly" in split.note


@pytest.mark.parametrize(("standard", "message"), [("esp", "no standard population 'esp'"), ({40: -1}, "negative")])
def test_a_wrong_standard_is_named(standard: object, message: str) -> None:
    """An unknown name lists the known ones; negative weights are refused."""
    with pytest.raises(EstimationError, match=message):
        standard_weights(standard, AgeBands((40,)))


def test_html_escapes_what_comes_from_data() -> None:
    """A condition named like a tag cannot become one."""
    one = compose(worked_cells(), bands=worked_bands(), design="none", method="E1")
    html = one.contrast("ratio")._repr_html_()
    assert html.startswith("<table>") and "refused" in html
