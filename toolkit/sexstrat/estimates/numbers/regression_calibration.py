"""Regression calibration (E6): the difference between the sexes as a slope on the calibrated probability of male."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.nondifferential import NondifferentialError, nondifferential_error
from sexstrat.estimates.numbers.sex_disease_rows import SexDiseaseRows
from sexstrat.estimates.numbers.share_of_men import normal_quantile
from sexstrat.estimates.recalibration import fit_logistic

__all__ = ["RegressionCalibration", "regression_calibration"]

Array = NDArray[np.float64]

TINY_PRECISION = 1e-6  # prior precision of the calibration's coefficients: finite under separation, nothing otherwise
FEWEST_VALIDATED = 10  # men, and women, in each stratum: two coefficients are fitted there


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionCalibration:
    """A prevalence difference by regression calibration.

    Parameters
    ----------
    point : prevalence in men minus prevalence in women, the same in every stratum by assumption.
    se, low, high : standard error with the calibration's own error in it, and interval.
    naive_se : standard error as if the calibration were known.
    level : confidence level.
    n_patients, n_validated : patients, and those of them with recorded sex.
    nondifferential : what shows, or does not show, that errors do not differ by disease.
    state : ``shown``, or ``assumed`` where the caller takes it as given.
    assumptions : what must hold.
    """

    point: float
    se: float
    low: float
    high: float
    naive_se: float
    level: float
    n_patients: int
    n_validated: int
    nondifferential: NondifferentialError
    state: str
    assumptions: tuple[str, ...]


_ASSUMPTIONS = (
    "nondifferential error: given sex and stratum the score does not depend on the disease",
    "given the score and the stratum, the validated patients are a random part of all",
    "the log odds of being male are linear in logit p within each stratum",
    "the prevalence difference is the same in every stratum",
)


def _refuse(rows: SexDiseaseRows, shown: NondifferentialError, assume: bool) -> None:
    if not (shown.shown or assume):
        raise EstimationError(
            f"regression calibration needs errors shown not to differ by disease, and {shown.reason}. Use an estimator "
            "that allows differential error, or state the assumption by assume_nondifferential=True"
        )
    for sex, name in ((1.0, "men"), (0.0, "women")):
        found = np.bincount(rows.stratum, weights=rows.counts * (rows.male == sex), minlength=rows.strata.shape[1])
        if found.min() < FEWEST_VALIDATED:
            raise EstimationError(
                f"the calibration needs {FEWEST_VALIDATED} validated {name} in each stratum; found {found.min():g}. "
                "Join strata"
            )


def _two_stages(rows: SexDiseaseRows) -> tuple[float, float, float]:
    """Return the slope, its variance by the sandwich of both stages, and that of the second stage alone."""
    n, d, used = rows.counts, rows.diseased, rows.validated
    x = np.column_stack([rows.strata, rows.strata * rows.logit_p[:, None]])
    male = np.where(used, rows.male, 0.0)
    trials = n * used
    beta, inverse = fit_logistic(x, male * trials, trials, np.full(x.shape[1], TINY_PRECISION))
    p = expit(x @ beta)
    z = np.column_stack([rows.strata, p])
    gram = (z * n[:, None]).T @ z
    spread = n @ (p - (rows.strata @ (rows.strata.T @ (n * p) / (rows.strata.T @ n)))) ** 2
    if not spread > 1e-12 * n.sum():
        raise EstimationError("the calibrated probability of male does not vary within strata: it says nothing of sex")
    gamma = np.linalg.solve(gram, z.T @ (n * d))
    error = d - z @ gamma
    by_beta = x * (p * (1 - p))[:, None]  # derivative of the calibrated probability
    cross = -gamma[-1] * (z * n[:, None]).T @ by_beta
    cross[-1] += (n * error) @ by_beta
    first = x * (used * (male - p))[:, None]
    influence = np.linalg.solve(gram, (z * error[:, None] + first @ inverse @ cross.T).T).T
    alone = np.linalg.solve(gram, (z * error[:, None]).T).T
    return float(gamma[-1]), float(n @ influence[:, -1] ** 2), float(n @ alone[:, -1] ** 2)


def regression_calibration(
    rows: SexDiseaseRows, *, assume_nondifferential: bool = False, level: float = 0.95
) -> RegressionCalibration:
    """Return the prevalence difference as the slope of disease on E(sex | score, stratum).

    E(sex | score, stratum) is logistic in logit p with its own intercept and slope in each stratum, fitted on the
    validated patients; disease is then regressed by least squares on it and the strata, over all patients. Where errors
    do not differ by disease the slope is the difference itself. Variance: the sandwich of both stages' estimating
    equations, patient by patient, so that the calibration's error, and its correlation with the second stage, count.

    Parameters
    ----------
    rows : patients or cells; validated ones are among them.
    assume_nondifferential : go on although it is not shown that errors do not differ by disease.
    level : confidence level.

    Returns
    -------
    The difference with a normal interval.

    Raises
    ------
    EstimationError : nondifferential error is neither shown nor assumed; fewer than 10 validated men or women in a
        stratum; a score that says nothing of sex.

    References
    ----------
    Carroll RJ, Ruppert D, Stefanski LA, Crainiceanu CM. Measurement Error in Nonlinear Models. 2nd ed. Chapman and
    Hall 2006, chapter 4 and appendix A.6.6 (stacked estimating equations).

    Examples
    --------
    Half of the high scores (logit 1.386, of whom 80 % are men) and a fifth of the low ones (20 % men) are diseased:
    the difference is .3 / .6.

    >>> from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
    >>> x, d, s = (v.ravel() for v in np.meshgrid([1.386294, -1.386294], [1, 0], [1.0, 0.0], indexing="ij"))
    >>> n = np.where((x > 0) == (s == 1), 400, 100) * np.where(x > 0, 0.5, np.where(d == 1, 0.2, 0.8))
    >>> one = regression_calibration(sex_disease_rows(x, d, s, counts=n), assume_nondifferential=True)
    >>> round(one.point, 4), one.state, one.se > one.naive_se
    (0.5, 'assumed', True)
    """
    z = normal_quantile(level)
    shown = nondifferential_error(rows)
    _refuse(rows, shown, assume_nondifferential)
    point, variance, alone = _two_stages(rows)
    se = float(np.sqrt(variance))
    if not se > 0:
        raise EstimationError("disease does not vary beyond the calibrated probability, so no interval can be given")
    return RegressionCalibration(
        point=point,
        se=se,
        low=point - z * se,
        high=point + z * se,
        naive_se=float(np.sqrt(alone)),
        level=level,
        n_patients=int(rows.counts.sum()),
        n_validated=int(rows.counts[rows.validated].sum()),
        nondifferential=shown,
        state="shown" if shown.shown else "assumed",
        assumptions=_ASSUMPTIONS,
    )
