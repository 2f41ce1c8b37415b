"""Patients of known sex by disease, recorded sex and predicted sex: all that the bias of a naive ratio depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["ErrorTable", "error_tables"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """Patients by disease (no, yes), recorded sex (women, men) and predicted sex (women, men).

    Parameters
    ----------
    patients : counts, shape (2, 2, 2).
    weight : sums of the patients' weights.
    squares : sums of their squared weights.

    Examples
    --------
    >>> one = np.ones((2, 2, 2))
    >>> ErrorTable(patients=one, weight=one, squares=one).recorded.tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """

    patients: Floats
    weight: Floats
    squares: Floats

    @property
    def recorded(self) -> Floats:
        """Patients by disease and recorded sex."""
        return np.asarray(self.patients.sum(axis=2))

    def __add__(self, other: ErrorTable) -> ErrorTable:
        """Return the table of both groups together."""
        return ErrorTable(
            patients=self.patients + other.patients,
            weight=self.weight + other.weight,
            squares=self.squares + other.squares,
        )


def error_tables(
    diseased: ArrayLike, male: ArrayLike, predicted_male: ArrayLike, band: ArrayLike, n_bands: int, *,
    patients: ArrayLike | None = None, weight: ArrayLike | None = None, squares: ArrayLike | None = None,
) -> tuple[ErrorTable, ...]:  # fmt: skip
    """Count patients of known sex with a score by age band, disease, recorded and predicted sex.

    Parameters
    ----------
    diseased, male, predicted_male : disease, recorded sex and predicted sex of each row.
    band : age band of each row, 0 to ``n_bands`` - 1; rows of band -1 are left out.
    n_bands : number of bands.
    patients : patients in each row; one when None.
    weight, squares : sums of weights and of squared weights of the row's patients; as many as patients when None.

    Returns
    -------
    One table a band.

    Raises
    ------
    EstimationError : weights without their squares, or the other way round.

    Examples
    --------
    >>> tables = error_tables([1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1], 2)
    >>> tables[0].patients[1].tolist(), tables[1].patients[0].tolist()
    ([[0.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]])
    """
    if (weight is None) != (squares is None):
        raise EstimationError("sums of weights and of squared weights go together; only one of them was given")
    codes = [np.asarray(one).astype(np.int64) for one in (band, diseased, male, predicted_male)]
    inside = codes[0] >= 0
    cell = np.zeros(int(inside.sum()), dtype=np.int64)
    for one in codes:
        cell = 2 * cell + one[inside]
    n = np.ones(len(inside)) if patients is None else np.asarray(patients, dtype=float)
    sums = [n if one is None else np.asarray(one, dtype=float) for one in (None, weight, squares)]
    counted = [
        np.bincount(cell, weights=one[inside], minlength=8 * n_bands).reshape(n_bands, 2, 2, 2).astype(float)
        for one in sums
    ]
    return tuple(ErrorTable(patients=a, weight=b, squares=c) for a, b, c in zip(*counted, strict=True))
