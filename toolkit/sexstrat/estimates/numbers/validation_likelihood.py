"""Maximum likelihood of prevalence by sex on a main and a validation sample (E3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.misclassification import check_informative
from sexstrat.estimates.numbers.sex_measures import SexMeasures, sex_measures
from sexstrat.estimates.numbers.share_of_men import normal_quantile
from sexstrat.estimates.numbers.validation_table import ValidationTable

__all__ = ["ERRORS", "ValidationFit", "validation_likelihood"]

Array = NDArray[np.float64]

ERRORS = ("differential", "nondifferential")
LARGEST_STEPS = 200_000
BOUNDARY = 1e-8  # a share this near to 0 or 1 is there


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationFit:
    """A maximum likelihood fit to a main and a validation sample.

    Parameters
    ----------
    error : ``differential`` (sensitivity and specificity by disease) or ``nondifferential`` (common to both states).
    share_of_men, sensitivity, specificity : among the well and the diseased.
    covariance : of the six in this order, shape (6, 6): inverse observed information.
    log_likelihood : at the maximum, without the terms that no parameter enters.
    measures : prevalence by sex and its contrasts.
    n_main, n_validated : patients of the two samples.
    state : ``estimated``, or ``boundary`` where a fitted share is 0 or 1, so that the covariance is that of the table
        with half a patient added to each validated cell.
    assumptions : what must hold.
    note : what the reader must know besides, or "".
    """

    error: str
    share_of_men: Array
    sensitivity: Array
    specificity: Array
    covariance: Array
    log_likelihood: float
    measures: SexMeasures
    n_main: int
    n_validated: int
    state: str
    assumptions: tuple[str, ...]
    note: str = ""


def _joint(theta: Array) -> Array:
    """Return P(sex, predicted sex | disease) for shares, sensitivities and specificities, shape (d, sex, class)."""
    pi, se, sp = theta
    return np.stack([np.stack([(1 - pi) * sp, (1 - pi) * (1 - sp)], 1), np.stack([pi * (1 - se), pi * se], 1)], 1)


def _shared(counts: Array, error: str) -> Array:
    return np.broadcast_to(counts.sum(axis=0), counts.shape) if error == "nondifferential" else counts


def _maximise(table: ValidationTable, error: str) -> Array:
    """Return shares, sensitivities and specificities, shape (3, 2), by expectation maximisation."""
    theta = np.array([[0.5, 0.5], [0.8, 0.8], [0.8, 0.8]])
    for _ in range(LARGEST_STEPS):
        joint = _joint(theta)
        called = joint.sum(axis=1, keepdims=True)
        posterior = np.divide(joint, called, out=np.full_like(joint, 0.5), where=called > 0)
        expected = table.main[:, None, :] * posterior
        full = expected + table.validation
        people = (full if table.internal else expected).sum(axis=2)
        rows = _shared(full, error)
        new = np.array(
            [
                people[:, 1] / people.sum(axis=1),
                rows[:, 1, 1] / rows[:, 1].sum(axis=1),
                rows[:, 0, 0] / rows[:, 0].sum(axis=1),
            ]
        )
        if np.max(np.abs(new - theta)) < 1e-14:
            return new
        theta = new
    raise EstimationError("the likelihood of main and validation sample did not settle; too few patients are validated")


def _log_likelihood(table: ValidationTable, theta: Array) -> float:
    joint = _joint(theta)
    shares = joint if table.internal else joint / joint.sum(axis=2, keepdims=True).clip(1e-300)
    total = 0.0
    for counts, p in ((table.main, joint.sum(axis=1)), (table.validation, shares)):
        used = counts > 0
        total += float(np.sum(counts[used] * np.log(p[used])))
    return total


def _information(table: ValidationTable, theta: Array) -> Array:
    """Return the observed information on (share, sensitivity, specificity) of each disease state, shape (2, 3, 3)."""
    found = np.zeros((2, 3, 3))
    for d, (pi, se, sp) in enumerate(theta.T):
        v = table.validation[d]
        own = v.sum(axis=1) if table.internal else np.zeros(2)
        diagonal = [own[1] / pi**2 + own[0] / (1 - pi) ** 2]
        diagonal += [v[1, 1] / se**2 + v[1, 0] / (1 - se) ** 2, v[0, 0] / sp**2 + v[0, 1] / (1 - sp) ** 2]
        found[d] = np.diag(diagonal)
        q = pi * se + (1 - pi) * (1 - sp)
        slope = np.array([se + sp - 1, pi, pi - 1])
        bend = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])  # second derivatives of q
        women, men = table.main[d]
        found[d] += (men / q**2 + women / (1 - q) ** 2) * np.outer(slope, slope) - (men / q - women / (1 - q)) * bend
    return found


def _covariance(table: ValidationTable, theta: Array, error: str) -> Array:
    """Return the covariance of shares, sensitivities and specificities, well before diseased in each."""
    blocks = _information(table, theta)
    full = np.zeros((6, 6))
    for d in (0, 1):
        places = np.array([d, 2 + d, 4 + d])
        full[np.ix_(places, places)] = blocks[d]
    spread = np.eye(6)
    if error == "nondifferential":  # four free values: two shares, one sensitivity, one specificity
        spread = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]], float)
    information = spread.T @ full @ spread
    if np.linalg.eigvalsh(information)[0] <= 0:
        raise EstimationError("the likelihood is flat at its maximum: these samples do not tell the shares of men")
    return np.asarray(spread @ np.linalg.inv(information) @ spread.T)


def _refuse_uninformative(table: ValidationTable, error: str, z: float) -> None:
    """Refuse a class that says too little about sex; an internal sample tells the shares without it."""
    if table.internal:
        return
    rows = _shared(table.validation, error)
    for d in (0, 1):
        n = rows[d].sum(axis=1)
        se, sp = rows[d, 1, 1] / n[1], rows[d, 0, 0] / n[0]
        check_informative(se + sp - 1, z * float(np.sqrt(se * (1 - se) / n[1] + sp * (1 - sp) / n[0])))


def validation_likelihood(table: ValidationTable, *, error: str = "differential", level: float = 0.95) -> ValidationFit:
    """Return prevalence by sex and its contrasts by maximum likelihood on a main and a validation sample.

    Given disease, a patient is male with probability pi and called male with probability Se (men) or 1 - Sp (women);
    patients of the main sample enter by pi Se + (1 - pi)(1 - Sp), validated ones by their sex and class (internal) or
    their class given sex (external). Variance by the inverse observed information.

    Parameters
    ----------
    table : the two samples.
    error : differential (sensitivity and specificity by disease) or nondifferential (common).
    level : confidence level.

    Raises
    ------
    EstimationError : an unknown error, a disease state whose sensitivity and specificity nobody informs, an external
        class hardly better than chance.

    References
    ----------
    Lyles RH. Biometrics 2002;58:1034-1037. Lyles RH, Tang L, Superak HM, et al. Epidemiology 2011;22:589-597. Tang L,
    Lyles RH, King CC, et al. Stat Med 2015;34:1605-1620.

    Examples
    --------
    With differential error the share of men is the closed form: .5 x .9 + .5 x .2 among the well.

    >>> from sexstrat.estimates.numbers.validation_table import validation_table
    >>> table = validation_table([[450, 450], [150, 250]], [[[40, 5], [10, 45]], [[16, 4], [3, 27]]])
    >>> one = validation_likelihood(table)
    >>> round(float(one.share_of_men[0]), 6), round(float(one.covariance[0, 0]), 6)
    (0.55, 0.001373)
    """
    z = normal_quantile(level)
    if error not in ERRORS:
        raise EstimationError(f"no error {error!r}; there are {', '.join(ERRORS)}")
    rows = _shared(table.validation, error).sum(axis=2)
    if not bool((rows > 0).all()):
        raise EstimationError(
            f"{error} error needs validated men and women among the well and the diseased; found by disease and sex "
            f"(women, men): {rows.tolist()}"
        )
    _refuse_uninformative(table, error, z)
    theta = _maximise(table, error)
    edge = bool(((theta < BOUNDARY) | (theta > 1 - BOUNDARY)).any())
    near = table.with_half_added() if edge else table
    covariance = _covariance(near, _maximise(near, error) if edge else theta, error)
    return ValidationFit(
        error=error,
        share_of_men=theta[0],
        sensitivity=theta[1],
        specificity=theta[2],
        covariance=covariance,
        log_likelihood=_log_likelihood(table, theta),
        measures=sex_measures(theta[0], covariance[:2, :2], table.patients, level=level),
        n_main=int(table.main.sum()),
        n_validated=int(table.validation.sum()),
        state="boundary" if edge else "estimated",
        assumptions=_assumptions(table, error),
        note="a fitted share is 0 or 1: the variance is that with half a patient added to each validated cell"
        if edge
        else "",
    )


def _assumptions(table: ValidationTable, error: str) -> tuple[str, ...]:
    validated = (
        "within disease the validated patients are a random part of the cohort"
        if table.internal
        else "sensitivity and specificity given disease are those of the validation sample"
    )
    if error == "differential":
        return (validated,)
    return validated, "sensitivity and specificity do not differ by disease"
