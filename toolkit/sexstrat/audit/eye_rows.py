"""Right against left eyes as tests of an audit: McNemar's, the odds ratio over all images, and agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.images import AuditImages
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.laterality import EyeComparison, compare_eyes

__all__ = ["EYE", "EYE_TESTS", "eye_rows"]

Row = dict[str, Any]

EYE = "eye"
EYE_TESTS = ("mcnemar", "eye_odds_ratio", "eye_agreement")
METRICS = ("correct_among_men", "correct_among_women", "accuracy")
MEAN = "an eye with several photographs counts once, by its mean score"
NO_PAIR = "nobody shows both eyes"


def eye_rows(
    images: AuditImages, eye: pd.Series, *, threshold: float = 0.5, level: float = 0.95, min_patients: int = 10
) -> list[Row]:
    """Compare the two eyes in how often they are called rightly: among men, among women and among both.

    Each patient's eyes are a pair, and weights are not used: McNemar's test and kappa are about the patients who show
    both eyes, the odds ratio, right eye to left, about all.

    Parameters
    ----------
    images : every listed image.
    eye : R or L of each image; images of neither take no part.
    threshold : an image is called male when prob_male ≥ threshold.
    level : confidence level.
    min_patients : smallest number of patients with both eyes that is compared.

    Returns
    -------
    Rows of the ``audit_test`` contract; none where not both eyes were photographed. ``n_patients`` is the number of
    the rarest kind of pair (right in both eyes, in one, in neither), which decides what may be released.

    References
    ----------
    McNemar 1947, Psychometrika 12:153; Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323; Liang & Zeger 1986.

    Examples
    --------
    Forty men: 20 right in both eyes, 10 in neither, 8 in the right eye only, 2 in the left only.

    >>> right = np.ravel([(1, 1)] * 20 + [(0, 0)] * 10 + [(1, 0)] * 8 + [(0, 1)] * 2).astype(bool)
    >>> every = np.ones(80, dtype=bool)
    >>> images = AuditImages(
    ...     patients=Clusters.of(np.repeat(range(40), 2)),
    ...     gradable=every,
    ...     prob_male=np.where(right, 0.9, 0.1),
    ...     male=every,
    ...     female=~every,
    ...     weight=every * 1.0,
    ...     validated_weight=every * 1.0,
    ... )
    >>> rows = eye_rows(images, pd.Series(["R", "L"] * 40))
    >>> {row["test"]: round(row.get("p_value") or row["point"], 4) for row in rows if row["metric"] == "accuracy"}
    {'mcnemar': 0.1094, 'eye_odds_ratio': 0.0536, 'eye_agreement': 0.4792}
    """
    side = eye.to_numpy(dtype=object)
    right_eye, left_eye = side == "R", side == "L"
    usable = images.validated & (right_eye | left_eye)
    if not (usable & right_eye).any() or not (usable & left_eye).any():
        return []
    members = (images.male, images.female, images.male | images.female)
    rows: list[Row] = []
    for metric, inside in zip(METRICS, members, strict=True):
        chosen = np.flatnonzero(usable & inside)
        right, eyes, patients, several = _one_of_each(images, right_eye, chosen, threshold)
        paired = int(np.count_nonzero(np.bincount(patients.code, minlength=patients.n) == 2))
        shared = {"metric": metric, "group": EYE, "level": level}
        if paired < min_patients:
            note = NO_PAIR if paired == 0 else f"fewer than {min_patients} patients show both eyes"
            rows += [shared | {"test": test, "n_patients": paired, "state": "undefined", "note": note}
                     for test in EYE_TESTS]  # fmt: skip
            continue
        found = compare_eyes(right, eyes, patients, level=level)
        rows += [shared | row for row in _rows(found, MEAN if several else "")]
    return rows


def _one_of_each(
    images: AuditImages, right_eye: np.ndarray, chosen: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray, Clusters, bool]:
    """Return whether each eye is called rightly, which eye it is, its patient, and whether some had several images."""
    patients, _ = images.patients.part(chosen)
    key = patients.code * 2 + right_eye[chosen]
    number = np.bincount(key, minlength=2 * patients.n)
    mean = np.bincount(key, weights=images.prob_male[chosen], minlength=2 * patients.n)
    male = np.zeros(2 * patients.n, dtype=bool)
    male[key] = images.male[chosen]
    there = np.flatnonzero(number)
    right = (mean[there] / number[there] >= threshold) == male[there]
    eyes = np.where(there % 2 == 1, "R", "L").astype(object)
    return right, eyes, Clusters(code=there // 2, n=patients.n), bool((number > 1).any())


def _rows(found: EyeComparison, note: str) -> list[Row]:
    few = {"n_patients": min(found.both, found.only_right, found.only_left, found.neither)}
    odds: Mapping[str, float | None] = {"point": None, "low": None, "high": None}
    if found.log_odds_ratio is not None and found.se is not None:
        half = normal_quantile(found.level) * found.se
        ends = (found.log_odds_ratio, found.log_odds_ratio - half, found.log_odds_ratio + half)
        odds = dict(zip(odds, (float(np.exp(end)) for end in ends), strict=True))
    kappa = {"point": found.kappa, "low": found.kappa_low, "high": found.kappa_high}
    told = "; ".join(part for part in (found.note, note) if part)
    return [
        few | {"test": "mcnemar", "p_value": found.mcnemar_p, **_state(found.mcnemar_p, told)},
        few | {"test": "eye_odds_ratio", "df": 1, "p_value": found.p_value, **odds, **_state(found.p_value, told)},
        few | {"test": "eye_agreement", **kappa, **_state(found.kappa, told)},
    ]


def _state(value: float | None, note: str) -> dict[str, str]:
    return {"state": "undefined" if value is None else "measured", "note": note}
