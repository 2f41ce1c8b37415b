"""E4 and E5: the share of men in each cell from likelihood ratios that labelled people taught."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.clustered_em import learned_covariance, learned_units, transported_over_units
from sexstrat.estimates.compose_input import ComposeInput, margin, refused
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.em_influence import SharesWithInfluence, of_all_ages, shares_with_influence
from sexstrat.estimates.likelihood_ratio import likelihood_ratio

__all__ = ["cell_em", "nondifferential_em"]

Array = NDArray[np.float64]

TRANSPORTED = (
    "Among men, and among women, of the same age and disease the score is distributed in the cohort as among the "
    "people it was learned from. The share of men and how common the disease is may differ."
)
NONDIFFERENTIAL = "Among men, and among women, of the same age the score does not depend on the disease."
NEVER_CORRECTED = "the cohort's own data cannot show the assumption, only contradict it"


def _covariance(
    given: ComposeInput, shares: SharesWithInfluence, labelled: CellArrays, own: Array, collapse: Array
) -> Array:
    """Return the covariance of the (collapsed) shares for the declared target, unequal weights of a row counted.

    For the very cohort the recorded sexes are fixed, and an unrecorded person's own sex is part of the truth: the
    variance per person is 1/information - pi(1 - pi).
    """
    learned = shares.learned @ collapse.T
    through_ratio = learned_covariance(given, labelled, learned)
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
    people = np.minimum(rarer, learned_units(given, labelled))

    def build(pi: Array, own: Array, along: Array) -> Margin:
        rows = pi.size // 2
        covariance = _covariance(given, shares, labelled, own, along)
        return margin(given, pi.reshape(-1, 2), covariance, effective_validated=np.tile(people, (rows, 1)))

    crude = np.where(n.sum(axis=0) > 0, collapse @ np.nan_to_num(shares.pi), np.nan)
    by_band = build(shares.pi, shares.own, np.eye(2 * bands))
    return by_band, build(crude, of_all_ages(given.arrays, shares, collapse), collapse)


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
    one = Composition(
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
    return transported_over_units(given, labelled, shares, one)


def cell_em(given: ComposeInput, labelled: CellArrays, *, why: str) -> Composition:
    """Return the shares of men by EM on likelihood ratios that may differ by disease (estimator E4).

    LR(p | S, D, A) = odds(S | logit p, eyes, D, A) / odds(S | D, A), both logistic among the labelled people; each
    cell's share of men solves its mixture. Assumes that P(p | S, D, A) is the same in both; shares of men, prevalence
    and recording may differ in any way. Never ``corrected``: the assumption can be contradicted, not shown. Survey
    weights count in each cell's mixture; the ratio is fitted without them, since given sex, disease and age they are
    taken to say nothing of the score.

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
