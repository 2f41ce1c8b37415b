"""Intervals of the audit cover the truth as often as they say, with two correlated eyes a patient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import norm

from sexstrat.audit import auc_clustered, clustered_proportion, male_share_difference
from sexstrat.audit.measurement import Measurement

SHIFT, AGREEMENT = 1.4, 0.6  # distance of the sexes in SDs, correlation of the two eyes


def replicate(seed: int, patients: int) -> Iterator[tuple[str, float, Measurement]]:
    """Yield the name, the truth and the measurement of three metrics in one simulated cohort."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 2)
    male = (rng.random(patients) < 0.48)[patient]
    noise = np.sqrt(AGREEMENT) * rng.normal(size=patients)[patient]
    score = SHIFT * (male - 0.5) + noise + np.sqrt(1 - AGREEMENT) * rng.normal(size=2 * patients)
    called = score >= 0.2
    yield "auc", norm.cdf(SHIFT / np.sqrt(2)), auc_clustered(score, male, patient)
    right = called == male
    yield "correct_among_men", norm.sf(0.2 - SHIFT / 2), clustered_proportion(right[male], patient[male])
    share = 0.48 * norm.sf(0.2 - SHIFT / 2) + 0.52 * norm.sf(0.2 + SHIFT / 2) - 0.48
    yield "share", share, male_share_difference(called, male, patient)


def coverage(replicates: int, patients: int, seed: int) -> dict[str, float]:
    """Return the share of replicates whose interval holds the truth, by metric."""
    hits: dict[str, list[bool]] = {}
    for k in range(replicates):
        for name, truth, found in replicate(seed + k, patients):
            assert found.low is not None
            assert found.high is not None
            hits.setdefault(name, []).append(found.low <= truth <= found.high)
    return {name: float(np.mean(found)) for name, found in hits.items()}


def test_clustered_intervals_cover_at_their_level() -> None:
    """500 seeded cohorts of 150 patients: every 95 % interval covers in .92 to .98."""
    for name, share in coverage(500, 150, seed=20_000).items():
        assert 0.92 <= share <= 0.98, name


def test_ignoring_patients_would_undercover() -> None:
    """The same figures with eyes taken as independent fall short: the check above can fail."""
    hits = []
    for k in range(300):
        rng = np.random.default_rng(k)
        patient = np.repeat(np.arange(150), 2)
        right = (rng.normal(size=150)[patient] + 0.3 * rng.normal(size=300)) < 0.8
        found = clustered_proportion(right, np.arange(300))
        hits.append((found.low or 0) <= norm.cdf(0.8 / np.sqrt(1.09)) <= (found.high or 1))
    assert np.mean(hits) < 0.90


@pytest.mark.slow
@pytest.mark.parametrize("patients", [60, 150, 1000])
def test_clustered_intervals_cover_at_their_level_full(patients: int) -> None:
    """5,000 cohorts: coverage in .93 to .975, from 60 patients on."""
    for name, share in coverage(5000, patients, seed=1_000_000).items():
        assert 0.93 <= share <= 0.975, name
