"""Which labelled people tell of a cell's errors: its own where there are enough, else neighbouring bands' too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.numbers.misclassification import SMALLEST_YOUDEN
from sexstrat.estimates.numbers.share_of_men import normal_quantile
from sexstrat.estimates.thin_cells import MINIMUM_VALIDATED

__all__ = ["LabelledMeans", "band_runs", "labelled_means"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMeans:
    """Mean value among labelled men and women, for each cell of the cohort; index 2 a + d.

    Parameters
    ----------
    window : which labelled cells each cell learns from, shape (2A, 2A).
    men, women : mean value, shape (2A,); NaN where nothing tells.
    men_weight, women_weight : sums of weights behind them.
    n_men, n_women : people behind them.
    steady : men, and women, all have the same value, so that their variance is not seen, shape (2, 2A).
    told : the means differ by more than chance explains.
    """

    window: NDArray[np.bool_]
    men: Array
    women: Array
    men_weight: Array
    women_weight: Array
    n_men: Array
    n_women: Array
    steady: NDArray[np.bool_]
    told: NDArray[np.bool_]

    @property
    def gap(self) -> Array:
        """Mean among men less that among women: what a correction divides by."""
        return self.men - self.women

    @property
    def pooled(self) -> NDArray[np.bool_]:
        """Tell which bands learn from other bands than their own."""
        size = self.window.shape[0] // 2
        own = np.repeat(np.eye(size, dtype=bool), 2, axis=1)
        borrowed = self.window.reshape(size, 2, -1) & ~own[:, None, :]
        return np.asarray(borrowed.any(axis=(1, 2)))


def band_runs(band: int, n_bands: int) -> list[NDArray[np.int64]]:
    """List ever wider runs of bands around one.

    Parameters
    ----------
    band : the one in the middle.
    n_bands : number of bands.

    Examples
    --------
    >>> [run.tolist() for run in band_runs(0, 3)]
    [[0], [0, 1], [0, 1, 2]]
    """
    return [np.arange(max(band - k, 0), min(band + k + 1, n_bands)) for k in range(n_bands)]


def _sums(labelled: CellArrays, value: Array, male: bool) -> Array:
    """Return by cell: people, weights, weighted values and squares, squared weights, and the range of values."""
    rows = labelled.validated & (labelled.n_eyes > 0) & (labelled.male == male)
    size, group = 2 * labelled.n_bands, labelled.group[rows]
    x, t = value[rows], labelled.w_over_r[rows]
    parts = (labelled.n[rows], t, t * x, t * x**2, labelled.w2_over_r2[rows])
    sums = [np.bincount(group, weights=part, minlength=size) for part in parts]
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, group, x)
    np.maximum.at(high, group, x)
    return np.array([*sums, low, high])


def _mean(sums: Array, window: NDArray[np.bool_]) -> tuple[float, float, float, float, bool]:
    """Return people, weight, mean, its variance, and whether all values are alike, over some cells."""
    n, t, tx, txx, tt = sums[:5, window].sum(axis=1)
    if n <= 0 or t <= 0:
        return 0.0, 0.0, np.nan, np.nan, True
    mean = tx / t
    low, high = sums[5, window].min(), sums[6, window].max()
    return n, t, mean, max(txx / t - mean**2, 0.0) * tt / t**2, bool(high - low < 1e-12)


def labelled_means(labelled: CellArrays, value: Array, *, by_disease: bool, level: float) -> LabelledMeans:
    """Return the mean of a value among labelled men and women of each cell.

    A cell learns from its own labelled people when at least 10 men and 10 women are labelled there and their means
    differ by more than the margin of error (and by more than 0.05); otherwise the run of bands around it grows until
    they do. A cell for which not even all bands do is not told.

    Parameters
    ----------
    labelled : people whose sex is known; weighted by w/r.
    value : of each row: predicted class, or mean score.
    by_disease : learn from those with the same disease state only.
    level : confidence level of the margin of error.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76.

    Examples
    --------
    80 % of the men and 20 % of the women of the worked example are called men, in every cell.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> found = labelled_means(arrays, arrays.predicted_male.astype(float), by_disease=True, level=0.95)
    >>> found.men.tolist(), found.women.tolist(), found.told.all(), found.pooled.any()
    ([0.8, 0.8, 0.8, 0.8], [0.2, 0.2, 0.2, 0.2], np.True_, np.False_)
    """
    size, z = 2 * labelled.n_bands, normal_quantile(level)
    both = _sums(labelled, value, male=True), _sums(labelled, value, male=False)
    windows, told = np.zeros((size, size), dtype=bool), np.zeros(size, dtype=bool)
    found = np.full((size, 2, 3), np.nan)
    steady = np.ones((2, size), dtype=bool)
    for cell in range(size):
        for run in band_runs(cell // 2, labelled.n_bands):
            window = np.zeros(size, dtype=bool)
            window[2 * run + cell % 2] = True
            if not by_disease:
                window[2 * run + 1 - cell % 2] = True
            (n1, t1, m1, v1, same1), (n0, t0, m0, v0, same0) = (_mean(sums, window) for sums in both)
            enough = min(n1, n0) >= MINIMUM_VALIDATED
            told[cell] = enough and m1 - m0 > max(z * np.sqrt(v1 + v0), SMALLEST_YOUDEN)
            if told[cell]:
                break
        windows[cell], steady[:, cell] = window, (same1, same0)
        found[cell] = (n1, t1, m1), (n0, t0, m0)
    (n_men, men_weight, men), (n_women, women_weight, women) = found.transpose(1, 2, 0)
    return LabelledMeans(
        window=windows,
        men=men,
        women=women,
        men_weight=men_weight,
        women_weight=women_weight,
        n_men=n_men,
        n_women=n_women,
        steady=steady,
        told=told,
    )
