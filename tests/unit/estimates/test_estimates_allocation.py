"""Where to validate next: no other spread of the same number does better."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sexstrat.errors import EstimationError
from sexstrat.estimates import (
    allocate,
    anticipated_interval,
    optimal_allocation,
    pilot_cells,
    proportional_allocation,
    stated_cells,
)
from sexstrat.estimates.worked_example import worked_bands, worked_cells


def loss(c: np.ndarray, m: np.ndarray) -> float:
    return float(np.sum(c / np.maximum(m, 1e-12)))


strata = st.lists(
    st.tuples(st.floats(0.0, 50.0), st.integers(1, 7), st.integers(0, 3)), min_size=2, max_size=4
).map(lambda rows: [(c, n, min(n, v)) for c, n, v in rows])  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(rows=strata, share=st.floats(0, 1), minimum=st.integers(0, 2))
def test_no_other_whole_numbers_do_better(rows: list[tuple[float, int, int]], share: float, minimum: int) -> None:
    """Every spread that the bounds allow is tried; none has a smaller sum of c / m."""
    c, available, validated = (np.array(column) for column in zip(*rows, strict=True))
    lowest = np.maximum(validated, np.minimum(max(minimum, 1), available))
    least, most = int(lowest.sum() - validated.sum()), int((available - validated).sum())
    further = least + round(share * (most - least))
    m = allocate(c, available=available, validated=validated, further=further, minimum=minimum)
    assert m.sum() == validated.sum() + further
    assert ((m >= lowest) & (m <= available)).all()
    ranges = [range(low, high + 1) for low, high in zip(lowest, available, strict=True)]
    others = (loss(c, np.array(other)) for other in product(*ranges) if sum(other) == m.sum())
    assert loss(c, m) <= min(others) + 1e-12


def test_it_is_the_optimum_of_a_general_optimiser() -> None:
    """Twenty strata, thousands of patients: within rounding of what sequential quadratic programming finds."""
    rng = np.random.default_rng(3)
    c, available = rng.lognormal(0, 2, 20), rng.integers(200, 3000, 20)
    validated = (available * 0.05).astype(np.int64)
    m = allocate(c, available=available, validated=validated, further=2500, minimum=20)
    total = int(m.sum())
    lowest = np.maximum(validated, 20)
    start = proportional_allocation(available=available, validated=lowest, further=total - int(lowest.sum()))
    found = minimize(
        lambda x: 1e3 * loss(c, x),
        start.astype(float),
        jac=lambda x: -1e3 * c / x**2,
        method="SLSQP",
        bounds=list(zip(lowest, available, strict=True)),
        constraints={"type": "eq", "fun": lambda x: x.sum() - total, "jac": np.ones_like},
        options={"maxiter": 2000, "ftol": 1e-12},
    )
    assert found.success
    assert loss(c, m) == pytest.approx(found.fun / 1e3, rel=2e-3)
    assert loss(c, m) < loss(c, start)


def test_large_numbers_are_shared_by_square_roots() -> None:
    """Neyman: coefficients 1, 4, 9 and room enough share six million as 1 : 2 : 3."""
    available = np.full(3, 10_000_000)
    m = allocate(np.array([1.0, 4.0, 9.0]), available=available, validated=np.zeros(3, dtype=int), further=6_000_000)
    assert m.tolist() == [1_000_000, 2_000_000, 3_000_000]


def test_what_gains_nothing_is_filled_last() -> None:
    """Strata whose residuals are 0 take only what has no other place."""
    available = np.array([10, 10, 10])
    c = np.array([0.0, 1.0, 0.0])
    assert allocate(c, available=available, validated=np.zeros(3, dtype=int), further=12).tolist() == [1, 10, 1]
    assert allocate(c, available=available, validated=np.zeros(3, dtype=int), further=15).tolist() == [4, 10, 1]
    none = allocate(np.zeros(3), available=available, validated=np.zeros(3, dtype=int), further=5)
    assert none.sum() == 5


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"further": 50}, "only 27 patients are not validated yet; found a request for 50"),
        ({"further": 2, "minimum": 5}, "takes 12 further patients; found 2"),
        ({"further": -1}, "at least 0"),
        ({"further": 2, "minimum": -1}, "at least 0"),
    ],
)
def test_impossible_allocations(asked: dict[str, int], words: str) -> None:
    """More than there are, or fewer than the minimum takes, is refused with both numbers."""
    with pytest.raises(EstimationError, match=words):
        allocate(np.ones(3), available=np.full(3, 10), validated=np.ones(3, dtype=int), **asked)


def test_proportional_rounds_to_the_number_asked_for() -> None:
    """Thirds of ten are 4, 3, 3; patients who are validated already are not drawn."""
    even = proportional_allocation(available=np.full(3, 100), validated=np.zeros(3, dtype=int), further=10)
    assert even.tolist() == [4, 3, 3]
    left = proportional_allocation(available=np.array([100, 100]), validated=np.array([100, 0]), further=10)
    assert left.tolist() == [100, 10]
    with pytest.raises(EstimationError, match="request for 101"):
        proportional_allocation(available=np.array([100]), validated=np.array([0]), further=101)


def test_the_best_spread_beats_the_even_one_and_others() -> None:
    """For the log ratio the diseased come first; moving a patient either way widens the interval."""
    cells = stated_cells(patients=20_000, prevalence=0.1, male_share=0.5, ratio=1.5, auc=0.9)
    one = optimal_allocation(cells, further=1000)
    assert one.expected.se < one.expected_proportional.se
    assert one.total[1] / cells.patients[1] > 2 * one.total[0] / cells.patients[0]
    for step in (-40, 40):  # far enough for the curvature to exceed what fitting the recalibration adds
        other = anticipated_interval(cells, one.total + np.array([3.0 * step, -3.0 * step]))
        assert other.se > one.expected.se * (1 - 1e-3)
    assert one.equivalent_further is not None
    even = anticipated_interval(cells, one.equivalent_further)
    assert even.se == pytest.approx(one.expected.se, rel=1e-3)


def test_a_measure_of_one_band_is_served_in_that_band() -> None:
    """Beyond the minimum nobody is validated where the measure does not look."""
    pilot = pilot_cells(worked_cells(), bands=worked_bands(), design="random")
    one = optimal_allocation(pilot, further=100, weights=np.array([0.0, 1.0]))
    assert one.further[:2].tolist() == [0, 0]
    assert one.further.sum() == 100
    frame = one.to_frame()
    assert (frame["validated"] + frame["further"] == frame["validation_probability"] * frame["patients"]).all()
    assert frame["further_probability"].between(0, 1).all()
    assert frame["age_band"].tolist() == ["40-59", "40-59", "60+", "60+"]


def test_everybody_left_is_everybody() -> None:
    """All who are left: the probabilities are 1, and no even spread is worth more."""
    pilot = pilot_cells(worked_cells(), bands=worked_bands(), design="random")
    one = optimal_allocation(pilot, further=550)
    assert one.to_frame()["validation_probability"].tolist() == [1.0] * 4
    assert one.equivalent_further is None
