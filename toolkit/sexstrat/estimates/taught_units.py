"""Shares that labelled people taught, over sampling units: of the cohort, of the labelled people, or of both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.cluster_codes import drawn_in_units
from sexstrat.estimates.clustered_margin import ClusteredMargin, Scores, clustered_margin, over_units
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.taught_shares import TaughtShares
from sexstrat.estimates.unit_scores import RowInfluence, UnitScores, unit_scores

__all__ = ["in_units", "taught_over_units"]

Array = NDArray[np.float64]

COPIES = 100  # of each pair of units that stand for what is not seen


def in_units(given: ComposeInput, labelled: CellArrays) -> bool:
    """Tell whether the cohort, or other labelled people, were drawn in units or within strata.

    Parameters
    ----------
    given : the cohort.
    labelled : people whose sex is known.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> in_units(worked_input(), worked_input().arrays)
    False
    """
    return given.sampled and (given.clustered or (labelled is not given.arrays and drawn_in_units(labelled)))


def _unseen_units(shares: TaughtShares) -> tuple[Scores, ...]:
    """Return the unseen covariance as units in pairs of opposite sign, so many that they cost no degrees of freedom."""
    values, vectors = np.linalg.eigh(shares.unseen)
    kept = values > 1e-15 * max(values.max(initial=0.0), 1e-300)
    if not kept.any():
        return ()
    moved = (vectors[:, kept] * np.sqrt(values[kept] / COPIES)).T / 2
    each = np.repeat(moved, COPIES, axis=0)
    totals = np.hstack([np.vstack([each, -each]), np.zeros((2 * each.shape[0], each.shape[1]))])
    stratum = np.tile(np.arange(each.shape[0]), 2)
    return (UnitScores(totals=totals, stratum=stratum, holding=np.ones((stratum.size, each.shape[1]), dtype=bool)),)


def _samples(given: ComposeInput, labelled: CellArrays, shares: TaughtShares, counts: Array) -> tuple[Scores, ...]:
    arrays = given.arrays
    taught: dict[str, Any] = {"learned": shares.learned, "t": labelled.w_over_r, "t2": labelled.w2_over_r2}
    people: dict[str, Any] = {
        "own": shares.own,
        "counts": counts,
        "w": arrays.w,
        "w2": arrays.w2,
        "holding": counts > 0,
    }
    if labelled is arrays:
        return (unit_scores(arrays, RowInfluence(**people, **taught, wt=arrays.w2_over_r)),)
    none, nothing = np.zeros_like(labelled.n), np.zeros_like(shares.learned)
    known = np.repeat(labelled.validated[:, None], shares.pi.size, axis=1)
    other = RowInfluence(own=nothing, counts=nothing, w=none, w2=none, holding=known, **taught, wt=none)
    return unit_scores(arrays, RowInfluence(**people)), unit_scores(labelled, other)


def taught_over_units(
    given: ComposeInput, labelled: CellArrays, by_cell: TaughtShares, whole: TaughtShares, one: Composition
) -> Composition:
    """Return a composition whose intervals count the sampling units of both samples, where there are any.

    Parameters
    ----------
    given : the cohort.
    labelled : people whose sex is known.
    by_cell, whole : shares by cell and of all ages, with their influence.
    one : the composition that counted patients.

    References
    ----------
    Binder DA. Int Stat Rev 1983;51:279-292.

    Examples
    --------
    Without units it stays as it is.

    >>> from sexstrat.estimates.labelled_windows import labelled_means
    >>> from sexstrat.estimates.mean_value_shares import mean_value_shares
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> called = given.arrays.predicted_male.astype(float)
    >>> means = labelled_means(given.arrays, called, by_disease=True, level=0.95)
    >>> shares = mean_value_shares(given.arrays, given.arrays, (called, called), means)
    >>> from sexstrat.estimates.compose_input import refused
    >>> from sexstrat.estimates.taught_shares import all_ages
    >>> one = refused(given, "matrix", "an example")
    >>> taught_over_units(given, given.arrays, shares, all_ages(given, shares), one) is one
    True
    """
    if not in_units(given, labelled):
        return one

    def built(plain: Margin, shares: TaughtShares, group: NDArray[np.int64]) -> ClusteredMargin:
        counts = np.zeros_like(shares.own)
        counts[np.arange(group.size), group] = 1.0
        return clustered_margin(plain, (*_samples(given, labelled, shares, counts), *_unseen_units(shares)))

    by_band = built(one.by_band, by_cell, given.arrays.group)
    return over_units(given, one, by_band, built(one.overall, whole, given.arrays.diseased))
