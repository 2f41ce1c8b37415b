"""Bootstrap intervals corrected for bias and for a standard error that changes with the estimate (BCa)."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["acceleration", "bca_interval"]

Floats = NDArray[np.float64]


def acceleration(influence: ArrayLike, times: ArrayLike | None = None) -> float:
    """Return the acceleration of a bootstrap from the influence of each patient.

    Σ l³ / (6 (Σ l²)^1.5), l being the contributions of patients; 0 when none contributes.

    Parameters
    ----------
    influence : contribution of each patient to the estimate; they add up to 0.
    times : how many patients contribute just that; one when None.

    References
    ----------
    Efron 1987, JASA 82:171, equation 6.6; Efron & Tibshirani 1993, section 14.3 (with the jackknife in their place).

    Examples
    --------
    Contributions 2, −1, −1: 6 / (6 · 6^1.5).

    >>> round(acceleration([2.0, -1.0, -1.0]), 4)
    0.068
    """
    each = np.asarray(influence, dtype=float)
    square = each * each if times is None else each * each * np.asarray(times)
    squares = float(square.sum())
    return float(square @ each / (6 * squares**1.5)) if squares > 0 else 0.0


def bca_interval(
    point: float, replicates: ArrayLike, influence: ArrayLike, *, times: ArrayLike | None = None, level: float = 0.95
) -> Floats | None:
    """Return the BCa interval of an estimate.

    Quantiles Φ(z0 + (z0 ± z)/(1 − a(z0 ± z))) of the replicates, with z0 the normal quantile of the share of replicates
    below the estimate (equal ones counting half) and a the :func:`acceleration`.

    Parameters
    ----------
    point : the estimate.
    replicates : its bootstrap replicates; those that are NaN (undefined) are left out.
    influence : contribution of each patient to the estimate.
    times : how many patients contribute just that; one when None.
    level : confidence level.

    Returns
    -------
    Lower and upper limit; None when the replicates show no spread, more than one in twenty of them is undefined, or
    all lie on one side of the estimate, so that there is no interval.

    References
    ----------
    Efron 1987, JASA 82:171; Efron & Tibshirani 1993, An Introduction to the Bootstrap, equations 14.9-14.15.

    Examples
    --------
    Symmetric replicates and contributions give plain percentiles.

    >>> bca_interval(50.0, range(101), [1.0, -1.0], level=0.9).round(6).tolist()
    [5.0, 95.0]
    """
    drawn = np.asarray(replicates, dtype=float)
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < 0.95 * len(drawn) or len(defined) == 0 or np.ptp(defined) == 0:
        return None
    equal = np.isclose(defined, point, rtol=1e-9, atol=1e-12)
    below = float(np.mean((defined < point) & ~equal) + np.mean(equal) / 2)
    if not 0 < below < 1:
        return None
    normal = NormalDist()
    z0, a = normal.inv_cdf(below), acceleration(influence, times)
    z = z0 + normal.inv_cdf(0.5 + level / 2) * np.array([-1.0, 1.0])
    shares = [normal.cdf(z0 + one / (1 - a * one)) if a * one < 1 else float(one > 0) for one in z]
    return np.asarray(np.quantile(defined, shares), dtype=np.float64)
