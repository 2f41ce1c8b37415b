"""Scores with the number of patients at each, so that millions of patients cost no more than their distinct scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["ScoreCounts", "Scores", "score_counts"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCounts:
    """The distinct scores of a group of patients, and how many patients have each.

    Parameters
    ----------
    values : distinct scores, ascending, 0 to 1.
    counts : patients at each, above 0.

    Examples
    --------
    >>> three = score_counts([0.25, 0.75, 0.75])
    >>> three.n, round(three.mean, 4), round(three.variance, 4)
    (3, 0.5833, 0.0833)
    """

    values: Array
    counts: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of patients."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Mean score of the patients."""
        return float(self.counts @ self.values / self.n)

    @property
    def variance(self) -> float:
        """Variance of the score between patients, with divisor n - 1."""
        return float(self.counts @ (self.values - self.mean) ** 2 / (self.n - 1))

    def at_least(self, threshold: float) -> int:
        """Return the number of patients whose score is at least the threshold."""
        return int(self.counts[self.values >= threshold].sum())

    def resampled(self, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return counts of bootstrap samples of the patients, shape (draws, values)."""
        return rng.multinomial(self.n, self.counts / self.n, size=draws)


Scores = ArrayLike | ScoreCounts


def score_counts(scores: Scores, counts: ArrayLike | None = None, *, what: str = "scores") -> ScoreCounts:
    """Return scores as distinct values with counts.

    Parameters
    ----------
    scores : P(male) of each patient, or of each cell when ``counts`` is given; 0 to 1.
    counts : patients in each cell: whole numbers. A survey weight is no count: it does not make a patient two.
    what : name of the group, for messages.

    Raises
    ------
    EstimationError : a score outside 0 to 1, a count that is negative or not whole, unequal lengths, fewer than two
        patients.

    Examples
    --------
    >>> cells = score_counts([0.8, 0.2, 0.8], [2, 1, 3])
    >>> cells.values.tolist(), cells.counts.tolist()
    ([0.2, 0.8], [1, 5])
    """
    if isinstance(scores, ScoreCounts):
        return scores
    p = np.asarray(scores, dtype=float)
    k = np.ones(p.shape) if counts is None else np.asarray(counts, dtype=float)
    if p.ndim != 1 or p.shape != k.shape:
        raise EstimationError(f"{what}: need one row of scores and as many counts; found shapes {p.shape}, {k.shape}")
    if not bool(((p >= 0) & (p <= 1)).all()):  # NaN compares false
        bad = p[~((p >= 0) & (p <= 1))][0]
        raise EstimationError(f"{what}: every score must lie between 0 and 1; found {bad}. Leave out patients without")
    if not bool(((k >= 0) & (k == np.rint(k)) & np.isfinite(k)).all()):
        bad = k[~((k >= 0) & (k == np.rint(k)) & np.isfinite(k))][0]
        raise EstimationError(f"{what}: counts are numbers of patients, whole and not negative; found {bad}")
    values, position = np.unique(p[k > 0], return_inverse=True)
    totals = np.bincount(position, weights=k[k > 0], minlength=values.size)
    if totals.sum() < 2:
        raise EstimationError(f"{what}: need at least 2 patients; found {int(totals.sum())}")
    return ScoreCounts(values=values, counts=totals.astype(np.int64))
