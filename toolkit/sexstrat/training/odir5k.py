"""Read the ODIR-5K tables as they are distributed into the toolkit's own tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sexstrat.training.examples import Examples, join_examples

__all__ = ["ODIR_CONDITIONS", "Odir5k", "odir5k_examples", "read_odir5k"]

ODIR_CONDITIONS = {
    "N": "normal",
    "D": "diabetes",
    "G": "glaucoma",
    "C": "cataract",
    "A": "macular_degeneration",
    "H": "hypertension",
    "M": "pathological_myopia",
    "O": "other",
}
"""Flags of the patient (both eyes together), in the order of the distributed table."""

PLACEHOLDER_AGE = 1.0  # eleven patients, all female, many with pathological myopia: a form's default


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Odir5k:
    """ODIR-5K in the toolkit's tables.

    Parameters
    ----------
    images, persons, conditions : as in ``data_schemas``; persons without a photograph are kept.
    groups : patient id to duplicate group, for the people known under several ids.
    root : folder that image paths start from.
    """

    images: pd.DataFrame
    persons: pd.DataFrame
    conditions: pd.DataFrame
    groups: dict[str, str]
    root: Path


def read_odir5k(folder: Path) -> Odir5k:
    """Read ``odir5k.csv``, ``odir5k_patients.csv`` and ``odir5k_known_issues.csv``.

    Sex is declared, not guessed: Male and Female as written, anything else unknown.

    Parameters
    ----------
    folder : where the three tables and the folder ``images`` are.

    Returns
    -------
    The tables.
    """
    listed = pd.read_csv(folder / "odir5k.csv", dtype={"patient_id": str, "image_id": str})
    people = pd.read_csv(folder / "odir5k_patients.csv", dtype={"patient_id": str})
    issues = pd.read_csv(folder / "odir5k_known_issues.csv", dtype={"patient_id": str})
    images = pd.DataFrame(
        {
            "image_id": listed["image_id"],
            "patient_id": listed["patient_id"],
            "eye": listed["eye"].map({"left": "L", "right": "R"}),
            "path": listed["file"],
        }
    )
    sex = people["sex"].map({"Male": "male", "Female": "female"}).fillna("unknown")
    persons = pd.DataFrame({"patient_id": people["patient_id"], "age_years": people["age"], "recorded_sex": sex})
    conditions = people.melt(
        id_vars="patient_id", value_vars=list(ODIR_CONDITIONS), var_name="flag", value_name="present"
    )
    conditions = pd.DataFrame(
        {
            "patient_id": conditions["patient_id"],
            "eye": pd.Series(pd.NA, index=conditions.index, dtype="string"),
            "condition": conditions["flag"].map(ODIR_CONDITIONS),
            "present": conditions["present"].astype(bool),
        }
    )
    same = issues[issues["issue"] == "same_person_other_id"]
    groups = dict(zip(same["patient_id"], same["group"], strict=True))
    return Odir5k(images=images, persons=persons, conditions=conditions, groups=groups, root=folder)


def odir5k_examples(folder: Path) -> Examples:
    """Read ODIR-5K and join it into training examples; placeholder ages are not trained on.

    Parameters
    ----------
    folder : where the distributed tables are.

    Returns
    -------
    One row a photograph, in the order of the distributed list.
    """
    data = read_odir5k(folder)
    return join_examples(
        data.images,
        data.persons,
        data.conditions,
        root=data.root,
        groups=data.groups,
        placeholder_ages=(PLACEHOLDER_AGE,),
    )
