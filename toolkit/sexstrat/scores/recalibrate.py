"""Recalibrate patient scores by number of eyes, on patients of recorded sex, each by the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from sexstrat.errors import EstimationError
from sexstrat.scores.combine import clipped_logit

__all__ = ["MINIMUM_OF_EACH_SEX", "EyeCalibration", "Recalibrated", "calibration_line", "recalibrated_patients"]

MINIMUM_OF_EACH_SEX = 20
"""Labelled men, and women, with as many eyes, below which no line is fitted."""

_FOLDS = 5
_STEPS = 50
_HALF = float(norm.ppf(0.975))


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeCalibration:
    """The calibration of patients with a number of eyes, measured on those of recorded sex.

    Parameters
    ----------
    n_eyes : eyes with a score, 1 or 2.
    n_male, n_female : labelled patients.
    slope, slope_low, slope_high : slope of recorded sex on the mean logit, with its 95 % interval; above 1 the
        scores are under-confident. None when the line is not fitted.
    intercept, intercept_low, intercept_high : its intercept, likewise.
    state : ok, or too_few.
    """

    n_eyes: int
    n_male: int
    n_female: int
    slope: float | None = None
    slope_low: float | None = None
    slope_high: float | None = None
    intercept: float | None = None
    intercept_low: float | None = None
    intercept_high: float | None = None
    state: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recalibrated:
    """Patients with their recalibrated scores, and the lines that made them.

    Parameters
    ----------
    patients : rows of the patient_score contract.
    lines : one a number of eyes that occurs.
    """

    patients: pd.DataFrame
    lines: tuple[EyeCalibration, ...]


def calibration_line(
    logit: NDArray[np.float64], male: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit recorded sex on the logit of the score by maximum likelihood: logit P(male) = intercept + slope x logit p.

    Assumes that patients are independent and that the line is straight.

    Parameters
    ----------
    logit : logit of the score, one a patient.
    male : whether recorded sex is male.

    Returns
    -------
    Intercept and slope, and their covariance from the information matrix.

    Raises
    ------
    EstimationError
        The scores part the sexes completely or are all alike: no line has a largest likelihood.

    References
    ----------
    Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562-565.

    Examples
    --------
    At logit -1 one of four is male, at logit 1 three of four: logits -1.0986 and 1.0986, so the slope is 1.0986.

    >>> line, _ = calibration_line(np.repeat([-1.0, 1.0], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=bool))
    >>> line.round(4).tolist()
    [0.0, 1.0986]
    """
    design = np.column_stack([np.ones_like(logit), logit])
    line = np.zeros(2)
    for _ in range(_STEPS):
        p = expit(design @ line)
        information = design.T @ (design * (p * (1 - p))[:, None])
        if np.linalg.cond(information) > 1e12:
            break
        step = np.linalg.solve(information, design.T @ (male - p))
        line = line + step
        if np.abs(step).max() < 1e-10:
            return np.asarray(line), np.asarray(np.linalg.inv(information), dtype=np.float64)
    raise EstimationError("the scores part the labelled sexes completely or are all alike; no calibration line exists")


def recalibrated_patients(patients: pd.DataFrame, recorded_sex: Mapping[str, str] | pd.Series) -> Recalibrated:
    """Recalibrate patient scores by a line for each number of eyes: logit P(male) = intercept + slope x logit p.

    The mean of two calibrated logits whose errors correlate by rho has the slope 2 / (1 + rho), not 1. A labelled
    patient's score comes from the line of the other four fifths (folds by SHA-256 of patient_id), so that it may
    validate; the others' from the line of all. Assumes that sex is recorded at random given score and eyes; the
    base rate is that of the labelled patients and is not carried to others.

    Parameters
    ----------
    patients : rows of the patient_score contract, see :func:`sexstrat.scores.patient_scores`.
    recorded_sex : recorded sex by patient_id; only ``male`` and ``female`` label a patient.

    Returns
    -------
    The patients with prob_male_calibrated and calibration, and the lines with intervals that count patients.

    Raises
    ------
    EstimationError
        The scores are of age, there are 20 labelled men and 20 labelled women with no number of eyes, or no line
        exists.

    References
    ----------
    Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562-565.
    """
    if "prob_male" not in patients:
        raise EstimationError("these are ages; recorded sex recalibrates scores of sex only")
    sex = patients["patient_id"].map(dict(recorded_sex))
    male, labelled = (sex == "male").to_numpy(), sex.isin(["male", "female"]).to_numpy()
    logit = clipped_logit(patients["prob_male"])
    eyes = patients["n_eyes"].to_numpy(dtype=np.int64)
    fold = np.array([_fold(name) for name in patients["patient_id"]], dtype=np.int64)
    calibrated = np.full(len(patients), np.nan)
    how = np.full(len(patients), None, dtype=object)
    lines = []
    for number in sorted(set(eyes[eyes > 0].tolist())):
        here = eyes == number
        lines.append(_line(number, logit[here & labelled], male[here & labelled]))
        if lines[-1].state != "ok":
            how[here] = "too_few"
            continue
        for group, rows in [(None, here & ~labelled), *((k, here & labelled & (fold == k)) for k in range(_FOLDS))]:
            if rows.any():
                taught = here & labelled & (True if group is None else fold != group)
                line, _ = calibration_line(logit[taught], male[taught])
                calibrated[rows] = expit(line[0] + line[1] * logit[rows])
                how[rows] = "fitted" if group is None else "cross_fitted"
    if not any(line.state == "ok" for line in lines):
        raise EstimationError(
            f"too few patients of recorded sex to calibrate: {sum(x.n_male for x in lines):,} men and "
            f"{sum(x.n_female for x in lines):,} women with a score; needed: {MINIMUM_OF_EACH_SEX} of each with as "
            "many eyes"
        )
    table = patients.assign(prob_male_calibrated=calibrated, calibration=pd.Series(how, index=patients.index))
    return Recalibrated(patients=table, lines=tuple(lines))


def _fold(patient_id: str) -> int:
    return int(hashlib.sha256(patient_id.encode("utf-8", "backslashreplace")).hexdigest()[:8], 16) % _FOLDS


def _line(number: int, logit: NDArray[np.float64], male: NDArray[np.bool_]) -> EyeCalibration:
    men, women = int(male.sum()), int((~male).sum())
    if min(men, women) < MINIMUM_OF_EACH_SEX:
        return EyeCalibration(n_eyes=number, n_male=men, n_female=women, state="too_few")
    line, covariance = calibration_line(logit, male)
    half = _HALF * np.sqrt(np.diag(covariance))
    return EyeCalibration(
        n_eyes=number,
        n_male=men,
        n_female=women,
        slope=float(line[1]),
        slope_low=float(line[1] - half[1]),
        slope_high=float(line[1] + half[1]),
        intercept=float(line[0]),
        intercept_low=float(line[0] - half[0]),
        intercept_high=float(line[0] + half[0]),
    )
