"""Conditions as rows again: views that read the bits of the patient table.

A row that names an eye says that this eye was graded; an eye without a row, or with an empty value, was not. A row
without an eye is about the person and tells of no eye. A condition is recorded by eye when every known row of it names
one: then each patient has ``n_diseased_eyes`` of ``n_graded_eyes``, 1 or 2. When none does, or when some do and others
do not (a warning, since nobody can say how many eyes the others stand for), both are empty for all its patients.
"""

from __future__ import annotations

from collections.abc import Sequence

from sexstrat.cohort.condition_bits import KNOWN, KNOWN_EYES, PRESENT, PRESENT_EYES, Place
from sexstrat.cohort.ddl import comment_on_column, comment_on_view
from sexstrat.cohort.sql import Connection, compose
from sexstrat.values.tables import table_schema

__all__ = ["diseased_sql", "eyes_sql", "write_condition_views"]

ROWS = """
CREATE VIEW condition AS
SELECT patient_id, CASE slot WHEN 2 THEN 'R' WHEN 4 THEN 'L' END AS eye, condition,
       (bits >> (slot + 1)) & 1 = 1 AS present
FROM (SELECT p.patient_id, k.condition, ({column} >> k.first_bit) & 63 AS bits, unnest([0, 2, 4]) AS slot
      FROM patient p CROSS JOIN condition_column k)
WHERE (bits >> slot) & 1 = 1
"""
PATIENTS = """
CREATE VIEW patient_condition AS
SELECT patient_id, condition, {diseased} AS diseased, CASE WHEN by_eye THEN {graded} END AS n_graded_eyes,
       CASE WHEN by_eye THEN {affected} END AS n_diseased_eyes
FROM (SELECT p.patient_id, k.condition, k.by_eye, ({column} >> k.first_bit) & 63 AS bits
      FROM patient p CROSS JOIN condition_column k)
WHERE bits & {known} <> 0
"""
COMMENTS = {
    "patient_id": "the unit of every analysis",
    "condition": "name of the disease",
    "diseased": "present in the person or in any eye",
    "n_graded_eyes": "eyes with a known value; empty where the condition is not recorded by eye throughout",
    "n_diseased_eyes": "of these, the eyes in which it is present",
}


def diseased_sql(bits: str) -> str:
    """Return SQL that is true where the six bits say that a condition is present.

    Parameters
    ----------
    bits : SQL of the bits.

    Examples
    --------
    >>> diseased_sql("bits")
    'bits & 42 <> 0'
    """
    return f"{bits} & {PRESENT} <> 0"


def eyes_sql(bits: str) -> tuple[str, str]:
    """Return SQL of the eyes graded and of those affected.

    Parameters
    ----------
    bits : SQL of the six bits of a condition.

    Examples
    --------
    >>> eyes_sql("bits")[0]
    'CAST(bit_count(bits & 20) AS BIGINT)'
    """
    graded, affected = (f"CAST(bit_count({bits} & {mask}) AS BIGINT)" for mask in (KNOWN_EYES, PRESENT_EYES))
    return graded, affected


def write_condition_views(connection: Connection, found: Sequence[Place]) -> None:
    """Write the views ``condition``, a row for each known value, and ``patient_condition``, one a patient.

    Parameters
    ----------
    connection : the cohort being built, with the tables patient and condition_column.
    found : where the conditions are.

    Examples
    --------
    Two eyes graded, one of them affected; and a condition of the person.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> rows = "('amd', 1, 0, true), ('stroke', 1, 6, false)) AS t(condition, column_number, first_bit, by_eye)"
    >>> _ = connection.execute("CREATE TABLE condition_column AS FROM (VALUES " + rows)
    >>> _ = connection.execute(f"CREATE TABLE patient AS SELECT 'a' AS patient_id, {4 + 16 + 32 + 3 * 64} conditions_1")
    >>> found = [
    ...     Place(condition=n, column_number=1, first_bit=b, by_eye=b == 0) for n, b in (("amd", 0), ("stroke", 6))
    ... ]
    >>> write_condition_views(connection, found)
    >>> connection.execute("SELECT * EXCLUDE patient_id FROM patient_condition ORDER BY condition").fetchall()
    [('amd', True, 2, 1), ('stroke', True, None, None)]
    >>> connection.execute("SELECT * EXCLUDE patient_id FROM condition ORDER BY condition, eye").fetchall()
    [('L', 'amd', True), ('R', 'amd', False), (None, 'stroke', True)]
    """
    numbers = sorted({place.column_number for place in found})
    cases = " ".join(f"WHEN {number:d} THEN p.conditions_{number:d}" for number in numbers)
    column = f"CASE k.column_number {cases} END" if cases else "CAST(0 AS BIGINT)"
    graded, affected = eyes_sql("bits")
    parts = {"diseased": diseased_sql("bits"), "graded": graded, "affected": affected, "known": str(KNOWN)}
    connection.execute(compose(ROWS, column=column))
    connection.execute(compose(PATIENTS, column=column, **parts))
    schema = table_schema("condition")
    comment_on_view(connection, "condition", f"{schema.title}, known values only; read from the bits of patient")
    for field in schema.fields:
        comment_on_column(connection, "condition", field.name, field.description)
    words = "one row a patient and condition: present in the person or in any eye; read from the bits of patient"
    comment_on_view(connection, "patient_condition", words)
    for name, comment in COMMENTS.items():
        comment_on_column(connection, "patient_condition", name, comment)
