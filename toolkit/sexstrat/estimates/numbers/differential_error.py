"""The likelihood-ratio test that a predicted sex errs alike in the diseased and the well."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import chi2

from sexstrat.estimates.numbers.validation_likelihood import ERRORS, ValidationFit, validation_likelihood
from sexstrat.estimates.numbers.validation_table import ValidationTable

__all__ = ["DifferentialErrorTest", "differential_error_test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentialErrorTest:
    """Likelihood-ratio test that sensitivity and specificity do not differ by disease.

    Parameters
    ----------
    statistic, df, p_value : twice the gain in log likelihood, 2 degrees of freedom, chi-square tail.
    differential, nondifferential : the two fits.
    note : what the test does not say.
    """

    statistic: float
    df: int
    p_value: float
    differential: ValidationFit
    nondifferential: ValidationFit
    note: str


def differential_error_test(table: ValidationTable, *, level: float = 0.95) -> DifferentialErrorTest:
    """Return the likelihood-ratio test that sensitivity and specificity are the same in the well and the diseased.

    Parameters
    ----------
    table : the two samples.
    level : confidence level of the fits' intervals.

    Raises
    ------
    EstimationError : as for :func:`validation_likelihood`.

    References
    ----------
    Lyles RH, Tang L, Superak HM, et al. Epidemiology 2011;22:589-597.

    Examples
    --------
    The same errors in both states: nothing to gain.

    >>> from sexstrat.estimates.numbers.validation_table import validation_table
    >>> table = validation_table([[450, 550], [225, 275]], [[[40, 10], [5, 45]], [[40, 10], [5, 45]]])
    >>> test = differential_error_test(table)
    >>> round(test.statistic, 6), test.df, round(test.p_value, 6)
    (0.0, 2, 1.0)
    """
    wide, narrow = (validation_likelihood(table, error=error, level=level) for error in ERRORS)
    statistic = max(2 * (wide.log_likelihood - narrow.log_likelihood), 0.0)
    note = "a large p value does not show that errors are alike: few validated patients tell little"
    if "boundary" in (wide.state, narrow.state):
        note += "; with a share at 0 or 1 the chi-square law is only approximate"
    return DifferentialErrorTest(
        statistic=statistic,
        df=2,
        p_value=float(chi2.sf(statistic, 2)),
        differential=wide,
        nondifferential=narrow,
        note=note,
    )
