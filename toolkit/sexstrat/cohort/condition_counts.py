"""How many patients the study has, and how many have a condition known, present and missing."""

from __future__ import annotations

import pandas as pd

from sexstrat.cohort.condition_bits import KNOWN, places
from sexstrat.cohort.patient_conditions import diseased_sql
from sexstrat.cohort.sql import Connection, single_row

__all__ = ["condition_counts", "patient_counts"]

PATIENTS = """
SELECT count(*), count(*) FILTER (WHERE n_eyes > 0), count(*) FILTER (WHERE validated_sex IN ('male', 'female'))
FROM patient WHERE in_study
"""


def condition_counts(connection: Connection) -> pd.DataFrame:
    """Return for each condition the patients in the study with it known, present and missing, in one scan.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> place = "SELECT 'amd' AS condition, 1 AS column_number, 0 AS first_bit, false AS by_eye"
    >>> _ = connection.execute("CREATE TABLE condition_column AS " + place)
    >>> rows = "(VALUES (true, 1), (true, 3), (true, 0), (false, 3)) AS t(in_study, conditions_1)"
    >>> _ = connection.execute("CREATE TABLE patient AS FROM " + rows)
    >>> condition_counts(connection).values.tolist()
    [['amd', 2, 1, 1]]
    """
    found = places(connection)
    tests = [test for place in found for test in (f"{place.sql} & {KNOWN} <> 0", diseased_sql(place.sql))]
    columns = ", ".join(["count(*)", *(f"count(*) FILTER (WHERE {test})" for test in tests)])
    everyone, *counts = single_row(connection, f"SELECT {columns} FROM patient WHERE in_study")  # noqa: S608
    rows = [
        (place.condition, known, present, everyone - known)
        for place, known, present in zip(found, counts[::2], counts[1::2], strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["condition", "n_known", "n_present", "n_missing"])
    return frame.astype({"condition": "str", "n_known": "int64", "n_present": "int64", "n_missing": "int64"})


def patient_counts(connection: Connection) -> dict[str, int]:
    """Return how many patients are ``analysed``, and of these ``scored`` and ``validated``.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> rows = "(true, 1, 'male'), (true, 0, 'unknown'), (false, 2, 'male')) AS t(in_study, n_eyes, validated_sex)"
    >>> _ = connection.execute("CREATE TABLE patient AS FROM (VALUES " + rows)
    >>> patient_counts(connection)
    {'analysed': 2, 'scored': 1, 'validated': 1}
    """
    row = single_row(connection, PATIENTS)
    return dict(zip(("analysed", "scored", "validated"), map(int, row), strict=True))
