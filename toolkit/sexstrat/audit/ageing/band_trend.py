"""The Cochran-Armitage test of a trend over age bands, with patients as clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.proportion import positive_weights

__all__ = ["BandTrend", "band_trend"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BandTrend:
    """A linear trend of a share over ordered bands.

    Parameters
    ----------
    slope, se, low, high : change of the share for each unit of the band's value, by weighted least squares with the
        variance over patients; None when undefined.
    z, p_value : score statistic of no trend, two-sided; None when undefined.
    level : confidence level.
    n_patients : patients.
    state : ``measured`` or ``undefined``.
    note : the reason.

    Examples
    --------
    >>> BandTrend(level=0.95, n_patients=3, state="undefined", note="one age band only").z is None
    True
    """

    level: float
    n_patients: int
    slope: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    z: float | None = None
    p_value: float | None = None
    state: str = "measured"
    note: str = ""


def band_trend(
    value: ArrayLike,
    success: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
) -> BandTrend:
    """Test and estimate a linear trend of a share over bands.

    Score U = sum of w (x - mean x)(y - mean y); its variance under no trend is the sum over patients of their squared
    parts of U. With one image a patient the statistic is Cochran and Armitage's up to the estimate of that variance,
    which here does not take images as independent.

    Parameters
    ----------
    value : value of the band of each image, for instance its middle age in decades.
    success : 0 or 1 for each image.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.

    Returns
    -------
    The trend; its interval covers the slope of the best straight line through the shares.

    References
    ----------
    Armitage P. Biometrics 1955;11:375-386; Boos DD. On generalized score tests. Am Stat 1992;46:327-333, equation 10.

    Examples
    --------
    Shares of 1/4 and 3/4 in two bands of four patients: U = 1, with a variance of eight times .25 squared.

    >>> trend = band_trend([0, 0, 0, 0, 1, 1, 1, 1], [1, 0, 0, 0, 1, 1, 1, 0], range(8))
    >>> trend.slope, round(trend.z, 4)
    (0.5, 1.4142)
    """
    x, y = np.asarray(value, dtype=float), np.asarray(success, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    w = positive_weights(weight, len(y))
    if len(y) == 0 or np.ptp(x) == 0 or np.ptp(y) == 0:
        why = "nobody in the bands" if len(y) == 0 else "all images agree" if np.ptp(x) else "one age band only"
        return BandTrend(level=level, n_patients=patients.n, state="undefined", note=why)
    centred = x - w @ x / w.sum()
    apart = y - w @ y / w.sum()
    score, spread = float(w @ (centred * apart)), float(w @ centred**2)
    slope = score / spread
    under_none = float(np.sum(patients.total(w * centred * apart) ** 2))
    variance = float(np.sum(patients.total(w * centred * (apart - slope * centred)) ** 2)) / spread**2
    if under_none == 0 or variance == 0:
        return BandTrend(level=level, n_patients=patients.n, state="undefined", note="no spread among patients")
    z = score / np.sqrt(under_none)
    se = float(np.sqrt(variance * patients.n / max(patients.n - 2, 1)))
    reach = normal_quantile(level) * se
    return BandTrend(
        level=level,
        n_patients=patients.n,
        slope=slope,
        se=se,
        low=slope - reach,
        high=slope + reach,
        z=float(z),
        p_value=float(2 * norm.sf(abs(z))),
    )
