"""Pooled sites tell the truth: shares as strata cover it, and cells that would not are not sent."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.disclosure.cell_release import release_cells
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.estimates.compose import compose
from sexstrat.estimates.contrasts import contrast_at
from sexstrat.estimates.places import crude_place
from sexstrat.estimates.pooling.site_pool import Question
from sexstrat.estimates.pooling.stratified import stratified
from sexstrat.estimates.pooling.withheld_shift import MOST_MOVED, largest_shift
from sexstrat.simulation import population_truth, setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 45, 55, 65, 75))
NAME = "error_by_disease"


def crude_ratio() -> float:
    truth = population_truth(setting(NAME), BANDS.lows)
    crude = truth["age_low"].isna() & (truth["standard"] == "crude") & (truth["unit"] == "persons")
    return float(truth.loc[crude & (truth["measure"] == "prevalence_ratio"), "value"].iloc[0])


def pooled_rows(replicates: int, seed: int) -> list[dict[str, float]]:
    """Return the crude ratio of four sites of 5,000 patients pooled as strata, once a replicate."""
    rows = []
    for replicate in range(replicates):
        first = seed + 4 * replicate
        cells = {str(k): simulate_cells(NAME, 5_000, first + k).cells for k in range(4)}
        ones = {site: compose(one, bands=BANDS, design="random") for site, one in cells.items()}
        rows.append(contrast_at(crude_place(stratified(ones)), "ratio"))
    return rows


def test_shares_of_sites_cover_the_truth() -> None:
    """Ten pools of four sites: nine intervals or more hold the true ratio, and the mean is within a tenth of it."""
    rows, truth = pooled_rows(10, 70_000), crude_ratio()
    assert sum(row["low"] <= truth <= row["high"] for row in rows) >= 9
    assert np.mean([row["point"] for row in rows]) == pytest.approx(truth, rel=0.1)


@pytest.mark.slow
def test_shares_of_sites_cover_the_truth_in_300_pools() -> None:
    """Coverage of the pooled crude ratio lies in .92 to .98, its bias below .15 standard deviations and chance."""
    rows, truth = pooled_rows(300, 900_000), crude_ratio()
    assert 0.92 <= np.mean([row["low"] <= truth <= row["high"] for row in rows]) <= 0.98
    logs = np.log([row["point"] for row in rows])
    bias, spread = abs(logs.mean() - np.log(truth)), logs.std(ddof=1)
    assert bias - 2 * spread / np.sqrt(len(logs)) < 0.15 * spread


def test_few_withheld_patients_can_move_a_site_by_more_than_its_error() -> None:
    """Of 300,000 patients 620 are in small cells: without them the figures move by over a standard error.

    They are mostly validated and diseased, and each stands for twenty others. So cells are sent only where the move
    itself is small, not where few are withheld.
    """
    question = Question(bands=BANDS, design=ValidationDesign.random)
    found = release_cells(simulate_cells(NAME, 300_000, 100).cells, PROFILES["uk-5"], BANDS)
    assert found is not None
    assert 0 < found.withheld["disease"] < 0.003 * found.n_patients["disease"]
    assert largest_shift(found.whole, found.cells, question) > 10 * MOST_MOVED
