"""Difference between the AUCs of two scores of the same images, with the paired variance clustered by patient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.auc import MIN_PATIENTS, auc_influence
from sexstrat.audit.clusters import Clusters
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights

__all__ = ["auc_difference"]

Floats = NDArray[np.float64]

_SAME = "both scores order the images alike: the difference is 0 here, which tells nothing of its error"
_NO_VARIANCE = "no patient moves the difference more than another: it has no standard error"


def auc_difference(
    first: ArrayLike,
    second: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    min_patients: int = MIN_PATIENTS,
) -> Measurement:
    """Estimate AUC of the first score minus AUC of the second over the same images.

    The structural components of the two AUCs are subtracted image by image and summed by patient:
    S10/M + S01/N + 2·S11/(M·N) of the differences, so that what both scores get wrong together cancels. The interval
    is normal, on the difference itself.

    Parameters
    ----------
    first, second : the two scores of each image; only their order matters.
    male : whether the recorded sex is male (the positive class), else female.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    min_patients : smallest number of men, and of women, that defines the AUCs here; at least 2.

    Returns
    -------
    Measurement whose interval covers the difference in the population the patients are a sample of; state
    ``undefined`` with fewer than ``min_patients`` patients of either sex, and where the difference has no variance.

    References
    ----------
    DeLong et al. 1988, Biometrics 44:837; Obuchowski 1997, Biometrics 53:567, equation 7 (clustered).

    Examples
    --------
    The first score orders all four man-woman pairs rightly, the second three. The men's components differ by 0 and ½,
    the women's by ½ and 0: variance ⅛/2 + ⅛/2.

    >>> found = auc_difference([0.9, 0.8, 0.6, 0.1], [0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0], [1, 2, 3, 4], min_patients=2)
    >>> found.point, round(found.se, 4)
    (0.25, 0.3536)
    """
    if min_patients < 2:
        raise ValueError(f"min_patients must be at least 2; found {min_patients}")
    scores = [np.asarray(score, dtype=float) for score in (first, second)]
    is_male = np.asarray(male, dtype=bool)
    if {len(score) for score in scores} != {len(is_male)}:
        raise ValueError(f"both scores need one value for each of {len(is_male)} images")
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(is_male))
    men, women = patients.having(is_male), patients.having(~is_male)
    counts: dict[str, Any] = {"n_images": len(is_male), "n_patients": patients.n, "n_male": men, "n_female": women}
    if min(men, women) < min_patients:
        short = " and ".join(name for name, n in (("men", men), ("women", women)) if n < min_patients)
        note = f"fewer than {min_patients} {short} in the denominator"
        return Measurement(level=level, **counts, state="undefined", note=note)
    (auc, excess), (other, other_excess) = (auc_influence(score, is_male, weights) for score in scores)
    moved = excess - other_excess
    variance = _variance(moved, is_male, patients)
    if not variance > 1e-15:  # components are sums of at most a few thousand shares: below this all is rounding
        note = _SAME if bool(np.all(np.abs(moved) < 1e-12)) else _NO_VARIANCE
        return Measurement(level=level, **counts, state="undefined", note=note)
    point, se = auc - other, float(np.sqrt(variance))
    half = normal_quantile(level) * se
    low, high = max(-1.0, point - half), min(1.0, point + half)
    return Measurement(level=level, **counts, point=point, se=se, low=low, high=high)


def _variance(excess: Floats, male: NDArray[np.bool_], patients: Clusters) -> float:
    """Return Obuchowski's variance from the weighted, centred components of each image."""
    n = patients.n
    sums = [patients.total(np.where(chosen, excess, 0.0)) for chosen in (male, ~male)]
    of_men, of_women = (number / (number - 1) for number in (patients.having(male), patients.having(~male)))
    men, women = sums
    own = of_men * float(men @ men) + of_women * float(women @ women)
    return own + 2 * n / (n - 1) * float(men @ women)
