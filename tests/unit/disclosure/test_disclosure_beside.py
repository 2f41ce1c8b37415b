"""The gate on diagnostics, what-if analyses and imputation compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.disclosure.diagnostic_rows import protect_diagnostics
from sexstrat.disclosure.estimate_rows import protect_estimates
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.rounding import round_table
from sexstrat.disclosure.sensitivity_rows import protect_imputation, protect_sensitivity
from sexstrat.disclosure.withhold import releasable_frame

UK = PROFILES["uk-5"]
NOTHING = pd.DataFrame()
BANDS = ((40, 50), (50, 60), (60, None))


def diagnostics(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of the contract, measured on equal numbers of patients and validated ones."""
    base = {"condition": "d", "diagnostic": "accuracy_by_age", "statistic": "sensitivity", "group": "all",
            "level_name": "all", "state": "measured"}  # fmt: skip
    made = [{**base, "n_patients": row["n_validated"], **row} for row in rows]
    return releasable_frame(pd.DataFrame(made), "diagnostic")


def estimates(**band: dict[str, int]) -> pd.DataFrame:
    """Return naive and E1 prevalence ratios of all ages and three bands with the counts given by band name."""
    rows = []
    for name, (low, high) in {
        "all": (None, None),
        **dict(zip(("first", "second", "third"), BANDS, strict=True)),
    }.items():
        counts = {"n_patients": 3000, "n_diseased": 600, "n_validated": 600, "n_validated_diseased": 120}
        counts |= band.get(name, {})
        for estimator, state in (("E1", "corrected"), ("naive_threshold", "naive"), ("complete_case", "naive")):
            rows.append(
                {
                    "measure": "prevalence_ratio",
                    "estimator": estimator,
                    "condition": "d",
                    "standard": "crude",
                    "age_low": low,
                    "age_high": high,
                    "point": 1.5,
                    "level": 0.95,
                    "state": state,
                    **counts,
                }
            )
    return protect_estimates(releasable_frame(pd.DataFrame(rows), "estimate"), UK)


def hidden(frame: pd.DataFrame) -> list[bool]:
    """Tell which rows are suppressed, and that they carry no number."""
    gone = frame["state"] == "suppressed"
    assert frame.loc[gone, ["point", "low", "high", "n_patients", "n_validated"]].isna().all(axis=None)
    return gone.tolist()


def test_a_few_wrong_calls_hide_their_share() -> None:
    """3 of 100 men called female: the share, with its denominator, would say so."""
    frame = protect_diagnostics(diagnostics([{"point": 0.97, "n_validated": 100}]), NOTHING, NOTHING, UK)
    assert hidden(frame) == [True]
    frame = protect_diagnostics(diagnostics([{"point": 0.9, "n_validated": 100}]), NOTHING, NOTHING, UK)
    assert hidden(frame) == [False]


def test_one_disease_state_takes_the_other_with_it() -> None:
    """All men and the well give the diseased by subtraction."""
    rows = [{"point": 0.85, "n_validated": 200}]
    rows += [{"group": "disease", "level_name": "without the disease", "point": 30 / 36, "n_validated": 180}]
    rows += [{"group": "disease", "level_name": "with the disease", "point": 0.95, "n_validated": 20}]
    assert hidden(protect_diagnostics(diagnostics(rows), NOTHING, NOTHING, UK)) == [False, True, True]


def test_one_band_takes_a_second_and_what_cannot_be_given_protects_nothing() -> None:
    """A band with 2 wrong calls hides the next smallest; a band too thin to be given counts as hidden too."""
    shares = (("40-49", 48 / 50, 50), ("50-59", 0.8, 60), ("60+", 0.8, 200))
    rows = [{"point": 0.8, "n_validated": 310}]
    rows += [{"group": "age_band", "level_name": name, "point": point, "n_validated": n} for name, point, n in shares]
    assert hidden(protect_diagnostics(diagnostics(rows), NOTHING, NOTHING, UK)) == [False, True, True, False]
    rows[1] |= {"point": None, "n_validated": 8, "state": "too_few"}
    assert hidden(protect_diagnostics(diagnostics(rows), NOTHING, NOTHING, UK))[1:3] == [True, True]


def test_bands_by_disease_are_hidden_in_pairs() -> None:
    """A hidden cell takes the other disease state of its band, and a second band."""
    rows = [{"point": 0.8, "n_validated": 310}]
    for name, n in (("40-49", 50), ("50-59", 60), ("60+", 200)):
        for state, point in (("with", 0.8), ("without", 0.8)):
            rows.append(
                {
                    "group": "age_band_and_disease",
                    "level_name": f"{name}, {state} the disease",
                    "point": 0.96 if (name, state) == ("40-49", "with") else point,
                    "n_validated": n // 2,
                }
            )
    assert hidden(protect_diagnostics(diagnostics(rows), NOTHING, NOTHING, UK)) == [
        False, True, True, True, True, False, False,
    ]  # fmt: skip


def test_validated_counts_that_the_estimates_withhold_are_in_no_diagnostic() -> None:
    """3 validated diseased in a band: its validated people are withheld in every row about it."""
    made = estimates(first={"n_validated": 41, "n_validated_diseased": 3})
    assert made.loc[made["age_low"] == 40, "n_validated"].isna().all()
    rows = [
        {"diagnostic": "calibration", "statistic": "brier", "group": "age_band", "level_name": "40-49", "point": 0.1,
         "n_validated": 41},
        {"diagnostic": "recorded_against_unrecorded", "statistic": "disease", "group": "age_band",
         "level_name": "40-49", "point": 0.11, "n_validated": 41, "n_patients": 3000},
        {"statistic": "sensitivity", "group": "age_band", "level_name": "40-49", "point": 0.75, "n_validated": 20},
    ]  # fmt: skip
    frame = protect_diagnostics(diagnostics(rows), made, NOTHING, UK)
    assert hidden(frame) == [False, True, True]
    assert frame["n_validated"].isna().all() and pd.isna(frame.loc[0, "n_patients"])


