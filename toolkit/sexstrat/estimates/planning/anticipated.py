"""What to expect of an interval that does not exist yet: its limits, its width, the power of its test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.special import gammaincinv, ndtr
from scipy.stats import norm
from scipy.stats import t as student

from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.estimate_rows import LARGE_DF

__all__ = ["MEASURES", "Anticipated", "critical_value", "is_ratio", "power_of"]

# Nodes for the quantiles of a chi-squared variate. The library's own noncentral t never ends for effects of hundreds of
# standard errors, which a bisection passes through.
_NODES, _HALF_WEIGHTS = np.polynomial.legendre.leggauss(100)
_QUANTILES, _WEIGHTS = (_NODES + 1) / 2, _HALF_WEIGHTS / 2

# The measures a design can be planned for, in words.
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "ratio": "prevalence ratio, men to women",
        "difference": "prevalence difference, men minus women",
        "odds_ratio": "prevalence odds ratio, men to women",
        "prevalence_male": "prevalence in men",
        "prevalence_female": "prevalence in women",
        "male_share": "share of men in the cohort",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anticipated:
    """The interval to expect.

    Parameters
    ----------
    measure : one of ``MEASURES``.
    estimator : E1, or complete_case for the validated patients alone.
    state : corrected, or model_based where fewer than 20 with or without the disease are expected to be validated.
    patients, validated, validated_diseased : how many are expected.
    value : the measure as it is stated or was piloted.
    low, high : interval to expect around it.
    se : standard error on the scale of the interval (logarithm of a ratio, log odds of a prevalence).
    df : degrees of freedom of the t interval; infinite means normal.
    power : of the test of no difference between the sexes; None for a measure of one sex.
    level : confidence level.

    Examples
    --------
    >>> one = Anticipated(
    ...     measure="ratio",
    ...     estimator="E1",
    ...     state="corrected",
    ...     patients=1000,
    ...     validated=100,
    ...     validated_diseased=30,
    ...     value=1.4,
    ...     low=1.0,
    ...     high=1.96,
    ...     se=0.17,
    ...     df=100.0,
    ...     power=0.5,
    ...     level=0.95,
    ... )
    >>> one.width
    1.96
    """

    measure: str
    estimator: str
    state: str
    patients: float
    validated: float
    validated_diseased: float
    value: float
    low: float
    high: float
    se: float
    df: float
    power: float | None
    level: float

    @property
    def width(self) -> float:
        """Upper over lower limit of a ratio; upper minus lower limit of anything else."""
        return self.high / self.low if self.on_log else self.high - self.low

    @property
    def log_width(self) -> float:
        """Width on the scale of the interval, on which intervals of two estimators are compared."""
        return 2 * self.se * critical_value(self.level, self.df)

    @property
    def on_log(self) -> bool:
        """The interval is symmetric on the logarithm, so that its width is a ratio of limits."""
        return is_ratio(self.measure)


def is_ratio(measure: str) -> bool:
    """Tell whether a measure is a ratio, whose width is the upper over the lower limit.

    Examples
    --------
    >>> is_ratio("ratio"), is_ratio("difference"), is_ratio("prevalence_male")
    (True, False, False)
    """
    return measure in CONTRASTS and CONTRASTS[measure][2]


def critical_value(level: float, df: float) -> float:
    """Return how many standard errors an interval reaches on either side: t, or normal for many degrees of freedom.

    Parameters
    ----------
    level : confidence level.
    df : degrees of freedom; infinite means normal.

    Examples
    --------
    >>> round(critical_value(0.95, 10), 3), round(critical_value(0.95, float("inf")), 3)
    (2.228, 1.96)
    """
    tail = 1 - (1 - level) / 2
    return float(norm.ppf(tail) if df >= LARGE_DF else student.ppf(tail, df))


def power_of(effect: float, se: float, df: float, level: float) -> float:
    """Return the probability that an interval excludes no effect.

    P(|T| > t) with T noncentral t of noncentrality effect / se, by quadrature over the quantiles of the chi-squared
    distribution of its denominator; the normal distribution for many degrees of freedom.

    Parameters
    ----------
    effect : on the scale of the interval: log ratio, difference.
    se : its standard error, above 0.
    df : degrees of freedom; infinite means normal.
    level : confidence level; the test's size is one minus it.

    References
    ----------
    Chow SC, Shao J, Wang H, Lokhnygina Y. Sample Size Calculations in Clinical Research. 3rd ed, 2018, chapter 3.

    Examples
    --------
    No effect is found in one case of twenty; one of 1.96 + 0.84 standard errors in four of five.

    >>> round(power_of(0.0, 1.0, float("inf"), 0.95), 4), round(power_of(2.8016, 1.0, float("inf"), 0.95), 4)
    (0.05, 0.8)
    """
    critical, shift = critical_value(level, df), abs(effect) / se
    if df >= LARGE_DF:
        return float(norm.sf(critical - shift) + norm.sf(critical + shift))
    spread = np.sqrt(2 * gammaincinv(df / 2, _QUANTILES) / df)
    return float(_WEIGHTS @ (ndtr(shift - critical * spread) + ndtr(-shift - critical * spread)))
