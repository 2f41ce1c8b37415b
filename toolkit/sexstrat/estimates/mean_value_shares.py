"""The share of men of each cell from the mean of its people's classes or scores: Rogan-Gladen and PACC alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.labelled_windows import LabelledMeans, band_runs
from sexstrat.estimates.taught_shares import TaughtShares, less_own_sexes

__all__ = ["hidden_people", "mean_value_shares"]

Array = NDArray[np.float64]


def hidden_people(arrays: CellArrays) -> tuple[Array, Array]:
    """Return the sums of weights of patients without recorded sex by cell, all and those with a score, shape (2A,).

    Parameters
    ----------
    arrays : the cohort.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> [one.tolist() for one in hidden_people(worked_arrays())]
    [[200.0, 75.0, 200.0, 75.0], [200.0, 75.0, 200.0, 75.0]]
    """
    unknown = ~arrays.validated
    return arrays.total(arrays.w, unknown).ravel(), arrays.total(arrays.w, unknown & (arrays.n_eyes > 0)).ravel()


def _scored_windows(scored: Array) -> NDArray[np.bool_]:
    """Return whose scores tell of each cell: its own people's, or where none has one those of the nearest bands."""
    window = np.eye(scored.size, dtype=bool)
    for cell in np.flatnonzero(scored <= 0):
        for run in band_runs(int(cell) // 2, scored.size // 2):
            if scored[2 * run + cell % 2].sum() > 0:
                window[cell, 2 * run + cell % 2] = True
                break
    return window


def _learned(labelled: CellArrays, value: Array, means: LabelledMeans, factor: Array, share: Array) -> Array:
    """Return how a unit of labelled weight moves each share through the means, shape (labelled rows, 2A)."""
    rows = labelled.validated & (labelled.n_eyes > 0)
    x = np.where(rows, value, 0.0)[:, None]
    inside = means.window[:, labelled.group].T & rows[:, None]
    at_men, at_women = (np.maximum(np.nan_to_num(one), 1e-300) for one in (means.men_weight, means.women_weight))
    men = -share * (x - np.nan_to_num(means.men)) / at_men
    women = -(1 - share) * (x - np.nan_to_num(means.women)) / at_women
    return np.where(inside, factor * np.where(labelled.male[:, None], men, women), 0.0)


def _unseen(means: LabelledMeans, factor: Array, share: Array) -> Array:
    """Return the covariance of errors that no labelled person made: of a proportion 1 as if one of n + 2 were wrong."""
    found = np.zeros((share.size, share.size))
    windows = np.unique(means.window, axis=0, return_inverse=True)[1].reshape(-1)
    together = windows[:, None] == windows[None, :]
    for steady, n, part in ((means.steady[0], means.n_men, share), (means.steady[1], means.n_women, 1 - share)):
        moved = np.where(steady, factor * np.nan_to_num(means.gap) * part, 0.0)
        variance = np.nan_to_num((n + 1) / (n + 2) ** 3)
        found += np.where(together, np.outer(moved, moved) * variance[:, None], 0.0)
    return found


def mean_value_shares(
    arrays: CellArrays, labelled: CellArrays, values: tuple[Array, Array], means: LabelledMeans
) -> TaughtShares:
    """Return the shares of men of the cohort's cells: recorded sexes counted, the others by the mean of a value.

    Among patients of a cell without recorded sex, pi = (m - m_0) / (m_1 - m_0), m the mean value of those with a score,
    m_1 and m_0 that of labelled men and women of the cell. A class gives Rogan and Gladen's share, a score PACC.
    Assumes that the value's mean given sex, disease and age is the same in both, and that those without a score are as
    those with one.

    Parameters
    ----------
    arrays : the cohort.
    labelled : people whose sex is known: others, or the cohort's own arrays.
    values : value of every row of the cohort, and of the labelled.
    means : of the labelled, from :func:`labelled_means`.

    Returns
    -------
    Shares that may leave 0 to 1, with the influence of every patient of both samples.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76. Bella A et al. Quantification via probability estimators. ICDM
    2010.

    Examples
    --------
    45 of 75 diseased without recorded sex are called men: (.6 - .2) / (.8 - .2).

    >>> from sexstrat.estimates.labelled_windows import labelled_means
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> called = arrays.predicted_male.astype(float)
    >>> means = labelled_means(arrays, called, by_disease=True, level=0.95)
    >>> mean_value_shares(arrays, arrays, (called, called), means).pi.round(6).tolist()
    [0.5, 0.666667, 0.5, 0.666667]
    """
    n = arrays.weights[0].ravel()
    safe = np.where(n > 0, n, 1.0)
    hidden, scored = hidden_people(arrays)
    rows = ~arrays.validated & (arrays.n_eyes > 0)
    x = np.where(rows, values[0], 0.0)
    window = _scored_windows(scored).astype(float)
    weight = window @ scored
    mean = window @ arrays.total(arrays.w * x, rows).ravel() / np.where(weight > 0, weight, np.nan)
    used = (hidden > 0) & means.told & (weight > 0)
    gap = np.where(used, means.gap, np.inf)
    share = np.where(used, (np.nan_to_num(mean) - np.nan_to_num(means.women)) / gap, 0.0)
    men = arrays.total(np.where(arrays.male, arrays.w, 0.0), arrays.validated).ravel()
    pi = (men + hidden * share) / np.where(n > 0, n, np.nan)
    factor = hidden / safe / gap  # a step of the mean value moves the share of the cell by this
    centred = np.nan_to_num(mean)
    own = np.where(rows[:, None], window.T[arrays.group] * (x[:, None] - centred), 0.0)
    own = own * factor / np.where(weight > 0, weight, 1.0)
    realised = _realised(arrays, own, share, safe)
    standing = np.where(arrays.validated, arrays.male, share[arrays.group])
    own[np.arange(x.size), arrays.group] += (standing - np.nan_to_num(pi)[arrays.group]) / safe[arrays.group]
    return TaughtShares(
        pi=pi,
        own=own,
        learned=_learned(labelled, values[1], means, factor, share),
        realised=realised,
        unseen=_unseen(means, factor, share),
        told=np.where(hidden > 0, means.n_men + means.n_women - 1, arrays.n_validated.ravel()),
    )


def _realised(arrays: CellArrays, own: Array, share: Array, people: Array) -> Array:
    """Return the covariance of the mean values, less the variance of these very people's own sexes."""
    unknown = ~arrays.validated
    moved = own[unknown] * arrays.w2[unknown, None]
    squares = np.bincount(arrays.group[unknown], weights=arrays.w2[unknown], minlength=share.size)
    inside = np.clip(share, 0.0, 1.0)
    return less_own_sexes(moved.T @ own[unknown], squares * inside * (1 - inside) / people**2)
