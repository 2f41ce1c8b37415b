"""Calibration slope: whether probabilities of being male are too extreme or too timid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.calibration import clipped_logit
from sexstrat.audit.clusters import Clusters, cluster_variance
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights
from sexstrat.audit.weighted_logistic import weighted_logistic

__all__ = ["calibration_slope"]

Floats = NDArray[np.float64]

FEW_EVENTS = 50  # men or women below whom the note warns (audit metrics, calibration slope)


def calibration_slope(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    sexes: tuple[int, int] | None = None,
) -> Measurement:
    """Estimate b in logit P(male) = a + b · logit(prob_male) by maximum likelihood.

    1 is calibrated; below 1 the probabilities are too extreme, above 1 too timid; 0 when they tell nothing.

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1; its logit is clipped at ±10.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    sexes : numbers of patients with images of men and of women, where known already.

    Returns
    -------
    Measurement with a patient-clustered sandwich, G/(G − 1) of it, and a normal interval; its note warns below 50
    men or 50 women; state ``undefined`` when the
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
    weights = positive_weights(weight, len(y))
    men, women = sexes or patients.sexes(y)
    counts: dict[str, Any] = {
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": men,
        "n_female": women,
    }

    def undefined(note: str) -> Measurement:
        return Measurement(level=level, **counts, state="undefined", note=note)

    if y.all() or not y.any() or patients.n < 2:
        return undefined("one recorded sex only, or fewer than two patients: the slope is not defined")
    offset = clipped_logit(np.asarray(prob_male, dtype=float))
    if np.ptp(offset) < 1e-9:
        return undefined("all probabilities are equal: the slope is not defined")
    if _separated(offset, y):
        return undefined("the probabilities separate the sexes: the slope is infinite")
    design = np.stack([np.ones(len(y)), offset]).T
    fit = weighted_logistic(design, y.astype(float), weights)
    if fit is None:
        return undefined("the likelihood has no maximum that can be found")
    influence = (design @ fit.bread[1]) * weights * (y - fit.fitted)
    variance = cluster_variance(influence, patients)
    independent = len(y) / (len(y) - 1) * float(np.sum(influence**2))
    point, se = float(fit.coefficients[1]), float(np.sqrt(variance))
    half = normal_quantile(level) * se
    few = [noun for noun, n in (("men", counts["n_male"]), ("women", counts["n_female"])) if n < FEW_EVENTS]
    return Measurement(
        level=level,
        **counts,
        point=point,
        se=se,
        low=point - half,
        high=point + half,
        design_effect=variance / independent if independent > 0 else None,
        note=f"fewer than {FEW_EVENTS} {' and '.join(few)}: slope and interval are unstable" if few else "",
    )


def _separated(offset: Floats, male: NDArray[np.bool_]) -> bool:
    men, women = offset[male], offset[~male]
    return bool(men.min() >= women.max() or women.min() >= men.max())
