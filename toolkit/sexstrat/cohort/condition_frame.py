"""The conditions of a cohort's patients as a frame, a column a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from sexstrat.cohort.store import Cohort

__all__ = ["condition_frame"]


def condition_frame(cohort: Cohort) -> pd.DataFrame:
    """Return one row a patient with a column a condition: true, false, or empty where it is not known.

    Parameters
    ----------
    cohort : an open cohort.

    Returns
    -------
    ``patient_id`` and the conditions, sorted by name; a condition present in any eye is true.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sexstrat.cohort import Cohort
    >>> persons = pd.DataFrame({"patient_id": ["a", "b"], "age_years": [61, 70], "recorded_sex": ["male", "female"]})
    >>> conditions = pd.DataFrame({"patient_id": ["a"], "condition": ["amd"], "present": [True]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Cohort.create(Path(folder) / "c.duckdb", persons=persons, conditions=conditions) as cohort:
    ...         condition_frame(cohort)
      patient_id   amd
    0          a  True
    1          b  <NA>
    """
    query = "SELECT patient_id, condition, diseased FROM patient_condition ORDER BY patient_id, condition"
    rows = cohort._connection.execute(query).df()
    wide = rows.pivot(index="patient_id", columns="condition", values="diseased")  # noqa: PD010 - one value a pair
    patients = [str(name) for (name,) in cohort._connection.execute(
        "SELECT patient_id FROM patient ORDER BY patient_id"
    ).fetchall()]  # fmt: skip
    known = wide.reindex(index=patients, columns=list(cohort.conditions)).astype("boolean")
    known.index.name, known.columns.name = "patient_id", None
    return known.reset_index().astype({"patient_id": "str"})
