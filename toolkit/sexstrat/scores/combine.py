"""Combine the images of a patient to one probability: the documented reference of the cohort's SQL."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["clipped_logit", "combine_eyes"]


def clipped_logit(prob_male: ArrayLike) -> NDArray[np.float64]:
    """Return logits of probabilities, between -10 and 10 so that a certain score stays a number.

    Parameters
    ----------
    prob_male : probabilities, 0 to 1; NaN stays NaN.

    Examples
    --------
    >>> clipped_logit([0.5, 1.0]).tolist()
    [0.0, 10.0]
    """
    p = np.asarray(prob_male, dtype=float)
    with np.errstate(divide="ignore"):
        logit: NDArray[np.float64] = np.log(p) - np.log1p(-p)
    return np.clip(logit, -LOGIT_CLIP, LOGIT_CLIP, dtype=np.float64)


def combine_eyes(
    prob_male: ArrayLike, eye: Sequence[str | None] | pd.Series, patient_id: Sequence[str] | pd.Series
) -> pd.DataFrame:
    """Combine image probabilities to one value a patient: the mean of logits over an eye's images, then over eyes.

    ``logit p = mean over eyes of (mean over images of clip(log(p / (1 - p)), -10, 10))``. Images without a known
    eye stand together for one more eye. A second photograph of the same eye therefore weighs less than a
    photograph of the other eye. The mean of two calibrated logits is under-confident (the right slope is
    2 / (1 + correlation of the eyes)); recalibration comes later, at patient level, with n_eyes in its model.

    Parameters
    ----------
    prob_male : estimated probability of male for each image, 0 to 1; NaN where there is no score.
    eye : R, L or missing for each image.
    patient_id : the person photographed, for each image; images that belong to nobody (missing) are left out.

    Returns
    -------
    One row a patient in the order of patient_id: ``patient_id``, ``prob_male`` (NaN when no image has a score) and
    ``n_eyes``, the number of eyes with a score, 0 to 2.

    Raises
    ------
    ValueError
        A probability lies outside 0 to 1, or the lengths differ.

    Examples
    --------
    Two photographs of the right eye (logits 1 and 3) and one of the left (logit 0): (2 + 0) / 2 = 1.

    >>> p = 1 / (1 + np.exp(-np.array([1.0, 3.0, 0.0])))
    >>> combine_eyes([*p, np.nan], ["R", "R", "L", "R"], ["a", "a", "a", "b"]).round(4)
      patient_id  prob_male  n_eyes
    0          a     0.7311       2
    1          b        NaN       0
    """
    p = np.asarray(prob_male, dtype=float)
    frame = pd.DataFrame({"patient_id": pd.Series(patient_id, dtype="str").to_numpy(), "p": p})
    frame["eye"] = pd.Series(eye, dtype="str").fillna("").to_numpy()
    outside = (p < 0) | (p > 1)
    if outside.any():
        raise ValueError(f"prob_male must lie between 0 and 1; found {p[outside.argmax()]:g}")
    frame = frame[frame["patient_id"].notna()]
    patients, names = pd.factorize(frame["patient_id"], sort=True)
    scored = frame["p"].notna().to_numpy()
    logit = clipped_logit(frame["p"].to_numpy()[scored])
    eye_number = frame["eye"].map({"R": 0, "L": 1}).fillna(2).to_numpy(dtype=np.int64)
    group = (patients * 3 + eye_number)[scored]
    images = np.bincount(group, minlength=3 * len(names)).reshape(-1, 3)
    sums = np.bincount(group, weights=logit, minlength=3 * len(names)).reshape(-1, 3)
    eyes = (images > 0).sum(axis=1)
    total = np.divide(sums, images, out=np.zeros_like(sums), where=images > 0).sum(axis=1)
    mean = np.divide(total, eyes, out=np.full(len(names), np.nan), where=eyes > 0)
    combined = 1 / (1 + np.exp(-mean))
    columns = {"patient_id": names, "prob_male": combined, "n_eyes": np.minimum(eyes, 2).astype(np.int64)}
    return pd.DataFrame(columns).astype({"patient_id": "str"})
