"""Plain least squares and logistic regression on rows that stand for many people, with robust variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.recalibration import fit_logistic

__all__ = ["RobustFit", "independent_columns", "linear_fit", "logistic_fit"]

Array = NDArray[np.float64]

LARGEST_LEVERAGE = 0.9999  # a person fitted perfectly has no residual to learn a variance from
NEGLIGIBLE_PRECISION = 1e-9  # keeps the search finite under separation and moves no sixth digit
SEPARATED = 15.0  # log odds of a fitted coefficient or its error beyond which nothing was estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustFit:
    """Coefficients with their robust covariance.

    Parameters
    ----------
    beta : coefficients.
    covariance : robust (sandwich) covariance.
    log_likelihood : of a logistic fit; NaN for least squares.
    """

    beta: Array
    covariance: Array
    log_likelihood: float = float("nan")

    def along(self, direction: Array) -> tuple[float, float]:
        """Return a linear combination of the coefficients and its standard error."""
        variance = float(direction @ self.covariance @ direction)
        return float(direction @ self.beta), float(np.sqrt(max(variance, 0.0)))


def independent_columns(x: Array, needed: int) -> NDArray[np.bool_]:
    """Tell which columns add something to those before them; the first ``needed`` must.

    Parameters
    ----------
    x : covariates, shape (rows, columns).
    needed : columns that may not be left out.

    Raises
    ------
    EstimationError : one of the needed columns is a combination of the others.

    Examples
    --------
    >>> independent_columns(np.array([[1.0, 0.0, 2.0], [1.0, 1.0, 2.0]]), 2).tolist()
    [True, True, False]
    """
    kept: list[int] = []
    for k in range(x.shape[1]):
        trial = x[:, [*kept, k]]
        scale = np.sqrt((trial**2).sum(axis=0))
        if (scale > 0).all() and np.linalg.matrix_rank(trial / scale, tol=1e-8) == trial.shape[1]:
            kept.append(k)
        elif k < needed:
            raise EstimationError("these people do not vary enough to tell the parts of the model apart")
    return np.isin(np.arange(x.shape[1]), kept)


def linear_fit(x: Array, y: Array, n: Array, weight: Array, squares: Array) -> RobustFit:
    """Fit weighted least squares with the HC3 covariance, each row standing for n equal people.

    beta = (X'WX)^-1 X'Wy; covariance = (X'WX)^-1 sum of (w e / (1 - h))^2 x x' (X'WX)^-1, h a person's leverage.

    Parameters
    ----------
    x, y : covariates and outcome of each row.
    n, weight, squares : people, sum of their weights and of squared weights.

    References
    ----------
    MacKinnon JG, White H. J Econometrics 1985;29:305-325 (HC3). Long JS, Ervin LH. Am Stat 2000;54:217-224.

    Examples
    --------
    A mean of 0, 1, 2 with leverages 1/3: variance sum of (e / (2/3))^2 / 9.

    >>> one = np.ones(3)
    >>> fit = linear_fit(np.ones((3, 1)), np.array([0.0, 1.0, 2.0]), one, one, one)
    >>> fit.beta.tolist(), round(float(fit.covariance[0, 0]), 4)
    ([1.0], 0.5)
    """
    inverse = np.linalg.inv((x * weight[:, None]).T @ x)
    beta = inverse @ (x.T @ (weight * y))
    leverage = weight / n * np.einsum("ij,jk,ik->i", x, inverse, x)
    residual = (y - x @ beta) / (1 - np.minimum(leverage, LARGEST_LEVERAGE))
    meat = (x * (squares * residual**2)[:, None]).T @ x
    return RobustFit(beta=np.asarray(beta), covariance=np.asarray(inverse @ meat @ inverse))


def logistic_fit(
    x: Array, success: Array, n: Array, weight: Array, squares: Array, *, offset: Array | None = None
) -> RobustFit:
    """Fit logistic regression with the sandwich covariance, n / (n - 1) as in a linearised ratio.

    Parameters
    ----------
    x : covariates of each row.
    success : whether the people of a row have the property, 0 or 1.
    n, weight, squares : people, sum of their weights and of squared weights.
    offset : known part of the log odds of each row.

    Raises
    ------
    EstimationError : the covariates separate those with the property from those without, or the search fails.

    References
    ----------
    White H. Econometrica 1982;50:1-25.

    Examples
    --------
    Three of four: log odds log 3, variance 4/3 x (1/4 x 3/4 x 4) / (4 x 3/16)^2.

    >>> n = np.array([3.0, 1.0])
    >>> fit = logistic_fit(np.ones((2, 1)), np.array([1.0, 0.0]), n, n, n)
    >>> round(float(fit.beta[0]), 4), round(float(fit.covariance[0, 0]), 4)
    (1.0986, 1.7778)
    """
    if offset is None:
        precision = np.full(x.shape[1], NEGLIGIBLE_PRECISION)
        beta, inverse = fit_logistic(x, success * weight, weight, precision)
        line = x @ beta
    else:
        beta, inverse = _fit_with_offset(x, success * weight, weight, offset)
        line = x @ beta + offset
    if np.max(np.sqrt(np.diag(inverse)) * np.sqrt((x**2).mean(axis=0)), initial=0.0) > SEPARATED:
        raise EstimationError("the covariates tell men and women apart without error, so no coefficient is finite")
    total = n.sum()
    residual = success - expit(line)
    meat = (x * (squares * residual**2)[:, None]).T @ x * (total / max(total - 1, 1.0))
    likelihood = float(weight @ (success * line - np.logaddexp(0, line)))
    return RobustFit(beta=beta, covariance=np.asarray(inverse @ meat @ inverse), log_likelihood=likelihood)


def _fit_with_offset(x: Array, success: Array, weight: Array, offset: Array) -> tuple[Array, Array]:
    """Return coefficients and inverse information, by Newton steps of at most 2 on the log odds."""
    beta = np.zeros(x.shape[1])
    for _ in range(200):
        p = expit(x @ beta + offset)
        information = (x * (weight * p * (1 - p))[:, None]).T @ x
        information += NEGLIGIBLE_PRECISION * np.eye(x.shape[1])
        step = np.linalg.solve(information, x.T @ (success - weight * p))
        beta = beta + step * min(1.0, 2.0 / max(float(np.max(np.abs(x @ step))), 1e-12))
        if np.max(np.abs(step)) < 1e-10:
            return np.asarray(beta), np.asarray(np.linalg.inv(information))
    raise EstimationError("the covariates tell men and women apart without error, so no coefficient is finite")
