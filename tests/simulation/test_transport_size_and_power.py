"""The transport test rejects as often as it says where transport holds, and nearly always where it is broken.

Small differences it often does not see, with 1,000 people elsewhere: that the score errs by the disease here and not
there, or that it is shifted by half a logit here. Such a shift looks much like another share of men, which the test
must allow. A score test directed at it (one degree of freedom a disease state, shares and both distributions projected
out) saw 37 % and 22 % of 60 cohorts where the test as it is saw 57 % and 35 %, and with it combined by Fisher's method
57 % and 37 %, at the price of rejecting 10 % where transport holds: it was not added.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.diagnosis.transport import transport_test
from sexstrat.simulation import (
    ExternalCohort,
    Setting,
    cells_of_people,
    draw_people,
    external_setting,
    setting,
    simulate_cells,
)
from sexstrat.simulation.external import external_generator
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20,))


BY_DISEASE_HERE = replace(
    setting("external_error_by_disease"),
    name="error by disease here only",
    external=ExternalCohort(shift_men=0.0, shift_women=0.0),
)
SHIFTED_HERE = replace(setting("external"), name="half a logit higher here", intercept=0.5)


def p_values(name: str | Setting, replicates: int, first_seed: int) -> np.ndarray:
    """Return the p-values of replicates of a setting: 20,000 patients, 1,000 external people."""
    found = []
    for seed in range(first_seed, first_seed + replicates):
        both = simulate_cells(name, 20_000, seed)
        external = both.external
        if name is SHIFTED_HERE:  # the same people, their score as the model gives it
            there = replace(external_setting(SHIFTED_HERE), intercept=0.0)
            people = draw_people(there, there.patients, external_generator(seed))
            external = cells_of_people(people, people.validated)
        assert external is not None
        cohort = cell_arrays(both.cells, BANDS, ValidationDesign.external)
        labelled = cell_arrays(external, BANDS, ValidationDesign.random)
        found.append(transport_test(cohort, labelled).p_value)
    return np.array(found, dtype=float)


@pytest.mark.parametrize("name", ["external", "external_error_by_disease"])
def test_few_replicates_keep_the_size(name: str) -> None:
    """20 replicates with transport: at most 4 rejections at 5 % (more have a chance of 1 in 390), none at 0.01 %."""
    p = p_values(name, 20, 70_000)
    assert (p < 0.05).sum() <= 4
    assert p.min() > 1e-4


def test_few_replicates_see_a_broken_transport() -> None:
    """10 of 10 replicates with another AUC and another effect of disease outside are rejected."""
    assert (p_values("external_broken", 10, 71_000) < 0.05).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["external", "external_error_by_disease"])
def test_the_size_is_at_most_seven_percent(name: str) -> None:
    """500 replicates with transport: at most 7 % rejected, as the acceptance asks, and at least 1.5 %."""
    rejected = (p_values(name, 500, 80_000) < 0.05).mean()
    assert 0.015 <= rejected <= 0.07


@pytest.mark.slow
def test_the_power_is_at_least_95_percent() -> None:
    """200 replicates with broken transport: at least 95 % rejected."""
    assert (p_values("external_broken", 200, 90_000) < 0.05).mean() >= 0.95


def test_few_replicates_see_small_differences_now_and_then() -> None:
    """12 replicates each: error by disease here only is seen thrice at least (of .65), half a logit once (of .35)."""
    assert (p_values(BY_DISEASE_HERE, 12, 72_000) < 0.05).sum() >= 3
    assert (p_values(SHIFTED_HERE, 12, 73_000) < 0.05).sum() >= 1


@pytest.mark.slow
def test_the_power_against_small_differences_is_as_measured() -> None:
    """Error by disease here only is seen in 65 % of 300 replicates, half a logit more in 35 %: no proof of transport.

    A passed test therefore does not exclude either; a result carried over keeps its assumption in its state.
    """
    for one, power in ((BY_DISEASE_HERE, 0.65), (SHIFTED_HERE, 0.35)):
        error = (power * (1 - power) * 2 / 300) ** 0.5  # the stated figure has as much error
        assert (p_values(one, 300, 74_000) < 0.05).mean() == pytest.approx(power, abs=3 * error), one.name
