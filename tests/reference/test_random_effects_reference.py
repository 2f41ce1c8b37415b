"""Random effects of sites against metafor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sexstrat.values.random_effects import random_effects

FOUND = json.loads((Path(__file__).parent / "outputs" / "random_effects.json").read_text(encoding="utf-8"))
NAMES = ("mean", "se", "low", "high", "prediction_low", "prediction_high", "tau2", "q", "p_value")


@pytest.mark.parametrize("name", sorted(FOUND))
def test_random_effects_equal_metafor(name: str) -> None:
    """Mean, both intervals, tau2 and Q equal those of rma(method = "PM", test = "adhoc")."""
    wanted = FOUND[name]
    found = random_effects(wanted["y"], wanted["v"])
    assert [getattr(found, one) for one in NAMES] == pytest.approx([wanted[one] for one in NAMES], rel=1e-6, abs=1e-9)
