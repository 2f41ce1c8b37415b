"""E1 from cells is E1 from patients, its variance is that of psi, and thin cells borrow instead of boasting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sexstrat.estimates import compose
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.thin_cells import pool_thin_bands
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 60))


def patients(arrays: CellArrays) -> dict[str, np.ndarray]:
    """Unfold cells into one entry per patient, with psi."""
    times = arrays.n.astype(int)
    p = np.repeat(cross_fitted(arrays), times)
    r = 1 / np.repeat(np.where(arrays.validated, arrays.w_over_r / arrays.n, 1.0), times)
    known = np.repeat(arrays.validated, times)
    male = np.repeat(arrays.male, times).astype(float)
    return {
        "p": p,
        "r": r,
        "known": known,
        "male": male,
        "group": np.repeat(arrays.group, times),
        "psi": p + np.where(known, (male - p) / r, 0.0),
    }


@pytest.mark.parametrize("target", ["population", "cohort"])
def test_cells_give_what_patients_give(target: str) -> None:
    """Mean and variance of psi over patients, written out one by one, equal pi and V from the cells."""
    cells = simulate_cells("weak", 12_000, 4).cells
    one = compose(cells, bands=BANDS, design="random", target=target, method="E1")
    each = patients(cell_arrays(cells, BANDS, ValidationDesign.random))
    for group in range(4):
        rows = each["group"] == group
        n = rows.sum()
        assert one.pi.ravel()[group] == pytest.approx(each["psi"][rows].mean(), abs=1e-9)
        if target == "population":
            variance = each["psi"][rows].var() / n
        else:
            known, r = rows & each["known"], each["r"]
            e = each["male"] - each["p"]
            variance = np.sum(((1 - r) / r**2 * e**2)[known]) / n**2
        assert one.covariance[group, group] == pytest.approx(variance, rel=1e-9)
    assert np.count_nonzero(one.covariance - np.diag(np.diag(one.covariance))) == 0


def test_overall_shares_are_the_totals_of_psi() -> None:
    """All ages together use psi's totals, so that pooled thin bands cannot leak into the crude estimate."""
    cells = simulate_cells("weak", 12_000, 4).cells
    narrow = compose(cells, bands=AgeBands(tuple(range(20, 92, 4))), design="random", method="E1")
    wide = compose(cells, bands=AgeBands((20,)), design="random", method="E1")
    assert "model_based" in narrow.band_state
    np.testing.assert_allclose(narrow.crude_pi, wide.pi[0], rtol=1e-9)
    np.testing.assert_allclose(np.diag(narrow.crude_covariance), np.diag(wide.covariance), rtol=1e-9)


def test_everybody_validated_leaves_only_sampling_error() -> None:
    """With r = 1 the score is not needed: pi is the count and V = pi (1 - pi) / N, or 0 for the cohort itself."""
    cells = worked_cells(all_known=True)
    one = compose(cells, bands=worked_bands(), design="known_probability", method="E1")
    np.testing.assert_allclose(one.crude_pi, [0.5, 2 / 3])
    np.testing.assert_allclose(np.diag(one.crude_covariance), [0.25 / 800, 2 / 9 / 300])
    very = compose(cells, bands=worked_bands(), design="known_probability", method="E1", target="cohort")
    np.testing.assert_allclose(very.crude_covariance, 0, atol=1e-15)


def test_constant_weights_of_four_change_nothing() -> None:
    """A survey weight that is the same for everybody neither moves an estimate nor narrows an interval."""
    cells = simulate_cells("recording_by_age_disease_score", 8_000, 6).cells
    names = {"sum_w": 4, "sum_w2": 16, "sum_w_over_r": 4, "sum_w2_over_r": 16, "sum_w2_over_r2": 16}
    frame = cells.frame.assign(**{name: cells.frame[name] * by for name, by in names.items()})
    heavy = replace(cells, frame=frame)
    for method in ("E1", "E2", "complete_case", "naive_threshold"):
        light, other = (
            compose(one, bands=BANDS, design="known_probability", method=method).contrast("ratio").to_frame()
            for one in (cells, heavy)
        )
        np.testing.assert_allclose(light[["point", "low", "high"]], other[["point", "low", "high"]], rtol=1e-6)


def test_a_band_without_validated_patients_borrows_with_a_wide_interval() -> None:
    """With nobody validated the variance is not the model's own: it grows by the borrowed correction's."""
    n, model = np.array([400.0, 400.0, 400.0]), np.array([0.5, 0.5, 0.5])
    pooled = pool_thin_bands(n=n, n_validated=np.array([40, 0, 40]), model=model, residual=np.array([30.0, 0.0, 30.0]))
    assert pooled.pi[1] == pytest.approx((600 + 60) / 1200)
    assert pooled.pi[0] == pytest.approx(0.575)
    assert pooled.weights[1, 0] > 0 and pooled.weights[1, 2] > 0
    assert pooled.weights[0, 0] == pytest.approx(1 / 400)


def test_a_share_outside_0_to_1_is_brought_back_by_its_neighbours() -> None:
    """A correction that would give 104 % men is pooled on the logit until the share lies inside."""
    pooled = pool_thin_bands(
        n=np.array([100.0, 100.0]),
        n_validated=np.array([12, 60]),
        model=np.array([0.9, 0.6]),
        residual=np.array([14.0, 0.0]),
    )
    assert 0.9 < pooled.pi[0] < 1
    assert pooled.pi[1] == pytest.approx(0.6)


def test_no_run_of_bands_suffices() -> None:
    """Fewer than ten validated in all bands together leave the band unsolved, not guessed."""
    pooled = pool_thin_bands(
        n=np.array([100.0, 100.0]), n_validated=np.array([4, 5]), model=np.array([0.5, 0.5]), residual=np.zeros(2)
    )
    assert not pooled.solved.any()
    assert np.isnan(pooled.pi).all()


def test_unbiased_when_men_are_recorded_more_often_with_known_r() -> None:
    """Averaged over cohorts, E1 finds the share of men although recording depends on sex (r known)."""
    found, truth = [], []
    for seed in range(12):
        both = simulate_cells("recording_by_sex", 10_000, seed)
        found.append(compose(both.cells, bands=BANDS, design="known_probability", method="E1").crude_pi)
        truth.append(compose(both.truth, bands=BANDS, design="random", method="recorded").crude_pi)
    error = np.subtract(found, truth)
    assert (np.abs(error.mean(axis=0)) < 3 * error.std(axis=0, ddof=1) / np.sqrt(12)).all()
