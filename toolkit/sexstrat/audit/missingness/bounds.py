"""A share of right calls when the images without a score are all wrong, and when they are all right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import clustered_proportion

__all__ = ["bounded"]

METHODS = ("scored_only", "all_wrong", "all_right")


def bounded(
    right: NDArray[np.bool_],
    scored: NDArray[np.bool_],
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, Measurement]:
    """Return the share of right calls among scored images, and its two bounds over all images.

    Whatever the missing calls would have been, the share over all images lies between the two. From the lower limit of
    the one to the upper limit of the other the interval covers it at the level at least.

    Parameters
    ----------
    right : whether each image was called rightly; not read where there is no score.
    scored : whether it has a score.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.

    Returns
    -------
    ``scored_only``, ``all_wrong`` and ``all_right``.

    References
    ----------
    Manski CF. Partial Identification of Probability Distributions. Springer 2003, section 1.2; Horowitz JL, Manski CF.
    J Am Stat Assoc 2000;95:77-84.

    Examples
    --------
    Six of eight scored images are right and two have no score: .75, between .6 and .8.

    >>> right = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    >>> found = bounded(right, np.arange(10) < 8, range(10))
    >>> [found[name].point for name in ("scored_only", "all_wrong", "all_right")]
    [0.75, 0.6, 0.8]
    """
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = np.ones(len(right)) if weight is None else np.asarray(weight, dtype=float)
    over_all: dict[str, Any] = {"weight": weights, "level": level}
    if scored.all():  # nothing is missing: the bounds are the share itself
        return dict.fromkeys(METHODS, clustered_proportion(right, patients, **over_all))
    return {
        "scored_only": clustered_proportion(
            right[scored], patients.within(scored), weight=weights[scored], level=level
        ),
        "all_wrong": clustered_proportion(right & scored, patients, **over_all),
        "all_right": clustered_proportion(right | ~scored, patients, **over_all),
    }
