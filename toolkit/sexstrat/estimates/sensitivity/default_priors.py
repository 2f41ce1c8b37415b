"""Priors for a bias analysis where a study states none but some patients' sex is known."""

from __future__ import annotations

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST
from sexstrat.estimates.refusal import UNINFORMATIVE_YOUDEN, youden
from sexstrat.estimates.sensitivity.beta_prior import BetaPrior
from sexstrat.estimates.sensitivity.error_priors import ErrorPriors
from sexstrat.values.design import ValidationDesign

__all__ = ["DEFAULT", "NO_PRIORS", "default_priors"]

# Convention of this project: no study says how much a disease moves the errors of an unchecked score, so that the
# diseased get a prior as wide as a check of this many of them would leave.
CHECKED_DISEASED = 20
DEFAULT = (
    "The study states no priors, so these are a default: without the disease, what the patients of known sex say "
    f"(Jeffreys); with it, the same mean, as wide as a check of {CHECKED_DISEASED} diseased men and as many women "
    "would leave, independent of the others. That the mean is the same is an assumption."
)
NO_PRIORS = (
    "No bias analysis: nobody's sex is known well enough here to say how often predicted sex is wrong, and the study "
    "states no belief about it. Write the section [bias_analysis] into the study file, with sensitivity = [lowest, "
    "highest] (share of men called male) and specificity = [lowest, highest] (share of women called female), from a "
    "validation of this model on a comparable cohort; add sensitivity_diseased and specificity_diseased where the "
    "disease may change them"
)


def _posterior(arrays: CellArrays, *, men: bool) -> BetaPrior | None:
    """Return the Jeffreys posterior of the share called rightly among validated men or women without the disease."""
    rows = arrays.validated & (arrays.n_eyes > 0) & (arrays.diseased == 0) & (arrays.male == men)
    n = float(arrays.n[rows].sum())
    right = float(arrays.n[rows & (arrays.predicted_male == men)].sum())
    return None if n < FEWEST else BetaPrior(a=right + 0.5, b=n - right + 0.5)


def _diseased(well: BetaPrior) -> BetaPrior:
    size = min(CHECKED_DISEASED, well.a + well.b)
    return BetaPrior(a=well.mean * size, b=(1 - well.mean) * size)


def default_priors(given: ComposeInput) -> ErrorPriors | None:
    """Return priors from the patients of known sex, or None where too few tell anything.

    Without the disease: beta(right + 1/2, wrong + 1/2) among men and among women. With it: the same mean and the weight
    of 20 people. Correlations 0.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    None with fewer than 10 men or women of known sex without the disease, or where predicted sex hardly tells the sexes
    apart among them, or where the declared design says that nobody's sex is known.

    Examples
    --------
    Of 200 validated men without the disease 160 are called male: 160.5 / 201.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> priors = default_priors(worked_input())
    >>> round(priors.sensitivity_well.mean, 4), round(priors.sensitivity_diseased.a + priors.sensitivity_diseased.b, 6)
    (0.7985, 20.0)
    """
    if given.design is ValidationDesign.none:
        return None
    arrays = given.labelled
    sensitivity, specificity = _posterior(arrays, men=True), _posterior(arrays, men=False)
    if sensitivity is None or specificity is None or not youden(arrays) >= UNINFORMATIVE_YOUDEN:
        return None
    return ErrorPriors(
        sensitivity_well=sensitivity,
        specificity_well=specificity,
        sensitivity_diseased=_diseased(sensitivity),
        specificity_diseased=_diseased(specificity),
        by_disease=0.0,
    )
