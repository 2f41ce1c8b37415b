"""Stage the tables of an OMOP common data model, and write persons and conditions from them in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sexstrat.cohort.contract_rules import contract_problems
from sexstrat.cohort.drops import SECTIONS, checked_drop
from sexstrat.cohort.findings import breach
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.omop import OmopSettings, omop_place
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.sql import Connection, compose, quoted, single_row
from sexstrat.cohort.staging import LEFT_OUT, Staged, define_typed, stage
from sexstrat.errors import Problem

__all__ = ["stage_omop"]

PERSON_TYPES = {
    "patient_id": "VARCHAR",
    "birth_date": "DATE",
    "visit_date": "DATE",
    "recorded_sex": "VARCHAR",
    "site": "VARCHAR",
}
CONDITION_TYPES = {"patient_id": "VARCHAR", "condition": "VARCHAR", "present": "BOOLEAN"}

PERSONS = """
CREATE OR REPLACE TEMP TABLE staged_person AS
SELECT p.source_row, p.person_id AS patient_id,
       TRY_CAST(printf('%04d-%02d-%02d', p.year_of_birth, coalesce(p.month_of_birth, 7),
           CASE WHEN p.month_of_birth IS NULL THEN 1 ELSE coalesce(p.day_of_birth, 15) END) AS DATE) AS birth_date,
       v.day AS visit_date, CAST(p.gender_concept_id AS VARCHAR) AS recorded_sex, p.care_site_id AS site
FROM typed_omop_person p LEFT JOIN omop_visit v USING (person_id)
"""
VISIT = """
CREATE OR REPLACE TEMP TABLE omop_visit AS SELECT person_id, {which}(visit_start_date) AS day
FROM typed_omop_visit_occurrence WHERE {kind} GROUP BY person_id
"""
NO_VISIT = "CREATE OR REPLACE TEMP TABLE omop_visit (person_id VARCHAR, day DATE)"
IMPRECISE = """SELECT source_row, concat_ws('-', year_of_birth, month_of_birth, day_of_birth) AS found
    FROM typed_omop_person WHERE month_of_birth IS NULL OR day_of_birth IS NULL"""

# of a person seen (or, where dates do not matter, of every person) no record of the set is what was declared it means
DIAGNOSED = """
INSERT INTO staged_condition
WITH recorded AS (
    SELECT c.person_id, k.condition, min(c.source_row) AS source_row
    FROM typed_omop_condition_occurrence c JOIN omop_concept k ON k.concept_id = c.condition_concept_id
    LEFT JOIN given_person g ON g.patient_id = c.person_id WHERE {seen} GROUP BY ALL
)
SELECT source_row, person_id, condition, true FROM recorded
UNION ALL
SELECT NULL, g.patient_id, k.condition, false FROM (SELECT DISTINCT patient_id, visit_date FROM given_person) g
CROSS JOIN (SELECT DISTINCT condition FROM omop_concept) k
WHERE {absent} AND g.patient_id IS NOT NULL AND NOT EXISTS
    (SELECT 1 FROM recorded r WHERE r.person_id = g.patient_id AND r.condition = k.condition)
