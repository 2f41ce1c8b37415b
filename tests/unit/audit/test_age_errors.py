"""Errors of predicted age by hand-checked numbers: bias, size, agreement of bands, clustered by patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from sexstrat.audit.age_errors import AGE_METRICS, PREDICTED_BAND, RECORDED_BAND, age_errors, mean_error
from sexstrat.audit.clusters import Clusters
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

BANDS = AgeBands((40, 50), end=60)
FRAME = pd.DataFrame(
    {
        "patient_id": list("abcdefgh"),
        "recorded_age": [41.0, 45, 48, 49, 52, 55, 58, 61],
        "predicted_age": [44.0, 47, 51, 52, 51, 53, 49, 40],
    }
)


def points(found: pd.DataFrame, group: str) -> dict[tuple[str, str], float]:
    rows = found[found["group"] == group]
    return dict(zip(zip(rows["level_name"], rows["metric"], strict=True), rows["point"], strict=True))


def test_errors_are_those_counted_by_hand_in_each_band() -> None:
    """Forties: errors 3, 2, 3, 3, two of four stay; fifties: -1, -2, -9, two of three stay; 61 is outside all bands."""
    found = age_errors(FRAME, bands=BANDS, min_patients=2)
    recorded = points(found, RECORDED_BAND)
    assert recorded["40-49", "age_bias"] == pytest.approx(11 / 4)
    assert recorded["50-59", "age_bias"] == pytest.approx(-4)
    assert recorded["50-59", "age_absolute_error"] == pytest.approx(4)
    assert recorded["40-49", "age_band_agreement"] == 0.5
    assert recorded["50-59", "age_band_agreement"] == pytest.approx(2 / 3)
    predicted = points(found, PREDICTED_BAND)
    assert predicted["40-49", "age_bias"] == pytest.approx((3 + 2 - 9) / 3)
    assert predicted["50-59", "age_band_agreement"] == 0.5
    overall = found[(found["group"] == "overall") & (found["metric"] == "age_bias")].iloc[0]
    assert (overall["point"], overall["n_patients"]) == (pytest.approx(-1 / 7), 7)
    assert list(found.columns) == table_schema("audit").columns
    assert set(found["metric"]) == set(AGE_METRICS)


def test_limits_are_students_and_stay_above_zero_where_the_mean_must() -> None:
    """The textbook interval of a mean of seven; on the log scale low times high is the mean squared."""
    error = np.array([3.0, 2, 3, 3, -1, -2, -9])
    found = mean_error(error, Clusters.of(list("abcdefg")))
    half = student.ppf(0.975, 6) * error.std(ddof=1) / np.sqrt(7)
    assert found.se == pytest.approx(error.std(ddof=1) / np.sqrt(7))
    assert (found.low, found.high) == (pytest.approx(error.mean() - half), pytest.approx(error.mean() + half))
    size = mean_error(np.abs(error), Clusters.of(list("abcdefg")), positive=True)
    assert size.low is not None
    assert size.high is not None
    assert size.low > 0
    assert size.low * size.high == pytest.approx(float(size.point or 0) ** 2)


def test_a_second_photograph_that_says_the_same_adds_nothing() -> None:
    """Each error twice: the same mean and the same interval, and a design effect of about two."""
    error = np.array([3.0, 2, 3, 3, -1, -2, -9])
    once = mean_error(error, Clusters.of(list("abcdefg")))
    twice = mean_error(np.repeat(error, 2), Clusters.of(list("aabbccddeeffgg")))
    assert (twice.point, twice.low, twice.high) == tuple(map(pytest.approx, (once.point, once.low, once.high)))
    assert (twice.n_images, twice.n_patients) == (14, 7)
    assert twice.design_effect == pytest.approx(2 * 13 / 12)


def test_too_few_none_and_equal_errors_are_told_apart() -> None:
    """No number where there are too few, none where there is nobody, and no interval of no width."""
    found = age_errors(FRAME, bands=AgeBands((40, 50, 60, 70), end=80), min_patients=2)
    by_band = found[found["group"] == RECORDED_BAND].set_index(["level_name", "metric"])
    few, nobody = by_band.loc[("60-69", "age_bias")], by_band.loc[("70-79", "age_bias")]
    assert (few["state"], few["note"]) == ("undefined", "fewer than 2 patients here with both ages")
    assert (nobody["state"], nobody["note"]) == ("missing", "no patient here with both ages")
    assert by_band.loc[("60-69", slice(None)), "point"].isna().all()
    equal = mean_error(np.array([2.0, 2.0, 2.0]), Clusters.of(list("abc")))
    assert (equal.point, equal.low, equal.high) == (2.0, None, None)
    with pytest.raises(StudyError, match="missing: \\['recorded_age'\\]"):
        age_errors(FRAME.drop(columns="recorded_age"), bands=BANDS)
    with pytest.raises(StudyError, match="min_patients must be at least 2"):
        age_errors(FRAME, bands=BANDS, min_patients=1)
    with pytest.raises(ValueError, match="needs two patients"):
        mean_error(np.array([1.0]), Clusters.of(["a"]))
