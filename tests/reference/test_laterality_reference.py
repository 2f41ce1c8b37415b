"""The inference of the eye keeps its promise on photographs whose eye is known, in both halves of the patients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sexstrat.images import MINIMUM_CONFIDENCE
from sexstrat.images.laterality import EVIDENCE_WEIGHT, PLACE_WEIGHT

FOUND = json.loads((Path(__file__).parent / "outputs" / "laterality.json").read_text(encoding="utf-8"))


def above_threshold(part: str) -> dict[str, float]:
    return next(row for row in FOUND[part] if row["confidence"] == MINIMUM_CONFIDENCE)


def test_weights_and_threshold_come_from_the_first_half() -> None:
    """What the code uses is what the script fitted; the threshold is no smaller than its rule asks for."""
    assert pytest.approx(FOUND["weights_fitted_on_first_half"], abs=0.06) == (EVIDENCE_WEIGHT, PLACE_WEIGHT)
    assert FOUND["threshold_by_rule_on_first_half"] <= MINIMUM_CONFIDENCE


@pytest.mark.parametrize("part", ["odir5k_first_half", "odir5k_second_half"])
def test_an_eye_that_is_told_is_right_in_99_of_100(part: str) -> None:
    """Above the threshold at least 99 % are right and at least 80 % of photographs are told."""
    found = above_threshold(part)
    assert found["accuracy"] >= 0.99
    assert found["coverage"] >= 0.80


@pytest.mark.parametrize("part", ["odir5k_first_half", "odir5k_second_half"])
def test_more_confidence_is_more_often_right(part: str) -> None:
    """Accuracy rises with confidence up to where hardly any error is left, and coverage falls."""
    rows = FOUND[part]
    accuracy, coverage = [row["accuracy"] for row in rows], [row["coverage"] for row in rows]
    assert accuracy[:5] == sorted(accuracy[:5])
    assert coverage == sorted(coverage, reverse=True)
