"""E4 and E5 of samples drawn in units or strata: the cohort, the labelled people, or both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.cluster_codes import drawn_in_units
from sexstrat.estimates.clustered_margin import LONELY, ClusteredMargin, Scores, clustered_margin, over_units
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.em_influence import SharesWithInfluence, of_all_ages
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores

__all__ = ["learned_covariance", "learned_units", "transported_over_units"]

Array = NDArray[np.float64]


def _taught(labelled: CellArrays, learned: Array) -> Scores:
    """Return the scores of the units of labelled people of another cohort."""
    return unit_scores(labelled, RowInfluence.taught(labelled, learned, labelled.n, labelled.n))


def _in_units(given: ComposeInput, labelled: CellArrays) -> bool:
    return labelled is not given.arrays and drawn_in_units(labelled)


def learned_covariance(given: ComposeInput, labelled: CellArrays, learned: Array) -> Array:
    """Return the covariance of shares through the likelihood ratio: over units where other people were drawn in them.

    Parameters
    ----------
    given : the input.
    labelled : the people the ratio was learned from.
    learned : influence of one of them, shape (labelled rows, shares).

    Examples
    --------
    Each of the 550 labelled patients moves a share by 0.001.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> moved = np.where(given.arrays.validated, 0.001, 0.0)[:, None]
    >>> round(float(learned_covariance(given, given.arrays, moved)[0, 0]), 9)
    0.00055
    """
    if not _in_units(given, labelled):
        return np.asarray((learned * labelled.n[:, None]).T @ learned)
    shares = learned.shape[1]
    return _taught(labelled, learned).variance(np.eye(shares, 2 * shares), LONELY).covariance


def learned_units(given: ComposeInput, labelled: CellArrays) -> float:
    """Return how many independent pieces of information taught the ratio at most: units less strata, and one.

    Infinite where the labelled people were drawn one by one.

    Parameters
    ----------
    given : the input.
    labelled : the people the ratio was learned from.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> learned_units(worked_input(), worked_input().arrays)
    inf
    """
    if not _in_units(given, labelled):
        return np.inf
    everybody = np.ones(1, dtype=bool)
    return _taught(labelled, np.zeros((labelled.n.size, 1))).degrees_of_freedom(everybody) + 1.0


def transported_over_units(
    given: ComposeInput, labelled: CellArrays, shares: SharesWithInfluence, one: Composition
) -> Composition:
    """Return a composition of E4 or E5 whose intervals count the sampling units of both samples.

    The cohort's patients move a share through the mixture of their cell, the labelled ones through the coefficients
    of the likelihood ratio; who is in both samples moves it both ways, added within the unit before squaring. Assumes
    that units are independent and drawn with replacement. For the very cohort only other people's units count.

    Parameters
    ----------
    given : the cohort.
    labelled : people whose sex is known: others, or the cohort's own arrays.
    shares : the shares by band with the influence of both samples.
    one : the composition that counted patients.

    Returns
    -------
    The same composition where neither sample was drawn in units or strata.

    References
    ----------
    Newey WK, McFadden D. Handbook of Econometrics 1994, section 6. Binder DA. Int Stat Rev 1983;51:279-292.

    Examples
    --------
    >>> from sexstrat.estimates.cell_em import cell_em
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> "sampling_units" in cell_em(given, given.arrays, why="an example").diagnostics
    False
    """
    if not given.sampled or not (given.clustered or _in_units(given, labelled)):
        return one
    arrays, bands = given.arrays, len(given.bands)
    n = arrays.total(arrays.w)
    collapse = np.zeros((2, 2 * bands))
    for d in (0, 1):
        collapse[d, d::2] = n[:, d] / max(n[:, d].sum(), 1e-300)

    def built(plain: Margin, own: Array, learned: Array, group: NDArray[np.int64]) -> ClusteredMargin:
        counts = np.zeros_like(own)
        counts[np.arange(group.size), group] = 1.0
        same = labelled is arrays
        influence = RowInfluence.counted(arrays, own, counts)
        if same:
            influence = replace(influence, learned=learned, t=arrays.n, t2=arrays.n, wt=arrays.w)
        samples = (unit_scores(arrays, influence), *(() if same else (_taught(labelled, learned),)))
        return clustered_margin(plain, samples)

    by_band = built(one.by_band, shares.own, shares.learned, arrays.group)
    whole = of_all_ages(arrays, shares, collapse)
    overall = built(one.overall, whole, shares.learned @ collapse.T, arrays.diseased)
    return over_units(given, one, by_band, overall)
