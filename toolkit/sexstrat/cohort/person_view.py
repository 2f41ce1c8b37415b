"""Persons as they were given: a view of the patient table in the shape of the person contract."""

from __future__ import annotations

from sexstrat.cohort.ddl import comment_on_column, comment_on_view
from sexstrat.cohort.sql import Connection
from sexstrat.values.tables import table_schema

__all__ = ["write_person_view"]

PERSON = """
CREATE VIEW person AS
SELECT patient_id, CASE WHEN NOT age_from_dates THEN recorded_age END AS age_years, birth_date, visit_date,
       recorded_sex, validation_probability, weight, stratum, psu, site
FROM patient
"""


def write_person_view(connection: Connection) -> None:
    """Write the view ``person`` of a cohort.

    Parameters
    ----------
    connection : the cohort being built, with the table patient.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> columns = "'a' patient_id, 61 recorded_age, true age_from_dates, NULL birth_date, NULL visit_date"
    >>> columns += ", 'male' recorded_sex"
    >>> columns += ", 0.5 validation_probability, 1 weight, NULL stratum, NULL psu, NULL site"
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT " + columns)
    >>> write_person_view(connection)
    >>> connection.execute("SELECT patient_id, age_years, recorded_sex FROM person").fetchall()
    [('a', None, 'male')]
    """
    schema = table_schema("person")
    connection.execute(PERSON)
    comment_on_view(connection, "person", f"{schema.title}, as given; read from the table patient")
    for field in schema.fields:
        comment_on_column(connection, "person", field.name, field.description)
