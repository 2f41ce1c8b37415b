"""The fixed bins of logit(prob_male), equal at every hospital so that cells can be added up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FIXED_POINT", "LOGIT_CLIP", "LOGIT_WIDTH", "logit_bin", "logit_edges", "logit_midpoints"]

LOGIT_WIDTH = 0.1  # statistics: width of a bin
LOGIT_CLIP = 10.0  # statistics: logits are clipped at +-10
FIXED_POINT = 2**30  # sums of probabilities are integers in units of 2**-30, so bytes do not depend on thread order


def logit_edges(thresholds: Sequence[float] = (0.5,)) -> NDArray[np.float64]:
    """Return the bin edges: -10 to 10 in steps of 0.1, plus every declared threshold.

    Parameters
    ----------
    thresholds : classification thresholds on prob_male, each in (0, 1); 0.5 is an edge anyway.

    Returns
    -------
    Rising edges on the logit scale; bin k is [edge k, edge k+1), the last one closed.

    Examples
    --------
    >>> logit_edges().shape, float(logit_edges()[100])
    ((201,), 0.0)
    >>> logit_edges((0.6,)).shape
    (202,)
    """
    steps = round(LOGIT_CLIP / LOGIT_WIDTH)
    regular = np.arange(-steps, steps + 1) / round(1 / LOGIT_WIDTH)
    declared = [np.log(t / (1 - t)) for t in thresholds if 0 < t < 1]
    if len(declared) != len(thresholds):
        raise ValueError(f"thresholds must lie strictly between 0 and 1; found {list(thresholds)}")
    extra = [edge for edge in declared if np.min(np.abs(regular - edge)) > 1e-9 and abs(edge) < LOGIT_CLIP]
    return np.sort(np.concatenate([regular, np.asarray(extra, dtype=float)]))


def logit_bin(prob_male: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin index of each probability.

    Examples
    --------
    >>> logit_bin([0.5, 0.4999, 1.0], logit_edges()).tolist()
    [100, 99, 199]
    """
    p = np.clip(np.asarray(prob_male, dtype=float), 1e-9, 1 - 1e-9)
    logit = np.clip(np.log(p / (1 - p)), -LOGIT_CLIP, LOGIT_CLIP)
    index: NDArray[np.int64] = np.searchsorted(edges, logit, side="right").astype(np.int64) - 1
    return np.clip(index, 0, len(edges) - 2)


def logit_midpoints(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of each bin on the logit scale: the covariate of every recalibration.

    Examples
    --------
    >>> float(logit_midpoints(logit_edges())[100])
    0.05
    """
    return (edges[:-1] + edges[1:]) / 2
