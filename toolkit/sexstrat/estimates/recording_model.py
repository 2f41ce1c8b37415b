"""Estimate how likely each patient's sex was to be recorded, where that depends on age, disease and score alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.recalibration import design_matrix, fit_logistic

__all__ = ["recording_probability", "with_estimated_recording"]

Array = NDArray[np.float64]

PRIOR_SD = 5.0  # normal priors that keep coefficients finite; with hundreds recorded they do not matter


def recording_probability(arrays: CellArrays) -> Array:
    """Return each row's probability that sex is recorded: logistic in score, eyes, disease, age and site.

    Recorded sex itself is not in the model: where recording depends on it beyond these, no data on R can tell.

    Parameters
    ----------
    arrays : the cells.

    Returns
    -------
    Probability of every row, shape (rows,), between 0 and 1.

    Raises
    ------
    EstimationError : nobody, or everybody, has recorded sex, or the fit does not settle.

    References
    ----------
    Robins JM, Rotnitzky A, Zhao LP. JASA 1994;89:846-866.

    Examples
    --------
    In the worked example every second patient is recorded, whatever the score, disease and age.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> r = recording_probability(worked_arrays())
    >>> bool((abs(r - 0.5) < 1e-6).all())
    True
    """
    if arrays.validated.all() or not arrays.validated.any():
        share = "everybody's" if arrays.validated.any() else "nobody's"
        raise EstimationError(f"{share} sex is recorded, so that a probability of being recorded cannot be estimated")
    design, names = design_matrix(arrays)
    precision = np.array([0.0 if name == "intercept" else PRIOR_SD**-2 for name in names]) + 1e-9
    beta, _ = fit_logistic(design, np.where(arrays.validated, arrays.n, 0.0), arrays.n, precision)
    return np.asarray(expit(design @ beta))


def with_estimated_recording(arrays: CellArrays) -> CellArrays:
    """Return the cells with weights over the estimated probability of being recorded.

    AIPW with these weights is right when either this model or the recalibration is (doubly robust). Taking the
    estimated probability as known makes intervals no narrower than they should be. Where everybody is recorded the
    probability is 1 and nothing is estimated.

    Parameters
    ----------
    arrays : the cells.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> bool(np.allclose(with_estimated_recording(arrays).w_over_r, arrays.w_over_r))
    True
    """
    rows = arrays.validated
    r = np.ones(rows.size) if rows.size and rows.all() else recording_probability(arrays)
    return replace(
        arrays,
        w_over_r=np.where(rows, arrays.w / r, 0.0),
        w2_over_r=np.where(rows, arrays.w2 / r, 0.0),
        w2_over_r2=np.where(rows, arrays.w2 / r**2, 0.0),
    )
