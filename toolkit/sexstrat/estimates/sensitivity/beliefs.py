"""What a study states about errors that its data cannot check: priors, shifts looked at, errors of recorded sex."""

from __future__ import annotations

from dataclasses import dataclass, field

from sexstrat.errors import EstimationError
from sexstrat.estimates.sensitivity.beta_prior import BetaPrior, beta_prior
from sexstrat.estimates.sensitivity.bias_analysis import DRAWS
from sexstrat.estimates.sensitivity.error_priors import ErrorPriors
from sexstrat.estimates.sensitivity.score_logit_shift import ScoreModel
from sexstrat.estimates.sensitivity.tipping_point import LIMIT_OF_SCORE

__all__ = ["CORRELATION", "Beliefs", "Range", "stated_priors"]

Range = tuple[float, float]

# Convention of this project: errors with and without the disease come from one score, so they are alike, not equal.
CORRELATION = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What is stated about errors that the data of a study cannot check.

    Parameters
    ----------
    priors : of sensitivity and specificity of predicted sex; None where the study states none.
    score : what is declared about the score.
    shift_limit : largest shift of the score's logit looked at.
    recorded_sex_error : stated share of wrong records among men and among women, 0 to below 0.5; None where not stated.
    draws : number of draws from the priors.

    Raises
    ------
    EstimationError : a value out of range.

    Examples
    --------
    >>> Beliefs().priors is None, Beliefs(recorded_sex_error=0.01).recorded_sex_error
    (True, 0.01)
    """

    priors: ErrorPriors | None = None
    score: ScoreModel = field(default_factory=ScoreModel)
    shift_limit: float = LIMIT_OF_SCORE
    recorded_sex_error: float | None = None
    draws: int = DRAWS

    def __post_init__(self) -> None:
        if self.recorded_sex_error is not None and not 0 <= self.recorded_sex_error < 0.5:
            raise EstimationError(
                f"the share of wrong records of sex must lie from 0 to below 0.5; found {self.recorded_sex_error}"
            )
        if not self.shift_limit > 0:
            raise EstimationError(f"the largest shift of the score must lie above 0; found {self.shift_limit}")


def _prior(name: str, limits: Range) -> BetaPrior:
    try:
        return beta_prior(low=limits[0], high=limits[1])
    except EstimationError as problem:
        raise EstimationError(f"{name}: {problem}") from problem


def stated_priors(
    *,
    sensitivity: Range,
    specificity: Range,
    sensitivity_diseased: Range | None = None,
    specificity_diseased: Range | None = None,
    by_disease: float = CORRELATION,
    between_errors: float = 0.0,
) -> ErrorPriors:
    """Return beta priors from ranges that hold sensitivity and specificity with a certainty of 95 %.

    Parameters
    ----------
    sensitivity, specificity : lowest and highest believable share of men called male, and of women called female,
        strictly inside 0 to 1; of patients without the disease.
    sensitivity_diseased, specificity_diseased : the same with the disease; None for the same ranges.
    by_disease, between_errors : correlations, as in :class:`ErrorPriors`.

    Raises
    ------
    EstimationError : a range that is not inside 0 to 1 or does not rise, or a correlation out of range.

    Examples
    --------
    >>> priors = stated_priors(sensitivity=(0.8, 0.95), specificity=(0.8, 0.95))
    >>> priors.sensitivity_well == priors.specificity_diseased, priors.by_disease
    (True, 0.8)
    """
    return ErrorPriors(
        sensitivity_well=_prior("sensitivity", sensitivity),
        specificity_well=_prior("specificity", specificity),
        sensitivity_diseased=_prior("sensitivity_diseased", sensitivity_diseased or sensitivity),
        specificity_diseased=_prior("specificity_diseased", specificity_diseased or specificity),
        by_disease=by_disease,
        between_errors=between_errors,
    )
