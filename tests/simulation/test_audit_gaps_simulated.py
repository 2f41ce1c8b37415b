"""Gaps between groups of patients with two correlated eyes: simultaneous coverage, size of the tests, power."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import norm

from sexstrat.audit.gaps.compare import compare
from sexstrat.audit.gaps.grouped import GroupedMetric
from sexstrat.audit.gaps.homogeneity import homogeneity, wald_of_covariance
from sexstrat.audit.gaps.largest import largest_gap
from sexstrat.audit.gaps.moments import covariance_of_sums, second_moments
from sexstrat.audit.gaps.shrinkage import shrunken_shares
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.sums import PatientSums

AGREEMENT, ONE_EYE = 0.6, 0.1  # correlation of the eyes' latent scores, share of patients with one
METRIC = "correct_among_men"
SMALL, LARGE = (100, 120, 150, 250, 500), (200, 250, 400, 600, 1000)  # patients a group


def cohort(seed: int, sizes: Sequence[int], rates: Sequence[float]) -> tuple[PatientSums, GroupedMetric]:
    """Return men by group, called rightly at the rate of their group, with correlated eyes."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    n = len(group)
    latent = np.sqrt(AGREEMENT) * rng.normal(size=(n, 1)) + np.sqrt(1 - AGREEMENT) * rng.normal(size=(n, 2))
    right = latent < norm.ppf(np.asarray(rates))[group][:, None]
    seen = np.column_stack([np.ones(n, dtype=bool), rng.random(n) > ONE_EYE])
    men, men_right, none = seen.sum(axis=1), (right & seen).sum(axis=1), np.zeros(n)
    labels = tuple(f"g{k}" for k in range(len(sizes)))
    sums = PatientSums(
        labels=labels,
        patient=np.arange(n),
        group=group.astype(np.int64),
        sums=np.column_stack([men, men_right, none, none, none, none, men, none]).astype(float),
        counts=np.column_stack([men, men_right, none, none, men, none]).astype(np.int64),
        n_patients=n,
    )
    patient = np.repeat(np.arange(n), 2).reshape(n, 2)
    measured = {
        label: clustered_proportion(right[chosen][seen[chosen]], patient[chosen][seen[chosen]])
        for label, chosen in (*((one, group == k) for k, one in enumerate(labels)), ("all", group >= 0))
    }
    covariance = covariance_of_sums(METRIC, second_moments(sums))
    return sums, GroupedMetric(metric=METRIC, group="site", labels=labels, measured=measured, covariance=covariance)


def family_coverage(replicates: int, sizes: Sequence[int], rates: Sequence[float], seed: int) -> dict[str, float]:
    """Return how often all simultaneous limits hold, and that of the largest gap, and the single limits one by one."""
    shares = np.asarray(sizes) / np.sum(sizes)
    truth = {f"g{k}": rate for k, rate in enumerate(rates)} | {"all": float(shares @ np.asarray(rates))}
    hits: dict[str, list[float]] = {}
    for k in range(replicates):
        _, one = cohort(seed + k, sizes, rates)
        for reference in ("all", "g4"):
            rows = [row for row in compare(one, reference) if row["scale"] == "difference"]
            gaps = [truth[row["level_name"]] - truth[reference] for row in rows]
            together = [
                row["simultaneous_low"] <= gap <= row["simultaneous_high"] for row, gap in zip(rows, gaps, strict=True)
            ]
            single = [row["low"] <= gap <= row["high"] for row, gap in zip(rows, gaps, strict=True)]
            hits.setdefault(f"family against {reference}", []).append(all(together))
            hits.setdefault(f"single against {reference}", []).append(float(np.mean(single)))
            hits.setdefault(f"all single against {reference}", []).append(all(single))
        row = largest_gap(one)[0]
        hits.setdefault("largest", []).append(row["low"] <= max(rates) - min(rates) <= row["high"])
    return {name: float(np.mean(found)) for name, found in hits.items()}


