"""The share of men behind a share predicted male, by the matrix method; which errors the data rule out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws

__all__ = ["IMPOSSIBLE", "POSSIBLE", "Classified", "SharesOfMen", "classified", "shares_all_ages", "shares_by_band"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

POSSIBLE = -1
IMPOSSIBLE = (
    "sensitivity plus specificity is at most 1",
    "fewer patients with the disease are predicted male than 1 - specificity implies",
    "more patients with the disease are predicted male than the sensitivity allows",
    "fewer patients without the disease are predicted male than 1 - specificity implies",
    "more patients without the disease are predicted male than the sensitivity allows",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """How many patients are predicted male, by age band and disease, each of shape (A, 2).

    Parameters
    ----------
    share : share predicted male (score at least 0.5) of those with a score; NaN without any.
    scored, scored_squares : sum of weights and of squared weights of patients with a score.
    n, n_squares : the same of everybody.
    patients, patients_scored : heads.

    Examples
    --------
    >>> one = np.array([[80.0, 20.0]])
    >>> fields = dict(scored=one, scored_squares=one, n=one, n_squares=one, patients=one, patients_scored=one)
    >>> Classified(share=np.array([[0.5, 0.6]]), **fields).all_ages().share.tolist()
    [[0.5, 0.6]]
    """

    share: Array
    scored: Array
    scored_squares: Array
    n: Array
    n_squares: Array
    patients: Array
    patients_scored: Array

    def all_ages(self) -> Classified:
        """Return the same with all ages as one band."""
        names = ("scored", "scored_squares", "n", "n_squares", "patients", "patients_scored")
        sums = {name: getattr(self, name).sum(axis=0, keepdims=True) for name in names}
        men = np.nansum(self.share * self.scored, axis=0, keepdims=True)
        return Classified(share=_ratio(men, sums["scored"]), **sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesOfMen:
    """Shares of men for every draw of the errors.

    Parameters
    ----------
    pi, variance : shape (draws, bands, 2); the variance is that of random error alone, the errors taken as known.
    reason : why a draw is impossible, an index of ``IMPOSSIBLE`` or ``POSSIBLE``, shape (draws, bands).
    """

    pi: Array
    variance: Array
    reason: Codes


def _ratio(top: Array, bottom: Array) -> Array:
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0))


def classified(arrays: CellArrays) -> Classified:
    """Return how many patients are predicted male by age band and disease; recorded sexes are not looked at.

    Parameters
    ----------
    arrays : the cells.

    Examples
    --------
    Of 150 diseased in a band, 100 men and 50 women, .8 x 100 + .2 x 50 = 90 are predicted male.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> classified(worked_arrays()).share.tolist()
    [[0.5, 0.6], [0.5, 0.6]]
    """
    has_score = arrays.n_eyes > 0
    scored = arrays.total(arrays.w, has_score)
    return Classified(
        share=_ratio(arrays.total(arrays.w, has_score & arrays.predicted_male), scored),
        scored=scored,
        scored_squares=arrays.total(arrays.w2, has_score),
        n=arrays.total(arrays.w),
        n_squares=arrays.total(arrays.w2),
        patients=arrays.n_patients,
        patients_scored=arrays.total(arrays.n, has_score),
    )


def _reasons(pi: Array, youden: Array) -> Codes:
    """Return the first reason that applies, from shares of shape (draws, bands, 2)."""
    checks = [
        (youden <= 0).any(axis=-1),
        pi[..., 1] < 0,
        pi[..., 1] > 1,
        pi[..., 0] < 0,
        pi[..., 0] > 1,
    ]
    return np.asarray(np.select(checks, list(range(len(IMPOSSIBLE))), default=POSSIBLE), dtype=np.int64)


def _matching(errors: ErrorDraws, bands: int) -> tuple[Array, Array]:
    if errors.sensitivity.shape[1] not in (1, bands):
        raise EstimationError(
            f"errors are given for {errors.sensitivity.shape[1]} age bands and the study has {bands}; "
            "give one for all ages or one for each band"
        )
    shape = (errors.n, bands, 2)
    return np.broadcast_to(errors.sensitivity, shape), np.broadcast_to(errors.specificity, shape)


def _random_error(
    found: Classified, share: Array, pi: Array, sensitivity: Array, specificity: Array, sampled: bool
) -> Array:
    """Return the variance of one patient's corrected class over the effective number of patients.

    Population: the class varies as a binomial q (1 - q). Cohort: the people are fixed, their classification is not, and
    those without a score are as a sample of the others.
    """
    youden = sensitivity + specificity - 1
    effective = _ratio(found.scored**2, found.scored_squares)
    if sampled:
        return np.asarray(share * (1 - share) / youden**2 / effective)
    everybody = _ratio(found.n**2, found.n_squares)
    errors = pi * sensitivity * (1 - sensitivity) + (1 - pi) * specificity * (1 - specificity)
    missing = np.maximum(1 / effective - 1 / everybody, 0.0)
    return np.asarray(errors / youden**2 / effective + pi * (1 - pi) * missing)


def shares_by_band(found: Classified, errors: ErrorDraws, *, sampled: bool) -> SharesOfMen:
    """Return the share of men in each band: (share predicted male + specificity - 1) / (sensitivity + specificity - 1).

    Assumes that patients without a score have the same shares as those with one in their band and disease state.

    Parameters
    ----------
    found : predicted classes.
    errors : draws of the errors.
    sampled : target population, else these very people.

    Raises
    ------
    EstimationError : errors for another number of bands.

    References
    ----------
    Barron BA. Biometrics 1977;33:414-418. Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76.

    Examples
    --------
    Sensitivity and specificity .8: (.6 - .2) / .6 = 2/3 of the diseased are men.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> errors = ErrorDraws(sensitivity=np.full((1, 1, 2), 0.8), specificity=np.full((1, 1, 2), 0.8))
    >>> shares_by_band(classified(worked_arrays()), errors, sampled=True).pi[0, 0].round(6).tolist()
    [0.5, 0.666667]
    """
    sensitivity, specificity = _matching(errors, found.share.shape[0])
    youden = sensitivity + specificity - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        pi = (found.share + specificity - 1) / youden
        variance = _random_error(found, found.share, pi, sensitivity, specificity, sampled)
    return SharesOfMen(pi=pi, variance=variance, reason=_reasons(pi, youden))


def shares_all_ages(found: Classified, errors: ErrorDraws, *, sampled: bool) -> SharesOfMen:
    """Return the share of men of all ages together, each band corrected by its own errors; one band in the result.

    The corrected class of a patient, (predicted male + specificity - 1) / (sensitivity + specificity - 1), is averaged
    over the bands, so that a thin band whose own share would leave 0 to 1 does not make a draw impossible.

    Parameters
    ----------
    found, errors, sampled : as for :func:`shares_by_band`.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> errors = ErrorDraws(sensitivity=np.full((1, 1, 2), 0.8), specificity=np.full((1, 1, 2), 0.8))
    >>> found = shares_all_ages(classified(worked_arrays()), errors, sampled=True)
    >>> found.pi.round(6).tolist(), round(float(found.variance[0, 0, 0]), 9) == round(0.25 / 0.36 / 800, 9)
    ([[[0.5, 0.666667]]], True)
    """
    sensitivity, specificity = _matching(errors, found.share.shape[0])
    youden = sensitivity + specificity - 1
    weight = found.scored / np.maximum(found.scored.sum(axis=0), 1e-300)
    share = np.nan_to_num(found.share)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = (share + specificity - 1) / youden
        pi = (weight * own).sum(axis=1, keepdims=True)
        total = found.all_ages()
        if sampled:
            spread = share * (1 - share) / youden**2 + (own - pi) ** 2
            effective = _ratio(total.scored**2, total.scored_squares)
            variance = (weight * spread).sum(axis=1, keepdims=True) / effective
        else:
            parts = _random_error(found, share, own, sensitivity, specificity, sampled)
            variance = np.nansum(weight**2 * parts, axis=1, keepdims=True)
    return SharesOfMen(pi=pi, variance=variance, reason=_reasons(pi, youden.min(axis=1, keepdims=True)))
