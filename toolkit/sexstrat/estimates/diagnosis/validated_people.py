"""People of known sex with a score, as the diagnostics look at them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.recalibration import CENTRE_AGE
from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["ValidatedPeople", "validated_people"]

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedPeople:
    """Rows of validated, scored people as arrays of equal length.

    Parameters
    ----------
    n : people.
    weight, squares : sums of w/r and of its square, scaled so that the weights add up to the people.
    male, diseased, one_eye : keys; diseased and one_eye are 0 or 1.
    score : middle of the bin of logit p.
    prob_male : mean probability, strictly between 0 and 1.
    decades : age in decades from 60.
    band, site : integer codes.
    predicted_male : the score lies at or above one half.
    """

    n: Array
    weight: Array
    squares: Array
    male: Rows
    diseased: Array
    one_eye: Array
    score: Array
    prob_male: Array
    decades: Array
    band: NDArray[np.int64]
    site: NDArray[np.int64]
    predicted_male: Rows

    @property
    def total(self) -> float:
        """Number of people."""
        return float(self.n.sum())

    @property
    def effective(self) -> float:
        """Kish's effective number, (sum of weights)^2 / sum of squared weights."""
        return float(self.weight.sum() ** 2 / self.squares.sum()) if self.n.size else 0.0

    @property
    def equally_weighted(self) -> bool:
        """Everybody has the same weight, so that likelihoods may be compared."""
        return bool(np.allclose(self.weight, self.n) and np.allclose(self.squares, self.n))

    @property
    def logit_p(self) -> Array:
        """Log odds of the mean probability, clipped at +-10."""
        return np.asarray(np.clip(logit(self.prob_male), -LOGIT_CLIP, LOGIT_CLIP))

    def of(self, rows: Rows) -> ValidatedPeople:
        """Return some of the rows, weights as they are."""
        return ValidatedPeople(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def weighted_mean(self, values: Array) -> float:
        """Return the weighted mean of values by row."""
        return float(self.weight @ values / self.weight.sum())


def validated_people(arrays: CellArrays) -> ValidatedPeople:
    """Return the validated rows with a score and a weight; who weighs nothing stands for nobody.

    Parameters
    ----------
    arrays : the cells.

    Returns
    -------
    The rows; with a constant validation probability and no survey weights every weight is 1.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> people = validated_people(worked_arrays())
    >>> people.total, people.effective, people.equally_weighted
    (550.0, 550.0, True)
    """
    rows = arrays.validated & (arrays.n_eyes > 0) & (arrays.w_over_r > 0)
    n, weight, squares = arrays.n[rows], arrays.w_over_r[rows], arrays.w2_over_r2[rows]
    scale = n.sum() / weight.sum() if rows.any() else 1.0
    return ValidatedPeople(
        n=n,
        weight=weight * scale,
        squares=squares * scale**2,
        male=arrays.male[rows],
        diseased=arrays.diseased[rows].astype(float),
        one_eye=(arrays.n_eyes[rows] == 1).astype(float),
        score=arrays.logit[rows],
        prob_male=np.clip(arrays.mean_prob_male[rows], 1e-9, 1 - 1e-9),
        decades=(arrays.age_years[rows] - CENTRE_AGE) / 10,
        band=arrays.group[rows] // 2,
        site=arrays.site[rows],
        predicted_male=arrays.predicted_male[rows],
    )
