"""Robust variance of a mean model fitted to groups of patients: by patient, or by cluster when patients go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.numbers.mean_model import MeanModel

__all__ = ["FEW_CLUSTERS", "Counts", "cluster_variance", "patient_variance"]

Array = NDArray[np.float64]

FEW_CLUSTERS = 50  # below it the plain sandwich is too small, and each cluster is left out in turn (Mancl-DeRouen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a fit needs of each group of patients with equal covariates.

    Parameters
    ----------
    cases, people : sums of weights of the diseased and of everybody, shape (groups,).
    case_squares, well_squares : sums of squared weights of the diseased and of the others.
    patients : number of patients in all.
    """

    cases: Array
    people: Array
    case_squares: Array
    well_squares: Array
    patients: float

    @classmethod
    def unweighted(cls, cases: Array, people: Array) -> Counts:
        """Return the counts of patients with weight 1."""
        return cls(
            cases=cases, people=people, case_squares=cases, well_squares=people - cases, patients=float(people.sum())
        )


def patient_variance(x: Array, fit: MeanModel, counts: Counts, slope: Array) -> Array:
    """Return the sandwich with each patient a cluster: A^-1 [sum w^2 e^2 x x'] A^-1 times n / (n - k) (HC1).

    With fewer than 50 patients each residual is divided by 1 - its leverage instead (HC3, which is Mancl and DeRouen's
    for clusters of one).

    Parameters
    ----------
    x : covariates of each group, shape (groups, k).
    fit : the fitted model.
    counts : of each group.
    slope : derivative of the mean by the line in each group.

    Returns
    -------
    Covariance of the coefficients, shape (k, k).

    References
    ----------
    Zou G. Am J Epidemiol 2004;159:702-706. MacKinnon JG, White H. J Econometrics 1985;29:305-325.

    Examples
    --------
    Prevalence .2 of 100 people, log link: variance of the log (1 - p) / (n p) times 100 / 99.

    >>> from sexstrat.estimates.numbers.mean_model import fit_mean_model
    >>> x, counts = np.ones((1, 1)), Counts.unweighted(np.array([20.0]), np.array([100.0]))
    >>> fit = fit_mean_model(x, counts.cases, counts.people, "poisson")
    >>> round(float(patient_variance(x, fit, counts, fit.fitted)[0, 0]) * 99 / 100, 6)
    0.04
    """
    inverse = np.linalg.inv(fit.information)
    case, well = 1 - fit.fitted, fit.fitted
    squares = counts.case_squares * case**2 + counts.well_squares * well**2
    if counts.patients >= FEW_CLUSTERS:
        scale = counts.patients / (counts.patients - x.shape[1])
    else:
        total = counts.case_squares + counts.well_squares
        mean_weight = np.divide(total, counts.people, out=np.zeros_like(total), where=counts.people > 0)
        leverage = mean_weight * slope * np.einsum("ij,jk,ik->i", x, inverse, x)
        squares = squares / np.maximum(1 - leverage, 1e-6) ** 2
        scale = 1.0
    return np.asarray(inverse @ ((x * squares[:, None]).T @ x) @ inverse * scale)


def cluster_variance(
    x: Array, fit: MeanModel, counts: Counts, slope: Array, cluster: NDArray[np.int64], wanted: NDArray[np.int64]
) -> Array | None:
    """Return the sandwich whose independent units are clusters: each one's residuals are added up before squaring.

    With u_g = sum over the cluster of w e x: A^-1 [sum u_g u_g'] A^-1 times G/(G - 1) (n - 1)/(n - k) (HC1). With fewer
    than 50 clusters sum t_g t_g' with t_g = (A - B_g)^-1 u_g, B_g the cluster's own part of A: Mancl and DeRouen's
    residuals, as if the cluster had been left out. Where the model has a coefficient for each cluster, the generalised
    inverse leaves out that of the cluster.

    Parameters
    ----------
    x : covariates of each group of patients, shape (groups, k).
    fit : the fitted model.
    counts : of each group.
    slope : derivative of the mean by the line in each group.
    cluster : cluster of each group, 0 to G - 1.
    wanted : coefficients whose variance is asked for.

    Returns
    -------
    Covariance of the coefficients, shape (k, k), to be read at ``wanted``; None where without one of the clusters a
    wanted coefficient could not be estimated.

    References
    ----------
    Liang KY, Zeger SL. Biometrika 1986;73:13-22. Mancl LA, DeRouen TA. Biometrics 2001;57:126-134.

    Examples
    --------
    Three clusters of 10 with 1, 2 and 3 cases, log link: residuals -1, 0, 1, A = 6 in all and 2 in each, so that each
    is divided by 4.

    >>> from sexstrat.estimates.numbers.mean_model import fit_mean_model
    >>> x, counts = np.ones((3, 1)), Counts.unweighted(np.array([1.0, 2.0, 3.0]), np.full(3, 10.0))
    >>> fit = fit_mean_model(x, counts.cases, counts.people, "poisson")
    >>> found = cluster_variance(x, fit, counts, fit.fitted, np.arange(3), np.array([0]))
    >>> round(float(found[0, 0]), 6)
    0.125
    """
    groups, k = int(cluster.max()) + 1, x.shape[1]
    residual = counts.cases - counts.people * fit.fitted
    scores = np.column_stack([np.bincount(cluster, weights=column * residual, minlength=groups) for column in x.T])
    if groups >= FEW_CLUSTERS:
        pulls = np.linalg.solve(fit.information, scores.T).T
        scale = groups / (groups - 1) * (counts.patients - 1) / (counts.patients - k)
        return np.asarray(pulls.T @ pulls * scale)
    products = x[:, :, None] * x[:, None, :] * (counts.people * slope)[:, None, None]
    own = np.zeros((groups, k, k))
    np.add.at(own, cluster, products)
    others = fit.information - own
    inverse = np.linalg.pinv(others, rcond=1e-9, hermitian=True)
    identified = (inverse @ others)[:, wanted, wanted]
    if not np.allclose(identified, 1, atol=1e-6):
        return None
    pulls = np.einsum("gij,gj->gi", inverse, scores)
    return np.asarray(pulls.T @ pulls)
