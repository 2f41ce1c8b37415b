"""A contrast corrected for stated errors of predicted sex, at every place and for every draw of the errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.numbers.misclassified_shares import (
    IMPOSSIBLE,
    POSSIBLE,
    Classified,
    SharesOfMen,
    classified,
    shares_all_ages,
    shares_by_band,
)
from sexstrat.estimates.sensitivity.contrast_draws import contrast_draws
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws
from sexstrat.estimates.standardise import standard_weights

__all__ = ["NOT_DEFINED", "CorrectedContrast", "CorrectedPlace", "corrected_contrast", "corrected_places"]

Array = NDArray[np.float64]

FEWEST_IN_CELL = 10  # the normal approximation to random error; fewer diseased or well with a score are refused
NOT_DEFINED = "the corrected shares leave no case, or nobody, in one sex"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedPlace:
    """All ages, one band, or all ages standardised, with the shares of men of every draw.

    Parameters
    ----------
    keys : condition, age_low, age_high and standard of the rows.
    shares : shares of men.
    counts : predicted classes and counts.
    weights : one per band, sum 1; bands with weight 0 are not looked at.
    """

    keys: Mapping[str, Any]
    shares: SharesOfMen
    counts: Classified
    weights: Array

    @property
    def refused(self) -> str:
        """Why there is no number here, or ""."""
        scored = self.counts.patients_scored[self.weights > 0]
        for d, name in ((1, "with"), (0, "without")):
            if (fewest := int(scored[:, d].min())) < FEWEST_IN_CELL:
                return (
                    f"only {fewest} patients {name} the disease have a score in an age band used here; at least "
                    f"{FEWEST_IN_CELL} are needed"
                )
        return ""

    def row(self) -> dict[str, Any]:
        """Return the keys and the numbers of patients."""
        used = self.weights > 0
        patients = self.counts.patients[used].sum(axis=0)
        return {
            **self.keys,
            "n_patients": round(float(patients.sum())),
            "n_diseased": round(float(patients[1])),
            "n_scored": round(float(self.counts.patients_scored[used].sum())),
        }

    def without_correction(self, kind: str) -> float:
        """Return the contrast of the predicted classes, on the scale of its interval; NaN where not defined."""
        used = self.weights > 0
        return float(
            contrast_draws(self.counts.share[None, used], self.counts.n[used], self.weights[used], kind).value[0]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedContrast:
    """One contrast for every draw, each of shape (draws,).

    Parameters
    ----------
    code : ``POSSIBLE``, an index of ``IMPOSSIBLE``, or its length where the contrast is not defined.
    value, variance : on the scale of the interval; the variance is that of random error; NaN where not possible.
    """

    code: NDArray[np.int64]
    value: Array
    variance: Array


def corrected_places(
    given: ComposeInput, errors: ErrorDraws, standardise: str | Mapping[int, float] | None = None
) -> Iterator[CorrectedPlace]:
    """Yield all ages, each band, and all ages standardised if asked.

    Parameters
    ----------
    given : the input; recorded sexes in it are not used.
    errors : draws of the errors.
    standardise : name of a standard population, weights by first year of age, or None.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> errors = ErrorDraws(sensitivity=np.full((1, 1, 2), 0.8), specificity=np.full((1, 1, 2), 0.8))
    >>> [place.row()["n_diseased"] for place in corrected_places(worked_input(), errors, "cohort")]
    [300, 150, 150, 300]
    """
    found = classified(given.arrays)
    bands = shares_by_band(found, errors, sampled=given.sampled)
    whole = {"condition": given.condition, "age_low": None, "age_high": None, "standard": "crude"}
    crude = shares_all_ages(found, errors, sampled=given.sampled)
    yield CorrectedPlace(keys=whole, shares=crude, counts=found.all_ages(), weights=np.ones(1))
    for band, (low, high) in enumerate(zip(given.bands.lows, given.bands.highs, strict=True)):
        keys = {**whole, "age_low": low, "age_high": high}
        yield CorrectedPlace(keys=keys, shares=bands, counts=found, weights=np.eye(len(given.bands))[band])
    if standardise is not None and found.n.sum() > 0:
        chosen = standard_weights(standardise, given.bands, found.n.sum(axis=1))
        keys = {**whole, "standard": chosen.name}
        yield CorrectedPlace(keys=keys, shares=bands, counts=found, weights=chosen.weights)


def corrected_contrast(place: CorrectedPlace, kind: str, *, sampled: bool) -> CorrectedContrast:
    """Return one contrast for every draw, with the variance that random error gives it at that draw.

    Var = sum (d theta / d pi)^2 Var(pi) + sum (d theta / d N)^2 N, the second part for the target population only.

    Parameters
    ----------
    place : where.
    kind : ratio, difference or odds_ratio.
    sampled : target population, else these very people.

    References
    ----------
    Greenland S. Variance estimation for epidemiologic effect estimates under misclassification. Stat Med
    1988;7:745-757.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> errors = ErrorDraws(sensitivity=np.full((1, 1, 2), 0.8), specificity=np.full((1, 1, 2), 0.8))
    >>> place = next(corrected_places(worked_input(), errors))
    >>> np.exp(corrected_contrast(place, "odds_ratio", sampled=True).value).round(6).tolist()
    [2.0]
    """
    used = place.weights > 0
    n, weights = place.counts.n[used], place.weights[used]
    codes = place.shares.reason[:, used]
    first = np.where(codes == POSSIBLE, len(IMPOSSIBLE) + 1, codes).min(axis=1)
    code = np.where(first > len(IMPOSSIBLE), POSSIBLE, first)
    value, variance = np.full(code.size, np.nan), np.full(code.size, np.nan)
    kept = (code == POSSIBLE) & (place.refused == "")
    theta = contrast_draws(place.shares.pi[kept][:, used], n, weights, kind)
    found = np.sum(theta.by_pi**2 * place.shares.variance[kept][:, used], axis=(1, 2))
    if sampled:
        found = found + np.sum(theta.by_n**2 * place.counts.n_squares[used], axis=(1, 2))
    value[kept], variance[kept] = theta.value, found
    undefined = kept & ~(np.isfinite(value) & np.isfinite(variance))
    return CorrectedContrast(code=np.where(undefined, len(IMPOSSIBLE), code), value=value, variance=variance)
