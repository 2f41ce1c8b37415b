"""The transport test rejects as often as it says where transport holds, and nearly always where it is broken."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.diagnosis.transport import transport_test
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20,))


def p_values(name: str, replicates: int, first_seed: int) -> np.ndarray:
    """Return the p-values of replicates of a setting: 20,000 patients, 1,000 external people."""
    found = []
    for seed in range(first_seed, first_seed + replicates):
        both = simulate_cells(name, 20_000, seed)
        assert both.external is not None
        cohort = cell_arrays(both.cells, BANDS, ValidationDesign.external)
        external = cell_arrays(both.external, BANDS, ValidationDesign.random)
        found.append(transport_test(cohort, external).p_value)
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
