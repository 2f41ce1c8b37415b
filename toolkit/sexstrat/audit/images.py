"""The columns an audit reads, checked and turned into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.problems import input_problems
from sexstrat.audit.sampling import sampling_units
from sexstrat.errors import SchemaError

__all__ = ["AuditImages", "audit_images"]

UNITS = ("image", "patient")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditImages:
    """Images (or patients, when they are the unit) as arrays of equal length.

    Parameters
    ----------
    patients : the patient of each image.
    gradable : whether the image has a score.
    prob_male : score, NaN where there is none.
    male, female : recorded sex; neither for other and unknown.
    units : primary sampling unit of each image, where patients were sampled in units; None where they were not.
    weight : survey weight.
    validated_weight : survey weight over the probability that sex would be recorded.

    Examples
    --------
    >>> one = np.ones(1, dtype=bool)
    >>> AuditImages(
    ...     patients=Clusters.of(["a"]),
    ...     gradable=one,
    ...     prob_male=one * 0.7,
    ...     male=one,
    ...     female=~one,
    ...     weight=one * 1.0,
    ...     validated_weight=one * 4.0,
    ... ).of(np.array([0])).patients.n
    1
    """

    patients: Clusters
    gradable: NDArray[np.bool_]
    prob_male: NDArray[np.float64]
    male: NDArray[np.bool_]
    female: NDArray[np.bool_]
    weight: NDArray[np.float64]
    validated_weight: NDArray[np.float64]
    units: Clusters | None = None

    @property
    def validated(self) -> NDArray[np.bool_]:
        """Tell which images have a score and a recorded sex of male or female."""
        return self.gradable & (self.male | self.female)

    @property
    def weighted(self) -> bool:
        """Tell whether some image has a weight other than 1."""
        return bool((self.weight != 1).any() or (self.validated_weight != 1).any())

    def unweighted(self) -> AuditImages:
        """Return the same images, each with a weight of 1."""
        ones = np.ones(len(self.weight))
        return replace(self, weight=ones, validated_weight=ones)

    def by_unit(self) -> AuditImages:
        """Return the same images with sampling units in the place of patients."""
        if self.units is None:
            raise ValueError("patients were not sampled in units")
        return replace(self, patients=self.units, units=None)

    def of(self, index: NDArray[np.intp]) -> AuditImages:
        """Return the images at the given positions, their patients coded anew."""
        return self.part(index)[0]

    def part(self, index: NDArray[np.intp]) -> tuple[AuditImages, NDArray[np.intp]]:
        """Return the images at the given positions, and which of all patients each of theirs is."""
        patients, which = self.patients.part(index)
        return AuditImages(
            patients=patients,
            gradable=self.gradable[index],
            prob_male=self.prob_male[index],
            male=self.male[index],
            female=self.female[index],
            weight=self.weight[index],
            validated_weight=self.validated_weight[index],
            units=None if self.units is None else self.units.part(index)[0],
        ), which


def audit_images(frame: pd.DataFrame, groups: Sequence[str], unit: str) -> tuple[AuditImages, pd.DataFrame]:
    """Check the frame of an audit and return its arrays, and the frame they were made from (one row a unit).

    Parameters
    ----------
    frame : one row an image, as :func:`sexstrat.audit.audit_scores` describes; rows without patient_id are left out.
    groups : columns to group by, besides the age band.
    unit : "image", or "patient" for the mean score of a patient's gradable images.

    Raises
    ------
    SchemaError : a column is missing or holds a value that is not allowed; every problem is listed.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "image_id": ["a1"],
    ...         "patient_id": ["a"],
    ...         "prob_male": [0.7],
    ...         "status": ["ok"],
    ...         "age_years": [50.0],
    ...         "recorded_sex": ["male"],
    ...     }
    ... )
    >>> audit_images(frame, (), "image")[0].male.tolist()
    [True]
    """
    problems = input_problems(frame, groups, unit)
    if problems:
        raise SchemaError(problems)
    known = frame.loc[frame["patient_id"].notna()]
    rows = known if unit == "image" else _by_patient(known, groups)
    male, female = ((rows["recorded_sex"] == sex).fillna(False).to_numpy(dtype=bool) for sex in ("male", "female"))
    weight = _filled(rows, "weight")
    return AuditImages(
        patients=Clusters.of(rows["patient_id"]),
        gradable=(rows["status"] == "ok").to_numpy(dtype=bool),
        prob_male=rows["prob_male"].to_numpy(dtype=float, na_value=np.nan),
        male=male,
        female=female,
        weight=weight,
        validated_weight=weight / _filled(rows, "validation_probability"),
        units=sampling_units(rows),
    ), rows


def _filled(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return an optional column as floats; ones where it is absent or wholly empty."""
    if column not in rows or not rows[column].notna().any():
        return np.ones(len(rows))
    return rows[column].to_numpy(dtype=float, na_value=np.nan)


def _by_patient(frame: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Combine the images of a patient: mean score of the gradable ones, youngest age; the rest must not vary."""
    grouped = frame.groupby("patient_id", sort=False)
    same = [
        name
        for name in ("recorded_sex", "weight", "validation_probability", "psu", "stratum", *groups)
        if name in frame
    ]
    rows = grouped[list(dict.fromkeys(same))].first()
    gradable = frame.loc[frame["status"] == "ok"].groupby("patient_id", sort=False)["prob_male"].mean()
    rows["prob_male"] = gradable.reindex(rows.index)
    rows["status"] = np.where(rows["prob_male"].notna(), "ok", "ungradable")
    rows["age_years"] = grouped["age_years"].min()
    return rows.reset_index()
