"""The audit of a score table against recorded sex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.gap_rows import gap_rows, reference_labels
from sexstrat.audit.grouping import AGE_BAND, Grouping, age_grouping, column_grouping
from sexstrat.audit.images import UNITS, AuditImages, audit_images
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.metrics import measure_group
from sexstrat.audit.result import AuditResult
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

__all__ = ["audit_scores"]

Key = tuple[str, str, str]


def audit_scores(
    frame: pd.DataFrame,
    *,
    bands: AgeBands,
    groups: Sequence[str] = (AGE_BAND,),
    reference: str | Mapping[str, str] | None = None,
    level: float = 0.95,
    threshold: float = 0.5,
    min_patients: int = 10,
    unit: str = "image",
) -> AuditResult:
    """Audit predicted against recorded sex, overall and by group, with patient-clustered intervals.

    Counts and the ungradable share are about every listed image; the other metrics about images that have a score
    and a recorded sex of male or female, weighted by survey weight / validation probability where those are given.
    A metric whose own denominator holds fewer than ``min_patients`` patients (for the AUC and the calibration: of
    each sex) is ``undefined`` with the reason, never 0; one for which nothing was recorded is ``missing``.

    Parameters
    ----------
    frame : one row an image: image_id, patient_id, prob_male (empty unless status is ok), status, age_years,
        recorded_sex (male, female, other, unknown), any group column; optional weight (survey weight, above 0) and
        validation_probability (above 0, up to 1), each ignored where wholly empty.
    bands : age bands.
    groups : grouping variables: "age_band" or columns of the frame.
    reference : the group that the others are compared with, by name: one label for the age bands, or a mapping from
        grouping variable to label; by default the group with the most patients.
    level : confidence level.
    threshold : an image is called male when prob_male ≥ threshold.
    min_patients : smallest denominator, in patients, that defines a metric; at least 2.
    unit : "image", or "patient" for the mean score of each patient's gradable images (counts of images then count
        patients, and a patient's age is that of the first photograph).

    Returns
    -------
    AuditResult; its gaps are group minus reference with MOVER intervals.

    Raises
    ------
    SchemaError : the frame lacks a column or holds values that are not allowed; every problem is listed.
    StudyError : an option is not possible, or the reference names no group.

    Examples
    --------
    Twelve men and twelve women, one photograph each; one man is called a woman.

    >>> frame = pd.DataFrame(
    ...     {
    ...         "image_id": [f"i{n}" for n in range(24)],
    ...         "patient_id": [f"p{n}" for n in range(24)],
    ...         "prob_male": [0.9] * 11 + [0.4] + [0.1] * 12,
    ...         "status": "ok",
    ...         "age_years": 55.0,
    ...         "recorded_sex": ["male"] * 12 + ["female"] * 12,
    ...     }
    ... )
    >>> rows = audit_scores(frame, bands=AgeBands((50, 60), end=70)).to_frame().set_index(["metric", "level_name"])
    >>> round(float(rows.loc[("correct_among_men", "all"), "point"]), 4), rows.loc[("auc", "60-69"), "state"]
    (0.9167, 'undefined')
    """
    _check_options(groups, level, threshold, min_patients, unit)
    images, rows = audit_images(frame, [name for name in groups if name != AGE_BAND], unit)
    groupings = [
        age_grouping(rows["age_years"], bands) if name == AGE_BAND else column_grouping(rows[name], name)
        for name in groups
    ]
    options: dict[str, Any] = {"threshold": threshold, "level": level, "min_patients": min_patients}
    found = _measure(images, groupings, options)
    references = reference_labels(groupings, found, reference)
    shared = {grouping.name for grouping in groupings if grouping.shares_patients(images.patients)}
    left_out = _left_out(frame, images, groupings)
    return AuditResult(
        audit=_frame([_row(key, measured) for key, measured in found.items()], "audit"),
        gaps=_frame(gap_rows(found, references, shared, level), "gap"),
        unit=unit,
        notices=tuple(_NOTICES[reason] for reason, n in left_out.items() if n),
        left_out=left_out,
        **options,
    )


def _check_options(groups: Sequence[str], level: float, threshold: float, min_patients: int, unit: str) -> None:
    if unit not in UNITS:
        raise StudyError(f"unknown unit {unit!r}; allowed: {', '.join(UNITS)}")
    if not 0.5 <= level <= 0.999:
        raise StudyError(f"confidence level must lie in 0.5 to 0.999; found {level}")
    if not 0 < threshold < 1:
        raise StudyError(f"threshold must lie strictly between 0 and 1; found {threshold}")
    if min_patients < 2:
        raise StudyError(f"min_patients must be at least 2; found {min_patients}")
    if isinstance(groups, str) or len(set(groups)) < len(groups) or "overall" in groups:
        raise StudyError(f"groups must be a sequence of different names other than 'overall'; found {groups!r}")


def _measure(images: AuditImages, groupings: Sequence[Grouping], options: Mapping[str, Any]) -> dict[Key, Measurement]:
    found = {(metric, "overall", "all"): measured for metric, measured in measure_group(images, **options).items()}
    for grouping in groupings:
        for label, index in grouping.parts():
            measured = measure_group(images.of(index), **options)
            found |= {(metric, grouping.name, label): m for metric, m in measured.items()}
    return found


_NOTICES = {
    "no_patient_id": "Images without a patient_id were left out: without it they cannot be counted by patient.",
    "other": "Patients whose recorded sex is other are counted, and left out of the comparison with recorded sex.",
    "unknown": "Images without a recorded sex are counted, and left out of the comparison with recorded sex.",
    "outside_age_bands": "Images at an age outside the declared bands, or unknown, count in the overall rows only.",
}


def _left_out(frame: pd.DataFrame, images: AuditImages, groupings: Sequence[Grouping]) -> dict[str, int]:
    bands = [grouping for grouping in groupings if grouping.name == AGE_BAND]
    return {
        "no_patient_id": int(frame["patient_id"].isna().sum()),
        "other": int((frame["recorded_sex"] == "other").sum()),
        "unknown": int((~(images.male | images.female)).sum() - (frame["recorded_sex"] == "other").sum()),
        "outside_age_bands": int(sum(np.count_nonzero(grouping.code < 0) for grouping in bands)),
    }


def _row(key: Key, measured: Measurement) -> dict[str, Any]:
    return {"metric": key[0], "group": key[1], "level_name": key[2], **asdict(measured)}


def _frame(rows: list[dict[str, Any]], table: str) -> pd.DataFrame:
    """Return the rows with the columns and types of their contract."""
    types = {"integer": "Int64", "number": "float64", "string": "str"}
    schema = table_schema(table)
    frame = pd.DataFrame(rows, columns=schema.columns)
    return frame.astype({field.name: types[field.type] for field in schema.fields})
