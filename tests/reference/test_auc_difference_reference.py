"""The paired difference of two AUCs against pROC and a bootstrap of patients; the calibration slope against glm()."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sexstrat.audit import auc_difference, calibration_slope

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "outputs" / "auc_difference.json").read_text(encoding="utf-8")
)


def test_one_image_a_patient_is_delong() -> None:
    """Point, standard error and interval are those of pROC's paired DeLong test."""
    data, expected = EXPECTED["single"], EXPECTED["delong"]
    found = auc_difference(data["first"], data["second"], data["male"], data["patient"])
    assert found.point == pytest.approx(expected["point"], abs=1e-9)
    assert found.se == pytest.approx(expected["point"] / expected["z"], rel=1e-6)
    assert (found.low, found.high) == pytest.approx((expected["low"], expected["high"]), abs=1e-6)


def test_several_images_a_patient_is_the_bootstrap_of_patients() -> None:
    """The clustered standard error is that of 20,000 resamples of patients to 3 %; counting images misses it."""
    data, expected = EXPECTED["clustered"], EXPECTED["bootstrap"]
    found = auc_difference(data["first"], data["second"], data["male"], data["patient"])
    assert found.point == pytest.approx(expected["point"], abs=1e-9)
    assert found.se == pytest.approx(expected["se"], rel=0.03)
    alone = auc_difference(data["first"], data["second"], data["male"], np.arange(len(data["male"])))
    assert abs(alone.se - expected["se"]) > 0.15 * expected["se"]  # type: ignore[operator]


def test_calibration_slope_is_glm_with_clustered_covariance() -> None:
    """Slope and standard error are those of glm() and vcovCL()."""
    data, expected = EXPECTED["clustered"], EXPECTED["slope"]
    found = calibration_slope(data["p"], data["male"], data["patient"])
    assert found.point == pytest.approx(expected["point"], rel=1e-6)
    assert found.se == pytest.approx(expected["se"], rel=1e-6)
