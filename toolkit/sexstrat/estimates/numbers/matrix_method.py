"""The matrix method: a table of predicted sex by disease, corrected by sensitivity and specificity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.misclassification import check_informative, rogan_gladen
from sexstrat.estimates.numbers.sex_measures import SexMeasures, sex_measures
from sexstrat.estimates.numbers.share_of_men import normal_quantile

__all__ = ["MatrixEstimate", "checked_table", "matrix_method"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixEstimate:
    """Prevalence by sex behind a table of predicted sex by disease.

    Parameters
    ----------
    share_of_men : among the well and the diseased; outside 0 to 1 where table and accuracy do not fit.
    covariance : of the two, shape (2, 2).
    patients : well and diseased.
    error : ``differential`` (accuracy by disease) or ``nondifferential`` (one accuracy for both).
    measures : prevalence by sex and its contrasts.
    assumptions : what must hold.
    """

    share_of_men: Array
    covariance: Array
    patients: Array
    error: str
    measures: SexMeasures
    assumptions: tuple[str, ...]


_SEPARATE = "the labelled patients are not among the patients of the table, and are like them"
_ASSUMED = {
    "differential": "sensitivity and specificity by disease are those of the labelled patients",
    "nondifferential": "sensitivity and specificity do not differ by disease: a correction on this assumption "
    "amplifies any difference there is",
}


def checked_table(called_men: ArrayLike, patients: ArrayLike) -> tuple[Array, Array]:
    """Return the table of predicted sex by disease as two rows of numbers: called men, and all.

    Parameters
    ----------
    called_men, patients : of the well and of the diseased.

    Raises
    ------
    EstimationError : not two numbers each, nobody well or diseased, more called men than there are.

    Examples
    --------
    >>> called, n = checked_table([40, 30], [100, 50])
    >>> called.tolist(), n.tolist()
    ([40.0, 30.0], [100.0, 50.0])
    """
    m, n = np.asarray(called_men, dtype=float), np.asarray(patients, dtype=float)
    fits = m.shape == n.shape == (2,) and bool(np.isfinite(n).all() and ((n > 0) & (m >= 0) & (m <= n)).all())
    if not fits:
        raise EstimationError(
            "need patients called men, and all patients, among the well and the diseased, in this order; found "
            f"{m.tolist()} of {n.tolist()}"
        )
    return m, n


def matrix_method(
    called_men: ArrayLike,
    patients: ArrayLike,
    *,
    accuracy: ClassAccuracy | Sequence[ClassAccuracy],
    level: float = 0.95,
) -> MatrixEstimate:
    """Return prevalence by sex from predicted sex, with the errors of the prediction taken out.

    In each disease state pi = (q + Sp - 1) / (Se + Sp - 1), q the share called men; variance
    {q (1 - q) / N + pi^2 Var Se + (1 - pi)^2 Var Sp} / (Se + Sp - 1)^2. With one accuracy for both states the shares
    are correlated: covariance {pi_0 pi_1 Var Se + (1 - pi_0)(1 - pi_1) Var Sp} / (Se + Sp - 1)^2.

    Parameters
    ----------
    called_men, patients : patients called men, and all, among the well and the diseased, in this order.
    accuracy : of the well and the diseased, in this order (differential error), or one for both (nondifferential).
    level : confidence level.

    Raises
    ------
    EstimationError : counts that do not fit, a class hardly better than chance.

    References
    ----------
    Barron BA. Biometrics 1977;33:414-418. Greenland S. Stat Med 1988;7:745-757.

    Examples
    --------
    Sensitivity .9 and specificity .8 in both states make 55 of 100 well and 62 of 100 diseased look male when 50 and
    60 are: prevalence 60/110 against 40/90.

    >>> accuracy = ClassAccuracy(correct_men=90, n_men=100, correct_women=80, n_women=100)
    >>> one = matrix_method([55, 62], [100, 100], accuracy=accuracy)
    >>> one.share_of_men.round(6).tolist(), round(one.measures.ratio.point, 4)
    ([0.5, 0.6], 1.2273)
    """
    z = normal_quantile(level)
    m, n = checked_table(called_men, patients)
    pooled = isinstance(accuracy, ClassAccuracy)
    both = (accuracy, accuracy) if isinstance(accuracy, ClassAccuracy) else tuple(accuracy)
    if len(both) != 2:
        raise EstimationError(f"give one accuracy, or those of the well and of the diseased; found {len(both)}")
    for one in both:
        check_informative(one.youden, z * one.youden_se)
    q = m / n
    pi = np.array([rogan_gladen(float(s), one.sensitivity, one.specificity) for s, one in zip(q, both, strict=True)])
    by_se = -pi / [one.youden for one in both]
    by_sp = (1 - pi) / [one.youden for one in both]
    covariance = np.diag(q * (1 - q) / n / np.square([one.youden for one in both]))
    if pooled:
        covariance += np.outer(by_se, by_se) * both[0].sensitivity_variance
        covariance += np.outer(by_sp, by_sp) * both[0].specificity_variance
    else:
        covariance += np.diag(by_se**2 * [one.sensitivity_variance for one in both])
        covariance += np.diag(by_sp**2 * [one.specificity_variance for one in both])
    error = "nondifferential" if pooled else "differential"
    return MatrixEstimate(
        share_of_men=pi,
        covariance=covariance,
        patients=n,
        error=error,
        measures=sex_measures(pi, covariance, n, level=level),
        assumptions=(_ASSUMED[error], _SEPARATE),
    )
