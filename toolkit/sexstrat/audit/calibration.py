"""Calibration-in-the-large: by how much the probabilities of being male are too low or too high on average."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from sexstrat.audit.clusters import Clusters, cluster_variance
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights
from sexstrat.audit.weighted_logistic import bin_means
from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["calibration_in_the_large", "clipped_logit", "intercept_influence"]

Floats = NDArray[np.float64]

MANY_IMAGES = 40_000  # from which a start is found from means of images alike
SMALL_STEP = 1e-7


def _intercept(offset: Floats, male: Floats, weight: Floats) -> float:
    """Solve Σ w·(male − expit(a + offset)) = 0 for a, from the solution for means of images alike."""
    start = 0.0
    if len(offset) > MANY_IMAGES:
        (of_offset, of_male), total = bin_means(offset, [offset, male], weight)
        start = _solved(of_offset, of_male, total, 0.0)
    return _solved(offset, male, weight, start)


def _solved(offset: Floats, male: Floats, weight: Floats, start: float) -> float:
    """Take Newton steps kept inside a shrinking bracket."""
    low, high, a = -60.0, 60.0, start
    for _ in range(200):
        fitted = expit(a + offset)
        score = float(weight @ (male - fitted))
        low, high = (a, high) if score > 0 else (low, a)
        information = float(weight @ (fitted * (1 - fitted)))
        step = a + score / information if information > 0 else np.inf
        following = step if low < step < high else (low + high) / 2
        # Newton's error is squared at each step: after one of this size it is far below rounding
        if abs(following - a) < 1e-11 or (following == step and abs(step - a) < SMALL_STEP):
            return following
        a = following
    return a


def clipped_logit(prob: Floats) -> Floats:
    """Return the logit of probabilities, clipped at ±10.

    Examples
    --------
    >>> clipped_logit(np.array([0.5, 1.0])).tolist()
    [0.0, 10.0]
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(prob) - np.log1p(-prob), -LOGIT_CLIP, LOGIT_CLIP), dtype=np.float64)


def intercept_influence(prob_male: Floats, male: NDArray[np.bool_], weight: Floats) -> tuple[float, Floats]:
    """Return the calibration intercept and the influence of each image on it; both sexes must be there.

    weight · (male − fitted) / Σ weight · fitted · (1 − fitted).

    Parameters
    ----------
    prob_male, male, weight : probability of each image, whether the recorded sex is male, weight above 0.

    Examples
    --------
    >>> a, each = intercept_influence(np.full(4, 0.5), np.array([True, True, False, False]), np.ones(4))
    >>> round(a, 6) + 0.0, each.round(6).tolist()
    (0.0, [0.5, 0.5, -0.5, -0.5])
    """
    offset = clipped_logit(prob_male)
    a = _intercept(offset, male.astype(float), weight)
    fitted = expit(a + offset)
    return a, weight * (male - fitted) / float(weight @ (fitted * (1 - fitted)))


def calibration_in_the_large(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    sexes: tuple[int, int] | None = None,
    influence: tuple[float, Floats] | None = None,
) -> Measurement:
    """Estimate the logistic intercept with logit(prob_male) as offset.

    logit P(male) = a + logit(prob_male). 0 is calibrated; above 0, there are more men than the probabilities say.

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1; its logit is clipped at ±10.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    sexes : numbers of patients with images of men and of women, where known already.
    influence : what :func:`intercept_influence` gave for the same images, where known already.

    Returns
    -------
    Measurement on the logit scale with a patient-clustered sandwich and a normal interval; state ``undefined`` when
    the images show one sex only (the intercept is then infinite) or fewer than two patients.

    References
    ----------
    Cox 1958, Biometrika 45:562; Van Calster et al. 2016, J Clin Epidemiol 74:167; Liang & Zeger 1986.

    Examples
    --------
    Three of four are men while every probability says one half: a = logit(0.75) = log 3.

    >>> result = calibration_in_the_large([0.5, 0.5, 0.5, 0.5], [1, 1, 1, 0], [1, 2, 3, 4])
    >>> round(result.point, 4), round(result.se, 4)
    (1.0986, 1.3333)
    """
    y = np.asarray(male, dtype=bool)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    men, women = sexes or patients.sexes(y)
    counts: dict[str, Any] = {
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": men,
        "n_female": women,
    }
    if y.all() or not y.any() or patients.n < 2:
        note = "one recorded sex only, or fewer than two patients: the intercept is not defined"
        return Measurement(level=level, **counts, state="undefined", note=note)
    a, each = influence or intercept_influence(np.asarray(prob_male, dtype=float), y, weights)
    variance = cluster_variance(each, patients)
    independent = len(y) / (len(y) - 1) * float(np.sum(each**2))
    se, z = float(np.sqrt(variance)), normal_quantile(level)
    return Measurement(
        level=level,
        **counts,
        point=a,
        se=se,
        low=a - z * se,
        high=a + z * se,
        design_effect=variance / independent if independent > 0 else None,
    )
