"""Fit a prevalence on covariates from counts: logistic, or log-linear by modified Poisson."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["LINKS", "MeanModel", "fit_mean_model"]

Array = NDArray[np.float64]

LARGEST_LINE = 30.0  # fitted odds beyond exp(+-30) have no finite coefficients behind them: the data are separated
ITERATIONS = 100
SETTLED = 1e-10  # largest step of a coefficient, for covariates of about unit spread


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """Mean of the line, its slope there, and the concave function whose maximum solves the equation."""

    mean: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    potential: Callable[[Array], Array]


LINKS: Mapping[str, _Link] = MappingProxyType(
    {
        "logistic": _Link(
            mean=lambda line: np.asarray(expit(line)),
            slope=lambda line: np.asarray(expit(line) * expit(-line)),
            potential=lambda line: np.logaddexp(0.0, line),
        ),
        "poisson": _Link(mean=np.exp, slope=np.exp, potential=np.exp),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanModel:
    """Coefficients that solve sum over rows of x (cases - people x mean(x'b)) = 0.

    Parameters
    ----------
    beta : coefficients, shape (k,).
    fitted : fitted prevalence of each row.
    information : sum of people x slope x x x', shape (k, k), minus the derivative of the equation.
    """

    beta: Array
    fitted: Array
    information: Array


def fit_mean_model(x: Array, cases: Array, people: Array, link: str, *, start: Array | None = None) -> MeanModel | None:
    """Return the logistic or modified Poisson fit by Newton's method with halved steps.

    Both links are the canonical ones of their working likelihoods, so that the equation is the same sum of residuals.
    Rows are groups of people with equal covariates: the fit equals that on the people one by one.

    Parameters
    ----------
    x : covariates of each group, about unit spread, shape (rows, k).
    cases, people : weighted cases and people of each group.
    link : logistic or poisson (log).
    start : coefficients to start from, for instance those of a similar fit.

    Returns
    -------
    The fit; None where no finite coefficients solve the equation (separation, collinear covariates).

    References
    ----------
    Zou G. Am J Epidemiol 2004;159:702-706 (modified Poisson).

    Examples
    --------
    20 % of the first group, 40 % of the second: log ratio ln 2, log odds ratio ln(8/3).

    >>> x, cases, people = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([20.0, 40.0]), np.array([100.0, 100.0])
    >>> [fit_mean_model(x, cases, people, link).beta[1].round(4) for link in ("poisson", "logistic")]
    [np.float64(0.6931), np.float64(0.9808)]
    """
    used, one = people > 0, LINKS[link]
    x_used, y, t = x[used], cases[used], people[used]
    total = float(t.sum())
    if total <= 0 or not 0 < float(y.sum()) / total < 1 or np.linalg.matrix_rank(x_used) < x.shape[1]:
        return None

    def objective(b: Array) -> float:
        line = x_used @ b
        return float(y @ line - t @ one.potential(line)) / total

    def information(b: Array) -> Array:
        return np.asarray((x_used * (t * one.slope(x_used @ b))[:, None]).T @ x_used)

    beta = np.zeros(x.shape[1]) if start is None else start.copy()
    value = objective(beta)
    for _ in range(ITERATIONS):
        if np.max(np.abs(x_used @ beta)) > LARGEST_LINE:
            return None
        score = x_used.T @ (y - t * one.mean(x_used @ beta))
        step = np.linalg.lstsq(information(beta), score)[0]
        size = 1.0
        with np.errstate(over="ignore"):  # a step too far is halved
            while not (moved := objective(beta + size * step)) >= value - 1e-12 * (abs(value) + 1) and size > 1e-8:
                size /= 2
        beta, value = beta + size * step, moved
        if np.max(np.abs(step)) < SETTLED:
            return MeanModel(beta=beta, fitted=one.mean(x @ beta), information=information(beta))
    return None
