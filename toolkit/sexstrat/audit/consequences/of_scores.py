"""Consequences read from a table of scores that carries the diseases beside the recorded sex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.consequences.consequence_rows import consequences
from sexstrat.audit.consequences.error_table import error_tables
from sexstrat.audit.problems import input_problems
from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.scores.combine import combine_eyes
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

__all__ = ["consequences_of_scores"]


def consequences_of_scores(
    frame: pd.DataFrame,
    *,
    conditions: Sequence[str],
    bands: AgeBands,
    design: ValidationDesign = ValidationDesign.random,
    threshold: float = 0.5,
    level: float = 0.95,
    min_patients: int = 10,
) -> pd.DataFrame:
    """Return what the measured errors do to the prevalence ratio of each disease, by age band.

    The patient is the unit: logits are averaged over the images of an eye and over eyes, and the patient is called
    male when that probability reaches the threshold. Patients without a score, without a recorded sex of male or
    female, without an age in the bands, or whose disease is not known are left out of that disease.

    Parameters
    ----------
    frame : one row an image, as :func:`sexstrat.audit.audit_scores` reads it, with a column a disease (true, false or
        empty; true of any image makes the patient diseased) and, where known, ``eye`` (R or L).
    conditions : the disease columns.
    bands : age bands.
    design : how sex came to be recorded, as declared.
    threshold : a patient is called male when prob_male >= threshold.
    level : confidence level.
    min_patients : as in :func:`naive_bias`.

    Returns
    -------
    Rows of the ``consequence`` contract.

    Raises
    ------
    SchemaError : a column is missing or holds a value that is not allowed.
    StudyError : no disease is named.

    Examples
    --------
    >>> n = 400
    >>> frame = pd.DataFrame(
    ...     {
    ...         "image_id": [f"i{k}" for k in range(n)],
    ...         "patient_id": [f"p{k}" for k in range(n)],
    ...         "prob_male": np.where(np.arange(n) % 10 < 5, 0.9, 0.1),
    ...         "status": "ok",
    ...         "age_years": 55.0,
    ...         "recorded_sex": np.where(np.arange(n) % 10 < 6, "male", "female"),
    ...         "cataract": np.arange(n) < 200,
    ...     }
    ... )
    >>> rows = consequences_of_scores(frame, conditions=["cataract"], bands=AgeBands((50,)))
    >>> rows.set_index(["age_band", "quantity"]).loc[("all", "true_prevalence_ratio"), "point"].round(6)
    np.float64(1.0)
    """
    if isinstance(conditions, str) or not conditions:
        raise StudyError(f"conditions must name at least one column of the frame; found {conditions!r}")
    problems = [*input_problems(frame, conditions), *_disease_problems(frame, conditions)]
    if problems:
        raise SchemaError(problems)
    persons = _persons(frame, conditions, threshold)
    band = bands.index(persons["age_years"].to_numpy(dtype=float))
    weight = persons["weight"].to_numpy(dtype=float)
    tables = []
    for condition in conditions:
        known = persons[condition].notna().to_numpy()
        tables.append(
            consequences(
                condition,
                error_tables(
                    persons.loc[known, condition].to_numpy(dtype=bool), persons["male"].to_numpy()[known],
                    persons["called_male"].to_numpy()[known], band[known], len(bands), weight=weight[known],
                    squares=weight[known] ** 2,
                ),
                bands, design=design, level=level, min_patients=min_patients,
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _persons(frame: pd.DataFrame, conditions: Sequence[str], threshold: float) -> pd.DataFrame:
    """Return one row a patient of known sex with a score."""
    known = frame.loc[frame["patient_id"].notna() & frame["recorded_sex"].isin(("male", "female"))]
    scored = known.loc[known["status"] == "ok"]
    eye = scored["eye"] if "eye" in scored else pd.Series([None] * len(scored), dtype=object)
    prob = combine_eyes(scored["prob_male"], eye, scored["patient_id"].astype(str)).set_index("patient_id")["prob_male"]
    person = known.assign(patient_id=known["patient_id"].astype(str)).groupby("patient_id", sort=False)
    rows = person[["recorded_sex"]].first()
    rows["age_years"] = person["age_years"].min()
    for name in conditions:
        rows[name] = person[name].max()
    rows["male"] = (rows["recorded_sex"] == "male").to_numpy()
    rows["weight"] = _first(known, person, "weight") / _first(known, person, "validation_probability")
    rows["prob_male"] = prob.reindex(rows.index)
    rows = rows.loc[rows["prob_male"].notna()]
    return rows.assign(called_male=(rows["prob_male"] >= threshold).to_numpy())


def _first(frame: pd.DataFrame, person: Any, column: str) -> np.ndarray:
    if column not in frame or not frame[column].notna().any():
        return np.ones(person.ngroups)
    return np.asarray(person[column].first().to_numpy(dtype=float))


def _disease_problems(frame: pd.DataFrame, conditions: Sequence[str]) -> list[Problem]:
    """List disease columns that hold anything but true, false and nothing."""
    found = []
    for name in conditions:
        if name not in frame:
            continue
        present = frame[name].notna()
        wrong = frame.loc[present & ~frame[name].isin((True, False)), name]
        if len(wrong):
            message = "a disease is neither true nor false"
            found.append(
                Problem(
                    kind="not_allowed", message=message, source="audit input", column=name, value=str(wrong.iloc[0]),
                    row=int(np.flatnonzero(frame.index == wrong.index[0])[0]) + 1, allowed="true, false or empty",
                    count=len(wrong),
                )
            )  # fmt: skip
    return found
