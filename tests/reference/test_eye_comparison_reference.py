"""Right against left eyes, against vcd, binom.test and geepack."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sexstrat.audit.laterality import compare_eyes
from sexstrat.errors import EstimationError

EXPECTED = json.loads((Path(__file__).parent / "outputs" / "eye_comparison.json").read_text(encoding="utf-8"))
PAIRS = np.ravel([(1, 1)] * 20 + [(0, 0)] * 10 + [(1, 0)] * 8 + [(0, 1)] * 2)
EYES, PATIENTS = ["R", "L"] * 40, np.repeat(range(40), 2)


def test_paired_eyes_are_those_of_r() -> None:
    """Kappa with its limits, the exact p value and the odds ratio equal R's; the sandwich is 40/39 of geepack's."""
    found = compare_eyes(PAIRS, EYES, PATIENTS)
    assert (found.kappa, found.kappa_low, found.kappa_high) == pytest.approx(
        (EXPECTED["kappa"], EXPECTED["low"], EXPECTED["high"]), abs=1e-9
    )
    assert found.mcnemar_p == pytest.approx(EXPECTED["mcnemar"], abs=1e-9)
    assert found.log_odds_ratio == pytest.approx(EXPECTED["log_odds_ratio"], abs=1e-6)
    assert found.se == pytest.approx(EXPECTED["se"] * np.sqrt(40 / 39), abs=1e-6)


def test_eyes_that_never_differ_have_no_test() -> None:
    """Without a discordant patient there is no McNemar p value, and the note says so."""
    found = compare_eyes([1, 1, 0, 0], ["R", "L"] * 2, [1, 1, 2, 2])
    assert found.mcnemar_p is None
    assert "no patient's eyes differ" in found.note


def test_eyes_that_never_differ_have_no_odds_ratio() -> None:
    """Both eyes right in 20 patients and wrong in 10: no test, no odds ratio made of rounding, and the reasons."""
    found = compare_eyes([1, 1] * 20 + [0, 0] * 10, ["R", "L"] * 30, np.repeat(range(30), 2))
    assert (found.agreement, found.mcnemar_p, found.log_odds_ratio, found.p_value) == (1.0, None, None, None)
    assert "no finite estimate with spread" in found.note


@pytest.mark.parametrize(("eye", "told"), [(["R", "R"], "several images of one eye"), (["R", "OD"], "found 'OD'")])
def test_eyes_must_be_one_image_of_each_side(eye: list[str], told: str) -> None:
    """Two images of one eye, or another word for it, are refused."""
    with pytest.raises(EstimationError, match=told):
        compare_eyes([1, 0], eye, [1, 1])
