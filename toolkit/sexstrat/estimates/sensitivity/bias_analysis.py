"""Probabilistic bias analysis: what a difference between the sexes could be when nobody's sex was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.numbers.corrected_contrast import (
    NOT_DEFINED,
    CorrectedPlace,
    corrected_contrast,
    corrected_places,
)
from sexstrat.estimates.numbers.misclassified_shares import IMPOSSIBLE, POSSIBLE
from sexstrat.estimates.refusal import FEWEST_PATIENTS
from sexstrat.estimates.sensitivity.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws, ErrorPriors, draw_errors
from sexstrat.estimates.sensitivity.simulated_measure import WARNED_IMPOSSIBLE, SimulatedMeasure

__all__ = ["DRAWS", "PATIENTS_COUNTED", "bias_analysis", "bias_analysis_of_draws"]

Array = NDArray[np.float64]

DRAWS = 20_000  # the 2.5 % limit then has a Monte Carlo error of about 2 % of the standard deviation of the draws
FEWEST_DRAWS = 1_000

ASSUMPTIONS = (
    "The stated priors hold the true sensitivity and specificity of predicted sex in each disease state; no data of "
    "this study inform them.",
    "Patients without a score have the same share of men as those with one of the same age band and disease state.",
)
PATIENTS_COUNTED = (
    "Random error counts patients one by one: in this sample, drawn in units or strata, it may be larger. What the "
    "stated beliefs leave unknown does not change."
)
WHY = (
    "Nobody's predicted sex is checked against a recorded one here, so that no number can be called corrected: these "
    "are the values that the stated beliefs about its errors allow."
)


def _simulated(given: ComposeInput, place: CorrectedPlace, kind: str, noise: Array) -> SimulatedMeasure:
    """Return one contrast at one place: its value for each possible draw, plus normal random error."""
    measure, _, on_log = CONTRASTS[kind]
    found = corrected_contrast(place, kind, sampled=given.sampled)
    kept = found.code == POSSIBLE
    reasons = (*IMPOSSIBLE, NOT_DEFINED)
    plain = place.without_correction(kind)
    return SimulatedMeasure(
        measure=measure,
        on_log=on_log,
        place=place.row(),
        systematic=found.value[kept],
        total=found.value[kept] + noise[kept] * np.sqrt(found.variance[kept]),
        draws=found.code.size,
        impossible={} if place.refused else {one: float(np.mean(found.code == k)) for k, one in enumerate(reasons)},
        level=given.level,
        refused=place.refused,
        without_correction=None if np.isnan(plain) else float(np.exp(plain)) if on_log else plain,
    )


def bias_analysis_of_draws(
    given: ComposeInput,
    errors: ErrorDraws,
    noise: Array,
    *,
    standardise: str | Mapping[int, float] | None = None,
    described: Sequence[str] = (),
    seed: int | None = None,
) -> BiasAnalysis:
    """Return the bias analysis of given draws of the errors, from whatever distribution they come.

    Each draw corrects the shares of men by the matrix method and each contrast is computed from them; random error is
    added on the scale of its interval, with the delta-method variance at that draw.

    Parameters
    ----------
    given : the input; recorded sexes in it are not used.
    errors : draws of sensitivity and specificity.
    noise : standard normal draws of random error, shape (draws,); zeros leave it out.
    standardise : name of a standard population, weights by first year of age, or None.
    described : sentences on where the draws come from.
    seed : seed to print.

    Raises
    ------
    EstimationError : unequal numbers of draws, or errors for another number of bands.

    References
    ----------
    Fox MP, Lash TL, Greenland S. Int J Epidemiol 2005;34:1370-1376.

    Examples
    --------
    The worked example's classes are right in 80 %: with that known, the ratio is its true one, 5/3. Without a
    correction it would be (180 / 580) / (120 / 520).

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> errors = ErrorDraws(sensitivity=np.full((2, 1, 2), 0.8), specificity=np.full((2, 1, 2), 0.8))
    >>> found = bias_analysis_of_draws(worked_input(), errors, np.zeros(2)).to_frame()
    >>> round(float(found.loc[0, "median"]), 6), round(float(found.loc[0, "without_correction"]), 4)
    (1.666667, 1.3448)
    """
    if noise.shape != (errors.n,):
        raise EstimationError(f"need one draw of random error for each of the {errors.n} draws; found {noise.shape}")
    measures = tuple(
        _simulated(given, place, kind, noise)
        for place in corrected_places(given, errors, standardise)
        for kind in CONTRASTS
    )
    patients = int(given.arrays.n_patients.sum())
    refusal = measures[0].why_refused
    if patients < FEWEST_PATIENTS:
        refusal = f"only {patients} patients; at least {FEWEST_PATIENTS} are needed"
        measures = ()
    share = measures[0].share_impossible if measures else 0.0
    warned = [PATIENTS_COUNTED] if given.clustered else []
    if share > WARNED_IMPOSSIBLE:
        warned.append(f"{share:.0%} of the draws are impossible given the data and are left out.")
    return BiasAnalysis(
        measures=measures,
        seed=seed,
        draws=errors.n,
        n_patients=patients,
        state="refused" if refusal else "bias_analysis",
        why=f"No bias analysis: {refusal}." if refusal else WHY,
        assumptions=(*ASSUMPTIONS, *described),
        warnings=() if refusal else tuple(warned),
    )


def bias_analysis(
    given: ComposeInput,
    priors: ErrorPriors | Sequence[ErrorPriors],
    *,
    draws: int = DRAWS,
    standardise: str | Mapping[int, float] | None = None,
) -> BiasAnalysis:
    """Return ratio, difference and odds ratio under prior beliefs about the errors of predicted sex.

    Parameters
    ----------
    given : the input; its seed is the seed of the draws; recorded sexes in it are not used.
    priors : one for all ages, or one for each declared band.
    draws : number of draws, at least 1,000.
    standardise : name of a standard population, weights by first year of age, or None.

    Returns
    -------
    Median and simulation interval of every contrast, crude, by band and standardised, with and without random error,
    and the share of draws that the data rule out, by reason: those are counted, never dropped in silence. The interval
    holds the stated share of what the priors and random error allow; it is not a confidence interval. A contrast with
    more than half of its draws impossible is refused.

    Raises
    ------
    EstimationError : too few draws, or priors for another number of bands.

    References
    ----------
    Fox MP, Lash TL, Greenland S. Int J Epidemiol 2005;34:1370-1376. Lash TL et al. Good practices for quantitative
    bias analysis. Int J Epidemiol 2014;43:1969-1985.

    Examples
    --------
    >>> from sexstrat.estimates.sensitivity.beta_prior import beta_prior
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> near = beta_prior(mean=0.8, sd=0.002)
    >>> priors = ErrorPriors.alike(sensitivity=near, specificity=near, by_disease=0.9)
    >>> found = bias_analysis(worked_input(), priors, draws=2000)
    >>> found.state, round(float(found.to_frame().loc[0, "systematic_median"]), 1)
    ('bias_analysis', 1.7)
    """
    if draws < FEWEST_DRAWS:
        raise EstimationError(f"a bias analysis needs at least {FEWEST_DRAWS} draws; found {draws}")
    first = (priors,) if isinstance(priors, ErrorPriors) else tuple(priors)
    errors = draw_errors(priors, draws=draws, seed=given.seed)
    noise = np.random.default_rng((given.seed, 1)).standard_normal(draws)
    described = [
        line if len(first) == 1 else f"{label}: {line}"
        for label, one in zip(given.bands.labels, first, strict=False)
        for line in one.described()
    ]
    return bias_analysis_of_draws(given, errors, noise, standardise=standardise, described=described, seed=given.seed)
