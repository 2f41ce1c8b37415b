"""Clustered covariances of a metric over groups from the patients' contributions to each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

__all__ = ["Contributions", "group_covariance"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """What the patients of one group contribute to the group's metric.

    Parameters
    ----------
    patient : index of each, among all patients, in rising order.
    values : linearised contribution of each; they add up to 0.

    Examples
    --------
    >>> Contributions(patient=np.array([0, 3]), values=np.array([0.1, -0.1])).scaled.round(4).tolist()
    [0.1414, -0.1414]
    """

    patient: NDArray[np.intp]
    values: Floats

    @property
    def scaled(self) -> Floats:
        """Return the contributions times √(G/(G − 1)) for G patients; NaN where there is one patient only."""
        n = len(self.patient)
        return self.values * (np.sqrt(n / (n - 1)) if n > 1 else np.nan)


def group_covariance(groups: Sequence[Contributions | None], everyone: Contributions | None, n_patients: int) -> Floats:
    """Return the patient-clustered covariance of a metric over the groups and, last, all images.

    Σ over patients of the products of contributions, times √(G/(G − 1)) of each side.

    Parameters
    ----------
    groups : contributions to each group; None where the metric is undefined.
    everyone : contributions to all images together.
    n_patients : number of patients.

    Returns
    -------
    Shape (groups + 1, groups + 1); NaN where undefined.

    Examples
    --------
    Two patients are all there is: the group is everyone.

    >>> two = Contributions(patient=np.array([0, 1]), values=np.array([0.25, -0.25]))
    >>> group_covariance([two, None], two, 2).round(4).tolist()
    [[0.25, nan, 0.25], [nan, nan, nan], [0.25, nan, 0.25]]
    """
    columns = [*groups, everyone]
    defined = [one for one in columns if one is not None]
    result = np.full((len(columns), len(columns)), np.nan)
    if defined:
        ends = np.cumsum([0, *(len(one.patient) for one in defined)])
        wide = csc_matrix(
            (
                np.concatenate([one.scaled for one in defined]),
                np.concatenate([one.patient for one in defined]),
                ends,
            ),
            shape=(n_patients, len(defined)),
        )
        places = [place for place, one in enumerate(columns) if one is not None]
        result[np.ix_(places, places)] = (wide.T @ wide).toarray()
    return result
