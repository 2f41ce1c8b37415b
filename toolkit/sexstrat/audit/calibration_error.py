"""Expected calibration error, beside what it would be for perfectly calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
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
BLOCK = 4_096  # patients whose sums by bin stay in the processor's cache
BIASED = "biased upward: above 0 for perfect probabilities too, so it is never tested; a bootstrap shares the bias"


def _bins(prob: Floats) -> NDArray[np.int64]:
    return np.minimum((prob * BINS).astype(np.int64), BINS - 1)


def _by_patient(patients: Clusters, bins: NDArray[np.int64], values: Sequence[Floats]) -> Iterator[tuple[Floats, ...]]:
    """Yield the sums of each of the values by patient and bin, some patients at a time."""
    code = patients.code
    if np.any(np.diff(code) < 0):
        order = np.argsort(code, kind="stable")
        code, bins, values = code[order], bins[order], [one[order] for one in values]
    firsts = np.append(np.arange(0, patients.n, BLOCK), patients.n)
    for (first, last), (start, stop) in zip(pairwise(firsts), pairwise(np.searchsorted(code, firsts)), strict=True):
        place = (code[start:stop] - first) * BINS + bins[start:stop]
        shape = (int(last - first), BINS)
        yield tuple(
            np.bincount(place, weights=one[start:stop], minlength=shape[0] * BINS).astype(np.float64).reshape(shape)
            for one in values
        )


def expected_calibration_error(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    n: int = 2_000,
    seed: int = 1,
    sexes: tuple[int, int] | None = None,
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
    sexes : numbers of patients with images of men and of women, where known already.

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
    men, women = sexes or patients.sexes(y)
    counts: dict[str, Any] = {
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": men,
        "n_female": women,
    }
    if len(y) == 0:
        return Measurement(level=level, **counts, state="undefined", note="nobody in the denominator")
    bins, excess = _bins(prob), weights * (prob - y)
    point = float(np.abs(np.bincount(bins, weights=excess)).sum() / weights.sum())
    added = (np.column_stack([by_bin, of_patient @ np.ones(BINS)]) for by_bin, of_patient in
             _by_patient(patients, bins, (excess, weights)))  # fmt: skip
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
    variance = np.zeros(BINS)
    for units, of_men in _by_patient(patients, bins, (weights, weights * prob)):
        variance += np.einsum("pb,pb->b", of_men, units - of_men)
    n_images, most = np.bincount(bins, minlength=BINS), int(np.bincount(patients.code).max())
    rng, expected = np.random.default_rng(seed), 0.0
    for one in np.flatnonzero(n_images):
        there = np.flatnonzero(bins == one) if n_images[one] <= FEW_UNITS * most else None
        of_bin = None if there is None else patients.part(there)[0]
        if there is None or of_bin is None or of_bin.n > FEW_UNITS:
            expected += float(np.sqrt(2 / np.pi * variance[one]))
        else:
            expected += _mean_of_draws(of_bin, prob[there], weights[there], rng)
    return expected / float(weights.sum())


def _mean_of_draws(patients: Clusters, prob: Floats, weights: Floats, rng: np.random.Generator) -> float:
    """Return the mean size of the excess of a bin over draws of each patient's sex."""
    units = patients.total(weights)
    share = patients.total(weights * prob) / units
    share, units = np.column_stack([share, units])[in_own_order(np.column_stack([share, units]))].T
    drawn = rng.random((DRAWS, len(units))) < share
    return float(np.abs((drawn - share) @ units).mean())
