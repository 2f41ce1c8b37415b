"""How each patient of a cohort, and each labelled person, moves the shares of men of E4 and E5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.likelihood_ratio import LikelihoodRatio
from sexstrat.estimates.mixture import mixture_shares

__all__ = ["SharesWithInfluence", "of_all_ages", "shares_with_influence"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesWithInfluence:
    """Shares of men by group with how each patient moved them.

    Parameters
    ----------
    pi : by group, shape (2A,): NaN in an empty group, 0 or 1 where the scores do not find both sexes.
    own : influence of a unit of weight of each row of the cohort through being sampled, shape (rows, 2A).
    learned : influence of one labelled patient through the likelihood ratio, shape (labelled rows, 2A).
    realised : variance of each share about the share of these very people, labelled people fixed, shape (2A,).
    solved : the share lies strictly between 0 and 1, or nobody's sex is missing.
    """

    pi: Array
    own: Array
    learned: Array
    realised: Array
    solved: NDArray[np.bool_]


def _indicator(group: NDArray[np.int64], n_groups: int) -> Array:
    found = np.zeros((group.size, n_groups))
    found[np.arange(group.size), group] = 1.0
    return found


def shares_with_influence(arrays: CellArrays, labelled: CellArrays, ratio: LikelihoodRatio) -> SharesWithInfluence:
    """Return the shares of men of the cohort's cells: recorded sexes counted, the others by mixture.

    Within a cell the unrecorded people's share solves sum w s = 0, s = (R - 1)/(pi R + 1 - pi), R the likelihood ratio
    of the score. One of them moves it by s / sum(w s^2) of weight; the ratio's coefficients move it by
    sum(w R / (pi R + 1 - pi)^2 dlogR) / sum(w s^2).

    Parameters
    ----------
    arrays : the cohort.
    labelled : the people the ratio was learned from: another cohort, or the cohort itself.
    ratio : the fitted likelihood ratio.

    Examples
    --------
    >>> from sexstrat.estimates.likelihood_ratio import likelihood_ratio
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> found = shares_with_influence(arrays, arrays, likelihood_ratio(arrays))
    >>> [round(share, 2) for share in found.pi.tolist()]
    [0.5, 0.67, 0.5, 0.67]
    """
    size = 2 * arrays.n_bands
    unknown = ~arrays.validated
    log_ratio = ratio.log_ratio(arrays)
    found = mixture_shares(log_ratio[unknown], arrays.w[unknown], arrays.group[unknown], size)
    n = arrays.total(arrays.w).ravel()
    hidden = np.bincount(arrays.group[unknown], weights=arrays.w[unknown], minlength=size)
    men = arrays.total(np.where(arrays.male, arrays.w, 0.0), arrays.validated).ravel()
    pi = (men + hidden * np.nan_to_num(found.pi)) / np.where(n > 0, n, np.nan)
    information = np.where(found.information > 0, found.information, np.inf)
    own_value = arrays.male.astype(float)
    own_value[unknown] = np.nan_to_num(found.pi)[arrays.group[unknown]] + (
        found.score * (hidden / information)[arrays.group[unknown]]
    )
    safe = np.where(n > 0, n, 1.0)
    moved = (own_value - np.nan_to_num(pi)[arrays.group]) / safe[arrays.group]
    squares = np.bincount(arrays.group[unknown], weights=arrays.w2[unknown], minlength=size)
    share = np.nan_to_num(found.pi)
    per_person = np.where(hidden > 0, hidden / information - share * (1 - share), 0.0)
    return SharesWithInfluence(
        pi=pi,
        own=_indicator(arrays.group, size) * moved[:, None],
        learned=_learned(arrays, labelled, ratio, found.pi, log_ratio, information, safe),
        realised=np.maximum(squares * per_person, 0.0) / safe**2,
        solved=(hidden <= 0) | ((found.pi > 0) & (found.pi < 1)),
    )


def _learned(
    arrays: CellArrays,
    labelled: CellArrays,
    ratio: LikelihoodRatio,
    pi: Array,
    log_ratio: Array,
    information: Array,
    people: Array,
) -> Array:
    """Return how one labelled patient moves each share through the ratio's coefficients."""
    unknown = ~arrays.validated
    group = arrays.group[unknown]
    likelihood = np.exp(np.clip(log_ratio[unknown], -350, 350))
    share = np.nan_to_num(pi)[group]
    pull = arrays.w[unknown] * likelihood / (share * likelihood + 1 - share) ** 2
    x, z = ratio.covariates(arrays)
    derivative = np.hstack([x[unknown], -z[unknown]]) * pull[:, None]
    hidden = np.bincount(group, weights=arrays.w[unknown], minlength=people.size)
    totals = np.stack([np.bincount(group, weights=column, minlength=people.size) for column in derivative.T])
    return np.asarray(ratio.influence(labelled) @ (totals * (hidden / information / people)))


def of_all_ages(arrays: CellArrays, shares: SharesWithInfluence, collapse: Array) -> Array:
    """Return the influence of a unit of weight on the shares of all ages, shape (rows, 2).

    Beside moving the share of its own band it adds to the weight of that band: (pi_ad - pi_d) / N_d.

    Parameters
    ----------
    arrays : the cohort.
    shares : by band, with their influence.
    collapse : weight of each share by band in those of all ages, shape (2, 2 x bands).

    Examples
    --------
    Nobody moves a share on balance: the influences of all patients add up to nothing.

    >>> from sexstrat.estimates.likelihood_ratio import likelihood_ratio
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> found = shares_with_influence(arrays, arrays, likelihood_ratio(arrays))
    >>> half = np.array([[0.5, 0.0, 0.5, 0.0], [0.0, 0.5, 0.0, 0.5]])
    >>> bool(np.abs(arrays.w @ of_all_ages(arrays, found, half)).max() < 1e-9)
    True
    """
    filled = np.nan_to_num(shares.pi)
    apart = filled - np.tile(collapse @ filled, arrays.n_bands)
    people = np.maximum(arrays.total(arrays.w).sum(axis=0), 1e-300)
    own = shares.own @ collapse.T
    own[np.arange(arrays.n.size), arrays.diseased] += apart[arrays.group] / people[arrays.diseased]
    return np.asarray(own)
