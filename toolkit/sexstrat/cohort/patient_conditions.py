"""One row a patient and condition: present or not, and in how many of how many graded eyes where it is recorded by eye.

A row that names an eye says that this eye was graded; an eye without a row, or with an empty value, was not. A row
without an eye is about the person and tells of no eye. A condition is recorded by eye when every known row of it names
one: then each patient has ``n_diseased_eyes`` of ``n_graded_eyes``, 1 or 2. When none does, or when some do and others
do not (a warning, since nobody can say how many eyes the others stand for), both are empty for all its patients.
"""

from __future__ import annotations

from sexstrat.cohort.ddl import comment_on_column, comment_on_table
from sexstrat.cohort.sql import Connection

__all__ = ["write_patient_conditions"]

QUERY = """
CREATE TABLE patient_condition AS
WITH unit AS (SELECT condition, bool_and(eye IS NOT NULL) AS by_eye FROM condition GROUP BY condition),
counted AS (
    SELECT patient_id, condition, bool_or(present) AS diseased,
           coalesce(bool_or(eye = 'R'), false) AS right_graded,
           coalesce(bool_or(eye = 'L'), false) AS left_graded,
           coalesce(bool_or(eye = 'R' AND present), false) AS right_affected,
           coalesce(bool_or(eye = 'L' AND present), false) AS left_affected
    FROM condition GROUP BY patient_id, condition
)
SELECT c.patient_id, c.condition, c.diseased,
       CASE WHEN u.by_eye THEN CAST(c.right_graded AS BIGINT) + CAST(c.left_graded AS BIGINT) END AS n_graded_eyes,
       CASE WHEN u.by_eye THEN CAST(c.right_affected AS BIGINT) + CAST(c.left_affected AS BIGINT) END
           AS n_diseased_eyes
FROM counted c JOIN unit u USING (condition)
"""
COMMENTS = {
    "diseased": "present in the person or in any eye",
    "n_graded_eyes": "eyes with a known value; empty where the condition is not recorded by eye throughout",
    "n_diseased_eyes": "of these, the eyes in which it is present",
}


def write_patient_conditions(connection: Connection) -> None:
    """Write the table ``patient_condition`` from the table ``condition``, whose values are all known.

    Parameters
    ----------
    connection : the cohort being built.

    Examples
    --------
    Two eyes graded, one of them affected; and a condition of the person.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> rows = "('a', 'R', 'amd', true), ('a', 'L', 'amd', false), ('a', NULL, 'stroke', true)"
    >>> _ = connection.execute(
    ...     "CREATE TABLE condition AS SELECT * FROM (VALUES " + rows + ") t(patient_id, eye, condition, present)"
    ... )
    >>> write_patient_conditions(connection)
    >>> query = "SELECT condition, diseased, n_graded_eyes, n_diseased_eyes FROM patient_condition ORDER BY condition"
    >>> connection.execute(query).fetchall()
    [('amd', True, 2, 1), ('stroke', True, None, None)]
    """
    connection.execute(QUERY)
    comment_on_table(
        connection, "patient_condition", "one row a patient and condition: present in the person or in any eye"
    )
    for column, words in COMMENTS.items():
        comment_on_column(connection, "patient_condition", column, words)
