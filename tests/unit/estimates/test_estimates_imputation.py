"""E2: the draws agree with the analytic limit, and Rubin's parts are what they are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sexstrat.estimates import compose
from sexstrat.estimates import imputation as module
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.imputation import IMPUTATIONS, analytic, drawn
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 60, 70))


def arrays_of(name: str, n: int, seed: int) -> CellArrays:
    return cell_arrays(simulate_cells(name, n, seed).cells, BANDS, ValidationDesign.random)


@pytest.mark.parametrize(("name", "n"), [("baseline", 20_000), ("weak", 10_000)])
def test_draws_agree_with_the_analytic_limit(name: str, n: int) -> None:
    """Means within Monte Carlo error and standard deviations within 12 % of what infinitely many draws would give."""
    arrays = arrays_of(name, n, 8)
    model = recalibrate(arrays)
    limit, many = analytic(arrays, model), drawn(arrays, model, IMPUTATIONS, np.random.default_rng(1))
    sd = np.sqrt(np.diag(limit.between))
    np.testing.assert_array_less(np.abs(many.pi - limit.pi), 0.35 * sd)
    np.testing.assert_allclose(np.sqrt(np.diag(many.between)), sd, rtol=0.12)


def test_unequal_weights_keep_the_first_two_moments() -> None:
    """With survey weights the drawn spread still agrees with sum w^2 q (1 - q) of the analytic limit."""
    arrays = arrays_of("baseline", 10_000, 2)
    factor = np.where(arrays.age_years % 2 == 0, 0.5, 1.5)
    heavy = replace(
        arrays,
        w=arrays.w * factor,
        w2=arrays.w2 * (factor**2 + 0.25),
        w_over_r=arrays.w_over_r * factor,
        w2_over_r=arrays.w2_over_r * (factor**2 + 0.25),
        w2_over_r2=arrays.w2_over_r2 * (factor**2 + 0.25),
    )
    model = recalibrate(heavy)
    limit, many = analytic(heavy, model), drawn(heavy, model, IMPUTATIONS, np.random.default_rng(3))
    np.testing.assert_allclose(np.sqrt(np.diag(many.between)), np.sqrt(np.diag(limit.between)), rtol=0.12)


def test_too_many_cells_take_the_analytic_limit_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the number of draws that takes a second, m is infinite, and the diagnostics tell."""
    cells = simulate_cells("baseline", 16_000, 2).cells
    usual = [compose(cells, bands=BANDS, design="random", method="E2", seed=seed) for seed in range(4)]
    monkeypatch.setattr(module, "MAXIMUM_DRAWS", 10)
    limit = compose(cells, bands=BANDS, design="random", method="E2")
    told = {one.diagnostics["imputations"] for one in usual}
    assert (told, limit.diagnostics["imputations"]) == ({400}, "analytic limit")
    *drawn_widths, width = [
        np.diff(np.log(one.contrast("ratio").to_frame().loc[0, ["low", "high"]].astype(float)))[0]
        for one in (*usual, limit)
    ]
    assert np.mean(drawn_widths) == pytest.approx(width, rel=0.08)  # 400 draws know a standard deviation to 3.5 %


def test_rubin_parts_add_up() -> None:
    """T = W + (1 + 1/m) B for the shares; for the cohort itself W is nothing; FMI is large at AUC .95."""
    cells = simulate_cells("baseline", 20_000, 3).cells
    one = compose(cells, bands=BANDS, design="random", method="E2")
    margin = one.by_band
    np.testing.assert_allclose(margin.covariance, margin.within + (1 + 1 / 400) * margin.between, atol=1e-18)
    np.testing.assert_allclose(np.diag(margin.within), (one.pi * (1 - one.pi) / one.n).ravel())
    very = compose(cells, bands=BANDS, design="random", method="E2", target="cohort")
    assert not very.by_band.within.any()
    assert 0.75 < one.diagnostics["fraction_missing_information"] < 0.92
    assert one.diagnostics["monte_carlo_error_over_se"] < 0.05
    assert one.diagnostics["relative_efficiency"] > 0.99


def test_the_same_seed_gives_the_same_numbers_and_another_almost() -> None:
    """Draws are seeded: equal seeds agree exactly, others within the Monte Carlo error."""
    cells = simulate_cells("baseline", 6_000, 2).cells
    points = [
        compose(cells, bands=BANDS, design="random", method="E2", seed=seed).contrast("ratio").to_frame()
        for seed in (5, 5, 6)
    ]
    assert points[0].equals(points[1])
    assert points[0].loc[0, "point"] != points[2].loc[0, "point"]
    assert abs(np.log(points[0].loc[0, "point"] / points[2].loc[0, "point"])) < 0.3 * points[0].loc[0, "se"]
