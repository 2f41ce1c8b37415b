"""Who was lost against who remained: numbers checked by hand, as the cohort writes them."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.cohort.standardised_difference import difference_of_means, difference_of_share, difference_of_shares
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema


def test_flow_tells_who_was_lost_by_sex_age_and_disease(tmp_path: Path) -> None:
    """Ages 45 and 55 stay in the bands, 72 and 78 go: means 50 and 75, variances 50 and 18; amd 1 of 2 and 2 of 2."""
    persons = pd.DataFrame(
        {"patient_id": list("abcd"), "age_years": [45, 55, 72, 78], "recorded_sex": ["male", "female", "male", ""]}
    )
    conditions = pd.DataFrame({"patient_id": list("abcd"), "condition": "amd", "present": [1, 0, 1, 1]})
    bands = AgeBands((40, 50), end=60)
    with Cohort.create(tmp_path / "c.duckdb", persons=persons, conditions=conditions, bands=bands) as cohort:
        flow = cohort.flow(by_characteristic=True)
        assert len(cohort.flow()) == flow["variable"].isna().sum()
    assert list(flow.columns) == table_schema("flow").columns
    step = flow[flow["name"].str.startswith("age inside") & flow["variable"].notna()]
    rows = {(row.variable, None if pd.isna(row.category) else row.category): row for row in step.itertuples()}
    assert set(rows) == {("sex", None), ("age", None), ("age", "40-49"), ("age", "50-59"), ("condition", "amd")}
    age, sex, amd = rows["age", None], rows["sex", None], rows["condition", "amd"]
    assert age.standardised_difference == pytest.approx(25 / math.sqrt(34))
    assert (sex.n_known, sex.known_lost) == (2, 1)
    assert sex.standardised_difference == pytest.approx(0.5 / math.sqrt(0.125))  # 1 of 1 male against 1 of 2
    assert (amd.n_patients, amd.n_known, amd.patients_lost, amd.known_lost) == (1, 2, 2, 2)
    assert amd.standardised_difference == pytest.approx(0.5 / math.sqrt(0.125))
    assert rows["age", "40-49"].standardised_difference == pytest.approx(-0.5 / math.sqrt(0.125))
    none = flow[(flow["step"] == 2) & (flow["variable"] == "age") & flow["category"].isna()].iloc[0]
    assert pd.isna(none["standardised_difference"])
    assert none["difference_note"] == "fewer than 2 lost with a known age"


def test_differences_that_no_number_measures_are_none() -> None:
    """An empty group, a group of one for a mean, and groups that nothing varies in have no difference."""
    assert difference_of_means([50, 60], [1, 0], [2, 2]) is None
    assert difference_of_means([50, 60], [2, 0], [2, 0]) is None
    assert difference_of_share((0, 0), (1, 2)) is None
    assert difference_of_share((2, 2), (0, 3)) is None
    assert difference_of_shares([0, 0], [1, 2]) is None
    assert difference_of_shares([3, 0], [5, 0]) is None


def test_the_category_left_out_changes_nothing() -> None:
    """The distance of three shares is the same whichever of them is written first."""
    first, second = [10, 20, 30], [25, 15, 20]
    wanted = difference_of_shares(first, second)
    assert wanted is not None and wanted > 0
    for order in ([1, 2, 0], [2, 0, 1]):
        found = difference_of_shares([first[k] for k in order], [second[k] for k in order])
        assert found == pytest.approx(wanted, abs=1e-12)
