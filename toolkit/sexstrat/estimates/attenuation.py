"""How much of a sex difference the naive estimators keep, when errors do not differ by disease."""

from __future__ import annotations

import numpy as np

from sexstrat.estimates.cell_arrays import CellArrays

__all__ = ["attenuation"]


def attenuation(arrays: CellArrays, *, threshold: bool) -> float:
    """Return the factor by which a naive analysis multiplies the difference between the sexes.

    (m1 - m0) P(1 - P) / (q (1 - q)): m1 and m0 the mean prediction of validated men and women, P the share of men and
    q the mean prediction. For the thresholded class it equals positive plus negative predictive value minus 1. It
    assumes that errors do not differ by disease; where they do the naive analysis may as well exaggerate.

    Parameters
    ----------
    arrays : the cells; validated patients with a score are used, weighted by 1 / r.
    threshold : predicted class at 0.5 rather than the score itself.

    Returns
    -------
    NaN when men or women, or variation of the prediction, are lacking among the validated.

    Examples
    --------
    The class is right in 80 %, and 6 of 11 are men: 0.6 x (30 / 121) / (0.5273 x 0.4727).

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> round(attenuation(worked_arrays(), threshold=True), 4)
    0.5968
    """
    rows = arrays.validated & (arrays.n_eyes > 0)
    weight, male = arrays.w_over_r[rows], arrays.male[rows]
    prediction = arrays.predicted_male[rows].astype(float) if threshold else arrays.mean_prob_male[rows]
    if weight.sum() <= 0 or (weight * male).sum() <= 0 or (weight * ~male).sum() <= 0:
        return float("nan")
    men = float(np.average(prediction, weights=weight * male))
    women = float(np.average(prediction, weights=weight * ~male))
    share = float(np.average(male, weights=weight))
    mean = share * men + (1 - share) * women
    return (men - women) * share * (1 - share) / (mean * (1 - mean)) if 0 < mean < 1 else float("nan")
