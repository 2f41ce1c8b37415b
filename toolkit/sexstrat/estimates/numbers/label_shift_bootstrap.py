"""Estimates of the share of men in bootstrap samples of both the target and the labelled patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.label_shift_likelihood import label_densities, labelled_grid, mixture_share
from sexstrat.estimates.numbers.quantification import check_separation
from sexstrat.estimates.numbers.score_counts import ScoreCounts, Scores, score_counts

__all__ = ["Resamples", "checked_samples", "resample"]

Array = NDArray[np.float64]

FEWEST_DRAWS = 100
LARGEST_BLOCK = 2_000_000  # resampled counts held in memory at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples:
    """Estimates in bootstrap samples of the target and of the labelled patients.

    Parameters
    ----------
    emq : share of men by maximum likelihood, shape (draws,).
    pacc : share of men by adjusted mean score, uncut; NaN where labelled men do not score above women.
    """

    emq: Array
    pacc: Array


def resample(
    target: ScoreCounts, men: ScoreCounts, women: ScoreCounts, *, recalibrate: bool, draws: int, seed: int
) -> Resamples:
    """Return both estimators in bootstrap samples of the target and of the labelled patients.

    Labelled patients are drawn together, so that the number of men among them varies too.

    Parameters
    ----------
    target, men, women : scores.
    recalibrate : fit the recalibration anew in each sample.
    draws, seed : number of bootstrap samples, and seed of the draws.

    Examples
    --------
    >>> men, women = score_counts([0.2, 0.8], [20, 80]), score_counts([0.2, 0.8], [80, 20])
    >>> target = score_counts([0.2, 0.8], [500, 500])
    >>> both = resample(target, men, women, recalibrate=True, draws=200, seed=1)
    >>> abs(float(both.emq.mean()) - 0.5) < 0.02, bool(np.allclose(both.emq, both.pacc, atol=1e-5))
    (True, True)
    """
    grid, m, w = labelled_grid(men, women)
    rng = np.random.default_rng(seed)
    labelled = np.concatenate([m, w])
    n, size = int(labelled.sum()), grid.size
    found = np.full((2, draws), np.nan)
    block = max(1, LARGEST_BLOCK // (target.values.size + 2 * size))
    for start in range(0, draws, block):
        some = slice(start, min(start + block, draws))
        counts = target.resampled(some.stop - start, rng).astype(float)
        both = rng.multinomial(n, labelled / n, size=some.stop - start).astype(float)
        one, zero = both[:, :size], both[:, size:]
        found[0, some] = mixture_share(counts, *label_densities(target.values, grid, one, zero, recalibrate))
        n1, n0 = one.sum(axis=1), zero.sum(axis=1)
        m1 = np.divide(one @ grid, n1, out=np.full(n1.size, np.nan), where=n1 > 0)
        m0 = np.divide(zero @ grid, n0, out=np.full(n0.size, np.nan), where=n0 > 0)
        gap = np.where(m1 > m0, m1 - m0, np.nan)
        found[1, some] = (counts @ target.values / target.n - m0) / gap
    return Resamples(emq=found[0], pacc=found[1])


def checked_samples(
    target: Scores, men: Scores, women: Scores, draws: int, level: float
) -> tuple[ScoreCounts, ScoreCounts, ScoreCounts]:
    """Return the three samples as counts, refusing too few draws and labelled sexes that do not differ.

    Parameters
    ----------
    target, men, women : scores, or ``score_counts(values, counts)``.
    draws : bootstrap samples wanted.
    level : confidence level at which labelled men must score above women.

    Raises
    ------
    EstimationError : fewer than 100 draws, or labelled men and women that do not differ.

    Examples
    --------
    >>> [one.n for one in checked_samples([0.3, 0.4, 0.5], [0.8, 0.9], [0.1, 0.2], 100, 0.95)]
    [3, 2, 2]
    """
    t, m, w = (
        score_counts(one, what=what)
        for one, what in ((target, "target"), (men, "labelled men"), (women, "labelled women"))
    )
    if draws < FEWEST_DRAWS:
        raise EstimationError(f"draws must be at least {FEWEST_DRAWS} for an interval; found {draws}")
    check_separation(m, w, level)
    return t, m, w
