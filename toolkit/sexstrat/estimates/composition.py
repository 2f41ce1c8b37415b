"""The core object: the share of men in every age band and disease state, with its covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.degrees_of_freedom import PooledVariance, barnard_rubin, satterthwaite
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target
from sexstrat.values.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

    from sexstrat.estimates.estimate_rows import Estimates
    from sexstrat.estimates.what_if import WhatIf

__all__ = ["Composition", "Margin", "Uncertainty"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """The variance of one measure on the scale of its interval.

    Parameters
    ----------
    variance : its variance.
    df : degrees of freedom of the t interval; infinite means normal.
    fmi : fraction of missing information, or None where the method has none.
    reason : why there is no variance, where it is 0.
    """

    variance: float
    df: float
    fmi: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Shares of men pi[a, d] with their covariance, for the age bands or for all ages as one band.

    Parameters
    ----------
    n, n_variance : sum of weights and of squared weights by band and disease, shape (A, 2); with unit weights both
        are the numbers of patients.
    n_patients, n_validated, effective_validated : patients, validated patients, and their Kish effective number.
    variance_df : degrees of freedom of each cell's variance where they were estimated; None takes the effective
        number of validated patients less one.
    pi : share of men, NaN where the cell is empty or refused.
    covariance : of pi, shape (2A, 2A), index 2 a + d, for the declared target.
    within, between : its parts W and B for multiple imputation, else None.
    imputations : m; infinite for the analytic limit; 0 when not imputed.
    sampled : the cohort is a sample (target population), so that n varies too.
    counted : every sex is known: nothing is estimated about pi.
    computed : prevalences that were asked for once and will be again; every copy begins anew.

    Examples
    --------
    >>> one = np.array([[50.0, 50.0]])
    >>> margin = Margin(
    ...     n=one,
    ...     n_variance=one,
    ...     n_patients=one,
    ...     n_validated=one,
    ...     effective_validated=one,
    ...     pi=np.array([[0.5, 0.5]]),
    ...     covariance=np.diag([0.005, 0.005]),
    ...     sampled=False,
    ... )
    >>> round(margin.uncertainty(np.array([[1.0, -1.0]]), np.zeros((1, 2))).df, 6)
    98.0
    """

    n: Array
    n_variance: Array
    n_patients: Array
    n_validated: Array
    effective_validated: Array
    pi: Array
    covariance: Array
    within: Array | None = None
    between: Array | None = None
    imputations: float = 0.0
    variance_df: Array | None = None
    sampled: bool = True
    counted: bool = False
    computed: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def uncertainty(self, gradient_pi: Array, gradient_n: Array) -> Uncertainty:
        """Return the variance and the degrees of freedom of a measure from its gradient.

        Var g = g'V g + sum over cells of (dg/dN)^2 N, the second part only when the cohort is a sample: counts are
        multinomial and g does not change when all counts double, so the multinomial's cross terms vanish; pi of a
        cell is a mean within it, so that it is uncorrelated with the counts. df: Barnard-Rubin for multiple
        imputation, Satterthwaite on the validated patients otherwise.

        Parameters
        ----------
        gradient_pi, gradient_n : derivatives of the measure, shape (A, 2).
        """
        g = gradient_pi.ravel()
        counts = float(np.vdot(gradient_n**2, self.n_variance)) if self.sampled else 0.0
        parts = g * (self.covariance @ g)
        ceiling = self._satterthwaite(parts, counts)
        if self.within is None or self.between is None:
            return Uncertainty(variance=float(parts.sum()) + counts, df=ceiling)
        pooled = self._pooled(g, counts)
        if pooled.within <= 0:  # nothing but imputation varies: the validated patients carry all the information
            return Uncertainty(variance=pooled.total, df=min(ceiling, self.imputations - 1), fmi=1.0)
        return Uncertainty(variance=pooled.total, df=pooled.df, fmi=pooled.fmi)

    def pooled(self, gradient_pi: Array, gradient_n: Array) -> PooledVariance:
        """Return Rubin's parts for one measure: W, B, T, fmi, relative efficiency and Monte Carlo error."""
        counts = float(np.sum(gradient_n**2 * self.n_variance)) if self.sampled else 0.0
        return self._pooled(gradient_pi.ravel(), counts)

    def _pooled(self, g: Array, counts: float) -> PooledVariance:
        if self.within is None or self.between is None:
            raise ValueError("these shares were not imputed, so there is no within and between variance")
        return barnard_rubin(
            within=float(g @ self.within @ g) + counts,
            between=float(g @ self.between @ g),
            imputations=self.imputations,
            complete_df=max(float(self.n_patients.sum()) - self.pi.size, 1.0),
        )

    def _satterthwaite(self, parts: Array, counts: float) -> float:
        if self.counted:
            return np.inf
        df = self.effective_validated - 1 if self.variance_df is None else self.variance_df
        return satterthwaite(parts, df.ravel(), known=counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition(Shown):
    """Who is male, by age band and disease: what every prevalence and contrast is computed from.

    Parameters
    ----------
    condition : the disease.
    bands : declared age bands.
    estimator : E1, E2, or a naive one by name.
    target : whom the estimates are about.
    by_band, overall : shares by band; all ages as one band (for E1 its own totals, not the pooled thin bands).
    band_state : state of each band; ``refused`` where nothing informs the sexes of its patients.
    state : corrected, model_based, naive, recorded, truth or refused.
    why : why this estimator, or why none.
    assumptions, warnings : sentences for the report.
    diagnostics : plain numbers for the report.
    fallback : composition that reports the bands too thin for this estimator.
    level : confidence level of the intervals.
    cohort_ages : sum of weights of the whole cohort by band, the weights of standard ``cohort``; None means those of n.
    what_if : what the answer becomes under errors that the data cannot check, where beliefs about them were given.
    """

    condition: str
    bands: AgeBands
    estimator: str
    target: Target
    by_band: Margin
    overall: Margin
    band_state: tuple[str, ...]
    state: str
    why: str
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    fallback: Composition | None = None
    level: float = 0.95
    cohort_ages: Array | None = None
    what_if: WhatIf | None = None

    @property
    def n(self) -> Array:
        """Sum of weights by band and disease, shape (A, 2)."""
        return self.by_band.n

    @property
    def n_patients(self) -> Array:
        """Patients by band and disease."""
        return self.by_band.n_patients

    @property
    def n_validated(self) -> Array:
        """Validated patients by band and disease."""
        return self.by_band.n_validated

    @property
    def pi(self) -> Array:
        """Share of men by band and disease."""
        return self.by_band.pi

    @property
    def covariance(self) -> Array:
        """Covariance of pi, index 2 a + d."""
        return self.by_band.covariance

    @property
    def crude_pi(self) -> Array:
        """Share of men without and with the disease, all ages."""
        return np.asarray(self.overall.pi[0])

    @property
    def crude_covariance(self) -> Array:
        """Covariance of ``crude_pi``, shape (2, 2)."""
        return self.overall.covariance

    @property
    def band_estimators(self) -> tuple[str, ...]:
        """Name the estimator that reports each band."""
        other = self.fallback.estimator if self.fallback is not None else self.estimator
        return tuple(
            other if self.fallback is not None and state != self.state else self.estimator for state in self.band_state
        )

    def choice(self) -> dict[str, Any]:
        """Return what was chosen and why, as plain values for the report."""
        return {
            "condition": self.condition,
            "estimator": self.estimator,
            "band_estimators": list(self.band_estimators),
            "state": self.state,
            "why": self.why,
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
            "diagnostics": dict(self.diagnostics),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return share of men, prevalence by sex, ratio and difference, of all ages and each band, as one table."""
        from sexstrat.estimates.estimate_rows import estimates_frame

        parts = (self.male_share(), self.prevalence(), self.contrast("ratio"), self.contrast("difference"))
        return estimates_frame([row for part in parts for row in part.rows])

    def prevalence(self, standardise: str | Mapping[int, float] | None = None) -> Estimates:
        """Return prevalence by sex: all ages, each band and, if asked, age-standardised."""
        from sexstrat.estimates.prevalence import prevalence_rows

        return prevalence_rows(self, standardise)

    def contrast(self, kind: str, standardise: str | Mapping[int, float] | None = None) -> Estimates:
        """Return men compared with women: all ages, each band and, if asked, age-standardised.

        Parameters
        ----------
        kind : ratio, difference or odds_ratio.
        standardise : name of a standard population, its own weights by first year of age, or None.
        """
        from sexstrat.estimates.contrasts import contrast_rows

        return contrast_rows(self, kind, standardise)

    def male_share(self) -> Estimates:
        """Return the share of men in the cohort: all ages and each band."""
        from sexstrat.estimates.prevalence import male_share_rows

        return male_share_rows(self)
