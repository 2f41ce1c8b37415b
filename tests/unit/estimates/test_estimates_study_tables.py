"""What stands beside an answer: by hand on the worked example, and as the decision table asks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import Beliefs, headline_rows, stated_priors
from sexstrat.estimates.all_estimates import all_estimates
from sexstrat.estimates.compose import compose
from sexstrat.estimates.study_tables import study_tables
from sexstrat.estimates.validation_needed import validation_needed
from sexstrat.estimates.what_if import what_if
from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign
from sexstrat.values.tables import table_schema

BANDS = worked_bands()
SURE = stated_priors(sensitivity=(0.7999, 0.8001), specificity=(0.7999, 0.8001))


SUMS = ("sum_p", "sum_p2", "sum_w", "sum_w2", "sum_w_over_r", "sum_w2_over_r", "sum_w2_over_r2")


def resized(frame: pd.DataFrame, rows: pd.Series, n: int) -> pd.DataFrame:
    """Return cells in which the chosen rows hold n patients each, their sums with them."""
    times = (n / frame["n"].astype(float)).where(rows, 1.0)
    changed = {name: frame[name].astype(float) * times for name in SUMS}
    whole = {name: changed[name].round().astype("int64") for name in ("sum_p", "sum_p2")}
    return frame.assign(**{**changed, **whole}, n=frame["n"].where(~rows, n).astype("int64"))


def with_validated_diseased(count: int) -> Cells:
    """Return the worked example with that many validated patients with the disease, a multiple of 4, all aged 45."""
    cells = worked_cells()
    frame = cells.frame
    known = frame["diseased"].astype(bool) & (frame["recorded_sex"] != "unknown")
    kept = known & (frame["age_years"] == 45) & ~frame[known].duplicated(["recorded_sex", "logit_bin", "age_years"])
    kept = kept.fillna(value=False).astype(bool)
    frame = resized(frame, kept, count // 4)[~known | kept].reset_index(drop=True)
    return Cells(frame=frame, edges=cells.edges, model_id=cells.model_id)


@pytest.fixture(scope="module")
def corrected() -> dict[str, pd.DataFrame]:
    """Return the tables of the worked example under random validation."""
    found = study_tables(worked_cells(), bands=BANDS, design="random", standards=("cohort",))
    names = ("estimates", "diagnostics", "sensitivity", "imputation")
    return {name: getattr(found, name) for name in names}


@pytest.mark.parametrize("table", ["estimates", "diagnostics", "sensitivity", "imputation"])
def test_every_table_keeps_its_contract(corrected: dict[str, pd.DataFrame], table: str) -> None:
    """Columns, allowed words and the primary key are those of the contract."""
    names = {"estimates": "estimate", "diagnostics": "diagnostic"}
    schema, frame = table_schema(names.get(table, table)), corrected[table]
    assert frame.columns.tolist() == schema.columns
    assert len(frame) > 0
    assert not frame.duplicated(list(schema.primary_key)).any()
    for field in schema.fields:
        values = frame[field.name].dropna()
        assert not field.required or len(values) == len(frame), field.name
        assert not field.enum or set(values) <= set(field.enum), (field.name, set(values) - set(field.enum))
    numbers = frame[frame["low"].notna()]
    assert (numbers["low"] < numbers["high"]).all(), "an interval has a width"


def test_mantel_haenszel_trend_and_regression_are_rows_of_estimates(corrected: dict[str, pd.DataFrame]) -> None:
    """1/3 of men and 1/5 of women in both bands: odds ratio 2, ratio 5/3, difference 2/15, no change with age."""
    rows = corrected["estimates"].set_index(["measure", "estimator"]).sort_index()
    for measure, value in (
        ("mantel_haenszel_odds_ratio", 2.0),
        ("mantel_haenszel_prevalence_ratio", 5 / 3),
        ("mantel_haenszel_prevalence_difference", 2 / 15),
        ("ratio_of_odds_ratios_per_decade", 1.0),
    ):
        assert float(rows.loc[[(measure, "E1")], "point"].iloc[0]) == pytest.approx(value, abs=1e-6)
    regression = rows.loc[[("regression_odds_ratio", "E2")]].iloc[0]
    assert regression["low"] < 2 < regression["high"] and regression["standard"] == "regression"


def test_no_other_way_of_adjusting_leads() -> None:
    """The headline holds prevalence, its contrasts and the share of men, and nothing else."""
    frame, choices = all_estimates(worked_cells(), bands=BANDS, design="random")
    head = headline_rows(frame, choices, BANDS)
    assert not head["measure"].str.contains("mantel|regression|decade").any()
    assert set(head["standard"]) == {"crude", "cohort"}


def test_bias_analysis_under_sure_beliefs_is_the_known_answer_and_no_estimate() -> None:
    """Errors known to be 20 %: the ratio is 5/3, its state never corrected, and the estimates stay refused."""
    found = study_tables(worked_cells(), bands=BANDS, design="none", beliefs=Beliefs(priors=SURE, draws=2_000))
    rows = found.sensitivity[(found.sensitivity["analysis"] == "bias_analysis") & found.sensitivity["age_low"].isna()]
    ratio = rows[(rows["measure"] == "prevalence_ratio") & (rows["standard"] == "crude")].set_index("statistic")
    assert ratio.loc["systematic", "point"] == pytest.approx(5 / 3, abs=0.005)
    assert ratio.loc["estimate", "low"] < 1.4 and ratio.loc["estimate", "high"] > 1.9
    assert set(rows["state"]) == {"bias_analysis"}
    assert found.choices[0]["state"] == "refused"
    assert not (found.estimates["state"] == "bias_analysis").any()
    assert any("Sensitivity, well: beta" in text for text in found.choices[0]["what_if_assumptions"])


def test_without_beliefs_and_without_validation_no_number_is_invented() -> None:
    """The row is missing, and says what to write into the study file."""
    found = study_tables(worked_cells(), bands=BANDS, design="none")
    (row,) = found.sensitivity[found.sensitivity["analysis"] == "bias_analysis"].to_dict("records")
    assert row["state"] == "missing" and np.isnan(row["point"])
    assert "[bias_analysis]" in row["note"] and "sensitivity = [lowest, highest]" in row["note"]
    assert any("[bias_analysis]" in text for text in found.choices[0]["advice"])


def test_default_priors_are_declared_as_an_assumption() -> None:
    """With 4 validated diseased the answer is refused, and priors come from the well, said to be a default."""
    found = study_tables(with_validated_diseased(4), bands=BANDS, design="random", beliefs=Beliefs(draws=2_000))
    assert found.choices[0]["state"] == "refused"
    assert found.what_if[0].beliefs_of == "default priors"
    assert found.choices[0]["what_if_assumptions"][0].startswith("The study states no priors, so these are a default")
    assert any("more patients, chosen at random" in text for text in found.choices[0]["advice"])


def test_a_shrunk_answer_has_e5_and_a_bias_analysis_beside_it() -> None:
    """12 validated diseased: E2 shrunk leads; E5 and the bias analysis stand beside, and neither leads."""
    found = study_tables(with_validated_diseased(12), bands=BANDS, design="random", beliefs=Beliefs(draws=2_000))
    assert found.choices[0]["estimator"] == "E2" and found.choices[0]["state"] == "model_based"
    assert "E5" in set(found.estimates["estimator"])
    assert "bias_analysis" in set(found.sensitivity["analysis"])
    assert "E5" not in set(headline_rows(found.estimates, found.choices, BANDS)["estimator"])


def test_wrong_records_at_the_stated_rate() -> None:
    """A tenth of records wrong: 212.5 of 612.5 men against 87.5 of 487.5 women."""
    one = compose(worked_cells(), bands=BANDS, design="random")
    frame = what_if(worked_input(), one, Beliefs(recorded_sex_error=0.1), standards=()).to_frame()
    rows = frame[(frame["analysis"] == "error_of_recorded_sex") & (frame["value"] == 0.1)].set_index("measure")
    assert rows.loc["prevalence_ratio", "point"] == pytest.approx(212.5 / 612.5 / (87.5 / 487.5), abs=1e-6)
    assert set(rows.index) == {
        "prevalence", "prevalence_ratio", "prevalence_difference", "prevalence_odds_ratio",
    }  # fmt: skip
    assert (rows["note"].str.contains("the stated error rate")).all()


def test_composition_carries_what_if_only_when_beliefs_are_given() -> None:
    """Beliefs attach typed results to the answer; without them nothing is computed."""
    plain = compose(worked_cells(), bands=BANDS, design="none")
    asked = compose(worked_cells(), bands=BANDS, design="none", beliefs=Beliefs(priors=SURE, draws=2_000))
    assert plain.what_if is None
    assert asked.what_if is not None and asked.what_if.state == "bias_analysis" and asked.state == "refused"
    assert "<table" in asked.what_if._repr_html_()


def test_external_cohort_without_the_disease_gets_a_shift_and_a_bias_analysis() -> None:
    """E5 leads as an assumption; how far the disease may shift the score stands beside it, PACC against EMQ too."""
    outside = worked_cells()
    frame = outside.frame[outside.frame["recorded_sex"] != "unknown"].assign(condition="another")
    external = Cells(frame=frame.reset_index(drop=True), edges=outside.edges, model_id=outside.model_id)
    found = study_tables(
        worked_cells(), bands=BANDS, design="external", external=external, beliefs=Beliefs(shift_limit=1.5, draws=2_000)
    )
    assert found.choices[0]["estimator"] == "E5" and found.choices[0]["state"] == "assumption"
    shift = found.sensitivity[found.sensitivity["analysis"] == "shift_between_cohorts"]
    tipping = shift[shift["statistic"] == "tipping"].iloc[0]
    assert 0 < tipping["point"] < 1.5 and tipping["state"] == "bias_analysis"
    at_zero = shift[(shift["value"] == 0) & (shift["statistic"] == "estimate")].iloc[0]
    lead = found.estimates[
        (found.estimates["estimator"] == "E5")
        & (found.estimates["measure"] == "prevalence_ratio")
        & (found.estimates["standard"] == "cohort")
    ].iloc[0]
    assert at_zero["point"] == pytest.approx(lead["point"], rel=1e-9)
    assert "label_shift" in set(found.diagnostics["diagnostic"])


def test_patients_still_to_validate_count_those_there_are() -> None:
    """With 20 of each validated nothing is lacking; with none, 97 at random hold 20 of the 300 diseased."""
    given = worked_input()
    assert validation_needed(given).more_for_estimate == 0
    none = validation_needed(replace(given, design=ValidationDesign.none))
    assert none.more_for_estimate == 97 and "97 more patients" in none.statement


def test_a_cohort_with_too_few_cases_is_told_that_validation_does_not_help() -> None:
    """Nobody can find 20 diseased patients among 12."""
    cells = worked_cells()
    frame = resized(cells.frame, cells.frame["diseased"].astype(bool), 1)
    rare = frame["diseased"].astype(bool)
    frame = frame[~rare | (rare.cumsum() <= 12)].reset_index(drop=True)
    small = Cells(frame=frame, edges=cells.edges, model_id=cells.model_id)
    found = study_tables(small, bands=BANDS, design="none", beliefs=Beliefs(priors=SURE, draws=2_000))
    assert found.what_if[0].needed is not None and found.what_if[0].needed.for_estimate is None
    assert "does not help" in found.choices[0]["advice"][0]


def test_bootstrap_and_homogeneity_stand_beside_the_answer(corrected: dict[str, pd.DataFrame]) -> None:
    """The bootstrap interval holds 5/3 and is about as wide as the analytic one; both bands compare alike."""
    rows = corrected["diagnostics"]
    boot = rows[(rows["diagnostic"] == "bootstrap") & (rows["level_name"] == "crude")].iloc[0]
    analytic = corrected["estimates"].query("measure == 'prevalence_ratio' and estimator == 'E1' and age_low.isna()")
    analytic = analytic[analytic["standard"] == "crude"].iloc[0]
    widths = [np.log(one["high"] / one["low"]) for one in (boot, analytic)]
    assert boot["low"] < 5 / 3 < boot["high"] and 0.8 < widths[0] / widths[1] < 1.25
    alike = rows[rows["diagnostic"] == "homogeneity_over_age"].set_index("statistic")
    assert alike.loc["wald_chi_square", "point"] == pytest.approx(0, abs=1e-6)
    assert alike.loc["breslow_day_tarone", "point"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("wanted", [{"recorded_sex_error": 0.5}, {"shift_limit": 0.0}])
def test_beliefs_out_of_range_are_refused(wanted: dict[str, float]) -> None:
    """A belief that no data could have says so."""
    with pytest.raises(EstimationError, match="must lie"):
        Beliefs(**wanted)


def test_a_range_that_no_prior_has_names_its_key() -> None:
    """The message says which range is wrong."""
    with pytest.raises(EstimationError, match="specificity: an interval"):
        stated_priors(sensitivity=(0.8, 0.9), specificity=(0.9, 0.8))
