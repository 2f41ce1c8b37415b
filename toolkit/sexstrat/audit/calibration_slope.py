"""Calibration slope: whether probabilities of being male are too extreme or too timid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.measurement import Measurement
from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["calibration_slope"]

Floats = NDArray[np.float64]

_STEPS = 100
_STEEPEST = 1e3  # a slope beyond this is on its way to infinity


def calibration_slope(
    prob_male: ArrayLike, male: ArrayLike, cluster: ArrayLike | Clusters, *, level: float = 0.95
) -> Measurement:
    """Estimate b in logit P(male) = a + b · logit(prob_male) by maximum likelihood.

    1 is calibrated; below 1 the probabilities are too extreme, above 1 too timid; 0 when they tell nothing.

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1; its logit is clipped at ±10.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    level : confidence level.

    Returns
    -------
    Measurement with a patient-clustered sandwich, G/(G − 1) of it, and a normal interval; state ``undefined`` when the
    images show one sex only, all probabilities are equal, the probabilities separate the sexes, or there are fewer
    than two patients.

    References
    ----------
    Cox 1958, Biometrika 45:562; Van Calster et al. 2016, J Clin Epidemiol 74:167; Liang & Zeger 1986, Biometrika 73:13.

    Examples
    --------
    At ¼ a third, at ¾ two thirds are men: the slope is log(4) / log(9).

    >>> found = calibration_slope([0.25] * 3 + [0.75] * 3, [1, 0, 0, 1, 1, 0], range(6))
    >>> round(found.point, 4), round(float(np.log(4) / np.log(9)), 4)
    (0.6309, 0.6309)
    """
    y = np.asarray(male, dtype=bool)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    counts: dict[str, Any] = {
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": patients.having(y),
        "n_female": patients.having(~y),
    }

    def undefined(note: str) -> Measurement:
        return Measurement(level=level, **counts, state="undefined", note=note)

    if y.all() or not y.any() or patients.n < 2:
        return undefined("one recorded sex only, or fewer than two patients: the slope is not defined")
    offset = np.clip(logit(np.asarray(prob_male, dtype=float)), -LOGIT_CLIP, LOGIT_CLIP)
    if np.ptp(offset) < 1e-9:
        return undefined("all probabilities are equal: the slope is not defined")
    if _separated(offset, y):
        return undefined("the probabilities separate the sexes: the slope is infinite")
    design = np.column_stack([np.ones(len(y)), offset])
    fitted = _fit(design, y.astype(float))
    if fitted is None:
        return undefined("the likelihood has no maximum that can be found")
    a_and_b, bread = fitted
    scores = design * (y - expit(design @ a_and_b))[:, None]
    sums = np.column_stack([patients.total(column) for column in scores.T])
    covariance = patients.n / (patients.n - 1) * bread @ (sums.T @ sums) @ bread
    point, se = float(a_and_b[1]), float(np.sqrt(covariance[1, 1]))
    half = normal_quantile(level) * se
    return Measurement(level=level, **counts, point=point, se=se, low=point - half, high=point + half)


def _separated(offset: Floats, male: NDArray[np.bool_]) -> bool:
    men, women = offset[male], offset[~male]
    return bool(men.min() >= women.max() or women.min() >= men.max())


def _fit(design: Floats, male: Floats) -> tuple[Floats, Floats] | None:
    """Return intercept and slope with the inverse information, by Newton steps halved until the likelihood rises."""
    found, best = np.zeros(2), _likelihood(design, male, np.zeros(2))
    for _ in range(_STEPS):
        p = expit(design @ found)
        bread = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
        step = bread @ design.T @ (male - p)
        while (reached := _likelihood(design, male, found + step)) < best - 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
        found, best = found + step, reached
        if np.abs(found).max() > _STEEPEST:
            return None
        if np.abs(step).max() < 1e-10:
            return found, bread
    return None


def _likelihood(design: Floats, male: Floats, values: Floats) -> float:
    linear = design @ values
    return float(male @ linear - np.logaddexp(0.0, linear).sum())
