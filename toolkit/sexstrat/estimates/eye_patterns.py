"""How many eyes of a patient are graded and affected, as covariates of who is a man."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays

__all__ = ["graded_eyes_of", "pattern_columns"]

Array = NDArray[np.float64]


def graded_eyes_of(arrays: CellArrays) -> Array:
    """Return the graded eyes without and with the disease of a patient of each row, shape (rows, 2).

    Parameters
    ----------
    arrays : the cells.

    Raises
    ------
    EstimationError : the condition is about the person.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> graded_eyes_of(worked_arrays())
    Traceback (most recent call last):
    sexstrat.errors.EstimationError: the condition is recorded about the person, so that no eyes can be counted
    """
    if arrays.eyes is None:
        raise EstimationError("the condition is recorded about the person, so that no eyes can be counted")
    return arrays.eyes


def pattern_columns(arrays: CellArrays, score: Array) -> dict[str, Array]:
    """Return what makes a model of sex congenial with estimates about eyes: one eye graded, and both eyes affected.

    With disease itself these tell all five patterns (0 or 1 of 1; 0, 1 or 2 of 2) apart; the slope of the score may
    differ by them, as the score may see an affected eye.

    Parameters
    ----------
    arrays : the cells.
    score : logit p of each row as the model has it.

    Examples
    --------
    One eye graded and affected; two graded and both affected.

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> first = arrays.chosen(np.flatnonzero(arrays.diseased)[:2])
    >>> found = pattern_columns(replace(first, eyes=np.array([[0.0, 1.0], [0.0, 2.0]])), np.array([3.0, 4.0]))
    >>> found["one_graded_x_diseased"].tolist(), found["both_affected_x_logit_p"].tolist()
    ([1.0, 0.0], [0.0, 4.0])
    """
    eyes = graded_eyes_of(arrays)
    one = (eyes.sum(axis=1) == 1).astype(float)
    both = (eyes[:, 1] == 2).astype(float)
    return {
        "one_graded": one,
        "both_affected": both,
        "one_graded_x_diseased": one * arrays.diseased,
        "one_graded_x_logit_p": one * score,
        "both_affected_x_logit_p": both * score,
    }
