"""Distance between probabilities of being male and a smooth calibration curve: ICI, E50 and E90."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from sexstrat.audit.ageing.splines import spline_columns
from sexstrat.audit.calibration import clipped_logit
from sexstrat.audit.calibration_error import BIASED
from sexstrat.audit.clusters import Clusters
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import positive_weights
from sexstrat.audit.resampling import resampled_sums
from sexstrat.audit.weighted_logistic import weighted_logistic

__all__ = ["CURVE_METRICS", "calibration_distances"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

CURVE_METRICS = ("ici", "e50", "e90")
KNOT_SHARES = (0.05, 0.35, 0.65, 0.95)  # Harrell 2015, table 2.3, four knots
MOST_POINTS = 200  # points of the curve at which replicates are evaluated, quantiles of the probabilities


def calibration_distances(
    prob_male: ArrayLike,
    male: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    weight: ArrayLike | None = None,
    level: float = 0.95,
    n: int = 2_000,
    seed: int = 1,
    sexes: tuple[int, int] | None = None,
    by_score: Places | None = None,
) -> dict[str, Measurement]:
    """Estimate the mean (ICI), median (E50) and 90th percentile (E90) of |probability − calibrated probability|.

    The calibrated probability comes from a logistic regression of sex on a restricted cubic spline of logit p with
    knots at its 5th, 35th, 65th and 95th percentile (a straight line where these coincide).

    Parameters
    ----------
    prob_male : probability of each image, 0 to 1; its logit is clipped at ±10.
    male : whether the recorded sex is male.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.
    level : confidence level.
    n, seed : number of bootstrap replicates, and their seed.
    sexes : numbers of patients with images of men and of women, where known already.
    by_score : positions of the images in rising order of the probability, where known already.

    Returns
    -------
    Measurements by name. Limits are percentiles over resampled patients, each refitted by one Newton step from the fit,
    on the images' own probabilities; they carry the upward bias of the estimate, and a note says so. State
    ``undefined`` when the images show one sex only, the probabilities separate the sexes, or there are fewer than two
    patients.

    References
    ----------
    Austin & Steyerberg 2019, Stat Med 38:4051 (with a spline for loess); Harrell 2015, section 2.4.5; Moulton & Zeger
    1991, Biometrics 47:381 (one-step bootstrap).

    Examples
    --------
    Every probability is ½ while three of four are men: the distance is ¼ everywhere.

    >>> found = calibration_distances([0.5] * 40, [1, 1, 1, 0] * 10, range(40))
    >>> [round(found[name].point, 4) for name in ("ici", "e50", "e90")]
    [0.25, 0.25, 0.25]
    """
    y, prob = np.asarray(male, dtype=bool), np.asarray(prob_male, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    men, women = sexes or patients.sexes(y)
    counts: dict[str, Any] = {
        "level": level,
        "n_images": len(y),
        "n_patients": patients.n,
        "n_male": men,
        "n_female": women,
    }
    if y.all() or not y.any() or patients.n < 2:
        note = "one recorded sex only, or fewer than two patients: there is no calibration curve"
        return dict.fromkeys(CURVE_METRICS, Measurement(**counts, state="undefined", note=note))
    order = np.argsort(prob, kind="stable") if by_score is None else by_score
    basis = _basis(clipped_logit(prob), weights, order)
    fit = weighted_logistic(basis, y.astype(float), weights)
    if fit is None:
        note = "the probabilities separate the sexes: there is no calibration curve"
        return dict.fromkeys(CURVE_METRICS, Measurement(**counts, state="undefined", note=note))
    points = _distances(np.abs(prob - fit.fitted)[None, :], weights)[:, 0]
    scores = basis * (weights * (y - fit.fitted))[:, None]
    by_patient = np.column_stack([patients.total(column) for column in scores.T])
    steps = resampled_sums(by_patient, n, np.random.default_rng(seed)) @ fit.bread
    drawn = _replicates(basis, prob, weights, fit.coefficients + steps, order)
    return {name: _measured(counts, float(points[k]), drawn[k]) for k, name in enumerate(CURVE_METRICS)}


def _measured(counts: dict[str, Any], point: float, drawn: Floats) -> Measurement:
    low, high = np.quantile(drawn, [0.5 - counts["level"] / 2, 0.5 + counts["level"] / 2])
    se = float(drawn.std(ddof=1))
    return Measurement(
        **counts, point=point, se=se or None, low=min(float(low), point), high=max(float(high), point), note=BIASED
    )


def _basis(x: Floats, weights: Floats, order: Places) -> Floats:
    """Return the spline columns of logit p, or as many of them as the probabilities can tell apart."""
    knots = np.unique(x[order[_places(weights, order, np.array(KNOT_SHARES))]])
    distinct = len(np.unique(x[order[:: max(1, len(x) // 10_000)]]))
    if distinct < 2:
        return np.ones((len(x), 1))
    if len(knots) < 3 or distinct < 4:
        return np.column_stack([np.ones(len(x)), x])
    return np.asarray(spline_columns(x, knots))


def _places(weights: Floats, order: Places, shares: Floats) -> Places:
    """Return the first places in the order up to which the images have at least the given shares of the weight."""
    n = len(order)
    if np.all(weights == 1):
        near = np.ceil(shares * n).astype(np.intp) - 1
        around = np.clip(near[:, None] + np.arange(-1, 2), 0, n - 1)  # rounding may have missed it by one
        return np.asarray(around[np.arange(len(shares)), np.argmax((around + 1) / n >= shares[:, None], axis=1)])
    share = np.cumsum(weights[order]) / weights.sum()
    return np.minimum(np.searchsorted(share, shares), n - 1)


def _distances(away: Floats, weights: Floats) -> Floats:
    """Return weighted mean, median and 90th percentile of each row, shape (3, rows)."""
    found = [away @ weights / weights.sum()]
    if np.all(weights == weights[0]):
        places = [int(np.ceil(wanted * away.shape[1] - 1e-9)) - 1 for wanted in (0.5, 0.9)]
        ordered = np.partition(away, places, axis=1)
        return np.asarray([*found, *(ordered[:, place] for place in places)], dtype=np.float64)
    order = np.argsort(away, axis=1)
    share = np.cumsum(weights[order], axis=1) / weights.sum()
    for wanted in (0.5, 0.9):
        place = np.argmax(share >= wanted - 1e-9, axis=1)
        found.append(np.take_along_axis(away, np.take_along_axis(order, place[:, None], axis=1), axis=1)[:, 0])
    return np.asarray(found, dtype=np.float64)


def _replicates(basis: Floats, prob: Floats, weights: Floats, coefficients: Floats, order: Places) -> Floats:
    """Return replicated distances, shape (3, replicates), from the coefficients of each."""
    of_points = weights[order[:MOST_POINTS]]
    if len(order) > MOST_POINTS:
        order = order[_places(weights, order, (np.arange(MOST_POINTS) + 0.5) / MOST_POINTS)]
        of_points = np.ones(MOST_POINTS)
    curves = expit(coefficients @ basis[order].T)
    return _distances(np.abs(prob[order] - curves), of_points)
