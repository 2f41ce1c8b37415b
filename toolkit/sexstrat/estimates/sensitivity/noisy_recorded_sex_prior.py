"""Errors of recorded sex under a beta prior: what the contrasts become, with the draws that were impossible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from sexstrat.errors import EstimationError
from sexstrat.estimates.clustered_margin import ClusteredMargin
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.estimate_rows import LARGE_DF, Place
from sexstrat.estimates.measures import prevalence_of
from sexstrat.estimates.sensitivity.beta_prior import BetaPrior
from sexstrat.estimates.sensitivity.bias_analysis import DRAWS, FEWEST_DRAWS
from sexstrat.estimates.sensitivity.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.sensitivity.contrast_draws import contrast_draws
from sexstrat.estimates.sensitivity.misrecorded_margin import ASSUMPTIONS, OUTSIDE, WHY
from sexstrat.estimates.sensitivity.noisy_recorded_sex import headline_place
from sexstrat.estimates.sensitivity.simulated_measure import SimulatedMeasure

__all__ = ["noisy_recorded_sex_prior"]

Array = NDArray[np.float64]

NO_BETTER = "the records would be no better than chance"
NOT_DEFINED = "the corrected shares leave no case, or nobody, in one sex"


def _noise(place: Place, kind: str, uniform: Array) -> tuple[Array, float, str]:
    """Return standard draws of random error with the measure's df, the measure itself, and why there is none."""
    male, female = (prevalence_of(place.margin, sex, place.weights) for sex in ("male", "female"))
    theta = CONTRASTS[kind][1](male, female)
    if place.state == "refused" or place.source.state == "refused":
        return uniform, np.nan, place.source.why if place.source.state == "refused" else place.note or "refused here"
    if np.isnan(theta.value):
        return uniform, np.nan, "no case in one sex, or nobody of it, so men and women cannot be compared"
    df = place.margin.uncertainty(theta.by_pi, theta.by_n).df
    draws = norm.ppf(uniform) if df >= LARGE_DF else student.ppf(uniform, df)
    return np.asarray(draws), theta.value, ""


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _keys(place: Place) -> dict[str, Any]:
    patients = place.source.n_patients
    return {
        "condition": place.source.condition,
        "age_low": None,
        "age_high": None,
        "standard": place.standard,
        "n_patients": round(float(patients.sum())),
        "n_diseased": round(float(patients[:, 1].sum())),
    }


def _measure(place: Place, kind: str, men: Array, women: Array, uniform: Array, level: float) -> SimulatedMeasure:
    """Return one contrast: a linear map of the recorded shares for each draw, its variance carried along."""
    name, _, on_log = CONTRASTS[kind]
    noise, plain, refused = _noise(place, kind, uniform)
    used, margin, kept = place.weights > 0, place.margin, 1 - men - women
    index = np.flatnonzero(np.repeat(used, 2))
    both_index = np.concatenate([index, margin.pi.size + index])
    covariance = np.nan_to_num(margin.covariance[np.ix_(index, index)])
    n, squares = margin.n[used], margin.n_variance[used]
    with np.errstate(divide="ignore", invalid="ignore"):
        pi = (margin.pi[used] - women[:, None, None]) / kept[:, None, None]
        pi = np.where(n > 0, pi, 0.5)  # nothing depends on the share of an empty cell
        outside = ((pi < 0) | (pi > 1)).any(axis=(1, 2))
        theta = contrast_draws(pi, n, place.weights[used], kind)
        flat = theta.by_pi.reshape(men.size, -1)
        variance = np.einsum("ki,ij,kj->k", flat, covariance, flat) / kept**2
        if isinstance(margin, ClusteredMargin):
            both = np.hstack([flat / kept[:, None], theta.by_n.reshape(men.size, -1)])
            joint = np.nan_to_num(margin.joint_covariance())[np.ix_(both_index, both_index)]
            variance = np.einsum("ki,ij,kj->k", both, joint, both, optimize=True)
        elif margin.sampled:
            variance += np.sum(theta.by_n**2 * squares, axis=(1, 2))
        else:
            wrong = men * (1 - men), women * (1 - women)
            chance = pi * wrong[0][:, None, None] + (1 - pi) * wrong[1][:, None, None]
            variance += np.sum(theta.by_pi**2 * chance * _ratio(squares, n**2), axis=(1, 2)) / kept**2
    reasons = {NO_BETTER: kept <= 0, OUTSIDE: (kept > 0) & outside}
    possible = ~(reasons[NO_BETTER] | reasons[OUTSIDE])
    defined = possible & np.isfinite(theta.value) & np.isfinite(variance)
    reasons[NOT_DEFINED] = possible & ~defined
    systematic = theta.value[defined]
    return SimulatedMeasure(
        measure=name,
        on_log=on_log,
        place=_keys(place),
        systematic=systematic,
        total=systematic + noise[defined] * np.sqrt(variance[defined]),
        draws=men.size,
        impossible={} if refused else {reason: float(mask.mean()) for reason, mask in reasons.items()},
        level=level,
        refused=refused,
        without_correction=None if refused else float(np.exp(plain)) if on_log else plain,
    )


