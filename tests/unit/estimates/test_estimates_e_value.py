"""The E-value: a companion about confounding, never more."""

from __future__ import annotations

import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.sensitivity.e_value import e_value


def test_ratios_below_one_are_turned_over() -> None:
    """0.5 has the E-value of 2, 2 + sqrt(2), and its limit nearest 1 is the upper one."""
    found = e_value(0.5, 0.3, 0.8)
    assert found.point == pytest.approx(2 + 2**0.5)
    assert found.limit == pytest.approx(1.25 + (1.25 * 0.25) ** 0.5)


def test_it_says_what_it_is_about() -> None:
    """State companion, and a note that misclassification is another matter, in the table too."""
    frame = e_value(1.4, 1.1, 1.8, n=500).to_frame()
    assert frame.loc[0, "state"] == "companion"
    assert "not misclassification" in frame.loc[0, "note"]
    assert frame.loc[0, "n"] == 500
    assert e_value(1.4).to_frame().loc[0, ["low", "limit"]].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0.0,), "positive"), ((1.4, 1.1), "both limits"), ((1.4, 1.5, 1.8), "in order"), ((float("nan"),), "positive")],
)
def test_mistakes_are_named(arguments: tuple[float, ...], message: str) -> None:
    """A ratio that is none, a single limit, limits that do not hold the ratio."""
    with pytest.raises(EstimationError, match=message):
        e_value(*arguments)
    with pytest.raises(EstimationError, match="no E-value for"):
        e_value(1.4, measure="hazard")
