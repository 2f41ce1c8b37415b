"""Recalibrate the score on validated patients: P(male | score, eyes, disease, age), fitted on cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.eye_patterns import pattern_columns

__all__ = [
    "LARGEST_LEVERAGE",
    "Recalibration",
    "cross_fitted",
    "design_matrix",
    "fit_logistic",
    "fit_weights",
    "prior_precision",
    "recalibrate",
]

Array = NDArray[np.float64]

# Independent normal priors on coefficients of covariates scaled to about unit spread: with a validation sample of
# hundreds they are negligible, and with separation they keep every coefficient finite (ridge).
PRIOR_SD = 2.5
PRIOR_SD_INTERCEPT = 10.0
SHRUNK_SD = 0.5  # on the products with disease, when only 10 to 19 diseased patients are validated
SETTLED = 1e-6  # a step that moves no sixth digit
LARGEST_LEVERAGE = 0.9  # a patient who is fitted perfectly cannot be left out; the residual grows tenfold at most
CENTRE_AGE = 60.0
N_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """A fitted recalibration.

    Parameters
    ----------
    design : covariates of every row of the cells, shape (rows, coefficients).
    beta : coefficients.
    covariance : of the coefficients: inverse penalised information, or the sandwich when weights vary.
    inverse_information : inverse penalised information.
    names : name of each coefficient.

    Examples
    --------
    >>> one = Recalibration(
    ...     design=np.ones((2, 1)),
    ...     beta=np.zeros(1),
    ...     covariance=np.eye(1),
    ...     inverse_information=np.eye(1),
    ...     names=("intercept",),
    ... )
    >>> one.probability.tolist()
    [0.5, 0.5]
    """

    design: Array
    beta: Array
    covariance: Array
    inverse_information: Array
    names: tuple[str, ...]

    @property
    def probability(self) -> Array:
        """P(male) of every row of the cells."""
        return np.asarray(expit(self.design @ self.beta))


def design_matrix(arrays: CellArrays) -> tuple[Array, tuple[str, ...]]:
    """Return the covariates: logit p, eyes, disease, age, age^2, disease x logit p, disease x age, site.

    logit p is the middle of the score bin, divided by its spread over the cohort, and 0 with its own indicator
    where no photograph was gradable; age is in decades from 60. Estimates about eyes add how many are graded and
    affected.
    """
    scored = arrays.n_eyes > 0
    weight = np.where(scored, arrays.n, 0.0)
    mean = np.sum(weight * arrays.logit) / max(weight.sum(), 1.0)
    spread = np.sqrt(np.sum(weight * (arrays.logit - mean) ** 2) / max(weight.sum(), 1.0))
    x = arrays.logit / (spread if spread > 0 else 1.0)
    age = (arrays.age_years - CENTRE_AGE) / 10
    d = arrays.diseased.astype(float)
    columns = {
        "intercept": np.ones(x.size),
        "logit_p": x,
        "no_eye": (arrays.n_eyes == 0).astype(float),
        "one_eye": (arrays.n_eyes == 1).astype(float),
        "diseased": d,
        "age": age,
        "age_squared": age**2,
        "diseased_x_logit_p": d * x,
        "diseased_x_age": d * age,
    }
    if arrays.by_pattern:
        columns |= pattern_columns(arrays, x)
    for code in range(1, int(arrays.site.max(initial=0)) + 1):
        columns[f"site_{code}"] = (arrays.site == code).astype(float)
    return np.column_stack(list(columns.values())), tuple(columns)


def prior_precision(names: tuple[str, ...], shrink: bool) -> Array:
    """Return the prior precision of each coefficient: negligible, but for the products with disease when shrunk.

    Examples
    --------
    >>> prior_precision(("intercept", "diseased_x_age"), shrink=True).tolist()
    [0.01, 4.0]
    """
    sd = [
        PRIOR_SD_INTERCEPT if name == "intercept" else SHRUNK_SD if shrink and "_x_" in name else PRIOR_SD
        for name in names
    ]
    return np.asarray(1 / np.square(sd))


def fit_logistic(
    x: Array, successes: Array, trials: Array, precision: Array, *, start: Array | None = None
) -> tuple[Array, Array]:
    """Return the ridge logistic coefficients and their inverse penalised information, by Newton's method.

    Maximises sum(s x'b - t log(1 + exp(x'b))) - sum(precision b^2) / 2; with a positive precision the maximum is
    unique and finite, whatever the separation.

    Parameters
    ----------
    x : covariates, shape (rows, coefficients).
    successes, trials : weighted successes and trials of each row.
    precision : prior precision of each coefficient, shape (coefficients,).
    start : coefficients to start from; the result does not depend on them, only its time.

    Returns
    -------
    Coefficients, shape (k,), and inverse information, shape (k, k).

    Raises
    ------
    EstimationError : the iterations do not settle.

    References
    ----------
    le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. Appl Stat 1992;41:191-201.

    Examples
    --------
    Three successes in four trials, no prior to speak of: log odds log(3).

    >>> beta, inverse = fit_logistic(np.ones((1, 1)), np.array([3.0]), np.array([4.0]), np.array([1e-9]))
    >>> round(float(beta[0]), 4), round(float(inverse[0, 0]), 4)
    (1.0986, 1.3333)
    """

    def objective(b: Array, line: Array) -> float:
        softplus = np.maximum(line, 0) + np.log1p(np.exp(-np.abs(line)))
        return float(successes @ line - trials @ softplus - precision @ b**2 / 2)

    beta = np.zeros(x.shape[1]) if start is None else start
    line = x @ beta
    value = objective(beta, line)
    rounding = 1e-14 * float(trials.sum())  # what a sum over as many patients is off by, where the objective is near 0
    for _ in range(100):
        p = expit(line)
        information = (x * (trials * p * (1 - p))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(information, x.T @ (successes - trials * p) - precision * beta)
        along, size = x @ step, 1.0
        while (moved := objective(beta + size * step, line + size * along)) < value - 1e-12 * abs(value) - rounding:
            size /= 2
            if size < 1e-6:
                break
        beta, line, value = beta + size * step, line + size * along, max(moved, value)
        if np.max(np.abs(step)) < 1e-8:
            return np.asarray(beta), np.asarray(np.linalg.inv(information), dtype=np.float64)
    if np.max(np.abs(step)) < SETTLED:  # a score without error: the objective's rounding hides the last steps
        return np.asarray(beta), np.asarray(np.linalg.inv(information), dtype=np.float64)
    raise EstimationError("the recalibration of the score did not converge; look at the validated patients' scores")


def fit_weights(arrays: CellArrays) -> tuple[Array, Array]:
    """Return each validated row's weight in the fit, and the sum of squared weights, both scaled to mean 1.

    A validated patient stands for (1 - r)/r patients who are not: with that weight the model is the one of those
    whose sex is missing, even where recording depends on sex (r known). With a constant r all weights are 1.
    """
    weight = np.where(arrays.validated, arrays.w_over_r - arrays.w, 0.0)
    squares = np.where(arrays.validated, arrays.w2_over_r2 - 2 * arrays.w2_over_r + arrays.w2, 0.0)
    patients = arrays.n[arrays.validated].sum()
    if weight.sum() <= 1e-9 * max(patients, 1.0):
        ones = np.where(arrays.validated, arrays.n, 0.0)
        return ones, ones
    scale = patients / weight.sum()
    return weight * scale, squares * scale**2


def _leverage(x: Array, beta: Array, weight: Array, inverse: Array) -> Array:
    """Return the pull of one patient of each row on the fit: w p (1 - p) x' I^-1 x, below 1.

    Divided by one minus it, a residual is the one the patient would have had if left out of the fit. Without that the
    sandwich of a few patients with large weights is too small.
    """
    p = expit(x @ beta)
    pull = weight * p * (1 - p) * np.einsum("ij,jk,ik->i", x, inverse, x)
    return np.asarray(np.minimum(pull, LARGEST_LEVERAGE))


def recalibrate(arrays: CellArrays, *, shrink: bool = False, rows: NDArray[np.bool_] | None = None) -> Recalibration:
    """Fit P(male | logit p, eyes, disease, age) on validated rows.

    Parameters
    ----------
    arrays : the cells.
    shrink : pull the products with disease towards zero (few validated diseased patients).
    rows : validated rows to fit on; None for all.

    With varying weights the covariance of the coefficients is the sandwich with leave-one-out residuals.

    Raises
    ------
    EstimationError : nobody is validated.

    References
    ----------
    Mancl LA, DeRouen TA. A covariance estimator for GEE with improved small-sample properties. Biometrics
    2001;57:126-134.
    """
    design, names = design_matrix(arrays)
    used = arrays.validated if rows is None else arrays.validated & rows
    if not used.any():
        raise EstimationError("nobody's recorded sex is known, so the score cannot be recalibrated")
    weight, squares = fit_weights(arrays)
    x, t, male = design[used], weight[used], arrays.male[used].astype(float)
    precision = prior_precision(names, shrink)
    beta, inverse = fit_logistic(x, male * t, t, precision)
    covariance = inverse
    if not np.allclose(weight[arrays.validated], arrays.n[arrays.validated]):
        residual = (male - expit(x @ beta)) / (1 - _leverage(x, beta, t / arrays.n[used], inverse))
        scores = (x * (squares[used] * residual**2)[:, None]).T @ x
        covariance = inverse @ (scores + np.diag(precision)) @ inverse  # the prior counts where data are silent
    return Recalibration(design=design, beta=beta, covariance=covariance, inverse_information=inverse, names=names)


def _alike(arrays: CellArrays, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of each set of rows with equal covariates, and the set of every row."""
    packed = pd.factorize(arrays.logit[rows], sort=True)[0].astype(np.int64)
    for key in (arrays.age_years.astype(np.int64), arrays.diseased, arrays.n_eyes, arrays.site):
        packed = packed * (int(key.max()) + 1) + key[rows]
    alike, sets = pd.factorize(packed, sort=True)  # by hashing, in a third of the time that sorting all rows takes
    first = np.zeros(len(sets), dtype=np.int64)
    first[alike[::-1]] = np.arange(len(alike))[::-1]
    return first, alike


