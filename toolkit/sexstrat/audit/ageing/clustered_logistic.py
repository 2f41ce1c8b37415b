"""Logistic regression of images with the variance of patients: the independence estimating equation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.proportion import positive_weights
from sexstrat.audit.weighted_logistic import weighted_logistic

__all__ = ["ClusteredFit", "clustered_logistic"]

Floats = NDArray[np.float64]

BLOCK = 10_000  # images whose columns stay in the processor's cache
_EXTREME = 1e-6  # a fitted share nearer to 0 or 1 than this, wherever images lie, is the sign of a separating age


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredFit:
    """A logistic fit, or the reason why there is none.

    Parameters
    ----------
    coefficients : log odds, shape (columns,); empty when undefined.
    covariance : sandwich over patients, without any correction for their number, shape (columns, columns).
    n_patients : patients in the fit.
    state : ``measured`` or ``undefined``.
    note : the reason.

    Examples
    --------
    >>> nothing = ClusteredFit(
    ...     coefficients=np.zeros(0), covariance=np.zeros((0, 0)), n_patients=0, state="undefined", note="nobody"
    ... )
    >>> nothing.state
    'undefined'
    """

    coefficients: Floats
    covariance: Floats
    n_patients: int
    state: str = "measured"
    note: str = ""

    @property
    def corrected(self) -> Floats:
        """Covariance times G / (G - columns), as intervals and tests use it with Student's law."""
        return self.covariance * (self.n_patients / self.df)

    @property
    def df(self) -> int:
        """Patients less columns."""
        return self.n_patients - len(self.coefficients)


def clustered_logistic(
    columns: ArrayLike, success: ArrayLike, cluster: ArrayLike | Clusters, *, weight: ArrayLike | None = None
) -> ClusteredFit:
    """Fit a logistic regression to images and give it the sandwich covariance over patients.

    Solves sum of w x (y - p) = 0; covariance A^-1 (sum over patients of u u') A^-1 with A = sum of w p (1 - p) x x' and
    u the patient's sum of w x (y - p). Right whatever the correlation of a patient's images, with many patients.

    Parameters
    ----------
    columns : the design with its column of ones, shape (n images, columns).
    success : 0 or 1 for each image.
    cluster : patient of each image.
    weight : weight of each image, above 0; equal when None.

    Returns
    -------
    The fit; ``undefined`` when the columns are dependent, there are no more patients than columns, or no finite
    coefficients fit (some combination of columns tells all successes from all failures).

    References
    ----------
    Liang KY, Zeger SL. Biometrika 1986;73:13-22, equation 5, with the identity as working correlation.

    Examples
    --------
    Two of three images succeed: the log odds of 2/3 is log 2.

    >>> fit = clustered_logistic(np.ones((3, 1)), [1, 1, 0], ["a", "b", "c"])
    >>> fit.coefficients.round(4).tolist(), fit.covariance.round(4).tolist()
    ([0.6931], [[1.5]])
    """
    x, y = np.asarray(columns, dtype=float), np.asarray(success, dtype=float)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    weights = positive_weights(weight, len(y))
    if patients.n <= x.shape[1]:
        return _none(patients, "no more patients than coefficients")
    if np.linalg.matrix_rank(_triangle(x)) < x.shape[1]:
        return _none(patients, "ages too alike for a curve")
    found = weighted_logistic(x, y, weights)
    share = found.fitted if found is not None else np.zeros(1)
    if found is None or share.min() < _EXTREME or share.max() > 1 - _EXTREME:
        return _none(patients, "no finite coefficients: somewhere every image is a success, or every image a failure")
    scores = x * (weights * (y - share))[:, None]
    by_patient = np.column_stack([patients.total(column) for column in scores.T])
    covariance = found.bread @ (by_patient.T @ by_patient) @ found.bread
    return ClusteredFit(coefficients=found.coefficients, covariance=covariance, n_patients=patients.n)


def _triangle(x: Floats) -> Floats:
    """Return the triangular factor of a long design, which has its rank, from those of its blocks."""
    return np.vstack([np.linalg.qr(x[start : start + BLOCK], mode="r") for start in range(0, len(x), BLOCK)])


def _none(patients: Clusters, why: str) -> ClusteredFit:
    return ClusteredFit(
        coefficients=np.zeros(0), covariance=np.zeros((0, 0)), n_patients=patients.n, state="undefined", note=why
    )
