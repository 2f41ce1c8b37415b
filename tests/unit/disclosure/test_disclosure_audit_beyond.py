"""The gate on curves over age, missing scores and consequences: no small count, and nothing that gives one away."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from sexstrat.disclosure.ageing_rows import protect_curves, protect_trends
from sexstrat.disclosure.consequence_rows import protect_consequences
from sexstrat.disclosure.missingness_rows import protect_missingness
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.rounding import round_table
from sexstrat.disclosure.withhold import releasable_frame

UK = PROFILES["uk-5"]
NONE = releasable_frame(pd.DataFrame(), "audit")


def curve(metric: str, age: int, near: int, **changes: Any) -> dict[str, Any]:
    counts = {"n_patients": 400, "n_patients_numerator": 360, "n_patients_complement": 90, "n_near": near}
    return {"metric": metric, "age_years": age, "point": 0.8, "level": 0.95, "state": "measured"} | counts | changes


def hidden_audit(metric: str, group: str = "overall", level: str = "all") -> pd.DataFrame:
    """Return an audit in which one row is suppressed."""
    row = {"metric": metric, "group": group, "level_name": level, "level": 0.95, "state": "suppressed"}
    return releasable_frame(pd.DataFrame([row]), "audit")


def test_at_an_age_with_few_of_one_sex_no_curve_is_shown() -> None:
    """Three men near 88: the curves of men and of both are hidden there, and the women's too."""
    near = {"correct_among_men": 3, "correct_among_women": 30, "accuracy": 33}
    rows = [curve(metric, age, 40 if age == 60 else few) for metric, few in near.items() for age in (60, 88)]
    found = protect_curves(releasable_frame(pd.DataFrame(rows), "age_curve"), NONE, UK)
    assert found.set_index("age_years").loc[88, "state"].tolist() == ["suppressed"] * 3
    assert found.set_index("age_years").loc[60, "state"].tolist() == ["measured"] * 3
    assert found["n_near"].isna().all()


def test_a_curve_goes_with_the_audit_figure_of_its_metric() -> None:
    """Where the audit hides the overall share of men, their curve, their tests and the comparison are hidden."""
    audit = hidden_audit("correct_among_men")
    curves = releasable_frame(
        pd.DataFrame([curve("correct_among_men", 50, 40), curve("correct_among_women", 51, 40)]), "age_curve"
    )
    assert protect_curves(curves, audit, UK)["state"].tolist() == ["suppressed", "measured"]
    row = {"quantity": "any_trend", "level": 0.95, "p_value": 0.5, "state": "measured", "n_patients": 400}
    names = ("correct_among_men", "correct_among_women", "men_minus_women")
    trends = releasable_frame(pd.DataFrame([row | {"metric": name} for name in names]), "age_trend")
    found = protect_trends(trends, audit, UK)
    assert found["state"].tolist() == ["suppressed", "measured", "suppressed"]
    assert found["p_value"].isna().tolist() == [True, False, True]


def missing(quantity: str, n: int, numerator: int, method: str = "share", **changes: Any) -> dict[str, Any]:
    row = {"quantity": quantity, "method": method, "group": "overall", "level_name": "all", "level": 0.95}
    row |= {"point": numerator / n, "n_images": n, "n_patients": n, "n_patients_numerator": numerator}
    return row | {"n_patients_complement": n - numerator, "state": "measured"} | changes


def test_parts_of_what_has_no_score_are_hidden_together() -> None:
    """Three refused files: with the 60 ungradable and the whole of 63 they could be had by subtraction."""
    rows = [missing("without_score", 500, 63), missing("ungradable", 500, 60), missing("refused", 500, 3)]
    found = protect_missingness(releasable_frame(pd.DataFrame(rows), "missingness"), NONE, UK)
    assert found["state"].tolist() == ["measured", "suppressed", "suppressed"]


def test_bounds_with_few_unscored_and_metrics_hidden_in_the_audit_are_hidden() -> None:
    """Three patients without a score hide the bounds; a metric hidden in the audit is hidden here in every line."""
    rows = [
        missing("accuracy", 197, 150, "scored_only"),
        missing("accuracy", 200, 150, "all_wrong"),
        missing("accuracy", 200, 153, "all_right"),
    ]
    frame = releasable_frame(pd.DataFrame(rows), "missingness")
    assert protect_missingness(frame, NONE, UK)["state"].tolist() == ["measured", "suppressed", "suppressed"]
    assert set(protect_missingness(frame, hidden_audit("accuracy"), UK)["state"]) == {"suppressed"}


def consequence(band: str, quantity: str, fewest: int, n: int = 400, **changes: Any) -> dict[str, Any]:
    counts = {"n_diseased_men": n // 4, "n_diseased_women": n // 4, "n_well_men": n // 4, "n_well_women": n // 4}
    row = {"condition": "amd", "age_band": band, "quantity": quantity, "point": 1.23456, "low": 1.0, "high": 1.5}
    row |= {"level": 0.95, "n_patients": n, "n_fewest": fewest, "n_empty": 0, "repaired_by": "E1"}
    return row | counts | {"state": "measured"} | changes


@pytest.mark.parametrize(("few", "expected"), [(3, ["suppressed", "suppressed", "measured"]), (30, ["measured"] * 3)])
def test_a_second_band_is_hidden_beside_the_total(few: int, expected: list[str]) -> None:
    """One band with three misjudged patients takes the next smallest with it, as all ages are shown."""
    rows = [consequence("all", "relative_bias", 20, 1200), consequence("40-49", "relative_bias", few, 200)]
    rows += [consequence("50-59", "relative_bias", 20, 400), consequence("60+", "relative_bias", 20, 600)]
    found = protect_consequences(releasable_frame(pd.DataFrame(rows), "consequence"), UK)
    assert found.loc[0, "state"] == "measured"
    assert found.loc[1:, "state"].tolist() == expected
    assert found[["n_fewest", "n_empty"]].isna().all(axis=None)


def test_an_empty_group_is_hidden_where_zero_is() -> None:
    """Under opensafely a group of nobody misjudged hides the lines about errors; under uk-5 it does not."""
    frame = releasable_frame(pd.DataFrame([consequence("all", "relative_bias", 20, n_empty=1)]), "consequence")
    assert protect_consequences(frame, UK).loc[0, "state"] == "measured"
    assert protect_consequences(frame, PROFILES["opensafely"]).loc[0, "state"] == "suppressed"


def test_rounding_coarsens_ratios_of_counted_people_and_leaves_curves() -> None:
    """Ratios keep two decimals and counts multiples of five; a fitted curve is no count."""
    rule = PROFILES["opensafely"]
    ratios = releasable_frame(pd.DataFrame([consequence("all", "relative_bias", 20, 1204)]), "consequence")
    rounded = round_table(ratios, "consequence", rule)
    assert (rounded.loc[0, "point"], rounded.loc[0, "n_patients"]) == (1.23, 1205)
    fitted = releasable_frame(pd.DataFrame([curve("accuracy", 60, 40, point=0.81234)]), "age_curve")
    assert round_table(fitted, "age_curve", rule).loc[0, "point"] == 0.81234
    share = releasable_frame(pd.DataFrame([missing("without_score", 203, 61)]), "missingness")
    assert round_table(share, "missingness", rule).loc[0, "point"] == pytest.approx(60 / 205)
