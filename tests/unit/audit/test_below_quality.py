"""Shares of photographs below a declared quality, by hand-checked numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from sexstrat.audit.below_quality import BELOW_QUALITY, below_quality
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((40, 60))
IMAGES = pd.DataFrame(
    {
        "patient_id": ["a", "a", "b", "b", "c", "d", "e", None],
        "below_quality": [True, True, False, True, False, False, True, True],
        "age_years": [45.0, 45, 50, 50, 61, 70, None, 50],
        "recorded_sex": ["male", "male", "female", "female", "male", "female", "unknown", "male"],
    }
)
CONDITIONS = pd.DataFrame(
    {"patient_id": ["a", "b", "c", "d"], "condition": "cataract", "diseased": [True, True, False, False]}
)


def test_shares_are_those_counted_by_hand() -> None:
    """Four of seven photographs; three of four below sixty; three of four with the disease, none without."""
    found = below_quality(IMAGES, CONDITIONS, bands=BANDS, min_patients=1)
    assert set(found["metric"]) == {BELOW_QUALITY}
    rows = found.set_index(["group", "level_name"])
    expected = {
        ("overall", "all"): 4 / 7,
        ("age_band", "40-59"): 3 / 4,
        ("age_band", "60+"): 0.0,
        ("recorded_sex", "male"): 2 / 3,
        ("recorded_sex", "female"): 1 / 3,
        ("recorded_sex", "unknown"): 1.0,
        ("condition: cataract", "with it"): 3 / 4,
        ("condition: cataract", "without it"): 0.0,
        ("condition: cataract", "not known"): 1.0,
    }
    assert rows["point"].to_dict() == pytest.approx(expected)
    overall = rows.loc[("overall", "all")]
    assert (overall["n_images"], overall["n_patients"], overall["n_patients_numerator"]) == (7, 5, 3)
    assert (rows["low"] < rows["high"]).all()


def test_too_few_patients_give_no_share() -> None:
    """Below the least number of patients the state says so, and a band of nobody is missing."""
    found = below_quality(IMAGES, CONDITIONS, bands=AgeBands((20, 40, 60)), min_patients=3)
    rows = found.set_index(["group", "level_name"])
    few = rows.loc[("recorded_sex", "female")]
    assert (few["state"], few["note"]) == ("undefined", "fewer than 3 patients with a photograph")
    assert rows.loc[("age_band", "20-39"), "state"] == "missing"
    assert rows.loc[("overall", "all"), "state"] == "measured"
    with pytest.raises(StudyError, match=r"missing: \['below_quality'\]"):
        below_quality(IMAGES.drop(columns="below_quality"), CONDITIONS, bands=BANDS)
