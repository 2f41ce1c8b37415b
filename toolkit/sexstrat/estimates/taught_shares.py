"""Shares of men that labelled people taught, how every patient of both samples moved them, and their margins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, margin
from sexstrat.estimates.composition import Margin
from sexstrat.estimates.labelled_windows import band_runs

__all__ = [
    "TaughtShares",
    "all_ages",
    "less_own_sexes",
    "taught_margin",
    "within_range",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtShares:
    """Shares of men of k places: cells, index 2 a + d, or the two disease states of all ages.

    Parameters
    ----------
    pi : shape (k,), NaN in an empty cell.
    own : influence of a unit of weight w of each row of the cohort through being sampled, shape (rows, k).
    learned : influence of a unit of weight w/r of each labelled row through what was learned, shape (labelled rows, k).
    realised : covariance about the shares of these very people, labelled people fixed, shape (k, k).
    unseen : covariance of what no labelled person's error shows, or of a simulation, shape (k, k).
    told : independent people behind each variance, shape (k,).
    unseen_df : degrees of freedom of ``unseen``.
    """

    pi: Array
    own: Array
    learned: Array
    realised: Array
    unseen: Array
    told: Array
    unseen_df: float = 2.0

    def along(self, weights: Array) -> TaughtShares:
        """Return weighted sums of the shares, ``weights`` of shape (places, k), the weights held fixed."""
        pi = weights @ np.nan_to_num(self.pi)
        return TaughtShares(
            pi=np.where((weights != 0).any(axis=1), pi, np.nan),
            own=self.own @ weights.T,
            learned=self.learned @ weights.T,
            realised=weights @ self.realised @ weights.T,
            unseen=weights @ self.unseen @ weights.T,
            told=np.array([self.told[one != 0].max(initial=0.0) for one in weights]),
            unseen_df=self.unseen_df,
        )


def less_own_sexes(covariance: Array, own: Array, *, least: float = 0.0) -> Array:
    """Return a covariance about the shares of these very people: less the variance of their own sexes.

    Correlations stay, so that no measure's variance is negative.

    Parameters
    ----------
    covariance : about the population's shares.
    own : variance of the people's own share about it, sum w^2 pi (1 - pi) / N^2.
    least : part of a variance that stays whatever is taken away.

    Examples
    --------
    >>> less_own_sexes(np.array([[4.0, 2.0], [2.0, 4.0]]), np.array([3.0, 3.0])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    before = np.diag(covariance)
    after = np.maximum(before - own, least * before)
    scale = np.sqrt(np.divide(after, before, out=np.zeros_like(before), where=before > 0))
    return np.asarray(covariance * np.outer(scale, scale))


def within_range(
    shares: TaughtShares, people: Array, hidden: Array, hidden_men: Array
) -> tuple[TaughtShares, NDArray[np.bool_]]:
    """Return shares in which a cell outside 0 to 1 takes that of the run of bands around it that lies within.

    What must lie within is the share among patients without recorded sex. Nothing is clipped: the pooled share and its
    variance are those of all patients of the run together. A cell in which nobody's sex is missing stays as it was
    counted.

    Parameters
    ----------
    shares : by cell.
    people, hidden : patients of each cell, and those without recorded sex (sums of weights), shape (2A,).
    hidden_men : how many of the latter are estimated to be men.

    Returns
    -------
    The shares, and which cells were pooled; a cell that no run saves keeps NaN.

    Examples
    --------
    Without the disease 110 of 100 are men in the first band, 40 of 100 in the second: 75 % of both.

    >>> zero, table = np.zeros((4, 4)), np.array([1.1, 0.5, 0.4, 0.5])
    >>> one = TaughtShares(pi=table, own=zero, learned=zero, realised=zero, unseen=zero, told=np.ones(4))
    >>> found, pooled = within_range(one, np.full(4, 100.0), np.full(4, 100.0), 100 * table)
    >>> found.pi.round(6).tolist(), pooled.tolist()
    ([0.75, 0.5, 0.4, 0.5], [True, False, False, False])
    """
    bands, men = people.size // 2, np.nan_to_num(hidden_men)
    weights, pooled = np.diag((people > 0).astype(float)), np.zeros(people.size, dtype=bool)
    for cell in np.flatnonzero((people > 0) & (hidden > 0) & ~((men > 0) & (men < hidden))):
        weights[cell], pooled[cell] = 0.0, True
        for run in band_runs(int(cell) // 2, bands):
            cells = 2 * run + cell % 2
            if 0 < men[cells].sum() < hidden[cells].sum():
                weights[cell, cells] = people[cells] / people[cells].sum()
                break
    return shares.along(weights), pooled


def all_ages(given: ComposeInput, shares: TaughtShares) -> TaughtShares:
    """Return the shares of all ages together from those of the cells as they were found, before any pooling.

    A patient also moves the weight of the own band: (pi_ad - pi_d) / N_d.

    Parameters
    ----------
    given : the input.
    shares : by cell.

    Examples
    --------
    >>> from sexstrat.estimates.labelled_windows import labelled_means
    >>> from sexstrat.estimates.mean_value_shares import mean_value_shares
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> called = given.arrays.predicted_male.astype(float)
    >>> means = labelled_means(given.arrays, called, by_disease=True, level=0.95)
    >>> shares = mean_value_shares(given.arrays, given.arrays, (called, called), means)
    >>> all_ages(given, shares).pi.round(6).tolist()
    [0.5, 0.666667]
    """
    arrays = given.arrays
    n = arrays.weights[0]
    collapse = np.zeros((2, n.size))
    for d in (0, 1):
        collapse[d, d::2] = n[:, d] / max(n[:, d].sum(), 1e-300)
    found = shares.along(collapse)
    apart = np.nan_to_num(shares.pi) - np.tile(np.nan_to_num(found.pi), n.shape[0])
    own = np.array(found.own)
    own[np.arange(arrays.n.size), arrays.diseased] += (apart / np.tile(np.maximum(n.sum(axis=0), 1e-300), n.shape[0]))[
        arrays.group
    ]
    return replace(found, own=own)


def _squares(weights: Array, people: Array, influence: Array) -> tuple[Array, Array]:
    """Return the covariance that rows of patients add up to, and the sum of squares of what each adds to a variance."""
    each = np.divide(weights, people, out=np.zeros_like(weights), where=people > 0)
    return (influence * weights[:, None]).T @ influence, np.sum(
        people[:, None] * (each[:, None] * influence**2) ** 2, axis=0
    )


def taught_margin(given: ComposeInput, labelled: CellArrays, shares: TaughtShares) -> Margin:
    """Return the margin of shares for the declared target.

    Population: V = sum w^2 own^2 + sum (w/r)^2 learned^2, twice their product where the labelled people are among the
    cohort. The very cohort: the variance of errors alone, and the learned part. df = 2 V^2 / Var(V), as for E1.

    Parameters
    ----------
    given : the cohort.
    labelled : people whose sex is known: others, or the cohort's own arrays.
    shares : by cell, or of all ages.

    Examples
    --------
    Of 150 diseased in a band 75 are recorded, and .6 of the others called men: a quarter of
    (.24 / 75 + 4/9 .16 / 50 + 1/9 .16 / 25) / .36 and 75 (2/9) / 150^2, .0037 + .0007.

    >>> from sexstrat.estimates.labelled_windows import labelled_means
    >>> from sexstrat.estimates.mean_value_shares import mean_value_shares
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> called = given.arrays.predicted_male.astype(float)
    >>> means = labelled_means(given.arrays, called, by_disease=True, level=0.95)
    >>> shares = mean_value_shares(given.arrays, given.arrays, (called, called), means)
    >>> round(float(taught_margin(given, given.arrays, shares).covariance[1, 1]), 4)
    0.0044
    """
    arrays = given.arrays
    covariance, noise = _squares(labelled.w2_over_r2, labelled.n, shares.learned)
    if not given.sampled:
        covariance = covariance + shares.realised
    else:
        own, own_noise = _squares(arrays.w2, arrays.n, shares.own)
        covariance, noise = covariance + own, noise + own_noise
        if labelled is given.arrays:
            both = (shares.own * arrays.w2_over_r[:, None]).T @ shares.learned
            covariance = covariance + both + both.T
    covariance, unseen = covariance + shares.unseen, np.diag(shares.unseen)
    variance, noise = np.diag(covariance), noise + 2 * unseen**2 / shares.unseen_df
    df = np.divide(2 * variance**2, noise, out=np.full_like(variance, np.inf), where=noise > 0)
    df = np.minimum(df, np.maximum(shares.told - 1, 1.0)).reshape(-1, 2)
    return margin(
        given,
        shares.pi.reshape(-1, 2),
        covariance,
        effective_validated=shares.told.reshape(-1, 2),
        variance_df=df,
    )
