"""What the variance of a contrast is made of, and how many more validated patients would make it small enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.imputation import analytic, imputed_composition
from sexstrat.estimates.measures import log_ratio, prevalence_of
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.estimates.refusal import ENOUGH_VALIDATED

__all__ = ["VarianceParts", "limits_ratio", "variance_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceParts:
    """Variance of the crude log prevalence ratio by multiple imputation, in its parts.

    Parameters
    ----------
    within : what would remain if every sex were recorded.
    draws : from not knowing the sexes, given the imputation model: shrinks with the patients not validated.
    parameters : from estimating the model: shrinks with the number validated.
    n_patients, n_validated : people.
    fmi : fraction of missing information.

    Examples
    --------
    >>> parts = VarianceParts(within=0.001, draws=0.0, parameters=0.009, n_patients=20_000, n_validated=1_000, fmi=0.9)
    >>> parts.variance(3_000), parts.validated_for(0.004)
    (0.004, 3000)
    """

    within: float
    draws: float
    parameters: float
    n_patients: int
    n_validated: int
    fmi: float

    def variance(self, validated: float) -> float:
        """Return the variance expected with so many validated: W + draws (N - n')/(N - n) + parameters n/n'.

        It takes the further patients to be validated as those before, and the score to say what it says now.

        Parameters
        ----------
        validated : n', between those validated now and everybody.
        """
        if validated >= self.n_patients:
            return self.within
        others = (self.n_patients - validated) / max(self.n_patients - self.n_validated, 1)
        return self.within + self.draws * others + self.parameters * self.n_validated / validated

    def validated_for(self, variance: float) -> int | None:
        """Return the fewest validated patients that bring the variance down to one given, or None: not even all do.

        Parameters
        ----------
        variance : the variance wanted, above 0.
        """
        if self.within > variance:
            return None
        low, high = self.n_validated, self.n_patients
        while low < high:
            middle = (low + high) // 2
            if self.variance(middle) <= variance * (1 + 1e-12):
                high = middle
            else:
                low = middle + 1
        return low


def limits_ratio(variance: float, *, level: float = 0.95) -> float:
    """Return upper over lower limit of a ratio whose logarithm has a variance: exp(2 z sqrt(variance)).

    Parameters
    ----------
    variance : of the log ratio.
    level : confidence level.

    Examples
    --------
    A standard error of 0.1: exp(0.392).

    >>> round(limits_ratio(0.01), 3)
    1.48
    """
    return float(np.exp(2 * norm.isf((1 - level) / 2) * np.sqrt(variance)))


def variance_parts(given: ComposeInput) -> VarianceParts:
    """Return the parts of the variance of the crude log prevalence ratio, from imputation in its analytic limit.

    Parameters
    ----------
    given : the input, with enough validated patients for a corrected estimate.

    Raises
    ------
    EstimationError : the ratio is not defined, or nobody is validated.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> parts = variance_parts(worked_input())
    >>> parts.n_validated, round(parts.variance(550) / (parts.within + parts.draws + parts.parameters), 6)
    (550, 1.0)
    """
    arrays = given.arrays
    model = recalibrate(arrays, shrink=bool(arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED))
    known = replace(model, covariance=np.zeros_like(model.covariance))
    # a plan counts patients: how units differ is not known before they are drawn
    made = (replace(analytic(arrays, one), model=None) for one in (model, known))
    full, fixed = (imputed_composition(given, one).overall for one in made)
    ratio = log_ratio(*(prevalence_of(full, sex, np.ones(1)) for sex in ("male", "female")))
    if np.isnan(ratio.value):
        raise EstimationError("no case in one sex, or nobody of it, so men and women cannot be compared")
    pooled, drawn = (one.pooled(ratio.by_pi, ratio.by_n) for one in (full, fixed))
    return VarianceParts(
        within=pooled.within,
        draws=drawn.between,
        parameters=max(pooled.between - drawn.between, 0.0),
        n_patients=round(arrays.n.sum()),
        n_validated=round(arrays.n[arrays.validated].sum()),
        fmi=pooled.fmi,
    )
