"""The gate on gaps, tests, shrunken shares, criteria and rules: nothing from which a small count could be solved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sexstrat.audit import audit_scores
from sexstrat.audit.gaps.rules import Rule
from sexstrat.disclosure import release
from sexstrat.disclosure.released import Released
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.results import StudyResults

SITES = ("a", "b", "c", "d", "e")


@pytest.fixture(scope="module")
def results() -> StudyResults:
    """Return the full audit of five sites of 120 patients; in e three men are called women, a small count."""
    n = 600
    site = np.repeat(SITES, 120)
    male = np.arange(n) % 2 == 0
    wrong = np.arange(n) % 7 == 0
    wrong[site == "e"] = False
    wrong[[480, 482, 484]] = True
    frame = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "patient_id": [f"p{k}" for k in range(n)],
            "prob_male": np.where(male != wrong, 0.8, 0.2),
            "status": "ok",
            "age_years": 40.0 + np.arange(n) % 30,
            "recorded_sex": np.where(male, "male", "female"),
            "site": site,
        }
    )
    rule = Rule(metric="accuracy", group="site", level_name="e", comparison="at_least", limit=0.5)
    found = audit_scores(frame, bands=AgeBands((40,)), groups=("site",), n_replicates=200, full=True, rules=[rule])
    flow = pd.DataFrame({"step": [1], "name": ["listed"], "n_patients": [n], "state": "counted"})
    return StudyResults(
        title="t",
        estimates=pd.DataFrame(),
        audit=found.audit,
        gaps=found.gaps,
        flow=flow,
        group_tests=found.tests,
        shrunken=found.shrunken,
        parity=found.parity,
        rules=found.rules,
    )


def of_men(released: Released, table: str) -> pd.DataFrame:
    frame = released.tables()[table]
    return frame[frame["metric"] == "correct_among_men"]


def test_nothing_about_a_hidden_group_is_shown(results: StudyResults) -> None:
    """Site e has 3 men called women: its gaps, every shrunken share, the statistics and the odds are withheld."""
    released = release(results, "uk-5")
    gaps = of_men(released, "gap")
    beside = gaps[(gaps["level_name"] == "e") | (gaps["reference"] == "e")]
    assert len(beside)
    assert (beside["state"] == "suppressed").all()
    numbers = ["point", "low", "high", "simultaneous_low", "simultaneous_high", "p_value", "detectable_below", "chance"]
    assert beside[numbers].isna().all(axis=None)
    assert (of_men(released, "audit_shrunken")["state"] == "suppressed").all()
    tests = of_men(released, "audit_test").set_index("test")
    assert tests["statistic"].isna().all()
    assert tests.loc["wald", "state"] == tests.loc["cochran_q", "state"] == "suppressed"
    odds = released.parity[released.parity["criterion"] == "equalised_odds_mean"]
    assert (odds["state"] == "suppressed").all()
    assert released.rules["outcome"].tolist() == ["pass"]
    assert released.rules[["point", "low", "high", "n_patients"]].isna().all(axis=None)


def test_without_a_rule_for_small_counts_all_is_shown(results: StudyResults) -> None:
    """The profile that withholds nothing shows the same rows in full: the check above can fail."""
    released = release(results, "none", "invented data")
    gaps = of_men(released, "gap")
    assert gaps.loc[gaps["level_name"] == "e", "point"].notna().any()
    assert (of_men(released, "audit_shrunken")["state"] == "measured").all()
    assert released.rules["point"].notna().all()


def test_rounding_leaves_no_digits_to_count_by(results: StudyResults) -> None:
    """Where counts are rounded, differences lie on the grid of rounded people and power and p are coarse or gone."""
    released = release(results, "opensafely")
    gaps = released.gaps[(released.gaps["state"] == "measured") & (released.gaps["scale"] == "difference")]
    shares = gaps[gaps["metric"].isin(("accuracy", "correct_among_women"))]
    assert len(shares)
    people = shares[["n_patients", "n_patients_reference"]].min(axis=1).astype(float)
    steps = shares["point"] * people / 5
    assert np.abs(steps - steps.round()).max() < 1e-9
    assert shares[["detectable_below", "detectable_above"]].isna().all(axis=None)
    told = shares["p_value"].dropna()
    assert np.allclose(told, told.round(2))
