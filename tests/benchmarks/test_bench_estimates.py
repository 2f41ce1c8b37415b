"""How fast estimates come from cells: 6 diseases x 16 age bands x 50 score bins, a million patients behind them.

Processor time is measured, which a busy machine changes little, against a fixed piece of arithmetic in the same run.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import bootstrap_e1, compose
from sexstrat.estimates.compose import compose_input
from sexstrat.simulation import cells_of_people, draw_people, setting
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

BANDS = AgeBands(tuple(range(20, 100, 5)))
DISEASES = tuple(f"disease {number}" for number in range(6))
CONTRASTS = ("ratio", "difference", "odds_ratio")
E1_SECONDS, E2_SECONDS, BOOTSTRAP_SECONDS = 0.1, 1.0, 3.0  # the bars, on a machine that is free
REPLICATES = 2_000

logger = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def cells() -> Cells:
    """Return six cubes of 16 ages and about 50 score bins each."""
    people = draw_people(setting("baseline"), 1_000_000, np.random.default_rng(1))
    coarse = np.clip(np.round(people.eye_logit * 2.0) / 2.0, -6, 6)
    people = dataclasses.replace(people, age_years=people.age_years // 5 * 5 + 2, eye_logit=coarse)
    one = cells_of_people(people, people.validated)
    frame = pd.concat([one.frame.assign(condition=name) for name in DISEASES], ignore_index=True)
    return Cells(frame=frame, edges=one.edges)


def seconds(work: Callable[[], object], repeats: int = 15) -> float:
    """Return the shortest processor time of some repeats."""
    found = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def every_measure(cells: Cells, method: str) -> None:
    for name in DISEASES:
        one = compose(cells, condition=name, bands=BANDS, design="random", method=method)
        one.prevalence("cohort")
        for kind in CONTRASTS:
            one.contrast(kind, "cohort")


@pytest.mark.benchmark_suite
def test_the_size_is_that_of_the_bars(cells: Cells) -> None:
    """Sixteen ages, about fifty bins, six diseases; a million patients in each."""
    assert cells.frame["age_years"].nunique() == 16
    assert 40 <= cells.frame["logit_bin"].nunique() <= 60
    assert cells.frame["n"].sum() == 6_000_000


@pytest.mark.benchmark_suite
@pytest.mark.parametrize(("method", "bar"), [("E1", E1_SECONDS), ("E2", E2_SECONDS)])
def test_compose_and_every_measure(cells: Cells, method: str, bar: float) -> None:
    """E1 of six diseases takes less than 100 ms, 400 imputations of each less than a second."""
    took = seconds(lambda: every_measure(cells, method))
    logger.info("%s: %.3f s for six diseases", method, took)
    assert took < bar, f"{method} took {took:.3f} s"


@pytest.mark.benchmark_suite
def test_two_thousand_bootstrap_replicates(cells: Cells) -> None:
    """Every measure of six diseases, 2,000 replicates of each, in less than three seconds."""

    def work() -> None:
        for name in DISEASES:
            bootstrap_e1(compose_input(cells, condition=name, bands=BANDS, design="random"), replicates=REPLICATES)

    took = seconds(work, repeats=2)
    logger.info("bootstrap: %.2f s for six diseases", took)
    assert took < BOOTSTRAP_SECONDS, f"the bootstrap took {took:.2f} s"
