"""Score counts of a cohort and of labelled people, by disease and ages, made comparable in age and eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.diagnosis.entropy_balance import entropy_balance

__all__ = ["FEWEST_OF_A_SEX", "SCORE_BINS", "ScoreGroup", "score_groups"]

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]

SCORE_BINS = 6  # quantiles of the cohort's score; more would leave hardly a known woman in the highest
FEWEST_OF_A_SEX = 60  # labelled men, and women, of an age group: enough for the chi-square, by simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGroup:
    """Score counts of one disease state and range of ages.

    Parameters
    ----------
    diseased : with the disease.
    age_low, age_high : first and last completed year.
    n_cohort, n_men, n_women : patients with a score: of the cohort, labelled men, labelled women.
    mixed, men, women : Kish's effective numbers of the three by bin of the score, shape (bins,).
    note : what could not be balanced.
    """

    diseased: bool
    age_low: int
    age_high: int
    n_cohort: int
    n_men: int
    n_women: int
    mixed: Array
    men: Array
    women: Array
    note: str


def _age_ranges(ages: Array, men: Array, women: Array) -> list[tuple[int, int]]:
    """Return ranges of ages, each with enough men and women: the youngest first, as narrow as that allows."""
    years, position = np.unique(ages, return_inverse=True)
    by_year = np.column_stack([np.bincount(position, weights=one, minlength=years.size) for one in (men, women)])
    before = np.cumsum(by_year, axis=0)
    starts, passed = [0], np.zeros(2)
    for k in range(years.size - 1):
        if (before[k] - passed).min() >= FEWEST_OF_A_SEX and (before[-1] - before[k]).min() >= FEWEST_OF_A_SEX:
            starts.append(k + 1)
            passed = before[k]
    if years.size == 0 or before[-1].min() < FEWEST_OF_A_SEX:
        return []
    ends = [*(start - 1 for start in starts[1:]), years.size - 1]
    return [(int(years[start]), int(years[end])) for start, end in zip(starts, ends, strict=True)]


def _covariates(arrays: CellArrays) -> Array:
    age = (arrays.age_years - 60) / 10
    return np.column_stack([age, age**2, arrays.n_eyes == 1]).astype(float)


def _edges(logit: Array, weight: Array) -> Array:
    """Return the inner edges of the quantile bins, halfway above the levels where the shares are reached."""
    levels, position = np.unique(logit, return_inverse=True)
    share = np.cumsum(np.bincount(position, weights=weight)) / weight.sum()
    at = np.searchsorted(share, np.arange(1, SCORE_BINS) / SCORE_BINS - 1e-12)
    at = np.unique(at[at < levels.size - 1])
    return np.asarray((levels[at] + levels[at + 1]) / 2)


def _effective(logit: Array, weight: Array, squares: Array, edges: Array) -> Array:
    """Return counts by bin, scaled to Kish's effective number of people; shape (SCORE_BINS,), unused bins 0."""
    total = np.bincount(np.searchsorted(edges, logit), weights=weight, minlength=SCORE_BINS)
    return np.asarray(total / total.sum() * weight.sum() ** 2 / squares.sum())


def _balanced(labelled: CellArrays, rows: Rows, target: Array) -> tuple[Array, int]:
    """Return factors that give the rows the target's means, and how many covariates could be balanced."""
    x = _covariates(labelled)[rows]
    for used in (3, 2, 1):
        factor = entropy_balance(x[:, :used], labelled.w_over_r[rows], target[:used])
        if factor is not None:
            return factor, used
    return np.ones(int(rows.sum())), 0


def _group(cohort: CellArrays, labelled: CellArrays, inside: Rows, known: Rows, ages: tuple[int, int]) -> ScoreGroup:
    weight = cohort.w[inside]
    edges = _edges(cohort.logit[inside], weight)
    target = np.average(_covariates(cohort)[inside], axis=0, weights=weight)
    counts, least = [], 3
    for sex in (labelled.male, ~labelled.male):
        rows = known & sex
        factor, used = _balanced(labelled, rows, target)
        least = min(least, used)
        pull, squares = labelled.w_over_r[rows] * factor, labelled.w2_over_r2[rows] * factor**2
        counts.append(_effective(labelled.logit[rows], pull, squares, edges))
    missed = ("age", "the spread of ages", "the share with one eye")[least:]
    return ScoreGroup(
        diseased=bool(cohort.diseased[inside][0]),
        age_low=ages[0],
        age_high=ages[1],
        n_cohort=round(cohort.n[inside].sum()),
        n_men=round(labelled.n[known & labelled.male].sum()),
        n_women=round(labelled.n[known & ~labelled.male].sum()),
        mixed=_effective(cohort.logit[inside], weight, cohort.w2[inside], edges),
        men=counts[0],
        women=counts[1],
        note=f"labelled people could not be weighted to the cohort's {' and '.join(missed)}" if missed else "",
    )


def score_groups(cohort: CellArrays, labelled: CellArrays, *, within: Rows | None = None) -> tuple[ScoreGroup, ...]:
    """Return the score counts of a cohort and of labelled men and women, group by group.

    Groups are disease states, cut into ranges of ages with at least 60 labelled men and 60 labelled women each; in a
    group labelled men, and women, are weighted to the cohort's mean age, age^2 and share with one eye. Bins are
    sixths of the cohort's scores.

    Parameters
    ----------
    cohort : cells whose scores are looked at, whether sex is known or not.
    labelled : cells with recorded sex; the others are left out.
    within : rows of the cohort to take; None for all.

    Returns
    -------
    Groups by disease, then age; none where a disease state has too few labelled men or women. Patients of the cohort
    younger or older than all labelled people of their disease state are in no group.

    Examples
    --------
    All 75 diseased and 200 well people of known sex at each age; the diseased have too few women in one band.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> groups = score_groups(worked_arrays(), worked_arrays())
    >>> [(one.diseased, one.age_low, one.age_high, one.n_men, one.n_women) for one in groups]
    [(False, 45, 45, 100, 100), (False, 65, 65, 100, 100)]
    """
    counted = (cohort.n_eyes > 0) & (cohort.w > 0)  # who weighs nothing stands for nobody
    taken = counted if within is None else within & counted
    scored = labelled.validated & (labelled.n_eyes > 0) & (labelled.w_over_r > 0)
    found = []
    for diseased in (0, 1):
        known = scored & (labelled.diseased == diseased)
        n, male = labelled.n[known], labelled.male[known]
        for low, high in _age_ranges(labelled.age_years[known], n * male, n * ~male):
            inside = taken & (cohort.diseased == diseased) & (cohort.age_years >= low) & (cohort.age_years <= high)
            if inside.any():
                ages = known & (labelled.age_years >= low) & (labelled.age_years <= high)
                found.append(_group(cohort, labelled, inside, ages, (low, high)))
    return tuple(found)