def noisy_recorded_sex_prior(
    one: Composition,
    prior: BetaPrior,
    *,
    women: BetaPrior | None = None,
    draws: int = DRAWS,
    seed: int = 20231207,
    standardise: str | Mapping[int, float] | None = None,
) -> BiasAnalysis:
    """Return the contrasts of all ages when recorded sex is wrong at a rate with a beta prior.

    Parameters
    ----------
    one : composition of recorded sexes, by any estimator.
    prior : of the error rate of both sexes' records (one draw for both), or of men's when ``women`` is given.
    women : prior of the error rate of women's records, independent of men's.
    draws : number of draws, at least 1,000.
    seed : seed of the draws.
    standardise : name of a standard population or weights, for a standardised contrast beside the crude one.

    Returns
    -------
    Median and simulation interval of ratio, difference and odds ratio, with and without random error (Student's t where
    the composition's interval has it), and the share of draws that the data rule out.

    Raises
    ------
    EstimationError : too few draws.

    References
    ----------
    Fox MP, Lash TL, Greenland S. Int J Epidemiol 2005;34:1370-1376.

    Examples
    --------
    One record in a thousand wrong hardly moves the ratio of 5/3.

    >>> from sexstrat.estimates.sensitivity.beta_prior import beta_prior
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> found = noisy_recorded_sex_prior(one, beta_prior(mean=0.001, sd=0.0001), draws=2000)
    >>> found.state, round(float(found.to_frame().loc[0, "systematic_median"]), 2)
    ('bias_analysis', 1.67)
    """
    if draws < FEWEST_DRAWS:
        raise EstimationError(f"a bias analysis needs at least {FEWEST_DRAWS} draws; found {draws}")
    rng = np.random.default_rng(seed)
    uniform = rng.random((3, draws))
    of_men = prior.quantile(uniform[0])
    of_women = of_men if women is None else women.quantile(uniform[1])
    places = [headline_place(one, None), *([] if standardise is None else [headline_place(one, standardise)])]
    measures = tuple(
        _measure(place, kind, of_men, of_women, uniform[2], one.level) for place in places for kind in CONTRASTS
    )
    refusal = measures[0].why_refused
    told = f"Error rate of {'both sexes' if women is None else 'men'}: {prior}."
    return BiasAnalysis(
        measures=measures,
        seed=seed,
        draws=draws,
        n_patients=round(float(one.n_patients.sum())),
        state="refused" if refusal else "bias_analysis",
        why=f"No bias analysis: {refusal}." if refusal else WHY,
        assumptions=(
            *one.assumptions,
            *ASSUMPTIONS,
            told,
            *([] if women is None else [f"Error rate of women: {women}."]),
        ),
    )