"""
MEASURED = """
INSERT INTO staged_condition SELECT {before} + min(m.source_row), m.person_id, ?, bool_or({test})
FROM typed_omop_measurement m LEFT JOIN given_person g ON g.patient_id = m.person_id
WHERE m.measurement_concept_id = ? AND m.unit_concept_id = ? AND m.value_as_number IS NOT NULL AND {seen}
GROUP BY m.person_id
"""
OTHER_UNIT = """SELECT source_row, coalesce(CAST(unit_concept_id AS VARCHAR), 'no unit') AS found
    FROM typed_omop_measurement WHERE measurement_concept_id = ? AND value_as_number IS NOT NULL
    AND unit_concept_id IS DISTINCT FROM ?"""


def stage_omop(
    connection: Connection, contract: str, table: TableInput, settings: OmopSettings, coding: SexCoding
) -> Staged:
    """Stage persons, or the conditions of persons staged before, out of an OMOP common data model.

    Birth dates come from year, month and day of birth; where day or month is missing the middle of the month or year
    is taken, with a warning. Rows are named in messages by the row of the model's own table.

    Parameters
    ----------
    connection : a connection whose temporary tables may be written.
    contract : person or condition.
    table : where the model is.
    settings : how to read it.
    coding : meaning of the concepts of recorded sex.

    Examples
    --------
    A woman of 60 at her first visit, with a diagnosis before it.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from sexstrat.cohort.sql import connect
    >>> folder = Path(tempfile.mkdtemp())
    >>> head = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth"
    >>> _ = (folder / "person.csv").write_text(head + chr(10) + "1,8532,1960,3,1")
    >>> head = "visit_occurrence_id,person_id,visit_concept_id,visit_start_date"
    >>> _ = (folder / "visit_occurrence.csv").write_text(head + chr(10) + "1,1,9202,2020-03-01")
    >>> head = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date"
    >>> _ = (folder / "condition_occurrence.csv").write_text(head + chr(10) + "1,1,437541,2019-01-01")
    >>> settings = OmopSettings(visit="first", without_record="absent", conditions={"glaucoma": [437541]})
    >>> connection, coding = connect(), SexCoding.declared("omop")
    >>> for contract in ("person", "condition"):
    ...     staged = stage_omop(connection, contract, TableInput(source=folder), settings, coding)
    >>> connection.execute("SELECT recorded_sex, CAST(birth_date AS VARCHAR) FROM typed_person").fetchall()
    [('female', '1960-03-01')]
    >>> connection.execute("SELECT patient_id, condition, present FROM typed_condition").fetchall()
    [('1', 'glaucoma', True)]
    """
    section = table.section or SECTIONS[contract]
    drop = checked_drop(contract, section, table.drop)
    connection.execute(LEFT_OUT)
    write = _persons if contract == "person" else _conditions
    staged = Staged(
        contract=contract,
        label=table.label,
        types=PERSON_TYPES if contract == "person" else CONDITION_TYPES,
        decimal=table.decimal,
        problems=(),
        drop=drop,
        on_conflict=table.on_conflict,
        declared_in=section,
    )
    made_from, problems = write(connection, table, settings, staged)
    parts = _parts(connection, made_from) if contract == "condition" else ()
    origins = tuple(replace(one, declared_in=section) for one in made_from)
    staged = replace(staged, problems=tuple(problems), made_from=origins, parts=parts)
    define_typed(connection, staged, coding)
    return staged


def _parts(connection: Connection, made_from: Sequence[Staged]) -> tuple[tuple[int, str], ...]:
    """Return the first row and name of each table: their rows are numbered on, so that no two have one number."""
    parts: list[tuple[int, str]] = []
    first = 1
    for table in made_from:
        parts.append((first, table.label))
        first += _last_row(connection, table)
    return tuple(parts)


def _last_row(connection: Connection, table: Staged) -> int:
    query = compose("SELECT coalesce(max(source_row), 0) FROM {table}", table=quoted(table.table))
    return int(single_row(connection, query)[0])


def _stage(
    connection: Connection, name: str, table: TableInput, settings: OmopSettings
) -> tuple[Staged, list[Problem]]:
    source, chosen = omop_place(table.source, name, settings)  # type: ignore[arg-type]
    label = f"{table.label}: {name}"
    part = TableInput(
        source=source, table=chosen, name=label, encoding=table.encoding, delimiter=table.delimiter,
        decimal=table.decimal, section=table.section,
    )  # fmt: skip
    staged = stage(connection, f"omop_{name}", part, SexCoding.declared(None))
    return staged, [*staged.problems, *contract_problems(connection, staged, SexCoding.declared(None))]


def _persons(
    connection: Connection, table: TableInput, settings: OmopSettings, _: Staged
) -> tuple[list[Staged], list[Problem]]:
    persons, problems = _stage(connection, "person", table, settings)
    made_from = [persons]
    connection.execute(NO_VISIT)
    if settings.visit != "none":
        visits, found = _stage(connection, "visit_occurrence", table, settings)
        made_from.append(visits)
        problems += found
        concepts = ", ".join(str(int(concept)) for concept in settings.visit_concepts)
        kind = f"visit_concept_id IN ({concepts})" if concepts else "true"
        connection.execute(compose(VISIT, which="min" if settings.visit == "first" else "max", kind=kind))
    connection.execute(PERSONS)
    return made_from, problems + breach(
        connection,
        IMPRECISE,
        kind="imprecise_birth_date",
        message="month or day of birth is missing; the middle of the year or month is taken, so that the age may be a "
        "year more or less",
        staged=persons,
        column="month_of_birth",
        allowed="year, month and day of birth",
        severity="warning",
    )


def _conditions(
    connection: Connection, table: TableInput, settings: OmopSettings, staged: Staged
) -> tuple[list[Staged], list[Problem]]:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE staged_condition "
        "(source_row BIGINT, patient_id VARCHAR, condition VARCHAR, present BOOLEAN)"
    )
    made_from: list[Staged] = []
    problems: list[Problem] = []
    if settings.conditions:
        diagnosed, problems = _stage(connection, "condition_occurrence", table, settings)
        made_from.append(diagnosed)
        connection.execute("CREATE OR REPLACE TEMP TABLE omop_concept (condition VARCHAR, concept_id BIGINT)")
        rows = [
            (name, concept) for name, concepts in settings.conditions.items() for concept in dict.fromkeys(concepts)
        ]
        connection.executemany("INSERT INTO omop_concept VALUES (?, ?)", rows)
        dated = "c.condition_start_date <= g.visit_date" if settings.until_visit else "true"
        absent = "g.visit_date IS NOT NULL" if settings.until_visit else "true"
        if settings.without_record == "unknown":
            absent = "false"
        connection.execute(compose(DIAGNOSED, seen=dated, absent=absent))
    if settings.measurements:
        before = sum(_last_row(connection, one) for one in made_from)
        measured, found = _measured(connection, table, settings, staged, before)
        made_from.append(measured)
        problems += found
    return made_from, problems


def _measured(
    connection: Connection, table: TableInput, settings: OmopSettings, staged: Staged, before: int
) -> tuple[Staged, list[Problem]]:
    """Add the conditions that values tell, their rows numbered on after those before."""
    measured, problems = _stage(connection, "measurement", table, settings)
    measured = replace(measured, drop=staged.drop, declared_in=staged.section)
    dated = "m.measurement_date <= g.visit_date" if settings.until_visit else "true"
    for name, disease in settings.measurements.items():
        problems += breach(
            connection,
            OTHER_UNIT,
            [disease.concept, disease.unit],
            kind="other_unit",
            message=f"the value is not in the declared unit of {name}, so it tells nothing of it",
            staged=measured,
            column="unit_concept_id",
            allowed=str(disease.unit),
        )
        query = compose(MEASURED, test=disease.test, seen=dated, before=str(before))
        connection.execute(query, [name, disease.concept, disease.unit])
    return measured, problems
