"""Scores with the patient and the eye that the image list gives them."""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.cohort.ddl import column_type
from sexstrat.cohort.score_use import ScoreUse
from sexstrat.cohort.sql import Connection, compose, quoted
from sexstrat.cohort.staging import Staged
from sexstrat.values.tables import table_schema

__all__ = ["link_scores"]

LISTED = """
CREATE OR REPLACE TEMP VIEW linked_score AS
SELECT s.* REPLACE (coalesce(s.patient_id, i.patient_id) AS patient_id,
    CASE WHEN s.eye_source = 'inferred' THEN coalesce(i.eye, s.eye) ELSE coalesce(s.eye, i.eye) END AS eye,
    CASE WHEN i.eye IS NOT NULL AND (s.eye IS NULL OR s.eye_source = 'inferred') THEN 'list' ELSE s.eye_source END
        AS eye_source)
FROM {used} s LEFT JOIN (
    SELECT image_id, patient_id, eye FROM typed_image
    WHERE patient_id IS NULL OR patient_id IN (SELECT patient_id FROM typed_person)
) i USING (image_id)
"""


def link_scores(connection: Connection, staged: Mapping[str, Staged], use: ScoreUse | None = None) -> None:
    """Make the view ``linked_score``: the scores as they are used, with what the image list adds where there is one.

    An eye that the image list names goes before one inferred from the photograph.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table.
    use : what the study declares about scores; None declares nothing.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> link_scores(connection, {})
    >>> connection.execute("SELECT count(patient_id) FROM linked_score").fetchall()
    [(0,)]
    """
    if {"score", "image"} <= set(staged):
        connection.execute(compose(LISTED, used=(use or ScoreUse()).view))
        return
    origin = (use or ScoreUse()).view
    if "score" not in staged:
        fields = table_schema("score").fields
        columns = ", ".join(f"CAST(NULL AS {column_type(field)}) AS {quoted(field.name)}" for field in fields)
        origin = f"(SELECT {columns}) WHERE false"
    connection.execute(compose("CREATE OR REPLACE TEMP VIEW linked_score AS SELECT * FROM {origin}", origin=origin))
