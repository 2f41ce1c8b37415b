"""Rules between tables: rows of unknown patients, scores that contradict their status, conditions that contradict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sexstrat.cohort.condition_bits import MOST_CONDITIONS, broken_bits
from sexstrat.cohort.findings import breach
from sexstrat.cohort.sql import Connection, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem

__all__ = ["link_problems"]

CONFLICT = "condition_conflict"

CONTRADICTED = """SELECT bool_or((status = 'ok') = "no prob_male") FROM typed_score"""


def link_problems(connection: Connection, staged: Mapping[str, Staged]) -> list[Problem]:
    """Return what is wrong between the tables.

    Parameters
    ----------
    connection : where the tables are staged, scores combined and conditions gathered.
    staged : contract name -> table; person is there, the others may be.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.condition_bits import gather_conditions
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sex_coding import SexCoding
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> connection, coding = connect(), SexCoding.declared(None)
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> conditions = pd.DataFrame({"patient_id": ["b"], "condition": ["glaucoma"], "present": [True]})
    >>> conditions = TableInput(source=conditions, name="condition", drop=["unknown_patient"])
    >>> inputs = {"person": TableInput(source=persons, name="person"), "condition": conditions}
    >>> staged = {name: stage(connection, name, table, coding) for name, table in inputs.items()}
    >>> gather_conditions(connection)
    >>> print(link_problems(connection, staged)[0])
    condition, row 1, column patient_id: patient is not in the person table; found 'b';
    allowed: a patient_id of person. Left out, as drop in [conditions] declares
    """
    problems: list[Problem] = []
    broken = broken_bits(connection) if "condition" in staged else {}
    for contract in ("image", "score", "condition"):
        if contract in staged and "patient_id" in staged[contract].types and "patient_id" in staged["person"].types:
            if contract == "condition" and not broken["unknown_patient"]:
                continue
            if contract == "score" and not _names_unknown_patients(connection):
                continue
            problems += _orphans(connection, staged[contract], staged["person"].label)
    if "image" in staged:
        problems += _born_later(connection, staged["image"])
    if "score" in staged:
        problems += _scores(connection, staged["score"], "image" in staged)
    if {"score", "image"} <= set(staged):
        problems += _images(connection, staged["score"])
    if "condition" in staged:
        problems += _conditions(connection, staged["condition"], broken)
    return problems


def _names_unknown_patients(connection: Connection) -> bool:
    """Ask the combined scores, one row a patient, before each score is looked at."""
    query = """SELECT EXISTS (SELECT 1 FROM combined c WHERE NOT EXISTS
        (SELECT 1 FROM typed_person p WHERE p.patient_id = c.patient_id))"""
    return bool(single_row(connection, query)[0])


def _orphans(connection: Connection, staged: Staged, persons: str) -> list[Problem]:
    rows = f"""SELECT o.source_row, o.patient_id AS found FROM typed_{staged.contract} o
        WHERE o.patient_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM given_person p WHERE p.patient_id = o.patient_id)"""  # noqa: S608
    return breach(
        connection,
        rows,
        kind="unknown_patient",
        message="patient is not in the person table",
        staged=staged,
        column="patient_id",
        allowed=f"a patient_id of {persons}",
        hint="Add the patient",
    )


def _born_later(connection: Connection, staged: Staged) -> list[Problem]:
    rows = """SELECT i.source_row,
        i.patient_id || ': born ' || p.birth_date || ', photographed ' || i.acquired_on AS found
        FROM typed_image i JOIN typed_person p USING (patient_id) WHERE i.acquired_on < p.birth_date"""
    return breach(
        connection,
        rows,
        kind="image_before_birth",
        message="the photograph is before the birth",
        staged=staged,
        column="acquired_on",
        allowed="acquired_on on or after the patient's birth_date",
    )


def _scores(connection: Connection, staged: Staged, with_images: bool) -> list[Problem]:
    without = "SELECT source_row, status AS found FROM typed_score WHERE status = 'ok' AND \"no prob_male\""
    despite = """SELECT source_row, status || ' with ' || "raw prob_male" AS found FROM typed_score
        WHERE status <> 'ok' AND NOT "no prob_male" """
    mixed = """SELECT min(s.source_row) AS source_row, s.model_id AS found FROM typed_score s JOIN
        (SELECT fold, arg_min(model_id, source_row) AS model_id FROM typed_score WHERE status = 'ok' GROUP BY fold) f
        ON s.fold IS NOT DISTINCT FROM f.fold AND s.model_id <> f.model_id WHERE s.status = 'ok' GROUP BY s.model_id"""
    found: list[Problem] = []
    if single_row(connection, CONTRADICTED)[0]:
        found += breach(
            connection,
            without,
            kind="status_contradicts_score",
            message="status is ok but there is no probability",
            staged=staged,
            column="prob_male",
            allowed="a number from 0 to 1 where status is ok",
        )
        found += breach(
            connection,
            despite,
            kind="status_contradicts_score",
            message="status is not ok but there is a probability",
            staged=staged,
            column="prob_male",
            allowed="empty where status is not ok",
        )
    found += breach(
        connection,
        mixed,
        kind="several_models",
        message="scores of more than one model are mixed",
        staged=staged,
        column="model_id",
        allowed="one model_id for all scores, or for all of a fold",
        severity="warning",
    )
    return found if with_images else found + _unlinked(connection, staged)


def _unlinked(connection: Connection, staged: Staged) -> list[Problem]:
    return breach(
        connection,
        "SELECT source_row, image_id AS found FROM typed_score WHERE patient_id IS NULL",
        kind="no_patient",
        message="score names no patient, so it cannot be linked and is left out",
        staged=staged,
        column="patient_id",
        allowed="a patient_id, here or in the image table",
        severity="warning",
    )


def _images(connection: Connection, staged: Staged) -> list[Problem]:
    unlisted = """SELECT s.source_row, s.image_id AS found FROM typed_score s
        WHERE NOT EXISTS (SELECT 1 FROM typed_image i WHERE i.image_id = s.image_id)"""
    differs = """SELECT s.source_row, s.patient_id || ' against ' || i.patient_id AS found
        FROM typed_score s JOIN typed_image i USING (image_id) WHERE s.patient_id <> i.patient_id"""
    return [
        *breach(
            connection,
            unlisted,
            kind="image_not_listed",
            message="score is of an image that the image table does not list",
            staged=staged,
            column="image_id",
            allowed="an image_id of the image table",
            severity="warning",
        ),
        *breach(
            connection,
            differs,
            kind="patients_disagree",
            message="score and image table name different patients for one image",
            staged=staged,
            column="patient_id",
            allowed="the patient_id of the image table",
        ),
    ]


def _conditions(connection: Connection, staged: Staged, broken: Mapping[str, bool]) -> list[Problem]:
    unknown = "SELECT source_row, concat_ws(', ', patient_id, eye, condition) AS found FROM typed_condition WHERE "
    return [
        *(_conflicts(connection, staged) if broken["repeated"] else ()),
        *_eyes_and_persons(connection, staged, broken),
        *breach(
            connection,
            unknown + '"no present"',
            kind="not_known",
            message="value is missing, so the condition is not known and the row is left out",
            staged=staged,
            column="present",
            allowed="true or false",
            severity="warning",
        ),
        *(_too_many(connection, staged) if broken["too_many_conditions"] else ()),
    ]


def _too_many(connection: Connection, staged: Staged) -> list[Problem]:
    rows = f"""SELECT min(source_row) AS source_row, condition AS found FROM typed_condition
        WHERE condition NOT IN (SELECT condition FROM condition_place WHERE condition IS NOT NULL)
        OR (SELECT count(DISTINCT condition) FROM typed_condition) > {MOST_CONDITIONS}
        GROUP BY condition"""  # noqa: S608
    return breach(
        connection,
        rows,
        kind="too_many_conditions",
        message="the table names more conditions than a study can have",
        staged=staged,
        column="condition",
        allowed=f"at most {MOST_CONDITIONS:,} conditions",
        hint="Is another column in the place of the condition's name?",
    )


def _conflicts(connection: Connection, staged: Staged) -> list[Problem]:
    """Find conditions both present and absent, and resolve them as the study declares."""
    groups = """SELECT max(source_row) AS source_row, patient_id, eye, condition,
        concat_ws(', ', patient_id, eye, condition) || ': true and false' AS found FROM typed_condition
        WHERE patient_id IS NOT NULL AND present IS NOT NULL
        GROUP BY patient_id, eye, condition HAVING bool_or(present) AND NOT bool_and(present)"""
    present_wins = staged.on_conflict == "present"
    members = f"""SELECT c.source_row FROM typed_condition c JOIN ({groups}) g ON g.patient_id = c.patient_id
        AND g.condition = c.condition AND g.eye IS NOT DISTINCT FROM c.eye
        {"WHERE NOT c.present" if present_wins else ""}"""  # noqa: S608
    found = breach(
        connection,
        groups,
        kind=CONFLICT,
        message="a condition is both present and absent",
        staged=replace(staged, drop=(*staged.drop, CONFLICT)) if present_wins else staged,
        column="present",
        allowed="one value for each patient, eye and condition",
        hint=f'To count it as present, write on_conflict = "present" in [{staged.section}]',
        drop_sql=members,
    )
    said = f'Counted as present, as on_conflict = "present" in [{staged.section}] declares'
    return [replace(problem, hint=said) for problem in found] if present_wins else found


def _eyes_and_persons(connection: Connection, staged: Staged, broken: Mapping[str, bool]) -> list[Problem]:
    person_level = """SELECT p.source_row, p.patient_id || ', ' || p.condition || ': false, an eye true' AS found
        FROM typed_condition p WHERE p.eye IS NULL AND NOT p.present AND EXISTS
        (SELECT 1 FROM typed_condition e WHERE e.eye IS NOT NULL AND e.present
         AND e.patient_id = p.patient_id AND e.condition = p.condition)"""
    mixed = """SELECT min(source_row) FILTER (WHERE eye IS NULL) AS source_row,
        condition || ': ' || count(*) FILTER (WHERE eye IS NULL) || ' rows without an eye, '
        || count(eye) || ' with one' AS found FROM typed_condition
        WHERE present IS NOT NULL AND condition IS NOT NULL
        GROUP BY condition HAVING count(eye) BETWEEN 1 AND count(*) - 1"""
    found: list[Problem] = []
    if broken["person_and_eye_disagree"] or broken["repeated"]:
        found += breach(
            connection,
            person_level,
            kind="person_and_eye_disagree",
            message="a condition is absent for the person and present in an eye; it counts as present",
            staged=staged,
            column="present",
            allowed="true for the person where an eye has it",
            severity="warning",
        )
    if broken["eyes_and_persons_mixed"]:
        found += breach(
            connection,
            mixed,
            kind="eyes_and_persons_mixed",
            message="some rows of a condition name an eye and others are about the person, so that it is counted by "
            "person only and has no prevalence among eyes",
            staged=staged,
            column="eye",
            allowed="an eye in every row of a condition, or in none",
            hint="Give the rows without an eye the name of a condition of their own",
            severity="warning",
        )
    return found
