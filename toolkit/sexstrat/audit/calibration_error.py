"""Expected calibration error, beside what it would be for perfectly calibrated probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights
from sexstrat.audit.resampling import in_own_order, resampled_sums

__all__ = ["BIASED", "expected_calibration_error", "expected_if_calibrated"]

Floats = NDArray[np.float64]

BINS = 10  # of equal width, as in Guo et al. 2017
FEW_UNITS = 100  # patients of a bin up to whom their sexes are drawn rather than taken as normal
DRAWS = 1_000
BIASED = "biased upward: above 0 for perfect probabilities too, so it is never tested; a bootstrap shares the bias"


def _bins(prob: Floats) -> NDArray[np.int64]:
    return np.minimum((prob * BINS).astype(np.int64), BINS - 1)


def expected_calibration_error(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    n: int = 2_000,
    seed: int = 1,
) -> Measurement:
    """Estimate the expected calibration error in ten bins of equal width.

    Σ over bins of the share of images in the bin × |mean probability − share of men there|.

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    n, seed : number of bootstrap replicates, and their seed.

    Returns
    -------
    Measurement with percentiles of resampled patients and a note on the bias: it is above 0 for perfect probabilities
    too, see :func:`expected_if_calibrated`, and its interval does not claim to cover. State ``undefined`` without
    images.

    References
    ----------
    Naeini, Cooper & Hauskrecht 2015, AAAI 2901; Roelofs et al. 2022, AISTATS 4036 (the bias).

    Examples
    --------
    Half are given .2, of whom .2 are men; half .8, of whom .6 are men: .5 × .2.

    >>> prob, male = [0.2] * 5 + [0.8] * 5, [1, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    >>> round(expected_calibration_error(prob, male, range(10)).point, 6)
    0.1
    """
    y, prob = np.asarray(male, dtype=bool), np.asarray(prob_male, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    counts: dict[str, Any] = {
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": patients.having(y),
        "n_female": patients.having(~y),
    }
    if len(y) == 0:
        return Measurement(level=level, **counts, state="undefined", note="nobody in the denominator")
    place = patients.code * BINS + _bins(prob)
    excess = np.bincount(place, weights=weights * (prob - y), minlength=patients.n * BINS).reshape(-1, BINS)
    added = np.column_stack([excess, patients.total(weights)])
    point = float(np.abs(excess.sum(axis=0)).sum() / weights.sum())
    drawn = resampled_sums(added, n, np.random.default_rng(seed))
    replicates = np.abs(drawn[:, :BINS]).sum(axis=1) / drawn[:, BINS]
    low, high = np.quantile(replicates, [0.5 - level / 2, 0.5 + level / 2])
    if low == high:
        return Measurement(level=level, **counts, point=point, note=f"no spread among patients, no interval; {BIASED}")
    return Measurement(
        level=level,
        **counts,
        point=point,
        se=float(replicates.std(ddof=1)),
        low=min(float(low), point),
        high=max(float(high), point),
        note=BIASED,
    )


def expected_if_calibrated(
    prob_male: ArrayLike, cluster: ArrayLike | Clusters, *, weight: ArrayLike | None = None, seed: int = 1
) -> float:
    """Return the mean expected calibration error that perfectly calibrated probabilities would show here.

    Sexes are drawn from the probabilities, one sex for a patient's images of the same bin (their mean probability), the
    bins being independent. In bins of more than 100 patients the excess is taken as normal: mean √(2/π) times its
    standard deviation; in smaller ones the mean is that of 1,000 draws.

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    seed : seed of the draws.

    Returns
    -------
    Mean error, 0 only where every probability is 0 or 1; NaN without images.

    References
    ----------
    Vaicenavicius et al. 2019, AISTATS 3459 (consistency resampling); Bröcker & Smith 2007, Weather Forecast 22:651.

    Examples
    --------
    One person of probability ½ is always half wrong.

    >>> expected_if_calibrated([0.5], ["a"])
    0.5
    """
    prob = np.asarray(prob_male, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(prob))
    if len(prob) == 0:
        return float("nan")
    bins = _bins(prob)
    rng, expected = np.random.default_rng(seed), 0.0
    for one in range(BINS):
        there = np.flatnonzero(bins == one)
        code, found = pd.factorize(patients.code[there])
        units = np.bincount(code, weights=weights[there], minlength=len(found))
        share = np.bincount(code, weights=weights[there] * prob[there], minlength=len(found)) / units
        if len(units) > FEW_UNITS:
            expected += float(np.sqrt(2 / np.pi * np.sum(units**2 * share * (1 - share))))
        elif len(units):
            share, units = np.column_stack([share, units])[in_own_order(np.column_stack([share, units]))].T
            drawn = rng.random((DRAWS, len(units))) < share
            expected += float(np.abs((drawn - share) @ units).mean())
    return expected / float(weights.sum())
