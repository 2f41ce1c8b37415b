"""Join the image, person and condition tables into what training reads, one row a photograph."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import Problem, SchemaError

__all__ = ["Examples", "join_examples"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """Photographs with the labels of the people they show; arrays are aligned by row.

    Parameters
    ----------
    image_id, patient_id, eye : as in the image table; eye is R, L or "".
    path : absolute path of each file.
    group : duplicate group: the patient, or all patient ids known to be one person.
    male : 1 recorded male, 0 recorded female, nan any other record.
    age_years : age at the photograph; nan not known.
    disease_names : the conditions, in column order of ``diseases``.
    diseases : 1 present, 0 absent, nan not known, shape (n, number of conditions).
    usable : whether the row may be trained on; placeholders are scored but not learned from.
    """

    image_id: NDArray[np.str_]
    path: NDArray[np.str_]
    patient_id: NDArray[np.str_]
    eye: NDArray[np.str_]
    group: NDArray[np.str_]
    male: NDArray[np.float64]
    age_years: NDArray[np.float64]
    disease_names: tuple[str, ...]
    diseases: NDArray[np.float64]
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.image_id)

    def strata(self, split: str) -> list[str] | None:
        """Return each row's sex and ten-year age band, by which parts are made alike; None for the stable split.

        Parameters
        ----------
        split : one of ``SPLITS``.
        """
        if split == "stable":
            return None
        sexes = np.where(np.isnan(self.male), "none", np.where(self.male == 1, "male", "female"))
        bands = [f"{age // 10:02.0f}" if np.isfinite(age) else "none" for age in self.age_years]
        return [f"{sex} {band}" for sex, band in zip(sexes, bands, strict=True)]

    def digest(self, *rows: NDArray[np.int64]) -> str:
        """Return the SHA-256 of the labels and of any choices of rows: what a run learned from.

        Parameters
        ----------
        rows : parts of the rows, such as those trained on; another choice gives another digest.
        """
        found = hashlib.sha256("\0".join(self.disease_names).encode())
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                numbers = value.dtype.kind in "fb"
                found.update(value.tobytes() if numbers else "\0".join(value.tolist()).encode())
        for part in rows:
            found.update(np.ascontiguousarray(part, dtype="<i8").tobytes() + b"/")
        return found.hexdigest()


def join_examples(
    images: pd.DataFrame,
    persons: pd.DataFrame,
    conditions: pd.DataFrame | None = None,
    *,
    root: Path,
    groups: dict[str, str] | None = None,
    placeholder_ages: tuple[float, ...] = (),
) -> Examples:
    """Join photographs with their people; order and number of the photographs stay as they are.

    Parameters
    ----------
    images : image table (image_id, patient_id, path; eye when known).
    persons : person table (patient_id, recorded_sex, age_years when known).
    conditions : condition table about persons (patient_id, condition, present), or None.
    root : folder that relative paths start from.
    groups : patient id to duplicate group, for people known under several ids; others are their own.
    placeholder_ages : ages that stand for "not entered"; these people are not trained on, and their
        age counts as not known.

    Returns
    -------
    One row a photograph.

    Raises
    ------
    SchemaError
        A needed column is missing, or a photograph's patient is not in the person table.

    Examples
    --------
    >>> images = pd.DataFrame({"image_id": ["a", "b"], "patient_id": ["1", "2"], "path": ["a.png", "b.png"]})
    >>> persons = pd.DataFrame({"patient_id": ["1", "2"], "recorded_sex": ["male", "female"], "age_years": [60, 1]})
    >>> joined = join_examples(images, persons, root=Path("."), placeholder_ages=(1,))
    >>> joined.male.tolist(), joined.usable.tolist()
    ([1.0, 0.0], [True, False])
    """
    _require(images, "image", ("image_id", "patient_id", "path"))
    _require(persons, "person", ("patient_id", "recorded_sex"))
    patient = images["patient_id"].astype(str).to_numpy(dtype=str)
    people = persons.assign(patient_id=persons["patient_id"].astype(str)).set_index("patient_id")
    _require_known(patient, people)
    sex = np.array(people["recorded_sex"].reindex(patient).map({"male": 1.0, "female": 0.0}), dtype=np.float64)
    ages = people["age_years"] if "age_years" in people else pd.Series(np.nan, index=people.index)
    age = np.array(ages.reindex(patient), dtype=np.float64)
    placeholder = np.isin(age, placeholder_ages)
    age[placeholder] = np.nan
    names, flags = _disease_flags(conditions, patient)
    known = groups or {}
    eyes = images["eye"].fillna("").astype(str) if "eye" in images else pd.Series("", index=images.index)
    return Examples(
        image_id=images["image_id"].astype(str).to_numpy(dtype=str),
        path=np.array([str(root / str(path)) for path in images["path"]], dtype=str),
        patient_id=patient,
        eye=eyes.to_numpy(dtype=str),
        group=np.array([known.get(one, one) for one in patient], dtype=str),
        male=sex,
        age_years=age,
        disease_names=names,
        diseases=flags,
        usable=np.isfinite(sex) & ~placeholder,
    )


def _require(table: pd.DataFrame, source: str, columns: tuple[str, ...]) -> None:
    found = ", ".join(map(str, table.columns))
    missing = [column for column in columns if column not in table]
    problems = [
        Problem(kind="missing_column", message="column is missing", source=source, column=column, allowed=found)
        for column in missing
    ]
    if problems:
        raise SchemaError(problems)


def _require_known(patient: NDArray[np.str_], people: pd.DataFrame) -> None:
    unknown = ~np.isin(patient, people.index.to_numpy(dtype=str))
    if unknown.any():
        first = int(np.flatnonzero(unknown)[0])
        problem = Problem(
            kind="unknown_patient",
            message="patient is not in the person table",
            source="image",
            row=first + 2,
            column="patient_id",
            value=str(patient[first]),
            allowed="a patient_id of the person table",
            count=int(unknown.sum()),
        )
        raise SchemaError([problem])


def _disease_flags(
    conditions: pd.DataFrame | None, patient: NDArray[np.str_]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    if conditions is None or conditions.empty:
        return (), np.empty((len(patient), 0))
    _require(conditions, "condition", ("patient_id", "condition", "present"))
    about_person = conditions[conditions["eye"].fillna("") == ""] if "eye" in conditions else conditions
    wide = about_person.assign(
        patient_id=about_person["patient_id"].astype(str), present=about_person["present"].astype(float)
    )
    wide = wide.set_index(["patient_id", "condition"])["present"].unstack()  # noqa: PD010  (a repeated pair must fail)
    return tuple(map(str, wide.columns)), wide.reindex(patient).to_numpy(dtype=float)
