"""Prediction-powered mean: a few labels, many predictions, honest interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.share_of_men import normal_quantile

__all__ = ["PredictionPoweredMean", "ppi_mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionPoweredMean:
    """A prediction-powered mean.

    Parameters
    ----------
    point, se, low, high : the mean, its standard error and two-sided interval.
    level : confidence level of the interval.
    n_labelled, n_unlabelled : units of each kind.
    power : lambda, how much of the prediction is used, 0 (labels alone) to 1.
    """

    point: float
    se: float
    low: float
    high: float
    level: float
    n_labelled: int
    n_unlabelled: int
    power: float


def ppi_mean(
    labels: ArrayLike,
    predictions_labelled: ArrayLike,
    predictions_unlabelled: ArrayLike,
    *,
    power: float | None = None,
    level: float = 0.95,
) -> PredictionPoweredMean:
    """Return the PPI++ mean: lambda mean_U(p) + mean_L(y - lambda p).

    lambda = Cov_L(y, p) / ((1 + n/N) Var(p)), cut to 0 to 1; variance lambda^2 Var_U(p)/N + Var_L(y - lambda p)/n.
    Labelled units must be a random sample of the same population as the unlabelled ones; the prediction may be
    arbitrarily wrong.

    Parameters
    ----------
    labels : y of the n labelled units.
    predictions_labelled, predictions_unlabelled : predictions p of the n labelled and N unlabelled units.
    power : lambda, or None to choose it from the data.
    level : confidence level of the two-sided interval.

    Raises
    ------
    EstimationError : fewer than two units of a kind, unequal lengths, a missing value, a level outside 0 to 1, or no
        variation at all.

    References
    ----------
    Angelopoulos AN, Duchi JC, Zrnic T. PPI++. arXiv 2311.01453 (2023).

    Examples
    --------
    With lambda 0 it is the mean of the labels, with its usual standard error:

    >>> one = ppi_mean([0, 1, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1], power=0.0)
    >>> one.point, round(one.se, 4)
    (0.75, 0.25)

    With lambda 1 the predictions' mean, 0.5, moves by the mean error, 0.25:

    >>> ppi_mean([0, 1, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1], power=1.0).point
    0.75
    """
    y, p, u = (np.asarray(values, dtype=float) for values in (labels, predictions_labelled, predictions_unlabelled))
    if y.ndim != 1 or y.shape != p.shape or y.size < 2 or u.ndim != 1 or u.size < 2:
        raise EstimationError(
            f"need at least 2 labels, as many predictions for them, and 2 unlabelled predictions; found shapes "
            f"{y.shape}, {p.shape}, {u.shape}"
        )
    for values, what in ((y, "labels"), (p, "predictions of the labelled"), (u, "predictions of the unlabelled")):
        if not np.isfinite(values).all():
            raise EstimationError(
                f"every value must be finite; found {values[~np.isfinite(values)][0]} among the {what}"
            )
    z = normal_quantile(level)
    n, big = y.size, u.size
    if power is None:
        spread = float(np.var(np.concatenate([p, u]), ddof=1))
        covariance = float(np.cov(y, p, ddof=1)[0, 1])
        power = 0.0 if spread == 0 else float(np.clip(covariance / ((1 + n / big) * spread), 0.0, 1.0))
    point = power * u.mean() + (y - power * p).mean()
    variance = power**2 * u.var(ddof=1) / big + (y - power * p).var(ddof=1) / n
    se = float(np.sqrt(variance))
    if not se > 0:
        raise EstimationError("labels and predictions do not vary, so no interval can be given; label more units")
    return PredictionPoweredMean(
        point=float(point),
        se=se,
        low=float(point - z * se),
        high=float(point + z * se),
        level=level,
        n_labelled=n,
        n_unlabelled=big,
        power=power,
    )