def rejections(
    replicates: int, sizes: Sequence[int], rates: Sequence[float], seed: int, permutations: int
) -> dict[str, float]:
    """Return how often each test of homogeneity rejects at 5 %, and the mean excess of the largest gap over chance."""
    permuted, wald, excess = [], [], []
    for k in range(replicates):
        sums, one = cohort(seed + k, sizes, rates)
        found = homogeneity(sums, METRIC, one.labels, permutations=permutations, seed=k)
        permuted.append((found.p_value or 1.0) <= 0.05)
        excess.append(found.excess or 0.0)
        p_value = wald_of_covariance(one).p_value
        if p_value is not None:
            wald.append(p_value <= 0.05)
    return {
        "permutation": float(np.mean(permuted)),
        "wald": float(np.mean(wald)) if wald else float("nan"),
        "excess": float(np.mean(excess)),
    }


EQUAL, ONE_LOW, SPREAD = (0.9,) * 5, (0.8, 0.9, 0.9, 0.9, 0.9), (0.85, 0.88, 0.9, 0.93, 0.95)


def test_simultaneous_limits_hold_together() -> None:
    """40 cohorts: limits meant to hold together do so far more often than those meant to hold singly."""
    found = family_coverage(40, SMALL, SPREAD, seed=1)
    assert found["family against all"] >= 0.85
    assert found["family against g4"] >= 0.85
    assert found["largest"] >= 0.9


def test_permutation_keeps_its_size_and_finds_a_gap() -> None:
    """60 cohorts: equal groups are rejected rarely, a gap of .10 among hundreds of patients nearly always."""
    assert rejections(60, SMALL, EQUAL, seed=1, permutations=199)["permutation"] <= 0.15
    assert rejections(20, LARGE, ONE_LOW, seed=1, permutations=199)["permutation"] >= 0.7


@pytest.mark.slow
@pytest.mark.parametrize("rates", [EQUAL, SPREAD])
def test_simultaneous_limits_hold_together_full(rates: tuple[float, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """500 cohorts: the family-wise coverage of the simultaneous limits, and of the largest gap's, is at least .92."""
    found = family_coverage(500, SMALL, rates, seed=100_000)
    with capsys.disabled():
        print(f"\n{rates}: {found}")  # noqa: T201
    for name in ("family against all", "family against g4", "largest"):
        assert found[name] >= 0.92, name
    assert found["all single against g4"] < found["family against g4"]


@pytest.mark.slow
def test_tests_of_homogeneity_full(capsys: pytest.CaptureFixture[str]) -> None:
    """500 cohorts of equal groups: permutation rejects in at most .07, Wald from 200 patients a group in .08."""
    small = rejections(500, SMALL, EQUAL, seed=200_000, permutations=499)
    large = rejections(500, LARGE, EQUAL, seed=300_000, permutations=499)
    power = {
        "small": rejections(500, SMALL, ONE_LOW, seed=400_000, permutations=499),
        "large": rejections(500, LARGE, ONE_LOW, seed=500_000, permutations=499),
    }
    with capsys.disabled():
        print(f"\nsize, small groups: {small}\nsize, large groups: {large}\npower at a gap of .10: {power}")  # noqa: T201
    assert small["permutation"] <= 0.07
    assert large["permutation"] <= 0.07
    assert large["wald"] <= 0.08
    assert abs(small["excess"]) < 0.01  # no true gap, no excess on average
    assert power["large"]["permutation"] > 0.85


@pytest.mark.slow
def test_shrunken_intervals_cover_on_average_full(capsys: pytest.CaptureFixture[str]) -> None:
    """500 draws of eight groups with true rates that differ: Morris's intervals cover in at least .92 on average."""
    hits, hits_raw = [], []
    for seed in range(500):
        rng = np.random.default_rng(600_000 + seed)
        truth = 1 / (1 + np.exp(-(2.0 + 0.5 * rng.normal(size=8))))
        sizes = rng.integers(60, 400, 8)
        shares = rng.binomial(sizes, truth) / sizes
        found = shrunken_shares(shares.tolist(), sizes.tolist())
        hits.append(np.mean((found.low <= truth) & (truth <= found.high)))
        hits_raw.append(np.mean(np.abs(found.point - truth)) < np.mean(np.abs(shares - truth)))
    with capsys.disabled():
        print(f"\nshrunken coverage {np.mean(hits):.3f}, nearer than raw in {np.mean(hits_raw):.2f}")  # noqa: T201
    assert np.mean(hits) >= 0.92
    assert np.mean(hits_raw) > 0.6
