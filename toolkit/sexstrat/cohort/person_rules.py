"""Rules between the columns of the person table, and between its rows."""

from __future__ import annotations

from sexstrat.cohort.findings import breach
from sexstrat.cohort.sql import Connection
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem

__all__ = ["AGE_SQL", "person_problems"]

# completed years when age comes from dates; as given otherwise
AGE_SQL = "coalesce(age_years, CAST(date_sub('year', birth_date, visit_date) AS DOUBLE))"


def person_problems(connection: Connection, staged: Staged, *, age_source: str = "recorded") -> list[Problem]:
    """Return what is wrong between columns and rows of the person table.

    Parameters
    ----------
    connection : where the table is staged.
    staged : the person table.
    age_source : which age the analyses use, see :mod:`sexstrat.cohort.predicted_ages`; where it is a predicted one, the
        temporary table ``combined_age`` holds them.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sex_coding import SexCoding
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> frame = pd.DataFrame({"patient_id": ["a", "a"], "age_years": [61, 61], "recorded_sex": ["male", "female"]})
    >>> connection = connect()
    >>> staged = stage(connection, "person", TableInput.of(frame, "persons"), SexCoding.declared(None))
    >>> print(person_problems(connection, staged)[0])
    persons, row 2, column recorded_sex: one patient has two recorded sexes; found 'a: female, male';
    allowed: one recorded sex for each patient_id.
    To leave such rows out, write drop = ["two_recorded_sexes"] in [persons] of the study file
    """
    problems = _two_sexes(connection, staged) + _dates(connection, staged)
    problems += _ages(connection, staged, age_source)
    for column in ("weight", "validation_probability"):
        if column in staged.types:
            problems += _partly_given(connection, staged, column)
    return problems


def _two_sexes(connection: Connection, staged: Staged) -> list[Problem]:
    rows = """
        SELECT max(source_row) AS source_row,
               patient_id || ': ' || array_to_string(list_sort(list(DISTINCT recorded_sex)), ', ') AS found
        FROM typed_person WHERE recorded_sex IS NOT NULL AND recorded_sex <> 'unknown' AND patient_id IS NOT NULL
        GROUP BY patient_id HAVING count(*) > 1 AND count(DISTINCT recorded_sex) > 1"""
    members = """SELECT source_row FROM typed_person WHERE patient_id IN (
        SELECT patient_id FROM typed_person WHERE recorded_sex <> 'unknown'
        GROUP BY patient_id HAVING count(DISTINCT recorded_sex) > 1)"""
    return breach(
        connection,
        rows,
        kind="two_recorded_sexes",
        message="one patient has two recorded sexes",
        staged=staged,
        column="recorded_sex",
        allowed="one recorded sex for each patient_id",
        drop_sql=members,
    )


def _dates(connection: Connection, staged: Staged) -> list[Problem]:
    backwards = """SELECT source_row, birth_date || ' to ' || visit_date AS found FROM typed_person
        WHERE visit_date < birth_date"""
    too_old = """SELECT source_row, birth_date || ' to ' || visit_date AS found FROM typed_person
        WHERE age_years IS NULL AND date_sub('year', birth_date, visit_date) > 120"""
    disagree = """SELECT source_row, "raw age_years" || ' against ' || birth_date || ' to ' || visit_date AS found
        FROM typed_person WHERE abs(age_years - (visit_date - birth_date) / 365.25) > 1 AND visit_date >= birth_date"""
    return [
        *breach(
            connection,
            backwards,
            kind="visit_before_birth",
            message="the visit is before the birth",
            staged=staged,
            column="visit_date",
            allowed="visit_date on or after birth_date",
        ),
        *breach(
            connection,
            too_old,
            kind="above_maximum",
            message="the age from birth_date to visit_date is above the maximum",
            staged=staged,
            column="birth_date",
            allowed="an age from 0 to 120",
        ),
        *breach(
            connection,
            disagree,
            kind="ages_disagree",
            message="age_years and the dates differ by more than a year; age_years is used",
            staged=staged,
            column="age_years",
            allowed="the age from birth_date to visit_date, give or take a year",
            severity="warning",
        ),
    ]


def _ages(connection: Connection, staged: Staged, source: str) -> list[Problem]:
    lacking = "true" if source == "predicted_for_all" else f'({AGE_SQL} IS NULL AND "no age_years")'
    rows = f"SELECT source_row, CAST(NULL AS VARCHAR) AS found FROM typed_person p WHERE {lacking}"  # noqa: S608
    if source != "recorded":
        rows += " AND NOT EXISTS (SELECT 1 FROM combined_age a WHERE a.patient_id = p.patient_id)"
    if not {"age_years", "birth_date"} & set(staged.types):
        return []  # the missing column has its own message
    return breach(
        connection,
        rows,
        kind="no_age",
        message="patient without an age cannot enter the estimates",
        staged=staged,
        column="age_years",
        allowed="age_years, or birth_date with visit_date or the day of a photograph (acquired_on of the image table)",
        severity="warning",
    )


def _partly_given(connection: Connection, staged: Staged, column: str) -> list[Problem]:
    relevant = "true" if column == "weight" else "recorded_sex IN ('male', 'female')"
    rows = f"""SELECT source_row, CAST(NULL AS VARCHAR) AS found FROM typed_person
        WHERE "no {column}" AND {relevant}
        AND EXISTS (SELECT 1 FROM typed_person WHERE NOT "no {column}")"""  # noqa: S608
    return breach(
        connection,
        rows,
        kind="partly_given",
        message=f"{column} is given for some patients and missing for this one",
        staged=staged,
        column=column,
        allowed=f"a {column} for every patient it concerns, or for none",
    )
