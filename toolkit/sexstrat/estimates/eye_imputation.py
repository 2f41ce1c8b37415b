"""E2 among eyes: missing sexes imputed by a model that knows how many eyes are graded and affected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.clustered_imputation import ImputedMargin, imputation_model, imputed_over_units
from sexstrat.estimates.clustered_margin import over_units, units_used
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.eye_margin import EyeSums, eye_composition_of, eye_margin, eye_sums
from sexstrat.estimates.imputation import ASSUMPTIONS, uninformed_bands
from sexstrat.estimates.recalibration import Recalibration
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores

__all__ = ["eye_imputation"]

Array = NDArray[np.float64]


def _margin(given: ComposeInput, model: Recalibration, *, by_band: bool, shrink: bool) -> Margin:
    """Return the margin in the limit of infinitely many imputations.

    B = J Cov(beta) J' + sum over pairs of eyes of a patient of w^2 q (1 - q) / (N N').
    """
    arrays, q, sums = given.arrays, model.probability, eye_sums(given.arrays, by_band=by_band)
    unknown = ~arrays.validated
    n = sums.total(arrays.w)
    safe = np.where(n > 0, n, 1.0)
    pi = np.where(n > 0, sums.total(arrays.w * np.where(unknown, q, arrays.male)) / safe, np.nan)
    slope = np.where(unknown, arrays.w * q * (1 - q), 0.0)
    jacobian = (sums.counts * slope[:, None]).T @ model.design / safe[:, None]
    noise = sums.products(np.where(unknown, arrays.w2 * q * (1 - q), 0.0)) / np.outer(safe, safe)
    between = jacobian @ model.covariance @ jacobian.T + noise
    first = arrays.total(arrays.w_over_r).sum(axis=0) ** 2  # one model for all bands: all validated patients count
    validated = first / np.maximum(arrays.total(arrays.w2_over_r2).sum(axis=0), 1e-300)
    plain = eye_margin(
        given,
        sums,
        pi,
        between,
        within=np.zeros_like(between),
        between=between,
        imputations=np.inf,
        effective_validated=np.tile(validated, (pi.size // 2, 1)),
    )
    if not given.sampled:
        return plain
    return _each_once(given, imputed_over_units(given, model, plain, shrink=shrink, counts=sums.counts), sums)


def _each_once(given: ComposeInput, margin: ImputedMargin, sums: EyeSums) -> ImputedMargin:
    """Return the margin with degrees of freedom in which a patient with an affected and a healthy eye counts once."""
    arrays = given.arrays
    nothing = RowInfluence.counted(arrays, np.zeros_like(sums.counts), sums.counts)
    known = sums.holding & arrays.validated[:, None]
    held, told = (unit_scores(arrays, replace(nothing, holding=rows)) for rows in (sums.holding, known))
    # all are made of the same cells, so that they are scores of one kind
    samples = tuple(replace(one, holding=held.holding) for one in margin.samples)  # type: ignore[arg-type]
    everything = np.ones(sums.counts.shape[1], dtype=bool)
    return replace(margin, samples=samples, validated=units_used([told], everything))


def eye_imputation(given: ComposeInput, *, shrink: bool = False, why: str = "") -> Composition:
    """Return whose the affected and the other graded eyes are, by multiple imputation (estimator E2).

    A patient has one sex in every imputation, so both eyes have. The imputation model is that of persons and, to be
    congenial with eyes, how many are graded and affected and their products with the score. The limit of infinitely
    many imputations is taken; T is the variance over patients (or sampling units) of the pooled estimate, its
    coefficients included, at least W and the noise of the imputed sexes. Target cohort: T = B.

    Parameters
    ----------
    given : the input, of a condition recorded by eye.
    shrink : pull the products with disease and eyes towards zero (10 to 19 validated diseased patients).
    why : reason to print.

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987. Meng XL. Stat Sci 1994;9:538-573
    (congeniality). Robins JM, Wang N. Biometrika 2000;87:113-124.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> eyes = 2.0 * np.column_stack([1 - given.arrays.diseased, given.arrays.diseased])
    >>> one = eye_imputation(replace(given, arrays=replace(given.arrays, eyes=eyes)))
    >>> bool(abs(one.crude_pi[1] - 2 / 3) < 0.01), one.state
    (True, 'model_based')
    """
    told = replace(given, arrays=replace(given.arrays, by_pattern=True))
    model = imputation_model(told, shrink=shrink)
    by_band, overall = (_margin(told, model, by_band=each, shrink=shrink) for each in (True, False))
    uninformed = uninformed_bands(by_band)
    one = eye_composition_of(
        given,
        "E2",
        by_band=by_band,
        overall=overall,
        band_state=tuple("refused" if each else "model_based" for each in uninformed),
        state="model_based",
        assumptions=ASSUMPTIONS,
        why=why,
        diagnostics={"shrunk": shrink},
    )
    if not given.clustered:
        return one
    return over_units(given, one, by_band, overall)  # type: ignore[arg-type]  # sampled, so both count units
