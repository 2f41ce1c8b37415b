"""E4 and E5: the share of men in each cell from likelihood ratios that labelled people taught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, margin, refused
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.likelihood_ratio import LikelihoodRatio, likelihood_ratio
from sexstrat.estimates.mixture import mixture_shares

__all__ = ["SharesWithInfluence", "cell_em", "nondifferential_em", "shares_with_influence"]

Array = NDArray[np.float64]

TRANSPORTED = (
    "Among men, and among women, of the same age and disease the score is distributed in the cohort as among the "
    "people it was learned from. The share of men and how common the disease is may differ."
)
NONDIFFERENTIAL = "Among men, and among women, of the same age the score does not depend on the disease."
NEVER_CORRECTED = "the cohort's own data cannot show the assumption, only contradict it"


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


def _of_all_ages(arrays: CellArrays, shares: SharesWithInfluence, collapse: Array) -> Array:
    """Return the influence of a unit of weight on the shares of all ages, shape (rows, 2).

    Beside moving the share of its own band it adds to the weight of that band: (pi_ad - pi_d) / N_d.
    """
    filled = np.nan_to_num(shares.pi)
    apart = filled - np.tile(collapse @ filled, arrays.n_bands)
    people = np.maximum(arrays.total(arrays.w).sum(axis=0), 1e-300)
    own = shares.own @ collapse.T
    own[np.arange(arrays.n.size), arrays.diseased] += apart[arrays.group] / people[arrays.diseased]
    return np.asarray(own)


def _covariance(
    given: ComposeInput, shares: SharesWithInfluence, labelled: CellArrays, own: Array, collapse: Array
) -> Array:
    """Return the covariance of the (collapsed) shares for the declared target, unequal weights of a row counted.

    For the very cohort the recorded sexes are fixed, and an unrecorded person's own sex is part of the truth: the
    variance per person is 1/information - pi(1 - pi).
    """
    learned = shares.learned @ collapse.T
    through_ratio = (learned * labelled.n[:, None]).T @ learned
    if not given.sampled:
        return np.asarray(through_ratio + collapse @ np.diag(shares.realised) @ collapse.T)
    found = through_ratio + (own * given.arrays.w2[:, None]).T @ own
    if labelled is given.arrays:  # the same people taught the ratio and are counted
        both = (own * given.arrays.w[:, None]).T @ learned
        found = found + both + both.T
    return np.asarray(found)


def _margins(given: ComposeInput, shares: SharesWithInfluence, labelled: CellArrays) -> tuple[Margin, Margin]:
    n = given.arrays.total(given.arrays.w)
    bands = len(given.bands)
    collapse = np.zeros((2, 2 * bands))
    for d in (0, 1):
        collapse[d, d::2] = n[:, d] / max(n[:, d].sum(), 1e-300)
    taught = np.bincount(labelled.diseased[labelled.validated], labelled.n[labelled.validated], minlength=2)
    if not taught.all():  # no disease labels: everybody taught both
        taught = np.full(2, taught.sum())
    rarer = np.array([min(_sexes(labelled, d)) for d in (0, 1)]) if taught.min() < taught.sum() else taught / 2

    def build(pi: Array, own: Array, along: Array) -> Margin:
        rows = pi.size // 2
        covariance = _covariance(given, shares, labelled, own, along)
        return margin(given, pi.reshape(-1, 2), covariance, effective_validated=np.tile(rarer, (rows, 1)))

    crude = np.where(n.sum(axis=0) > 0, collapse @ np.nan_to_num(shares.pi), np.nan)
    by_band = build(shares.pi, shares.own, np.eye(2 * bands))
    return by_band, build(crude, _of_all_ages(given.arrays, shares, collapse), collapse)


def _sexes(labelled: CellArrays, diseased: int) -> tuple[float, float]:
    """Count labelled men and women with, or without, the disease."""
    rows = labelled.validated & (labelled.diseased == diseased)
    men = float(labelled.n[rows & labelled.male].sum())
    return men, float(labelled.n[rows].sum()) - men


def _composition(given: ComposeInput, estimator: str, state: str, labelled: CellArrays, **parts: Any) -> Composition:
    ratio = likelihood_ratio(labelled, by_disease=estimator == "E4")
    shares = shares_with_influence(given.arrays, labelled, ratio)
    by_band, overall = _margins(given, shares, labelled)
    unsolved = np.logical_not(np.asarray(shares.solved.reshape(-1, 2)).min(axis=1))
    hidden = given.arrays.total(given.arrays.n, ~given.arrays.validated)
    if bool((unsolved[:, None] * hidden).sum() > 0.5 * hidden.sum()):
        return refused(given, estimator, "the scores do not find both sexes in most of the cohort's cells")
    names = [label for label, one in zip(given.bands.labels, unsolved, strict=True) if one]
    warnings = []
    if names:
        warnings.append(
            f"The scores do not find both sexes in a cell of band {', '.join(names)}: that band has no number."
        )
    if given.clustered:
        warnings.append(
            f"Patients were drawn in units or strata, which {estimator}'s interval does not count: it may be too "
            "narrow."
        )
    return Composition(
        condition=given.condition,
        bands=given.bands,
        estimator=estimator,
        target=given.target,
        by_band=by_band,
        overall=overall,
        band_state=tuple("refused" if one else state for one in unsolved),
        state=state,
        level=given.level,
        warnings=tuple(warnings),
        diagnostics={"n_labelled": int(labelled.n[labelled.validated].sum())},
        **parts,
    )


def cell_em(given: ComposeInput, labelled: CellArrays, *, why: str) -> Composition:
    """Return the shares of men by EM on likelihood ratios that may differ by disease (estimator E4).

    LR(p | S, D, A) = odds(S | logit p, eyes, D, A) / odds(S | D, A), both logistic among the labelled people; each
    cell's share of men solves its mixture. Assumes that P(p | S, D, A) is the same in both; shares of men, prevalence
    and recording may differ in any way. Never ``corrected``: the assumption can be contradicted, not shown.

    Parameters
    ----------
    given : the cohort.
    labelled : people whose sex is known: an external cohort, or the cohort's own arrays where recording may depend on
        sex.
    why : why this estimator.

    Returns
    -------
    State ``model_based``. Intervals count the chance of both samples: the cohort's people and the labelled ones.

    References
    ----------
    Saerens M et al. Neural Comput 2002;14:21-41. Variance: M-estimation in two stages, Newey WK, McFadden D. Handbook
    of Econometrics 1994, section 6.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> cell_em(given, given.arrays, why="an example").crude_pi.round(2).tolist()
    [0.5, 0.67]
    """
    return _composition(
        given, "E4", "model_based", labelled, why=why, assumptions=(f"{TRANSPORTED} ({NEVER_CORRECTED}.)",)
    )


def nondifferential_em(given: ComposeInput, labelled: CellArrays, *, why: str) -> Composition:
    """Return the shares of men by EM on likelihood ratios without disease (estimator E5).

    The likelihood of BIRDiE-type models: given sex and age the score is taken to say nothing about the disease. Where
    it does, the sex difference is exaggerated, not diminished.

    Parameters
    ----------
    given : the cohort.
    labelled : people whose sex is known; their disease is not looked at.
    why : why this estimator.

    Returns
    -------
    State ``assumption``: nothing in the data speaks for it.

    References
    ----------
    McCartan C, Fisher R, Goldin J, Ho DE, Imai K. Estimating racial disparities when race is not observed. JASA 2025.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> nondifferential_em(given, given.arrays, why="an example").estimator
    'E5'
    """
    return _composition(given, "E5", "assumption", labelled, why=why, assumptions=(TRANSPORTED, NONDIFFERENTIAL))
