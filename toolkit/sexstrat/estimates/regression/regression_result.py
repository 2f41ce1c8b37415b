"""What a regression of disease on sex, age and site gives: ratios with their intervals, and how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from sexstrat.estimates.degrees_of_freedom import PooledVariance
from sexstrat.estimates.estimate_rows import LARGE_DF, Estimates

__all__ = ["REGRESSION_MEASURES", "Coefficient", "RegressionAdjusted", "coefficient"]

REGRESSION_MEASURES: Mapping[str, str] = MappingProxyType(
    {"poisson": "regression_prevalence_ratio", "logistic": "regression_odds_ratio"}
)
COUNTED = "counted, not estimated: no interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """One ratio of a regression.

    Parameters
    ----------
    term : male (men over women), age_per_decade, or an age band over the youngest.
    ratio, low, high : exp of the coefficient and of its limits; no limits where nothing was estimated.
    se : standard error of the log ratio, or None.
    df : degrees of freedom of the t interval; None means normal.
    fmi : fraction of missing information; 0 with every sex recorded.
    within, between : Rubin's parts W and B of the log ratio's variance.
    monte_carlo_se : standard error of the log ratio that is due to the finite number of imputations.
    p_value : two-sided, of a ratio of 1, or None.
    note : what the reader must know, or "".
    """

    term: str
    ratio: float
    low: float | None
    high: float | None
    se: float | None
    df: float | None
    fmi: float
    within: float
    between: float
    monte_carlo_se: float
    p_value: float | None
    note: str = ""


def coefficient(term: str, pooled: PooledVariance, level: float) -> Coefficient:
    """Return a ratio with its t interval from a pooled log ratio.

    Parameters
    ----------
    term : its name.
    pooled : point, variances and degrees of freedom on the log scale.
    level : confidence level.

    Examples
    --------
    A log ratio of ln 2 with variance 0.04, known degrees of freedom: 2 times exp(+-1.96 x 0.2).

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.degrees_of_freedom import barnard_rubin
    >>> one = replace(barnard_rubin(within=0.04, between=0.0, imputations=np.inf), point=np.log(2))
    >>> found = coefficient("male", one, 0.95)
    >>> round(found.ratio, 4), round(found.low, 4), round(found.high, 4)
    (2.0, 1.3514, 2.9599)
    """
    bare: dict[str, Any] = {
        "term": term,
        "ratio": float(np.exp(pooled.point)),
        "fmi": pooled.fmi,
        "within": pooled.within,
        "between": pooled.between,
        "monte_carlo_se": pooled.monte_carlo_se,
    }
    if not pooled.total > 0:
        return Coefficient(**bare, low=None, high=None, se=None, df=None, p_value=None, note=COUNTED)
    se, known = pooled.total**0.5, pooled.df >= LARGE_DF
    tail, z = (1 - level) / 2, abs(pooled.point) / se
    width = float(norm.isf(tail) if known else student.isf(tail, pooled.df)) * se
    return Coefficient(
        **bare,
        low=float(np.exp(pooled.point - width)),
        high=float(np.exp(pooled.point + width)),
        se=se,
        df=None if known else pooled.df,
        p_value=float(2 * (norm.sf(z) if known else student.sf(z, pooled.df))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionAdjusted:
    """A regression of disease on sex, age and site, pooled over imputations.

    Parameters
    ----------
    condition : the disease.
    link : poisson (prevalence ratios) or logistic (odds ratios).
    cluster : independent unit of the robust variance: patient, site or psu.
    variance : HC1 or Mancl-DeRouen.
    n_clusters : how many units there are.
    n_patients, n_diseased, n_validated, n_validated_diseased : patients that take part.
    adjusted_for : covariates besides sex.
    imputations : m; infinite for the limit, 0 where every sex is recorded.
    level : confidence level.
    coefficients : ratios; empty where there is no number.
    state : model_based, recorded, refused or undefined.
    why : how the numbers came about, or why there are none.
    assumptions, warnings : sentences for the report.
    """

    condition: str
    link: str
    cluster: str
    variance: str
    n_clusters: int
    n_patients: int
    n_diseased: int
    n_validated: int
    n_validated_diseased: int
    adjusted_for: tuple[str, ...]
    imputations: float
    level: float
    coefficients: tuple[Coefficient, ...]
    state: str
    why: str
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients as a table, one row each; no rows where there is no number."""
        columns = list(Coefficient.__dataclass_fields__)
        frame = pd.DataFrame([asdict(one) for one in self.coefficients], columns=columns)
        texts = ("term", "note")
        return frame.astype({name: float for name in columns if name not in texts})

    @property
    def estimates(self) -> Estimates:
        """The ratio of men to women as a row of the ``estimate`` contract, standard ``regression``."""
        row: dict[str, Any] = {
            "measure": REGRESSION_MEASURES[self.link],
            "estimator": "recorded" if self.state == "recorded" else "E2",
            "condition": self.condition,
            "sex": None,
            "age_low": None,
            "age_high": None,
            "standard": "regression",
            "level": self.level,
            "n_patients": self.n_patients,
            "n_diseased": self.n_diseased,
            "n_validated": self.n_validated,
            "n_validated_diseased": self.n_validated_diseased,
            "state": self.state,
            "note": self.why,
        }
        if not self.coefficients:
            return Estimates((row,))
        sex = self.coefficients[0]
        units = "" if self.cluster == "patient" else f", {self.n_clusters} clusters by {self.cluster} ({self.variance})"
        note = "; ".join(part for part in (f"adjusted for {' and '.join(self.adjusted_for)}{units}", sex.note) if part)
        numbers = {"point": sex.ratio, "se": sex.se, "low": sex.low, "high": sex.high, "df": sex.df, "fmi": sex.fmi}
        return Estimates(({**row, **numbers, "note": note},))
