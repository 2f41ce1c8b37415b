"""Cells become arrays; who is left out is counted."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import compose
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign


def with_column(cells: Cells, **columns: object) -> Cells:
    return Cells(frame=cells.frame.assign(**columns), edges=cells.edges)


def test_recorded_other_is_counted_and_stays_outside() -> None:
    """A patient recorded as other is in no cell, and the composition says how many there were."""
    cells = worked_cells()
    frame = cells.frame.copy()
    row = frame.index[frame["recorded_sex"] == "male"][0]
    frame.loc[row, ["recorded_sex", "fold"]] = ["other", None]
    changed = Cells(frame=frame, edges=cells.edges)
    arrays = cell_arrays(changed, worked_bands(), ValidationDesign.random)
    assert arrays.n_other == cells.frame.loc[row, "n"]
    assert arrays.n.sum() == 1100 - arrays.n_other
    one = compose(changed, bands=worked_bands(), design="random")
    assert any("'other'" in warning for warning in one.warnings)


def test_ages_outside_the_bands_are_counted_and_left_out() -> None:
    """Half of the worked example is 45: bands from 60 leave 550 patients out and say so."""
    one = compose(worked_cells(), bands=AgeBands((60,)), design="random")
    assert one.n_patients.sum() == 550
    assert any("550 patients outside" in warning for warning in one.warnings)


def test_random_design_takes_the_share_validated_as_r() -> None:
    """With 550 of 1,100 validated every validated patient stands for two, whatever the cells say."""
    cells = with_column(worked_cells(), sum_w_over_r=np.nan, sum_w2_over_r=np.nan, sum_w2_over_r2=np.nan)
    arrays = cell_arrays(cells, worked_bands(), ValidationDesign.random)
    rows = arrays.validated
    np.testing.assert_allclose(arrays.w_over_r[rows], 2 * arrays.n[rows])
    np.testing.assert_allclose(arrays.w2_over_r2[rows], 4 * arrays.n[rows])
    np.testing.assert_allclose(arrays.effective_validated, arrays.n_validated)


def test_known_probability_without_r_is_refused_with_the_reason() -> None:
    """A declared r that the cells lack is an error that names the column to give."""
    cells = with_column(worked_cells(), sum_w_over_r=np.nan, sum_w2_over_r=np.nan, sum_w2_over_r2=np.nan)
    with pytest.raises(EstimationError, match="validation_probability"):
        compose(cells, bands=worked_bands(), design="known_probability")


def test_a_patient_without_an_eye_has_no_score_but_is_counted() -> None:
    """No gradable photograph: logit 0, no predicted class, still in the denominators."""
    cells = worked_cells()
    frame = cells.frame.copy()
    row = frame.index[frame["recorded_sex"] == "unknown"][0]
    frame.loc[row, "n_eyes"] = 0
    frame.loc[row, "logit_bin"] = None
    arrays = cell_arrays(Cells(frame=frame, edges=cells.edges), worked_bands(), ValidationDesign.random)
    assert arrays.logit[row] == 0
    assert not arrays.predicted_male[row]
    assert np.isnan(arrays.mean_prob_male[row])
    assert arrays.n.sum() == 1100


def test_predicted_class_starts_at_one_half() -> None:
    """A score of exactly 0.5 lies in the bin that begins at logit 0, which is predicted male."""
    arrays = cell_arrays(worked_cells(), worked_bands(), ValidationDesign.random)
    assert set(arrays.logit[arrays.predicted_male].round(2)) == {1.35}
    assert set(arrays.logit[~arrays.predicted_male].round(2)) == {-1.35}
