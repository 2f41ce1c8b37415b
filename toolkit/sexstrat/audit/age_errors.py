"""How far predicted age is from recorded age, overall and by age band, with patient-clustered intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from sexstrat.audit.clusters import Clusters, cluster_variance
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.rows import contract_frame
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands

__all__ = ["AGE_METRICS", "PREDICTED_BAND", "RECORDED_BAND", "age_errors", "mean_error"]

AGE_METRICS = ("age_bias", "age_absolute_error", "age_band_agreement")
RECORDED_BAND, PREDICTED_BAND = "recorded_age_band", "predicted_age_band"
_NEEDED = ("patient_id", "predicted_age", "recorded_age")


def age_errors(frame: pd.DataFrame, *, bands: AgeBands, level: float = 0.95, min_patients: int = 10) -> pd.DataFrame:
    """Measure the error of predicted age on the rows whose recorded age is known.

    ``age_bias`` is the mean of predicted minus recorded age, ``age_absolute_error`` the mean of its size, both in
    years, and ``age_band_agreement`` the share of rows whose predicted age lies in the band of the recorded one. Each
    is given for all, by band of recorded age (how people of an age are placed) and by band of predicted age (who the
    people placed in a band are): models of age draw towards the middle, so the first is positive among the young and
    negative among the old. It assumes that the model of age saw none of these people when it was trained.

    Parameters
    ----------
    frame : ``patient_id``, ``predicted_age`` and ``recorded_age`` in years, one row a patient or a photograph; rows
        that lack one of the three, or whose recorded age lies outside the bands, are left out.
    bands : age bands.
    level : confidence level.
    min_patients : smallest number of patients in a group that defines its figures; at least 2.

    Returns
    -------
    Rows of the ``audit`` contract. Intervals cover the error among the people these are a sample of.

    Raises
    ------
    StudyError
        A column is missing, or ``min_patients`` is below 2.

    References
    ----------
    Liang & Zeger 1986, Biometrika 73:13 (clustered variance).

    Examples
    --------
    Errors of +2, -4, +2 and -4 years: the bias is -1, the mean size 3; the last is placed in the band before its own.

    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "recorded_age": [45.0, 56.0, 57.0, 53.0]})
    >>> found = age_errors(
    ...     frame.assign(predicted_age=frame["recorded_age"] + [2, -4, 2, -4]),
    ...     bands=AgeBands((40, 50), end=60),
    ...     min_patients=2,
    ... )
    >>> found.loc[found["group"] == "overall", ["metric", "point"]].values.tolist()
    [['age_bias', -1.0], ['age_absolute_error', 3.0], ['age_band_agreement', 0.75]]
    """
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        raise StudyError(f"the errors of predicted age need the columns {', '.join(_NEEDED)}; missing: {missing}")
    if min_patients < 2:
        raise StudyError(f"min_patients must be at least 2; found {min_patients}")
    known = frame.loc[frame[list(_NEEDED)].notna().all(axis=1)]
    recorded = known["recorded_age"].to_numpy(dtype=float)
    predicted = known["predicted_age"].to_numpy(dtype=float)
    place = {RECORDED_BAND: bands.index(recorded), PREDICTED_BAND: bands.index(predicted)}
    inside = place[RECORDED_BAND] >= 0
    rows = []
    for group, label, chosen in _groups(place, inside, bands):
        patients = Clusters.of(known["patient_id"].to_numpy()[chosen])
        error = (predicted - recorded)[chosen]
        agree = (place[RECORDED_BAND] == place[PREDICTED_BAND])[chosen]
        measured = _measured(error, agree, patients, level, min_patients)
        rows += [{"metric": m, "group": group, "level_name": label, **asdict(v)} for m, v in measured.items()]
    return contract_frame(rows, "audit")


def _groups(
    place: dict[str, NDArray[np.int64]], inside: NDArray[np.bool_], bands: AgeBands
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    yield "overall", "all", inside
    for group, band in place.items():
        for number, label in enumerate(bands.labels):
            yield group, label, inside & (band == number)


def _measured(
    error: NDArray[np.float64], agree: NDArray[np.bool_], patients: Clusters, level: float, least: int
) -> dict[str, Measurement]:
    if patients.n < least:
        lacking = "no patient" if patients.n == 0 else f"fewer than {least} patients"
        note = f"{lacking} here with both ages"
        few = Measurement(
            level=level, n_images=len(error), n_patients=patients.n, state="undefined" if patients.n else "missing",
            note=note,
        )  # fmt: skip
        return dict.fromkeys(AGE_METRICS, few)
    return {
        "age_bias": mean_error(error, patients, level=level),
        "age_absolute_error": mean_error(np.abs(error), patients, level=level, positive=True),
        "age_band_agreement": clustered_proportion(agree, patients, level=level),
    }


def mean_error(
    error: NDArray[np.float64], patients: Clusters, *, level: float = 0.95, positive: bool = False
) -> Measurement:
    """Estimate a mean of errors, patients being the clusters.

    Σ e / n with the variance clustered by patient; limits from the t distribution with one degree of freedom fewer
    than patients, on the log scale where the mean cannot be negative.

    Parameters
    ----------
    error : error of each row, in years.
    patients : the patient of each row, at least two.
    level : confidence level.
    positive : whether the limits are to stay above 0.

    Returns
    -------
    Measurement whose interval covers the mean error in the population; without limits where all errors are equal.

    Raises
    ------
    ValueError
        There are fewer than two patients.

    Examples
    --------
    Errors 1 and 3: mean 2, standard error 1, t with one degree of freedom 12.706.

    >>> found = mean_error(np.array([1.0, 3.0]), Clusters.of(["a", "b"]))
    >>> found.point, found.se, round(found.high, 3)
    (2.0, 1.0, 14.706)
    """
    if patients.n < 2:
        raise ValueError(f"a clustered mean needs two patients; found {patients.n}")
    mean = float(error.mean())
    se = sqrt(cluster_variance((error - mean) / len(error), patients))
    counts: dict[str, Any] = {"n_images": len(error), "n_patients": patients.n}
    if se == 0:
        note = "all errors are equal, so there is no interval"
        return Measurement(level=level, point=mean, **counts, note=note)
    half = float(student.ppf(0.5 + level / 2, patients.n - 1)) * se
    low, high = (exp(log(mean) - half / mean), exp(log(mean) + half / mean)) if positive else (mean - half, mean + half)
    independent = float(np.var(error, ddof=1)) / len(error)
    effect = se**2 / independent if independent > 0 else None
    return Measurement(level=level, point=mean, se=se, low=low, high=high, **counts, design_effect=effect)