def cross_fitted(arrays: CellArrays) -> Array:
    """Return P(male) of every row from models that never saw the patients of that row.

    Validated rows take the model fitted without their fold; the others the mean of the five.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> p = cross_fitted(worked_arrays())
    >>> bool(((p > 0) & (p < 1)).all())
    True
    """
    design, names = design_matrix(arrays)
    weight, _ = fit_weights(arrays)
    precision = prior_precision(names, shrink=False)
    rows = np.flatnonzero(arrays.validated)
    first, alike = _alike(arrays, rows)
    place, size = arrays.fold[rows] * first.size + alike, N_FOLDS * first.size
    trials, men = (
        np.bincount(place, weights=values, minlength=size).reshape(N_FOLDS, first.size)
        for values in (weight[rows], weight[rows] * arrays.male[rows])
    )
    x = design[rows[first]]
    probability = np.zeros((N_FOLDS, arrays.n.size))
    beta = np.zeros(design.shape[1])
    for fold in range(N_FOLDS):
        others = np.arange(N_FOLDS) != fold
        beta, _ = fit_logistic(x, men[others].sum(axis=0), trials[others].sum(axis=0), precision, start=beta)
        probability[fold] = expit(design @ beta)
    own = probability[np.maximum(arrays.fold, 0), np.arange(arrays.n.size)]
    return np.where(arrays.validated, own, probability.mean(axis=0))
