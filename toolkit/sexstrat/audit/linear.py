"""Metrics that are functions of a few weighted sums: their values and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COUNTED",
    "LINEAR_METRICS",
    "LOSSES",
    "LOSS_METRICS",
    "SUMS",
    "linear_gradient",
    "linear_value",
    "ratio_parts",
]

Floats = NDArray[np.float64]

SUMS = ("men", "men_right", "women", "women_right", "squared_error", "log_loss", "listed", "ungradable")
"""The sums of a patient: weights of images of men and of women, of those called rightly, errors, listed images."""
COUNTED = [SUMS.index(name) for name in ("men", "men_right", "women", "women_right", "listed", "ungradable")]
"""Positions of the sums that are counts where every weight is 1."""
LOSSES = [SUMS.index(name) for name in ("squared_error", "log_loss")]
"""Positions of the sums in which every patient differs."""
LOSS_METRICS = frozenset({"brier", "scaled_brier", "log_loss"})
"""Metrics made of those."""


def _coefficients(**of: float) -> Floats:
    return np.array([of.get(name, 0.0) for name in SUMS])


_MEN, _MEN_RIGHT = _coefficients(men=1), _coefficients(men_right=1)
_WOMEN, _WOMEN_RIGHT = _coefficients(women=1), _coefficients(women_right=1)
_EVERYONE = _MEN + _WOMEN
_CALLED_MEN = _MEN_RIGHT + _WOMEN - _WOMEN_RIGHT
_CALLED_WOMEN = _EVERYONE - _CALLED_MEN

_RATIOS: Mapping[str, tuple[Floats, Floats]] = MappingProxyType(
    {
        "correct_among_men": (_MEN_RIGHT, _MEN),
        "correct_among_women": (_WOMEN_RIGHT, _WOMEN),
        "accuracy": (_MEN_RIGHT + _WOMEN_RIGHT, _EVERYONE),
        "correct_among_called_men": (_MEN_RIGHT, _CALLED_MEN),
        "correct_among_called_women": (_WOMEN_RIGHT, _CALLED_WOMEN),
        "f1": (2 * _MEN_RIGHT, _MEN + _CALLED_MEN),
        "predicted_male_share": (_CALLED_MEN, _EVERYONE),
        "observed_male_share": (_MEN, _EVERYONE),
        "predicted_minus_observed_male_share": (_CALLED_MEN - _MEN, _EVERYONE),
        "predicted_sex_ratio": (_CALLED_MEN, _CALLED_WOMEN),
        "brier": (_coefficients(squared_error=1), _EVERYONE),
        "log_loss": (_coefficients(log_loss=1), _EVERYONE),
        "ungradable": (_coefficients(ungradable=1), _coefficients(listed=1)),
    }
)

LINEAR_METRICS = (*_RATIOS, "balanced_accuracy", "log_predicted_observed_ratio", "scaled_brier")
"""Names of the metrics that follow from ``SUMS``."""


def ratio_parts(metric: str) -> tuple[Floats, Floats]:
    """Return the coefficients of the numerator and of the denominator of a metric that is one ratio of sums.

    Parameters
    ----------
    metric : such a name of ``LINEAR_METRICS``.

    Returns
    -------
    Two arrays of shape (8,), in the order of ``SUMS``.

    Raises
    ------
    ValueError : the metric is no ratio of sums.

    Examples
    --------
    >>> [part.tolist() for part in ratio_parts("ungradable")]
    [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]]
    """
    if metric not in _RATIOS:
        raise ValueError(f"metric {metric!r} is no ratio of sums; allowed: {', '.join(_RATIOS)}")
    return _RATIOS[metric]


def _ratio(metric: str, totals: Floats) -> tuple[Floats, Floats]:
    """Return a ratio of two linear combinations, and its gradient."""
    numerator, denominator = _RATIOS[metric]
    below = totals @ denominator
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(below > 0, totals @ numerator / below, np.nan)
        gradient = (numerator - value[..., None] * denominator) / below[..., None]
    return value, np.where(np.isnan(value)[..., None], np.nan, gradient)


def _balanced_accuracy(totals: Floats) -> tuple[Floats, Floats]:
    (men, men_gradient), (women, women_gradient) = (
        _ratio(name, totals) for name in ("correct_among_men", "correct_among_women")
    )
    return (men + women) / 2, (men_gradient + women_gradient) / 2


def _log_ratio(totals: Floats) -> tuple[Floats, Floats]:
    called, men = totals @ _CALLED_MEN, totals @ _MEN
    defined = (called > 0) & (men > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(defined, np.log(called) - np.log(men), np.nan)
        gradient = _CALLED_MEN / called[..., None] - _MEN / men[..., None]
    return value, np.where(defined[..., None], gradient, np.nan)


def _scaled_brier(totals: Floats) -> tuple[Floats, Floats]:
    brier, brier_gradient = _ratio("brier", totals)
    share, share_gradient = _ratio("observed_male_share", totals)
    spread = share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(spread > 0, 1 - brier / spread, np.nan)
        slope = (brier * (1 - 2 * share) / spread**2)[..., None]
        gradient = slope * share_gradient - brier_gradient / spread[..., None]
    return value, np.where(np.isnan(value)[..., None], np.nan, gradient)


def _both(metric: str, totals: Floats) -> tuple[Floats, Floats]:
    sums = np.asarray(totals, dtype=float)
    if metric in _RATIOS:
        return _ratio(metric, sums)
    other = {
        "balanced_accuracy": _balanced_accuracy,
        "log_predicted_observed_ratio": _log_ratio,
        "scaled_brier": _scaled_brier,
    }
    if metric not in other:
        raise ValueError(f"metric {metric!r} does not follow from sums; allowed: {', '.join(LINEAR_METRICS)}")
    return other[metric](sums)


def linear_value(metric: str, totals: Floats) -> Floats:
    """Return a metric from the sums over the patients of a group.

    With M and W the weights of images of men and of women and R, Q those called rightly, for instance: correct among
    men R/M; among those called men R/(R + W − Q); f1 2R/(M + R + W − Q), men being the positive class; balanced
    accuracy (R/M + Q/W)/2; predicted sex ratio (R + W − Q)/(M − R + Q); log predicted/observed ratio
    log((R + W − Q)/M); scaled Brier 1 − Brier/(s(1 − s)) with s = M/(M + W).

    Parameters
    ----------
    metric : a name of ``LINEAR_METRICS``.
    totals : the sums in the order of ``SUMS``, shape (..., 8).

    Returns
    -------
    The metric, shape (...); NaN where it is undefined (an empty denominator), never 0.

    Raises
    ------
    ValueError : the metric is not one of them.

    Examples
    --------
    Ten men of whom eight are called men and ten women of whom nine are called women.

    >>> totals = np.array([10.0, 8.0, 10.0, 9.0, 0.0, 0.0, 20.0, 0.0])
    >>> round(float(linear_value("f1", totals)), 4), round(float(linear_value("balanced_accuracy", totals)), 4)
    (0.8421, 0.85)
    """
    return _both(metric, totals)[0]


def linear_gradient(metric: str, totals: Floats) -> Floats:
    """Return the derivatives of a metric with respect to the sums.

    Parameters
    ----------
    metric : a name of ``LINEAR_METRICS``.
    totals : the sums in the order of ``SUMS``, shape (..., 8).

    Returns
    -------
    Derivatives, shape (..., 8); NaN where the metric is undefined.

    Raises
    ------
    ValueError : the metric is not one of them.

    Examples
    --------
    Correct among men is R/M, so its derivatives are −R/M² and 1/M.

    >>> totals = np.array([10.0, 8.0, 10.0, 9.0, 0.0, 0.0, 20.0, 0.0])
    >>> [round(float(one), 4) for one in linear_gradient("correct_among_men", totals)[:2]]
    [-0.08, 0.1]
    """
    return _both(metric, totals)[1]
