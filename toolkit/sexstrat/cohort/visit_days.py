"""Age at the photograph: the day of a person's first photograph where the person table dates no visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sexstrat.cohort.sql import Connection
from sexstrat.cohort.staging import Staged

__all__ = ["date_by_photographs"]

FIRST_DAY = """
CREATE OR REPLACE TEMP TABLE first_photograph AS
SELECT i.patient_id, min(i.acquired_on) AS day FROM given_image i JOIN given_person p USING (patient_id)
WHERE i.acquired_on >= p.birth_date GROUP BY i.patient_id
"""
DATED = """
ALTER VIEW given_person RENAME TO undated_person;
CREATE OR REPLACE TEMP VIEW given_person AS
SELECT u.* REPLACE (coalesce(u.visit_date, f.day) AS visit_date)
FROM undated_person u LEFT JOIN first_photograph f USING (patient_id)
"""


def date_by_photographs(connection: Connection, staged: Mapping[str, Staged]) -> dict[str, Staged]:
    """Give persons with a birth date and no visit date the day of their first photograph as the visit.

    Nothing changes without an image table that says when photographs were taken (acquired_on), and no date is
    overwritten.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table.

    Returns
    -------
    The same tables; a missing age column is no problem of the person table any more where photographs date the age.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sex_coding import SexCoding
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> connection, coding = connect(), SexCoding.declared(None)
    >>> persons = pd.DataFrame({"patient_id": ["a"], "birth_date": ["1960-06-30"], "recorded_sex": [""]})
    >>> images = pd.DataFrame({"image_id": ["i"], "patient_id": ["a"], "path": ["i"], "acquired_on": ["2020-06-29"]})
    >>> frames = {"person": persons, "image": images}
    >>> staged = {name: stage(connection, name, TableInput.of(table, name), coding) for name, table in frames.items()}
    >>> staged = date_by_photographs(connection, staged)
    >>> connection.execute("SELECT CAST(visit_date AS VARCHAR) FROM typed_person").fetchall()
    [('2020-06-29',)]
    """
    person, image = staged.get("person"), staged.get("image")
    if person is None or image is None or "acquired_on" not in image.types or "birth_date" not in person.types:
        return dict(staged)
    connection.execute(FIRST_DAY)
    connection.execute(DATED)
    kept = tuple(p for p in person.problems if (p.kind, p.column) != ("missing_column", "age_years"))
    return {**staged, "person": replace(person, problems=kept)}
