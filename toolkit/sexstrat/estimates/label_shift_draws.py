"""EMQ and PACC of every cell in bootstrap samples of both the cohort and the labelled people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.labelled_windows import LabelledMeans
from sexstrat.estimates.numbers.label_shift_likelihood import label_densities, mixture_share

__all__ = ["DRAWS", "LabelShiftDraws", "label_shift_draws"]

Array = NDArray[np.float64]

DRAWS = 400  # a standard error of 400 draws is off by 1 / sqrt(800) = 3.5 %


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShiftDraws:
    """Shares of men among patients without recorded sex, and of everybody, by cell; the first draw is the estimate.

    Parameters
    ----------
    emq, pacc : shares among those without recorded sex, shape (1 + draws, 2A).
    pi : shares of everybody by EMQ, recorded sexes counted, shape (1 + draws, 2A).
    """

    emq: Array
    pacc: Array
    pi: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """Counts of one sample by draw and cell: labelled men and women, and unrecorded people, at each score."""

    men: Array  # (draws, cells, scores)
    women: Array
    unknown: Array
    recorded_men: Array  # (draws, cells), weighted


def _tables(arrays: CellArrays, grid: Array) -> tuple[Array, Array]:
    """Return people and mean weight over r by cell and kind: men, women, unknown, at each score and without one."""
    size, scores = 2 * arrays.n_bands, grid.size
    kind = np.where(arrays.validated, np.where(arrays.male, 0, 1), 2)
    place = np.where(arrays.n_eyes > 0, np.searchsorted(grid, arrays.logit), scores)
    index = (arrays.group * 3 + kind) * (scores + 1) + place
    people, weight = (
        np.bincount(index, weights=values, minlength=size * 3 * (scores + 1)).reshape(size, -1)
        for values in (arrays.n, np.where(arrays.validated, arrays.w_over_r, arrays.n))
    )
    mean = np.divide(weight, people, out=np.ones_like(weight), where=people > 0)
    return np.asarray(people, dtype=float), np.asarray(mean, dtype=float)


def _drawn(people: Array, rng: np.random.Generator, draws: int) -> Array:
    """Return the counts themselves and multinomial draws of them, shape (1 + draws, kinds)."""
    total = round(float(people.sum()))
    if total == 0:
        return np.zeros((1 + draws, people.size))
    return np.vstack([people, rng.multinomial(total, people / people.sum(), size=draws)]).astype(float)


def _counts(arrays: CellArrays, grid: Array, rng: np.random.Generator, draws: int, *, together: bool) -> _Counts:
    """Return counts of all draws; ``together`` draws the recorded and the others of a cell as one sample."""
    people, weight = _tables(arrays, grid)
    width = grid.size + 1
    parts = []
    for cell in people:
        if together:
            parts.append(_drawn(cell, rng, draws))
        else:
            known, unknown = _drawn(cell[: 2 * width], rng, draws), _drawn(cell[2 * width :], rng, draws)
            parts.append(np.hstack([known, unknown]))
    raw = np.stack(parts, axis=1).reshape(1 + draws, people.shape[0], 3, width)
    weighted = raw * weight.reshape(people.shape[0], 3, width)
    return _Counts(
        men=weighted[:, :, 0, :-1],
        women=weighted[:, :, 1, :-1],
        unknown=raw[:, :, 2],
        recorded_men=(raw if together else raw[:1])[:, :, 0].sum(axis=2),
    )


def label_shift_draws(given: ComposeInput, means: LabelledMeans, draws: int) -> LabelShiftDraws:
    """Return both estimators of each cell in samples drawn within cells, the people of each fixed in number.

    For the very cohort recorded sexes stay as they are. The recalibration (intercept and slope of logit p among the
    labelled people of a cell's window) is fitted anew in each sample. Unrecorded people without a score are as those
    with one.

    Parameters
    ----------
    given : the input; equal weights.
    means : whom each cell learns from.
    draws : bootstrap samples.

    Examples
    --------
    A score of two values leaves both the same data: 2/3 of the diseased are men.

    >>> from sexstrat.estimates.labelled_windows import labelled_means
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> value = expit(given.arrays.logit)
    >>> means = labelled_means(given.arrays, value, by_disease=True, level=0.95)
    >>> found = label_shift_draws(given, means, 20)
    >>> found.emq[0].round(4).tolist(), found.pacc[0].round(4).tolist()
    ([0.5, 0.6667, 0.5, 0.6667], [0.5, 0.6667, 0.5, 0.6667])
    """
    arrays, labelled = given.arrays, given.labelled
    grid = np.unique(np.concatenate([one.logit[one.n_eyes > 0] for one in (arrays, labelled)]))
    rng = np.random.default_rng(given.seed)
    cohort = _counts(arrays, grid, rng, draws, together=given.sampled)
    taught = cohort if labelled is arrays else _counts(labelled, grid, rng, draws, together=True)
    p, size = expit(grid), means.told.size
    emq, pacc = np.zeros((1 + draws, size)), np.zeros((1 + draws, size))
    for cell in range(size):
        here = cohort.unknown[0, cell, :-1] > 0  # draws hold no score that the sample itself does not
        if not here.any():
            continue
        target = cohort.unknown[:, cell, :-1][:, here]
        men, women = (one[:, means.window[cell]].sum(axis=1) for one in (taught.men, taught.women))
        there = men[0] + women[0] > 0
        men, women = men[:, there], women[:, there]
        emq[:, cell] = mixture_share(target, *label_densities(p[here], p[there], men, women, True))
        high, low = (one @ p[there] / np.maximum(one.sum(axis=1), 1e-300) for one in (men, women))
        middle = target @ p[here] / np.maximum(target.sum(axis=1), 1.0)
        pacc[:, cell] = (middle - low) / np.where(high > low, high - low, np.nan)
    n = arrays.n_patients.ravel()
    unknown = cohort.unknown.sum(axis=2)
    pi = (cohort.recorded_men + unknown * emq) / np.where(n > 0, n, np.nan)
    return LabelShiftDraws(emq=emq, pacc=pacc, pi=pi)