def test_standardised_differences_of_shares_are_coarse() -> None:
    """A difference of 0.07 in having one eye is released as 0.1, its limits outwards."""
    row = {"diagnostic": "recorded_against_unrecorded", "statistic": "one_eye", "point": 0.07, "low": -0.03,
           "high": 0.17, "n_validated": 600, "n_patients": 3000}  # fmt: skip
    frame = protect_diagnostics(diagnostics([row]), NOTHING, NOTHING, UK)
    assert frame.loc[0, ["point", "low", "high"]].tolist() == [0.1, -0.1, 0.2]
    kept = protect_diagnostics(diagnostics([row]), NOTHING, NOTHING, PROFILES["none"])
    assert kept.loc[0, "point"] == 0.07


def test_the_audit_hides_here_what_it_hides_there() -> None:
    """A share suppressed in the audit of a band is suppressed among the diagnostics of that band."""
    audit = pd.DataFrame({"metric": ["correct_among_men"], "group": ["age_band"], "level_name": ["40-49"],
                          "state": ["suppressed"]})  # fmt: skip
    rows = [{"group": "age_band", "level_name": "40-49", "point": 0.8, "n_validated": 100}]
    assert hidden(protect_diagnostics(diagnostics(rows), NOTHING, audit, UK)) == [True]


def sensitivity(**changes: Any) -> pd.DataFrame:
    """Return one row of the contract."""
    row = {"condition": "d", "analysis": "bias_analysis", "scenario": "s", "statistic": "estimate", "standard": "crude",
           "measure": "prevalence_ratio", "estimator": "matrix_method", "point": 1.4, "low": 1.1, "high": 1.8,
           "n_patients": 3000, "n_diseased": 600, "n_validated": 41, "state": "bias_analysis"}  # fmt: skip
    return releasable_frame(pd.DataFrame([row | changes]), "sensitivity")


@pytest.mark.parametrize("few", [{"n_diseased": 3}, {"n_diseased": 2998}, {"n_patients": 4}])
def test_what_if_about_few_people_is_emptied(few: dict[str, int]) -> None:
    """Patients, diseased and well count as in the estimates."""
    assert hidden(protect_sensitivity(sensitivity(**few), NOTHING, UK)) == [True]


def test_bias_analysis_goes_where_the_naive_counts_went() -> None:
    """Sharp beliefs would give the numbers called men and women away: a suppressed naive row suppresses the band."""
    made = estimates(first={"n_diseased": 4})
    ages = {"age_low": 40, "age_high": 50}
    assert hidden(protect_sensitivity(sensitivity(**ages), made, UK)) == [True]
    assert hidden(protect_sensitivity(sensitivity(), made, UK)) == [False]


def test_what_if_withholds_validated_counts_with_the_estimates() -> None:
    """The number validated is emptied, the row stays."""
    made = estimates(all={"n_validated": 41, "n_validated_diseased": 3})
    frame = protect_sensitivity(sensitivity(), made, UK)
    assert hidden(frame) == [False] and pd.isna(frame.loc[0, "n_validated"])


def imputation(**changes: Any) -> pd.DataFrame:
    """Return one row of the contract."""
    row = {"condition": "d", "method": "complete_case", "validity": "if_recorded_at_random", "standard": "crude",
           "measure": "prevalence_ratio", "scale": "log", "point": 1.4567, "low": 1.1234, "high": 1.8765,
           "within": 0.02, "se": 0.14, "n_patients": 3000, "n_validated": 600, "state": "naive"}  # fmt: skip
    return releasable_frame(pd.DataFrame([row | changes]), "imputation")


def test_complete_cases_go_with_their_estimate_and_imputations_stay() -> None:
    """Three validated diseased patients hide the analysis of the validated alone."""
    made = estimates(all={"n_validated": 41, "n_validated_diseased": 3})
    assert hidden(protect_imputation(imputation(), made, UK)) == [True]
    frame = protect_imputation(imputation(method="proper_imputation", state="model_based"), made, UK)
    assert hidden(frame) == [False] and pd.isna(frame.loc[0, "n_validated"])


def test_rounding_coarsens_what_is_counted_and_leaves_what_is_modelled() -> None:
    """Shares of men called rightly move on the grid of 5 men; a ratio from recorded sexes keeps two decimals."""
    rule = PROFILES["opensafely"]
    share = round_table(
        diagnostics([{"point": 0.873, "low": 0.8, "high": 0.92, "n_validated": 102}]), "diagnostic", rule
    )
    assert share.loc[0, "n_validated"] == 100 and share.loc[0, "point"] == pytest.approx(0.85)
    counted = round_table(imputation(), "imputation", rule)
    assert counted.loc[0, "point"] == 1.46 and np.isnan(counted.loc[0, "within"]) and np.isnan(counted.loc[0, "se"])
    recorded = round_table(sensitivity(estimator="recorded", point=1.4567), "sensitivity", rule)
    assert recorded.loc[0, "point"] == 1.46
    modelled = round_table(sensitivity(point=1.4567), "sensitivity", rule)
    assert modelled.loc[0, "point"] == 1.4567
    validated = round_table(
        diagnostics([{"diagnostic": "information", "statistic": "effective_validated", "point": 993.0,
                      "n_validated": 993}]), "diagnostic", rule,
    )  # fmt: skip
    assert validated.loc[0, "point"] == 995
