"""The conditions of a cohort's patients as a frame, a column a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from pandas.arrays import BooleanArray

from sexstrat.cohort.condition_bits import KNOWN, Place, places
from sexstrat.cohort.patient_conditions import diseased_sql
from sexstrat.cohort.sql import compose

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
    found = places(cohort._connection)
    states = "".join(f", CAST({_state_sql(place)} AS TINYINT) AS state_{n}" for n, place in enumerate(found))
    query = compose("SELECT patient_id{states} FROM patient ORDER BY patient_id", states=states)
    columns = cohort._connection.execute(query).fetchnumpy()
    frame = {"patient_id": pd.Series(columns.pop("patient_id"), dtype="str")}
    for place, state in zip(found, columns.values(), strict=True):
        frame[place.condition] = pd.Series(BooleanArray(state == 1, state < 0))
    return pd.DataFrame(frame)


def _state_sql(place: Place) -> str:
    """Return SQL that is 1 where the condition is present, 0 where it is absent, -1 where nobody knows."""
    return f"CASE WHEN {place.sql} & {KNOWN} = 0 THEN -1 WHEN {diseased_sql(place.sql)} THEN 1 ELSE 0 END"
