"""What must not matter does not: the order of cells, how they were split, which sex is called which."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.estimates import clopper_pearson, compose, jeffreys, wilson
from sexstrat.simulation import Setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

BANDS = AgeBands((20, 60))
COLUMNS = ["point", "low", "high"]


def ratios(cells: Cells, method: str, **more: object) -> pd.DataFrame:
    return compose(cells, bands=BANDS, design="random", method=method, **more).contrast("ratio", "cohort").to_frame()


@given(seed=st.integers(0, 10_000), method=st.sampled_from(["E1", "naive_weighted", "complete_case"]))
@settings(max_examples=12, deadline=None)
def test_order_and_splitting_of_cells_do_not_matter(seed: int, method: str) -> None:
    """Cells shuffled, and each counted in two halves as two hospitals would send them, give the same estimates."""
    cells = simulate_cells(Setting(name="s", validated=0.3, auc=0.8), 1_500, seed).cells
    doubled = pd.concat([cells.frame, cells.frame], ignore_index=True)
    sums = ["n", "sum_p", "sum_p2", "sum_w", "sum_w2", "sum_w_over_r", "sum_w2_over_r", "sum_w2_over_r2"]
    added = cells.frame.assign(**{name: cells.frame[name] * 2 for name in sums})
    shuffled = dataclasses.replace(cells, frame=doubled.sample(frac=1, random_state=seed).reset_index(drop=True))
    np.testing.assert_allclose(
        ratios(shuffled, method)[COLUMNS], ratios(dataclasses.replace(cells, frame=added), method)[COLUMNS], rtol=1e-7
    )


@given(seed=st.integers(0, 10_000), method=st.sampled_from(["E1", "complete_case", "naive_threshold"]))
@settings(max_examples=12, deadline=None)
def test_swapping_the_sexes_inverts_the_ratio(seed: int, method: str) -> None:
    """Men called women, with the score turned around, give 1 over the ratio and its limits."""
    cells = simulate_cells(Setting(name="s", validated=0.3, auc=0.8), 1_500, seed).cells
    frame = cells.frame.copy()
    frame["recorded_sex"] = frame["recorded_sex"].replace({"male": "female", "female": "male"})
    frame["logit_bin"] = len(cells.edges) - 2 - frame["logit_bin"]
    before, after = ratios(cells, method), ratios(dataclasses.replace(cells, frame=frame), method)
    np.testing.assert_allclose(after["point"], 1 / before["point"], rtol=1e-5)
    np.testing.assert_allclose(after["low"], 1 / before["high"], rtol=1e-5)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_a_perfect_classifier_changes_nothing(seed: int) -> None:
    """With a score that never errs the thresholded and the corrected estimates are those of everybody's sex."""
    both = simulate_cells(Setting(name="s", validated=0.3, auc=1 - 1e-15), 3_000, seed)
    truth = ratios(both.truth, "recorded")["point"]
    np.testing.assert_allclose(ratios(both.cells, "naive_threshold")["point"], truth, rtol=1e-9)
    np.testing.assert_allclose(ratios(both.cells, "E1")["point"], truth, rtol=0.03)


@given(seed=st.integers(0, 10_000), method=st.sampled_from(["auto", "E1", "E2", "naive_weighted", "complete_case"]))
@settings(max_examples=15, deadline=None)
def test_estimates_stay_in_range(seed: int, method: str) -> None:
    """Whatever comes out is a share inside its own interval inside 0 to 1, or nothing at all."""
    cells = simulate_cells("everything", 1_200, seed).cells
    one = compose(cells, bands=AgeBands((20, 50, 60, 70, 80)), design="known_probability", method=method)
    frame = one.prevalence("esp_2013").to_frame().dropna(subset=COLUMNS)
    assert ((frame["low"] >= 0) & (frame["high"] <= 1)).all()
    assert ((frame["low"] <= frame["point"]) & (frame["point"] <= frame["high"])).all()


@given(n=st.integers(1, 500), share=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_intervals_hold_their_proportion_and_mirror(n: int, share: float, level: float) -> None:
    """Every interval contains x/n, stays in 0 to 1, and that of the others is its mirror image."""
    x = round(share * n)
    for interval in (wilson, clopper_pearson, jeffreys):
        low, high = interval(x, n, level=level)
        assert 0 <= low <= x / n + 1e-9 and x / n - 1e-9 <= high <= 1
        mirrored = interval(n - x, n, level=level)
        np.testing.assert_allclose(mirrored, (1 - high, 1 - low), atol=1e-9)
