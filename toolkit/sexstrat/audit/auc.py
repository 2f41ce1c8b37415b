"""Area under the ROC curve for the probability of being male, with DeLong's and Obuchowski's variances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.interval import normal_quantile, wilson_interval
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights

__all__ = ["MIN_PATIENTS", "auc_clustered", "auc_influence", "delong"]

MIN_PATIENTS = 10  # of each sex: below it neither variance nor logit interval can be trusted (audit metrics, AUC)

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def _placements(score: Floats, male: NDArray[np.bool_], weight: Floats, by_score: Places | None) -> Floats:
    """Return for each image the weighted share of the other sex that it is ranked on the right side of."""
    order = np.argsort(score, kind="stable") if by_score is None else by_score
    is_man, each = male[order], weight[order]
    women, men = np.where(is_man, 0.0, each), np.where(is_man, each, 0.0)
    rises = np.diff(score[order]) > 0
    rank = None if rises.all() else np.append(0, np.cumsum(rises))
    if rank is not None:
        women, men = np.bincount(rank, weights=women), np.bincount(rank, weights=men)
    women_below = (np.cumsum(women) - women / 2) / women.sum()
    men_above = 1 - (np.cumsum(men) - men / 2) / men.sum()
    if rank is not None:
        women_below, men_above = women_below[rank], men_above[rank]
    placed = np.empty(len(order))
    placed[order] = np.where(is_man, women_below, men_above)
    return placed


def auc_influence(
    score: Floats, male: NDArray[np.bool_], weight: Floats, by_score: Places | None = None
) -> tuple[float, Floats]:
    """Return the AUC and the influence of each image on it.

    weight · (placement − AUC) / weight of the image's sex; both sexes must be there.

    Parameters
    ----------
    score, male, weight : score of each image, whether the recorded sex is male, weight above 0.
    by_score : positions of the images in rising order of the score, where known already.

    References
    ----------
    Obuchowski 1997, Biometrics 53:567, equations 3-6.

    Examples
    --------
    >>> auc, each = auc_influence(np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False]), np.ones(4))
    >>> auc, each.tolist()
    (0.75, [0.125, -0.125, -0.125, 0.125])
    """
    placed = _placements(score, male, weight, by_score)
    auc = float(np.clip(np.average(placed[male], weights=weight[male]), 0, 1))
    men, women = float(weight @ male), float(weight @ ~male)
    return auc, weight * (placed - auc) * np.where(male, 1 / men, 1 / women)


def _variance(men: Floats, women: Floats, n_men: int, n_women: int, n: int) -> float:
    """Return S10/M + S01/N + 2·S11/(M·N) from the components of each sex, summed by patient."""
    of_men, of_women = n_men / (n_men - 1) * (men @ men), n_women / (n_women - 1) * (women @ women)
    return float(of_men + of_women + 2 * n / (n - 1) * (men @ women))


def auc_clustered(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    min_patients: int = MIN_PATIENTS,
    sexes: tuple[int, int] | None = None,
    influence: tuple[float, Floats] | None = None,
) -> Measurement:
    """Estimate the AUC over images with the variance for several images a patient.

    AUC = P(score of a man > score of a woman) + ½ P(equal), the Mann-Whitney statistic over images. Its structural
    components are summed by patient: S10/M + S01/N + 2·S11/(M·N). The interval is symmetric on the logit scale. At an
    AUC of 0 or 1, where the estimated variance is 0, the interval is Wilson's on the smaller number of patients, since
    var(AUC) ≤ AUC(1 − AUC)/min(men, women), and there is no standard error.

    Parameters
    ----------
    prob_male : score of each image; only its order matters.
    male : whether the recorded sex is male (the positive class), else female.
    cluster : patient of each image.
    weight : weight of each image, above 0 (weighted Mann-Whitney with linearised components); equal when None.
    level : confidence level.
    min_patients : smallest number of men, and of women, that defines the AUC here; at least 2.
    sexes : numbers of patients with images of men and of women, where known already.
    influence : what :func:`auc_influence` gave for the same images, where known already.

    Returns
    -------
    Measurement; state ``undefined`` with fewer than ``min_patients`` patients of either sex.

    References
    ----------
    Obuchowski 1997, Biometrics 53:567, equations 3-6; DeLong et al. 1988, Biometrics 44:837; Birnbaum & Klose 1957,
    Ann Math Stat 28:933 (bound of the variance).

    Examples
    --------
    Of the four man-woman pairs, three are in the right order.

    >>> result = auc_clustered([0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0], [1, 2, 3, 4], min_patients=2)
    >>> result.point, round(result.se, 4)
    (0.75, 0.3536)
    """
    if min_patients < 2:
        raise ValueError(f"min_patients must be at least 2; found {min_patients}")
    score, is_male = np.asarray(prob_male, dtype=float), np.asarray(male, dtype=bool)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(score))
    men, women = sexes or patients.sexes(is_male)
    counts: dict[str, Any] = {"n_images": len(score), "n_patients": patients.n, "n_male": men, "n_female": women}
    if min(men, women) < min_patients:
        short = " and ".join(name for name, n in (("men", men), ("women", women)) if n < min_patients)
        return Measurement(
            level=level, **counts, state="undefined", note=f"fewer than {min_patients} {short} in the denominator"
        )
    auc, excess = influence or auc_influence(score, is_male, weights)
    of_men, of_women = (np.where(chosen, excess, 0.0) for chosen in (is_male, ~is_male))
    variance = _variance(patients.total(of_men), patients.total(of_women), men, women, patients.n)
    n_men = int(np.count_nonzero(is_male))
    independent = _variance(of_men, of_women, n_men, len(score) - n_men, len(score))
    if variance <= 0 or auc in {0.0, 1.0}:
        low, high = wilson_interval(auc, min(men, women), level=level)
        note = "the sexes are separated: the interval is Wilson's on the smaller number of patients"
        return Measurement(level=level, **counts, point=auc, low=low, high=high, note=note)
    se = float(np.sqrt(variance))
    low, high = _logit_limits(auc, se, level)
    effect = variance / independent if independent > 0 else None
    return Measurement(level=level, **counts, point=auc, se=se, low=low, high=high, design_effect=effect)


def _logit_limits(auc: float, se: float, level: float) -> tuple[float, float]:
    centre, half = np.log(auc / (1 - auc)), normal_quantile(level) * se / (auc * (1 - auc))
    return float(1 / (1 + np.exp(-(centre - half)))), float(1 / (1 + np.exp(-(centre + half))))


def delong(prob_male: ArrayLike, male: ArrayLike, *, level: float = 0.95) -> Measurement:
    """Estimate the AUC when every patient has one image.

    The special case of :func:`auc_clustered` with as many patients as images, at least two of each sex.

    Parameters
    ----------
    prob_male : score of each patient.
    male : whether the recorded sex is male.
    level : confidence level.

    Returns
    -------
    Measurement with a logit-scale interval; state ``undefined`` with fewer than two of either sex.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837; in O(n log n) as Sun & Xu 2014, IEEE Signal Process Lett
    21:1389.

    Examples
    --------
    >>> delong([0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0]).point
    0.75
    """
    return auc_clustered(prob_male, male, np.arange(len(np.asarray(male))), level=level, min_patients=2)
