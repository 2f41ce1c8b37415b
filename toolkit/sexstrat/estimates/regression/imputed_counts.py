"""Men of each group of patients, over imputations of the sexes that are not recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.recalibration import Recalibration

__all__ = ["Men", "expected_men", "group_sums", "imputed_men", "validated_men"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Men:
    """Men in each group of patients.

    Parameters
    ----------
    weight, squares : sums of their weights and of the squared weights, shape (groups,).
    """

    weight: Array
    squares: Array


def group_sums(group: NDArray[np.int64], values: Array, size: int) -> Array:
    """Return the sum of the values of each group.

    Parameters
    ----------
    group : group of each value, 0 to size - 1.
    values : what is added up.
    size : number of groups.

    Examples
    --------
    >>> group_sums(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 4).tolist()
    [1.0, 0.0, 5.0, 0.0]
    """
    return np.asarray(np.bincount(group, weights=values, minlength=size), dtype=np.float64)


def validated_men(arrays: CellArrays, group: NDArray[np.int64], size: int) -> Men:
    """Return the men of every group whose sex is recorded.

    Parameters
    ----------
    arrays : the cells.
    group : group of each row of the cells, -1 where it takes no part.
    size : number of groups.

    Examples
    --------
    Half of the 600 men of the worked example are validated.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> validated_men(arrays, np.zeros(arrays.n.size, dtype=np.int64), 1).weight.tolist()
    [300.0]
    """
    rows = arrays.validated & arrays.male & (group >= 0)
    weight, squares = (group_sums(group[rows], one[rows], size) for one in (arrays.w, arrays.w2))
    return Men(weight=weight, squares=squares)


def imputed_men(
    arrays: CellArrays, model: Recalibration, group: NDArray[np.int64], size: int, m: int, rng: np.random.Generator
) -> Iterator[Men]:
    """Yield the men of every group in each of m imputations: coefficients from their normal posterior, then binomials.

    With unequal weights within a row the imputed men have the mean and the variance that drawing patients one by one
    would give.

    Parameters
    ----------
    arrays : the cells.
    model : recalibration fitted on validated patients.
    group : group of each row of the cells, -1 where it takes no part.
    size : number of groups.
    m : imputations.
    rng : source of randomness.

    Examples
    --------
    All patients in one group: 300 validated men and about as many imputed.

    >>> from sexstrat.estimates.recalibration import recalibrate
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> one_group = np.zeros(arrays.n.size, dtype=np.int64)
    >>> draws = imputed_men(arrays, recalibrate(arrays), one_group, 1, 200, np.random.default_rng(1))
    >>> round(float(np.mean([men.weight[0] for men in draws])) / 600, 2)
    1.0
    """
    known = validated_men(arrays, group, size)
    rows = ~arrays.validated & (group >= 0)
    x, trials, where = model.design[rows], arrays.n[rows].astype(np.int64), group[rows]
    mean_weight, mean_square = arrays.w[rows] / trials, arrays.w2[rows] / trials
    spread = np.sqrt(mean_square)
    for beta in rng.multivariate_normal(model.beta, model.covariance, size=m, method="cholesky"):
        q = expit(x @ beta)
        drawn = rng.binomial(trials, q)
        weight = trials * q * mean_weight + (drawn - trials * q) * spread
        yield Men(
            weight=known.weight + group_sums(where, weight, size),
            squares=known.squares + group_sums(where, drawn * mean_square, size),
        )


def expected_men(arrays: CellArrays, model: Recalibration, group: NDArray[np.int64], size: int) -> Men:
    """Return the men of every group expected under the recalibration.

    Parameters
    ----------
    arrays : the cells.
    model : recalibration fitted on validated patients.
    group : group of each row of the cells, -1 where it takes no part.
    size : number of groups.

    Examples
    --------
    >>> from sexstrat.estimates.recalibration import recalibrate
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> men = expected_men(arrays, recalibrate(arrays), np.zeros(arrays.n.size, dtype=np.int64), 1)
    >>> round(float(men.weight[0]) / 600, 2)
    1.0
    """
    known = validated_men(arrays, group, size)
    rows = ~arrays.validated & (group >= 0)
    q, where = expit(model.design[rows] @ model.beta), group[rows]
    weight, squares = (group_sums(where, q * one[rows], size) for one in (arrays.w, arrays.w2))
    return Men(weight=known.weight + weight, squares=known.squares + squares)
