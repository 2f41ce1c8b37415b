"""Wald tests of several coefficients at once, referred to F with the number of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as fisher

from sexstrat.errors import EstimationError

__all__ = ["WaldTest", "wald_test"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTest:
    """A Wald test.

    Parameters
    ----------
    statistic : F, the quadratic form over its degrees of freedom.
    df : coefficients tested.
    df_denominator : patients less coefficients fitted.
    p_value : upper tail of F.

    Examples
    --------
    >>> WaldTest(statistic=4.0, df=1, df_denominator=60, p_value=0.05).df
    1
    """

    statistic: float
    df: int
    df_denominator: int
    p_value: float


def wald_test(coefficients: Floats, covariance: Floats, *, df_denominator: int) -> WaldTest:
    """Test that all of some coefficients are 0.

    b' V^-1 b / q, referred to F(q, df_denominator).

    Parameters
    ----------
    coefficients : the coefficients tested, shape (q,).
    covariance : their covariance, shape (q, q).
    df_denominator : patients less coefficients fitted, above 0.

    Raises
    ------
    EstimationError : nothing is tested, or no degree of freedom is left.

    References
    ----------
    Pan W, Wall MM. Small-sample adjustments in using the sandwich variance estimator in generalized estimating
    equations. Stat Med 2002;21:1429-1441 (F in place of chi-square).

    Examples
    --------
    One coefficient of 2 standard errors is t = 2 squared; F(1, 60) beyond 4 has a tail of .0500.

    >>> test = wald_test(np.array([2.0]), np.eye(1), df_denominator=60)
    >>> test.statistic, round(test.p_value, 4)
    (4.0, 0.05)
    """
    if len(coefficients) == 0 or df_denominator <= 0:
        raise EstimationError(
            f"a Wald test needs a coefficient and a degree of freedom; found {len(coefficients)} and {df_denominator}"
        )
    q = len(coefficients)
    statistic = float(coefficients @ np.linalg.solve(covariance, coefficients)) / q
    return WaldTest(
        statistic=statistic,
        df=q,
        df_denominator=df_denominator,
        p_value=float(fisher.sf(statistic, q, df_denominator)),
    )
