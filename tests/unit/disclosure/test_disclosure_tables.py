"""Suppression in each table, by hand-worked examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.disclosure.audit_rows import protect_audit, protect_gaps
from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.estimate_rows import protect_estimates
from sexstrat.disclosure.flow_rows import protect_flow
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.rounding import round_table
from sexstrat.disclosure.withhold import releasable_frame
from sexstrat.errors import DisclosureError

UK, OPEN = PROFILES["uk-5"], PROFILES["opensafely"]


def estimates(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return estimate rows over sensible defaults."""
    default = {
        "measure": "prevalence",
        "estimator": "E1",
        "condition": "d",
        "sex": "male",
        "standard": "crude",
        "point": 0.2,
        "se": 0.1,
        "low": 0.1,
        "high": 0.3,
        "level": 0.95,
        "df": 30.0,
        "n_patients": 400,
        "n_diseased": 80,
        "n_validated": 100,
        "n_validated_diseased": 20,
        "state": "corrected",
    }
    return releasable_frame(pd.DataFrame([default | row for row in rows]), "estimate")


def audit(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return audit rows over sensible defaults: 90 of 100 patients right."""
    default = {
        "metric": "accuracy",
        "group": "overall",
        "level_name": "all",
        "point": 0.9,
        "se": 0.03,
        "low": 0.8,
        "high": 0.95,
        "level": 0.95,
        "n_images": 200,
        "n_patients": 100,
        "n_patients_numerator": 90,
        "n_patients_complement": 10,
        "state": "measured",
    }
    return releasable_frame(pd.DataFrame([default | row for row in rows]), "audit")


def flow(**columns: list[Any]) -> pd.DataFrame:
    """Return flow rows with the given columns."""
    n = len(next(iter(columns.values())))
    return releasable_frame(pd.DataFrame({"step": range(1, n + 1), "name": "s", "state": "counted"} | columns), "flow")


@pytest.mark.parametrize(
    "few",
    [{"n_patients": 4, "n_diseased": 0}, {"n_diseased": 3}, {"n_diseased": 397}, {"n_patients": 80, "n_diseased": 78}],
)
def test_estimates_about_few_people_are_emptied(few: dict[str, int]) -> None:
    """Few patients, few diseased or few healthy: the row loses every number and says which profile took them."""
    row = protect_estimates(estimates([few]), UK).iloc[0]
    assert row["state"] == "suppressed"
    assert row[["point", "se", "low", "high", "df", "fmi", "n_patients", "n_diseased", "n_validated"]].isna().all()
    assert row["note"] == "withheld by disclosure profile uk-5"
    assert "point" in row["withheld"].split()


def test_zero_diseased_stays_zero() -> None:
    """Nobody diseased is a zero that the profile allows: the row stays as it is."""
    frame = estimates([{"n_diseased": 0, "n_validated_diseased": 0, "point": 0.0}])
    pd.testing.assert_frame_equal(protect_estimates(frame, UK), frame)


def test_few_validated_lose_their_counts_not_the_estimate() -> None:
    """Three validated diseased: the estimate stays, the validated counts and the df go, the complete cases go whole."""
    few = {"n_validated_diseased": 3}
    done = protect_estimates(
        estimates(
            [
                few,
                {"estimator": "complete_case", "n_patients": 100, "n_diseased": 3, "state": "naive", "point": 0.03}
                | few,
            ]
        ),
        UK,
    )
    assert done["state"].tolist() == ["corrected", "suppressed"]
    assert done.loc[0, "point"] == 0.2
    assert done.loc[0, ["n_validated", "n_validated_diseased", "df"]].isna().all()
    assert done.loc[0, "withheld"] == "n_validated n_validated_diseased df"


def test_one_hidden_band_takes_the_next_smallest_with_it() -> None:
    """Band 80 (3 diseased) would follow from the total; band 70, the smallest other one, goes too, in E1 and E2."""
    bands = [
        {"age_low": 50, "age_high": 60, "n_patients": 300, "n_diseased": 30},
        {"age_low": 70, "age_high": 80, "n_patients": 60, "n_diseased": 20},
        {"age_low": 80, "n_patients": 90, "n_diseased": 3},
        {"n_patients": 450, "n_diseased": 53},
    ]
    rows = [band | {"estimator": name} for name in ("E1", "E2") for band in bands]
    done = protect_estimates(estimates(rows), UK)
    assert done["state"].tolist() == ["corrected", "suppressed", "suppressed", "corrected"] * 2


def test_small_numbers_by_sex_hide_both_sexes_and_the_contrast() -> None:
    """Complete cases: 2 of 40 men and 20 of 60 women diseased; the prevalences tell the 2, so all three rows go."""
    naive = {"estimator": "complete_case", "state": "naive", "n_patients": 100, "n_diseased": 22}
    counts = naive | {"n_validated": 100, "n_validated_diseased": 22}
    rows = [
        counts | {"sex": "male", "point": 2 / 40},
        counts | {"sex": "female", "point": 20 / 60},
        counts | {"measure": "prevalence_ratio", "sex": None, "point": (2 / 40) / (20 / 60)},
        {"estimator": "E1"},
    ]
    done = protect_estimates(estimates(rows), UK)
    assert done["state"].tolist() == ["suppressed"] * 3 + ["corrected"]


def test_large_numbers_by_sex_stay() -> None:
    """Ten of 40 men and 20 of 60 women: nothing is small, nothing is hidden."""
    counts = {"estimator": "truth", "state": "truth", "n_patients": 100, "n_diseased": 30, "n_validated": None}
    counts |= {"n_validated_diseased": None}
    rows = [counts | {"sex": "male", "point": 0.25}, counts | {"sex": "female", "point": 1 / 3}]
    assert protect_estimates(estimates(rows), UK)["state"].tolist() == ["truth", "truth"]


@pytest.mark.parametrize(
    "few",
    [
        {"n_patients": 4},
        {"n_patients_numerator": 3},
        {"n_patients_complement": 2},
        {"n_patients_numerator": 97, "n_patients_complement": 20},
        {"n_male": 3, "n_female": 97},
    ],
)
def test_audit_of_few_people_is_emptied(few: dict[str, int]) -> None:
    """Denominator, numerator, complement and each sex protect the row."""
    row = protect_audit(audit([few]), UK).iloc[0]
    assert (row["state"], row["withheld"] != "") == ("suppressed", True)
    assert row[["point", "low", "high", "se", "n_images", "n_patients", "n_patients_numerator"]].isna().all()


def test_hidden_error_count_hides_what_would_give_it_away() -> None:
    """Two wrong men: accuracy and the male share difference, from which the 2 follows, go as well; the AUC stays."""
    rows = [
        {"metric": "correct_among_men", "n_patients": 60, "n_patients_numerator": 58, "n_patients_complement": 2},
        {"metric": "correct_among_women", "n_patients": 40, "n_patients_numerator": 30, "n_patients_complement": 10},
        {"metric": "accuracy", "n_patients_numerator": 88, "n_patients_complement": 12},
        {"metric": "predicted_minus_observed_male_share", "n_patients_numerator": None, "n_patients_complement": None},
        {"metric": "auc", "n_patients_numerator": None, "n_patients_complement": None},
    ]
    done = protect_audit(audit(rows), UK)
    assert done["state"].tolist() == ["suppressed", "measured", "suppressed", "suppressed", "measured"]


def test_few_of_one_sex_hide_what_compares_with_recorded_sex() -> None:
    """Three men in a band: the rates of both sexes go, the band's total stays without its split by sex."""
    rows = [
        {"metric": "n_patients", "point": 100, "n_male": 3, "n_female": 97, "n_patients_numerator": None},
        {"metric": "correct_among_women", "n_patients": 97},
        {"metric": "ungradable"},
    ]
    rows[0]["n_patients_complement"] = None
    done = protect_audit(audit(rows), UK)
    assert done["state"].tolist() == ["measured", "suppressed", "measured"]
    assert done.loc[0, "n_patients"] == 100
    assert done.loc[0, ["n_male", "n_female"]].isna().all()


def test_few_unvalidated_patients_are_not_a_difference_of_two_rows() -> None:
    """100 listed and 97 validated patients differ by 3: the listed count goes, and what is a share of it."""
    rows = [
        {"metric": "n_patients", "point": 100, "n_patients_numerator": None, "n_patients_complement": None},
        {"metric": "accuracy", "n_patients": 97, "n_patients_numerator": 87},
        {"metric": "ungradable", "point": 0.1},
    ]
    done = protect_audit(audit(rows), UK)
    assert done["state"].tolist() == ["suppressed", "measured", "suppressed"]
    assert pd.isna(done.loc[2, "n_patients"])
    assert pd.isna(done.loc[2, "point"])


def test_gap_falls_with_either_side() -> None:
    """A gap to a hidden group, or from a hidden reference, is hidden; the others stay."""
    names = ("40-49", "50-59", "60-69", "70-79")
    rows = [{"group": "age_band", "level_name": name} for name in names]
    rows[3] |= {"n_patients_complement": 3, "n_patients_numerator": 97}
    protected = protect_audit(audit(rows), UK)
    gap = {"metric": "accuracy", "group": "age_band", "point": 0.1, "level": 0.95, "state": "measured"}
    size = {"n_patients": 100, "n_patients_reference": 100}
    frame = pd.DataFrame(
        [gap | size | {"level_name": name, "reference": "50-59"} for name in ("40-49", "60-69", "70-79")]
    )
    done = protect_gaps(releasable_frame(frame, "gap"), protected, UK)
    assert done["state"].tolist() == ["measured", "measured", "suppressed"]
    reversed_ = frame.assign(level_name="50-59", reference=["40-49", "60-69", "70-79"])
    done = protect_gaps(releasable_frame(reversed_, "gap"), protected, UK)
    assert done["state"].tolist() == ["measured", "measured", "suppressed"]


def test_flow_hides_a_small_loss_and_the_step_that_gives_it_away() -> None:
    """Two of 500 are lost at step 2: hiding the loss alone leaves 500 − 498, so step 2 is hidden, not the total."""
    done = protect_flow(flow(n_patients=[500, 498, 400], patients_lost=[0, 2, 98]), UK)
    assert done["n_patients"].tolist() == [500, pd.NA, 400]
    assert done["patients_lost"].tolist() == [0, pd.NA, pd.NA]
    assert done["state"].tolist() == ["counted", "suppressed", "counted"]


def test_flow_keeps_the_last_step_when_its_own_loss_is_small() -> None:
    """A small loss at the last step hides the step before: the last one is what the estimates are about."""
    done = protect_flow(flow(n_patients=[500, 403, 400], patients_lost=[0, 97, 3]), UK)
    assert done["n_patients"].tolist() == [500, pd.NA, 400]
    assert done["patients_lost"].tolist() == [0, pd.NA, pd.NA]


def test_flow_hides_two_sexes_at_once() -> None:
    """Three recorded as other follow from the total and the rest, so the next smallest sex is hidden too."""
    done = protect_flow(flow(n_patients=[500], n_male=[240], n_female=[200], n_other=[3], n_unknown=[57]), UK)
    assert done.loc[0, ["n_male", "n_female"]].tolist() == [240, 200]
    assert done.loc[0, ["n_other", "n_unknown"]].isna().all()
    assert done.loc[0, "withheld"] == "n_other n_unknown"
    assert done.loc[0, "n_patients"] == 500


def test_flow_hides_the_loss_of_one_man() -> None:
    """Men fall from 240 to 239: that step's men are hidden, and with them another sex."""
    done = protect_flow(
        flow(n_patients=[500, 480, 300], n_male=[240, 239, 150], n_female=[260, 241, 150], n_other=[0, 0, 0]), UK
    )
    assert done["n_male"].tolist() == [240, pd.NA, 150]
    assert done["n_female"].tolist() == [260, pd.NA, 150]
    assert done["n_other"].tolist() == [0, 0, 0]


def test_complementary_keeps_adding_until_the_sum_is_large() -> None:
    """Hidden members of 1 and 2 add up to 3: a third is hidden; members of size 0 protect nothing."""
    size = np.array([1.0, 2.0, 0.0, 50.0, 9.0])
    hidden = extend_hidden(UK.hides(size), size, size[:, None], UK)
    assert hidden.tolist() == [True, True, False, False, True]


def test_nothing_hidden_nothing_added() -> None:
    """Complementary suppression starts from a primary one only."""
    size = np.array([10.0, 20.0])
    assert not extend_hidden(np.array([False, False]), size, size[:, None], UK).any()


def test_rounding_moves_counts_and_shares_to_the_same_grid() -> None:
    """103 of 203 patients under base 5: 205 patients, and the share moves to a multiple of 5/205; no se is left."""
    row = {"point": 103 / 203, "low": 0.43, "high": 0.58, "n_patients": 203, "n_images": 203}
    done = round_table(audit([row]), "audit", OPEN).iloc[0]
    assert done["n_patients"] == 205
    assert done["point"] == pytest.approx(21 * 5 / 205)
    assert done["low"] == pytest.approx(17 * 5 / 205)
    assert done["high"] == pytest.approx(24 * 5 / 205)
    assert pd.isna(done["se"])
    assert "se" in done["withheld"].split()


def test_rounding_leaves_model_estimates_and_coarsens_counted_ones() -> None:
    """E1 is an estimate and stays; a complete-case share moves to its grid, a ratio keeps two decimals."""
    counted = {"estimator": "complete_case", "state": "naive", "n_validated": 98}
    rows = [{"point": 0.1234567}, counted | {"point": 0.1234567}]
    rows.append(counted | {"measure": "prevalence_ratio", "point": 1.23456})
    done = round_table(estimates(rows), "estimate", OPEN)
    assert done["point"].tolist() == pytest.approx([0.1234567, 0.1, 1.23])
    assert done["se"].isna().tolist() == [False, True, True]


def test_rounded_counts_of_the_audit_agree_with_their_columns() -> None:
    """The point of n_patients is the rounded count, not the true one."""
    done = round_table(audit([{"metric": "n_patients", "point": 103.0, "n_patients": 103}]), "audit", OPEN).iloc[0]
    assert done["point"] == done["n_patients"] == 105


@pytest.mark.parametrize("column", ["patient_id", "image_id", "prob_male"])
def test_rows_about_persons_are_refused(column: str) -> None:
    """A table that names patients, images or their scores never passes."""
    with pytest.raises(DisclosureError, match=f"{column}: rows about single patients"):
        releasable_frame(pd.DataFrame({column: ["x"]}), "estimate")


def test_a_hidden_error_count_hides_every_figure_made_of_it() -> None:
    """Three women called men: neither the shares of those called, F1, balanced accuracy nor the ratios may show."""
    made = ["correct_among_called_men", "correct_among_called_women", "balanced_accuracy", "f1", "predicted_male_share"]
    made += ["predicted_sex_ratio", "log_predicted_observed_ratio", "accuracy", "predicted_minus_observed_male_share"]
    rows = [{"metric": "correct_among_women", "n_patients_numerator": 97, "n_patients_complement": 3}]
    shown = protect_audit(audit([*rows, *({"metric": name} for name in (*made, "auc", "brier"))]), UK)
    states = shown.set_index("metric")["state"]
    assert set(states[made]) == {"suppressed"}
    assert set(states[["auc", "brier"]]) == {"measured"}


def test_an_intersection_cannot_be_solved_from_its_margins() -> None:
    """One small cell of three by two: every line through a hidden cell hides a second one, here a rectangle."""
    sizes = {"a x 40": 3, "a x 50": 40, "b x 40": 50, "b x 50": 60, "c x 40": 70, "c x 50": 80}
    rows = [
        {"group": "site x age", "level_name": name, "n_patients": n, "n_images": n, "n_patients_numerator": n // 2 + 1}
        | {"n_patients_complement": n // 2}
        for name, n in sizes.items()
    ]
    found = protect_audit(audit([{"n_patients": 303}, *rows]), UK).set_index("level_name")["state"]
    assert set(found[["a x 40", "a x 50", "b x 40", "b x 50"]]) == {"suppressed"}
    assert set(found[["c x 40", "c x 50"]]) == {"measured"}
