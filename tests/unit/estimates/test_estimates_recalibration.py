"""The recalibration agrees with statsmodels, survives separation, and never sees the fold it predicts."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.recalibration import cross_fitted, design_matrix, fit_logistic, fit_weights, recalibrate
from sexstrat.estimates.worked_example import worked_arrays
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 60, 70))


def arrays_of(name: str, n: int = 4000, design: str = "random") -> CellArrays:
    return cell_arrays(simulate_cells(name, n, 5).cells, BANDS, ValidationDesign(design))


def test_coefficients_agree_with_statsmodels() -> None:
    """Without a prior the Newton fit is the maximum likelihood of statsmodels' GLM."""
    arrays = arrays_of("weak", n=20_000)
    x, _ = design_matrix(arrays)
    rows = arrays.validated & (arrays.n_eyes > 0)
    keep = np.ptp(x[rows], axis=0) > 0
    keep[0] = True
    x, male, n = x[rows][:, keep], arrays.male[rows].astype(float), arrays.n[rows]
    beta, inverse = fit_logistic(x, male * n, n, np.full(keep.sum(), 1e-10))
    ours = sm.GLM(male, x, family=sm.families.Binomial(), freq_weights=n).fit()
    np.testing.assert_allclose(beta, ours.params, atol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(inverse)), ours.bse, rtol=1e-4)


def test_separation_leaves_finite_coefficients() -> None:
    """A score that splits the validated perfectly gives large but finite coefficients, without a warning."""
    x = np.column_stack([np.ones(20), np.repeat([-1.0, 1.0], 10)])
    male = np.repeat([0.0, 1.0], 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        beta, inverse = fit_logistic(x, male, np.ones(20), np.array([0.01, 0.16]))
    assert 2 < beta[1] < 12
    assert np.isfinite(inverse).all()


def test_a_validated_row_is_predicted_by_models_that_never_saw_its_fold() -> None:
    """Turning every sex of fold 0 around moves the prediction of other folds, not that of fold 0."""
    arrays = arrays_of("baseline")
    first = arrays.validated & (arrays.fold == 0)
    turned = replace(arrays, male=np.where(first, ~arrays.male, arrays.male) & arrays.validated)
    before, after = cross_fitted(arrays), cross_fitted(turned)
    np.testing.assert_array_equal(before[first], after[first])
    others = arrays.validated & ~first
    assert np.abs(before[others] - after[others]).max() > 0.01


def test_unvalidated_rows_take_the_mean_of_the_five_models() -> None:
    """Two rows alike but for validation differ only by the fold's own model; unvalidated rows get the mean."""
    arrays = arrays_of("baseline")
    p = cross_fitted(arrays)
    x, _ = design_matrix(arrays)
    weight, _ = fit_weights(arrays)
    models = [recalibrate(arrays, rows=arrays.fold != fold).probability for fold in range(5)]
    np.testing.assert_allclose(p[~arrays.validated], np.mean(models, axis=0)[~arrays.validated], rtol=1e-6)
    assert weight[~arrays.validated].sum() == 0
    assert x.shape[0] == p.size


def test_constant_r_means_weight_one() -> None:
    """At a constant r the fit is unweighted, so the weights are the numbers of patients."""
    arrays = worked_arrays()
    weight, squares = fit_weights(arrays)
    np.testing.assert_allclose(weight[arrays.validated], arrays.n[arrays.validated])
    np.testing.assert_allclose(squares[arrays.validated], arrays.n[arrays.validated])


def test_known_r_makes_the_model_one_of_the_missing() -> None:
    """When men are recorded more often, weighting by (1 - r)/r brings the imputed share of men to the missing's own."""
    both = simulate_cells("recording_by_sex", 40_000, 2)
    arrays = cell_arrays(both.cells, BANDS, ValidationDesign.known_probability)
    unweighted = replace(
        arrays,
        w_over_r=2 * arrays.w * arrays.validated,
        w2_over_r2=4 * arrays.w2 * arrays.validated,
        w2_over_r=2 * arrays.w2 * arrays.validated,
    )
    truth = cell_arrays(both.truth, BANDS, ValidationDesign.random)
    missing = ~arrays.validated
    men = truth.n[truth.male].sum() - arrays.n[arrays.male].sum()
    share = men / arrays.n[missing].sum()
    weighted, plain = (
        np.average(recalibrate(one).probability[missing], weights=arrays.n[missing]) for one in (arrays, unweighted)
    )
    assert abs(weighted - share) < 0.015
    assert plain - share > 0.03


def test_nobody_validated_is_an_error_in_plain_words() -> None:
    """Without a recorded sex there is nothing to recalibrate on."""
    arrays = replace(worked_arrays(), validated=np.zeros(worked_arrays().n.size, dtype=bool))
    with pytest.raises(EstimationError, match="nobody's recorded sex"):
        recalibrate(arrays)
