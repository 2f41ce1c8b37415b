"""Whether the same score means the same sex with and without the disease."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow, normal_row, too_few
from sexstrat.estimates.diagnosis.robust_fit import independent_columns, logistic_fit
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople

__all__ = ["calibration_by_disease"]

Array = NDArray[np.float64]
NAME = "calibration_by_disease"


def _covariates(people: ValidatedPeople) -> Array:
    """Return disease, then intercept, score, age, age squared and one eye."""
    ones = np.ones(people.n.size)
    return np.column_stack([people.diseased, ones, people.score, people.decades, people.decades**2, people.one_eye])


def calibration_by_disease(people: ValidatedPeople) -> tuple[DiagnosticRow, ...]:
    """Test the disease in a logistic model of being male on logit p, age, age^2 and number of eyes.

    Twice the log likelihood gained by the disease, chi-square with 1 degree of freedom; where weights vary, for which
    likelihoods do not hold, the squared robust z of its coefficient. It assumes that the log odds of being male are
    linear in logit p and quadratic in age. A small p-value says that one calibration for all would be wrong; a large
    one proves nothing.

    Parameters
    ----------
    people : validated people with a score.

    Returns
    -------
    The test, and the log odds ratio of the disease at equal score and age with its 95 % interval (robust).

    References
    ----------
    Lyles RH et al. Epidemiology 2011;22:589-597 (testing differential misclassification on a validation sample).

    Examples
    --------
    In the worked example the diseased are men twice as often (2 to 1 against 1 to 1) at every score: log 2.

    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> test, ratio = calibration_by_disease(validated_people(worked_arrays()))
    >>> round(ratio.point, 4), bool(test.p_value < 0.01)
    (0.6931, True)
    """
    common: dict[str, Any] = {"n_patients": round(people.total), "n_validated": round(people.total)}
    names = ("likelihood_ratio_chi_square", "log_odds_ratio_of_disease")
    reason, state = too_few(people, ("men", "women", "diseased", "well")), "too_few"
    if reason is None:
        try:
            return _tested(people, common, names)
        except EstimationError as error:
            reason, state = str(error), "undefined"
    return tuple(DiagnosticRow(diagnostic=NAME, statistic=one, state=state, note=reason, **common) for one in names)


def _tested(people: ValidatedPeople, common: dict[str, Any], names: tuple[str, str]) -> tuple[DiagnosticRow, ...]:
    x = _covariates(people)
    # the disease goes last among what is needed: intercept and score come first
    order = [1, 2, 0, 3, 4, 5]
    x = x[:, order]
    x = x[:, independent_columns(x, needed=3)]
    data = people.male.astype(float), people.n, people.weight, people.squares
    full = logistic_fit(x, *data)
    without = logistic_fit(np.delete(x, 2, axis=1), *data)
    point, se = full.along(np.eye(x.shape[1])[2])
    if people.equally_weighted:
        statistic, note = 2 * (full.log_likelihood - without.log_likelihood), None
    else:
        statistic, note = (point / se) ** 2, "weights vary: the squared robust z instead of the likelihood ratio"
    statistic = max(statistic, 0.0)
    test = DiagnosticRow(
        diagnostic=NAME, statistic=names[0], point=statistic, p_value=float(chi2.sf(statistic, 1)), note=note, **common
    )
    return test, normal_row(NAME, names[1], point, se, **common)
