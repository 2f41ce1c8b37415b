"""Do E1 and E2 agree? Their difference against the standard error of that difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.clustered_margin import LONELY
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.recalibration import Recalibration, recalibrate
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores

__all__ = ["disagreement"]

Array = NDArray[np.float64]

DISAGREEMENT = 2.0  # decision table: warn beyond 2 standard errors of the difference
# Where the imputation model absorbs the residuals by construction (constant r and a term for each group compared) the
# difference and its standard error both vanish; below this share of E1's own error a difference is immaterial.
IMMATERIAL = 0.10


def _influence(given: ComposeInput, model: Recalibration) -> tuple[Array, Array]:
    """Return per validated row and (band, disease) how its residual moves E1 - E2 and E1, shape (rows, 2A)."""
    arrays = given.arrays
    n = arrays.total(arrays.w).ravel()
    safe = np.where(n > 0, n, 1.0)
    rows, q = arrays.validated, model.probability
    unknown = ~rows
    slope = np.where(unknown, arrays.w * q * (1 - q), 0.0)
    jacobian = (
        np.column_stack(
            [np.bincount(arrays.group, weights=slope * column, minlength=n.size) for column in model.design.T]
        )
        / safe[:, None]
    )
    mean_weight = (arrays.w_over_r / np.maximum(arrays.n, 1))[rows]
    raw = np.where(rows, arrays.w_over_r - arrays.w, 0.0)
    scale = arrays.n[rows].sum() / raw.sum() if raw.sum() > 0 else 1.0
    fit = raw[rows] * scale / arrays.n[rows]
    own = np.zeros((int(rows.sum()), n.size))
    own[np.arange(own.shape[0]), arrays.group[rows]] = 1 / safe[arrays.group[rows]]
    first = own * mean_weight[:, None]
    own_weight = (arrays.w / np.maximum(arrays.n, 1))[rows]
    second = own * own_weight[:, None] + fit[:, None] * (model.design[rows] @ model.inverse_information @ jacobian.T)
    return first - second, first


def _over_units(arrays: CellArrays, moved: Array) -> tuple[Array, float]:
    """Return the variance over units of sums over validated patients, and the degrees of freedom."""
    every = np.zeros((arrays.n.size, moved.shape[1]))
    every[arrays.validated] = moved
    scores = unit_scores(arrays, RowInfluence.taught(arrays, every, arrays.n, arrays.n))
    covariance = scores.variance(np.eye(moved.shape[1], 2 * moved.shape[1]), LONELY).covariance
    return np.diag(covariance), float(max(scores.degrees_of_freedom(np.ones(moved.shape[1], dtype=bool)), 1))


def disagreement(given: ComposeInput, gradients: Array) -> tuple[Array, bool]:
    """Return the standardised differences between E1 and E2 of some measures, and whether to warn.

    Both estimators are sums over validated patients of the same residual S - p with different weights (joint
    influence functions), so that a difference is sum(u e) with standard error sqrt(sum(u^2 e^2)), or that over
    sampling units, and a t limit, where the sample was drawn in units or strata. A difference that is small beside
    E1's own standard error never warns, and the limit of 2 widens with the number of measures (Bonferroni). For all
    ages crude the two agree by construction, so that bands and standardised measures tell.

    Parameters
    ----------
    given : the input.
    gradients : derivatives of the measures with respect to pi, shape (measures, 2A), index 2 a + d.

    Returns
    -------
    Each difference in standard errors of the difference, and True when one of them is beyond the limit.

    Examples
    --------
    In the worked example both reproduce the truth:

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> disagreement(given, np.array([[-1.0, 1.0, -1.0, 1.0]]))[1]
    False
    """
    arrays, model = given.arrays, recalibrate(given.arrays)
    rows = arrays.validated
    difference, first = _influence(given, model)
    u, v = difference @ gradients.T, first @ gradients.T
    n, e = arrays.n[rows][:, None], (arrays.male - model.probability)[rows][:, None]
    delta = np.sum(n * u * e, axis=0)
    if given.clustered:
        (squares, df), (own, _) = _over_units(arrays, u * e), _over_units(arrays, v * e)
    else:
        squares, own, df = np.sum(n * (u * e) ** 2, axis=0), np.sum(n * (v * e) ** 2, axis=0), np.inf
    error = np.sqrt(squares + IMMATERIAL**2 * own)
    z = np.divide(delta, error, out=np.zeros_like(delta), where=error > 0)
    tail = norm.sf(DISAGREEMENT) / max(z.size, 1)
    limit = norm.isf(tail) if np.isinf(df) else t.isf(tail, df)
    return z, bool((np.abs(z) > limit).any())
