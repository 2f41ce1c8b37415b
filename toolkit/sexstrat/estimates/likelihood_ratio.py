"""How much likelier a score is among men than among women of the same age and disease, learned from labelled people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.recalibration import CENTRE_AGE, LARGEST_LEVERAGE, fit_logistic

__all__ = ["LikelihoodRatio", "likelihood_ratio"]

Array = NDArray[np.float64]

# Independent normal priors on coefficients of covariates of about unit spread: negligible beside hundreds of labelled
# people, finite under separation. The slope of an accurate score is steep, so that its own prior is wider.
PRIOR_SD, PRIOR_SD_SCORE, PRIOR_SD_INTERCEPT = 2.5, 10.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodRatio:
    """Fitted log f(score, eyes | man, disease, age) - log f(score, eyes | woman, disease, age).

    By Bayes' theorem it is the log odds of being a man given score, eyes, disease and age, less the log odds given
    disease and age alone; each is a logistic model of the labelled people, and the share of men among them cancels.

    Parameters
    ----------
    scale : spread of the labelled people's logit scores, by which logits are divided.
    by_disease : disease is in both models (E4); without it error is assumed nondifferential (E5).
    beta, inverse_information : coefficients of the model with the score, and their inverse penalised information.
    prior_beta, prior_inverse_information : the same for the model without the score.
    """

    scale: float
    by_disease: bool
    beta: Array
    inverse_information: Array
    prior_beta: Array
    prior_inverse_information: Array

    def covariates(self, arrays: CellArrays) -> tuple[Array, Array]:
        """Return the covariates of the models with and without the score, one row a row of the cells."""
        return _covariates(arrays, self.scale, by_disease=self.by_disease)

    def log_ratio(self, arrays: CellArrays) -> Array:
        """Return the log likelihood ratio of every row of some cells, shape (rows,)."""
        x, z = self.covariates(arrays)
        return np.asarray(x @ self.beta - z @ self.prior_beta)

    def influence(self, labelled: CellArrays) -> Array:
        """Return how one labelled patient of each row moved (beta, prior_beta), shape (rows, coefficients).

        Rows whose sex is not known move nothing. Residuals are those a patient would have if left out of the fit.
        """
        x, z = self.covariates(labelled)
        male = labelled.male.astype(float)
        first = _moved(x, male, self.beta, self.inverse_information)
        second = _moved(z, male, self.prior_beta, self.prior_inverse_information)
        return np.where(labelled.validated[:, None], np.hstack([first, second]), 0.0)


def _moved(x: Array, male: Array, beta: Array, inverse: Array) -> Array:
    """Return the influence of one patient of each row on logistic coefficients (Mancl, DeRouen 2001)."""
    p = expit(x @ beta)
    leverage = p * (1 - p) * np.einsum("ij,jk,ik->i", x, inverse, x)
    residual = (male - p) / (1 - np.minimum(leverage, LARGEST_LEVERAGE))
    return np.asarray((x * residual[:, None]) @ inverse)


def _covariates(arrays: CellArrays, scale: float, *, by_disease: bool) -> tuple[Array, Array]:
    scored = arrays.n_eyes > 0
    x = np.where(scored, arrays.logit / scale, 0.0)
    age = (arrays.age_years - CENTRE_AGE) / 10
    one_eye = (arrays.n_eyes == 1).astype(float)
    ones, d = np.ones(x.size), arrays.diseased.astype(float)
    without = [ones, age, age**2]
    score = [x, age * x, one_eye * x, (arrays.n_eyes == 0).astype(float), one_eye]
    if by_disease:
        without += [d, d * age]
        score += [d * x]
    return np.column_stack([*score, *without]), np.column_stack(without)


def _precisions(by_disease: bool) -> tuple[Array, Array]:
    without = [PRIOR_SD_INTERCEPT] + [PRIOR_SD] * (4 if by_disease else 2)
    score = [PRIOR_SD_SCORE] + [PRIOR_SD] * (5 if by_disease else 4)
    return 1 / np.square([*score, *without]), 1 / np.square(without)


def likelihood_ratio(labelled: CellArrays, *, by_disease: bool = True) -> LikelihoodRatio:
    """Fit the likelihood ratio of the score on people whose sex is known.

    What is carried over to other people is P(score | sex, disease, age): not the share of men, nor calibration, which
    change from one population to the next.

    Parameters
    ----------
    labelled : cells; those without recorded sex are not looked at.
    by_disease : let errors differ by disease; without it they are assumed not to.

    Returns
    -------
    The fitted model.

    Raises
    ------
    EstimationError : the logistic fits do not settle.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41 (equation 2.4).

    Examples
    --------
    In the worked example 80 % of the men and 20 % of the women score 0.8: a ratio of 4.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> high = np.exp(likelihood_ratio(arrays).log_ratio(arrays))[arrays.predicted_male]
    >>> bool((abs(high - 4.0) < 0.15).all())
    True
    """
    rows = labelled.validated & (labelled.n_eyes > 0)
    mean = np.average(labelled.logit[rows], weights=labelled.n[rows])
    scale = float(np.sqrt(np.average((labelled.logit[rows] - mean) ** 2, weights=labelled.n[rows]))) or 1.0
    x, z = (one[labelled.validated] for one in _covariates(labelled, scale, by_disease=by_disease))
    n, male = labelled.n[labelled.validated], labelled.male[labelled.validated]
    with_score, without = _precisions(by_disease)
    beta, inverse = fit_logistic(x, male * n, n, with_score)
    prior_beta, prior_inverse = fit_logistic(z, male * n, n, without)
    return LikelihoodRatio(
        scale=scale,
        by_disease=by_disease,
        beta=beta,
        inverse_information=inverse,
        prior_beta=prior_beta,
        prior_inverse_information=prior_inverse,
    )
