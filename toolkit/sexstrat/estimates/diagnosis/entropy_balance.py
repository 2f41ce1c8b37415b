"""Weights that give one group of people the average age, or other covariates, of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["entropy_balance"]

Array = NDArray[np.float64]

EXACT = 1e-7  # on each covariate's mean, in standard deviations
LARGEST_TILT = 60.0  # beyond it, in standard deviations, the search runs away from a target that cannot be reached
LEAST_EFFECTIVE = 0.1  # share of the effective number that must be left


def entropy_balance(covariates: Array, base: Array, target: Array) -> Array | None:
    """Return base weights times exp(tilt), so that the weighted means of the covariates equal the target.

    Among all weights that reach the target these lie closest to the base weights (Kullback-Leibler). They depend on
    covariates alone, so that what depends on nothing else, given sex, is left as it was.

    Parameters
    ----------
    covariates : one row a person or a group of equals, shape (rows, covariates).
    base : weight of each row, 0 or above, with a positive sum.
    target : means to reach, shape (covariates,).

    Returns
    -------
    Factors to multiply base weights by, shape (rows,), their base-weighted mean 1; None when no weights reach the
    target, or only with less than a tenth of the effective number: it lies outside, or on the edge of, these people.

    References
    ----------
    Hainmueller J. Polit Anal 2012;20:25-46 (equation 9).

    Examples
    --------
    Equally many aged 40 and 60 are to have a mean age of 55: three quarters of the weight goes to those of 60.

    >>> entropy_balance(np.array([[40.0], [60.0]]), np.array([10.0, 10.0]), np.array([55.0])).round(4).tolist()
    [0.5, 1.5]
    >>> entropy_balance(np.array([[40.0], [60.0]]), np.array([10.0, 10.0]), np.array([70.0])) is None
    True
    """
    share = base / base.sum()
    spread = np.sqrt(share @ (covariates - share @ covariates) ** 2)
    z = (covariates - target) / np.where(spread > 0, spread, 1.0)
    weighed = z[share > 0]
    if z.size and (weighed.min(axis=0).max() > EXACT or weighed.max(axis=0).min() < -EXACT):
        return None  # everybody lies on one side of the target, which no weights can then reach
    tilt = np.zeros(z.shape[1])
    for _ in range(60):
        line = z @ tilt
        factor = np.exp(line - line[share > 0].max())
        weight = share * factor
        weight = weight / weight.sum()
        miss = weight @ z
        if np.max(np.abs(miss), initial=0.0) < EXACT:
            left = (share @ factor) ** 2 / (share @ factor**2)
            return np.asarray(factor / (share @ factor)) if left >= LEAST_EFFECTIVE else None
        curvature = (z * weight[:, None]).T @ z - np.outer(miss, miss)
        step = np.linalg.lstsq(curvature, miss, rcond=1e-10)[0]
        step *= min(1.0, 2.0 / max(float(np.max(np.abs(z @ step))), 1e-12))
        tilt = tilt - step
        if np.max(np.abs(tilt)) > LARGEST_TILT:
            return None
    return None
