"""The intervals of what measured errors do to a prevalence ratio cover their truths."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sexstrat.audit.consequences import ErrorTable, naive_bias

Floats = NDArray[np.float64]

# share called men, by disease (no, yes) and recorded sex (women, men)
SETTINGS = {
    "equal errors": np.array([[0.15, 0.85], [0.15, 0.85]]),
    "a shift towards men in the diseased": np.array([[0.15, 0.85], [0.35, 0.92]]),
    "a poor score": np.array([[0.40, 0.62], [0.20, 0.35]]),
}
PREVALENCE = {0: 0.12, 1: 0.18}  # of women and of men
MALE = 0.48


def truths(called_men: Floats) -> Floats:
    """Return the probabilities of the eight cells: disease, recorded sex, predicted sex."""
    cells = np.zeros((2, 2, 2))
    for sex, share in ((0, 1 - MALE), (1, MALE)):
        for disease, part in ((0, 1 - PREVALENCE[sex]), (1, PREVALENCE[sex])):
            cells[disease, sex, 1] = share * part * called_men[disease, sex]
            cells[disease, sex, 0] = share * part * (1 - called_men[disease, sex])
    return cells


def coverage(setting: str, replicates: int, patients: int, seed: int) -> dict[str, float]:
    """Return how often each interval holds its truth."""
    cells = truths(SETTINGS[setting])
    whole = cells * 1e9
    truth = {k: v[0] for k, v in naive_bias(ErrorTable(patients=whole, weight=whole, squares=whole)).found.items()}
    hits: dict[str, list[bool]] = {}
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        table = rng.multinomial(patients, cells.ravel()).reshape(2, 2, 2).astype(float)
        found = naive_bias(ErrorTable(patients=table, weight=table, squares=table)).found
        for name, (_, low, high) in found.items():
            if name in truth:
                hits.setdefault(name, []).append(low <= truth[name] <= high)
    return {name: float(np.mean(values)) for name, values in hits.items() if len(values) > 0.9 * replicates}


@pytest.mark.parametrize("setting", SETTINGS)
def test_intervals_cover_in_a_few_replicates(setting: str) -> None:
    """100 seeded samples of 500 patients: no interval falls so low as wrong ones would."""
    found = coverage(setting, 100, 500, seed=81)
    assert {"relative_bias", "bias_of_unequal_errors", "attenuation_factor"} <= set(found)
    for name, share in found.items():
        assert share >= 0.88, name


@pytest.mark.slow
@pytest.mark.parametrize("patients", [300, 1000, 5000])
@pytest.mark.parametrize("setting", SETTINGS)
def test_intervals_cover_at_their_level(setting: str, patients: int) -> None:
    """2,000 seeded samples: every interval covers in at least .92."""
    found = coverage(setting, 2000, patients, seed=82)
    for name, share in found.items():
        assert share >= 0.92, name
