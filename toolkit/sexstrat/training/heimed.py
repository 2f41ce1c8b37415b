"""Read the HEI-MED table as it is distributed: an external look at a model trained elsewhere."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sexstrat.training.examples import Examples, join_examples

__all__ = ["heimed_examples"]


def heimed_examples(folder: Path) -> Examples:
    """Read HEI-MED and join it into examples; nearly everybody in it has diabetes.

    Ages are approximate (2010 minus the year of birth) and people were told apart by birth date, sex and
    race, as the set's own table says. Sex is declared: Male and Female as written, anything else unknown.

    Parameters
    ----------
    folder : where ``heimed.csv`` and the folder ``images`` are.

    Returns
    -------
    One row a photograph, in the order of the distributed list.
    """
    listed = pd.read_csv(folder / "heimed.csv", dtype={"patient_id": str, "image_id": str})
    images = pd.DataFrame(
        {
            "image_id": listed["image_id"],
            "patient_id": listed["patient_id"],
            "eye": listed["eye"].map({"left": "L", "right": "R", "L": "L", "R": "R"}),
            "path": listed["file"],
        }
    )
    people = listed.drop_duplicates("patient_id")
    persons = pd.DataFrame(
        {
            "patient_id": people["patient_id"],
            "age_years": people["age"],
            "recorded_sex": people["sex"].map({"Male": "male", "Female": "female"}).fillna("unknown"),
        }
    )
    return join_examples(images, persons, root=folder)
