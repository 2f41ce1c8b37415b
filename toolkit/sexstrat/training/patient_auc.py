"""Combine a patient's photographs and measure how well the values rank men above women."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["area_under_curve", "patient_means"]


def area_under_curve(values: NDArray[np.float64], male: NDArray[np.float64]) -> float:
    """Return the probability that a man's value exceeds a woman's, ties counting one half.

    Parameters
    ----------
    values : one value a person or photograph, higher for male.
    male : 1 male, 0 female, same length.

    Returns
    -------
    Area under the ROC curve; nan when one sex is missing.

    Examples
    --------
    >>> area_under_curve(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0, 1, 1]))
    0.75
    """
    from scipy.stats import rankdata

    men, women = int((male == 1).sum()), int((male == 0).sum())
    if men == 0 or women == 0:
        return float("nan")
    ranks = rankdata(values)
    return float((ranks[male == 1].sum() - men * (men + 1) / 2) / (men * women))


def patient_means(
    values: NDArray[np.float64], patient_id: NDArray[np.str_]
) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.float64]]:
    """Average the values (logits) of each patient's photographs.

    Parameters
    ----------
    values : one logit a photograph.
    patient_id : whose photograph it is.

    Returns
    -------
    Patient ids, the row of each patient's first photograph, and the means, all in order of id.

    Examples
    --------
    >>> ids, first, means = patient_means(np.array([1.0, 3.0, -1.0]), np.array(["b", "b", "a"]))
    >>> ids.tolist(), first.tolist(), means.tolist()
    (['a', 'b'], [2, 0], [-1.0, 2.0])
    """
    ids, first, inverse = np.unique(patient_id, return_index=True, return_inverse=True)
    means = np.bincount(inverse, weights=values) / np.bincount(inverse)
    return ids, first.astype(np.int64), means
