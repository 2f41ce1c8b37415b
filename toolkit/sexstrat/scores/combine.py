"""Combine the images of a patient to one probability: the documented reference of the cohort's SQL."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import StudyError
from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["clipped_logit", "combine_eyes", "patient_scores"]


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
    return np.asarray(np.clip(logit, -LOGIT_CLIP, LOGIT_CLIP), dtype=np.float64)


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
    names, images, sums = _by_eye(_logits(np.asarray(prob_male, dtype=float)), eye, patient_id)
    mean, eyes = _mean_of_eyes(images, sums)
    columns = {"patient_id": names, "prob_male": 1 / (1 + np.exp(-mean)), "n_eyes": eyes}
    return pd.DataFrame(columns).astype({"patient_id": "str"})


def patient_scores(scores: pd.DataFrame, *, accept_inferred_eye: bool = False) -> pd.DataFrame:
    """Combine a score table to one row a patient, by the rule of :func:`combine_eyes`.

    Parameters
    ----------
    scores : rows of the score contract, all of one model, or cross-fitted with one model a fold; rows without a
        patient belong to nobody and are left out. Of a model of age, years are averaged in place of logits.
    accept_inferred_eye : whether an eye that is known from the side of the optic disc alone (``eye_source`` is
        ``inferred``) counts as known, as a study must say too; else it is an eye that is not known.

    Returns
    -------
    Rows of the patient_score contract: ``patient_id``, the model, ``prob_male`` or ``predicted_age`` (empty when no
    image has one), ``n_eyes`` (0 to 2), ``n_images`` (images with a score), ``n_listed`` (all images) and
    ``eye_spread``, the absolute difference between the two eyes' mean logits or ages (empty unless both eyes have
    a score).

    Raises
    ------
    StudyError
        The table holds scores of several models other than one a fold, or names no patient.

    Examples
    --------
    Logits 1 and 3 of the right eye, 0 of the left: the mean is 1, the eyes are 2 apart.

    >>> p = 1 / (1 + np.exp(-np.array([1.0, 3.0, 0.0])))
    >>> table = pd.DataFrame({"patient_id": "a", "eye": ["R", "R", "L"], "prob_male": p, "status": "ok"})
    >>> row = patient_scores(table.assign(model_id="m", model_sha256="0" * 64)).iloc[0]
    >>> [round(float(row[name]), 4) for name in ("prob_male", "n_eyes", "n_images", "eye_spread")]
    [0.7311, 2.0, 3.0, 2.0]
    """
    owned = scores[scores["patient_id"].notna()]
    if owned.empty:
        raise StudyError("the scores name no patient; give patient_id in the list of images and score again")
    _check_models(owned)
    of_age = "predicted_age" in owned and owned["predicted_age"].notna().any()
    column = "predicted_age" if of_age else "prob_male"
    usable = owned[column].where(owned["status"] == "ok").to_numpy(dtype=float)
    eye = owned["eye"]
    if "eye_source" in owned and not accept_inferred_eye:
        eye = eye.mask(owned["eye_source"] == "inferred")
    names, images, sums = _by_eye(usable if of_age else _logits(usable), eye, owned["patient_id"])
    mean, eyes = _mean_of_eyes(images, sums)
    by_eye = np.divide(sums, images, out=np.full(sums.shape, np.nan), where=images > 0)
    persons = owned.groupby("patient_id", sort=True)
    order = pd.Index(names, dtype="str", name="patient_id")
    first = persons[["model_id", "model_sha256"]].first().reindex(order).reset_index()
    return first.assign(
        **{column: mean if of_age else 1 / (1 + np.exp(-mean))},
        n_eyes=eyes,
        n_images=images.sum(axis=1).astype(np.int64),
        n_listed=persons.size().reindex(order).to_numpy(),
        eye_spread=np.abs(by_eye[:, 0] - by_eye[:, 1]),
    )


def _check_models(owned: pd.DataFrame) -> None:
    models = owned[["model_id", "model_sha256"]].drop_duplicates()
    folds = owned[["fold", "model_id"]].drop_duplicates() if "fold" in owned else None
    cross_fitted = folds is not None and folds["fold"].notna().all() and folds["fold"].is_unique
    if len(models) > 1 and not cross_fitted:
        told = ", ".join(sorted(models["model_id"]))
        raise StudyError(f"the scores are of {len(models)} models ({told}); combine each model's table by itself")


def _logits(p: NDArray[np.float64]) -> NDArray[np.float64]:
    outside = (p < 0) | (p > 1)
    if outside.any():
        raise ValueError(f"prob_male must lie between 0 and 1; found {p[outside.argmax()]:g}")
    return clipped_logit(p)


def _by_eye(
    values: NDArray[np.float64], eye: Sequence[str | None] | pd.Series, patient_id: Sequence[str] | pd.Series
) -> tuple[pd.Index, NDArray[np.int64], NDArray[np.float64]]:
    """Return patients in order, and for each the images and the sum of values of right, left and unknown eye."""
    frame = pd.DataFrame({"patient_id": pd.Series(patient_id, dtype="str").to_numpy(), "value": values})
    frame["eye"] = pd.Series(eye, dtype="str").fillna("").to_numpy()
    frame = frame[frame["patient_id"].notna()]
    patients, names = pd.factorize(frame["patient_id"], sort=True)
    scored = frame["value"].notna().to_numpy()
    eye_number = frame["eye"].map({"R": 0, "L": 1}).fillna(2).to_numpy(dtype=np.int64)
    group = (patients * 3 + eye_number)[scored]
    images = np.bincount(group, minlength=3 * len(names)).reshape(-1, 3)
    sums = np.bincount(group, weights=frame["value"].to_numpy()[scored], minlength=3 * len(names)).reshape(-1, 3)
    return names, images.astype(np.int64), sums.astype(np.float64)


def _mean_of_eyes(
    images: NDArray[np.int64], sums: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    eyes = (images > 0).sum(axis=1)
    total = np.divide(sums, images, out=np.zeros_like(sums), where=images > 0).sum(axis=1)
    mean = np.divide(total, eyes, out=np.full(len(images), np.nan), where=eyes > 0)
    return mean, np.minimum(eyes, 2).astype(np.int64)
