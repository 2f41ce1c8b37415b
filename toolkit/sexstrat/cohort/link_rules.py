"""Rules between tables: rows of unknown patients, scores that contradict their status, conditions that contradict."""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.cohort.findings import breach
from sexstrat.cohort.sql import Connection
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem

__all__ = ["link_problems"]


def link_problems(connection: Connection, staged: Mapping[str, Staged], on_orphan: str = "error") -> list[Problem]:
    """Return what is wrong between the tables.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table; person is there, the others may be.
    on_orphan : ``"error"``, or ``"drop"`` to warn of rows of unknown patients and leave them out.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sex_coding import SexCoding
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> connection, coding = connect(), SexCoding.declared(None)
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> conditions = pd.DataFrame({"patient_id": ["b"], "condition": ["glaucoma"], "present": [True]})
    >>> inputs = {"person": persons, "condition": conditions}
    >>> staged = {n: stage(connection, n, TableInput.of(frame, n), coding) for n, frame in inputs.items()}
    >>> print(link_problems(connection, staged, on_orphan="drop")[0])
    condition, row 1, column patient_id: patient is not in the person table; found 'b';
    allowed: a patient_id of person. Left out
    """
    problems: list[Problem] = []
    for contract in ("image", "score", "condition"):
        if contract in staged and "patient_id" in staged[contract].types and "patient_id" in staged["person"].types:
            problems += _orphans(connection, staged[contract], staged["person"].label, on_orphan)
    if "score" in staged:
        problems += _scores(connection, staged["score"], "image" in staged)
    if {"score", "image"} <= set(staged):
        problems += _images(connection, staged["score"])
    if "condition" in staged:
        problems += _conditions(connection, staged["condition"])
    return problems


def _orphans(connection: Connection, staged: Staged, persons: str, on_orphan: str) -> list[Problem]:
    dropped = on_orphan == "drop"
    rows = f"""SELECT o.source_row, o.patient_id AS found FROM typed_{staged.contract} o
        WHERE o.patient_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM typed_person p WHERE p.patient_id = o.patient_id)"""  # noqa: S608
    return breach(
        connection,
        rows,
        kind="unknown_patient",
        message="patient is not in the person table",
        source=staged.label,
        column="patient_id",
        allowed=f"a patient_id of {persons}",
        hint="Left out" if dropped else 'Add the patient, or declare on_orphan = "drop" to leave such rows out',
        severity="warning" if dropped else "error",
    )


def _scores(connection: Connection, staged: Staged, with_images: bool) -> list[Problem]:
    without = "SELECT source_row, status AS found FROM typed_score WHERE status = 'ok' AND \"raw prob_male\" IS NULL"
    despite = """SELECT source_row, status || ' with ' || "raw prob_male" AS found FROM typed_score
        WHERE status <> 'ok' AND "raw prob_male" IS NOT NULL"""
    mixed = """SELECT min(s.source_row) AS source_row, s.model_id AS found FROM typed_score s JOIN
        (SELECT fold, arg_min(model_id, source_row) AS model_id FROM typed_score WHERE status = 'ok' GROUP BY fold) f
        ON s.fold IS NOT DISTINCT FROM f.fold AND s.model_id <> f.model_id WHERE s.status = 'ok' GROUP BY s.model_id"""
    found = breach(
        connection,
        without,
        kind="status_contradicts_score",
        message="status is ok but there is no probability",
        source=staged.label,
        column="prob_male",
        allowed="a number from 0 to 1 where status is ok",
    )
    found += breach(
        connection,
        despite,
        kind="status_contradicts_score",
        message="status is not ok but there is a probability",
        source=staged.label,
        column="prob_male",
        allowed="empty where status is not ok",
    )
    found += breach(
        connection,
        mixed,
        kind="several_models",
        message="scores of more than one model are mixed",
        source=staged.label,
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
        source=staged.label,
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
            source=staged.label,
            column="image_id",
            allowed="an image_id of the image table",
            severity="warning",
        ),
        *breach(
            connection,
            differs,
            kind="patients_disagree",
            message="score and image table name different patients for one image",
            source=staged.label,
            column="patient_id",
            allowed="the patient_id of the image table",
        ),
    ]


def _conditions(connection: Connection, staged: Staged) -> list[Problem]:
    conflict = """SELECT max(source_row) AS source_row,
        concat_ws(', ', patient_id, eye, condition) || ': true and false' AS found FROM typed_condition
        WHERE patient_id IS NOT NULL AND present IS NOT NULL
        GROUP BY patient_id, eye, condition HAVING bool_or(present) AND NOT bool_and(present)"""
    unknown = "SELECT source_row, concat_ws(', ', patient_id, eye, condition) AS found FROM typed_condition WHERE "
    return [
        *breach(
            connection,
            conflict,
            kind="condition_conflict",
            message="a condition is both present and absent",
            source=staged.label,
            column="present",
            allowed="one value for each patient, eye and condition",
        ),
        *_eyes_and_persons(connection, staged),
        *breach(
            connection,
            unknown + '"raw present" IS NULL',
            kind="not_known",
            message="value is missing, so the condition is not known and the row is left out",
            source=staged.label,
            column="present",
            allowed="true or false",
            severity="warning",
        ),
    ]


def _eyes_and_persons(connection: Connection, staged: Staged) -> list[Problem]:
    person_level = """SELECT p.source_row, p.patient_id || ', ' || p.condition || ': false, an eye true' AS found
        FROM typed_condition p WHERE p.eye IS NULL AND NOT p.present AND EXISTS
        (SELECT 1 FROM typed_condition e WHERE e.eye IS NOT NULL AND e.present
         AND e.patient_id = p.patient_id AND e.condition = p.condition)"""
    mixed = """SELECT min(source_row) FILTER (WHERE eye IS NULL) AS source_row,
        condition || ': ' || count(*) FILTER (WHERE eye IS NULL) || ' rows without an eye, '
        || count(eye) || ' with one' AS found FROM typed_condition
        WHERE present IS NOT NULL AND condition IS NOT NULL
        GROUP BY condition HAVING count(eye) BETWEEN 1 AND count(*) - 1"""
    return [
        *breach(
            connection,
            person_level,
            kind="person_and_eye_disagree",
            message="a condition is absent for the person and present in an eye; it counts as present",
            source=staged.label,
            column="present",
            allowed="true for the person where an eye has it",
            severity="warning",
        ),
        *breach(
            connection,
            mixed,
            kind="eyes_and_persons_mixed",
            message="some rows of a condition name an eye and others are about the person, so that it is counted by "
            "person only and has no prevalence among eyes",
            source=staged.label,
            column="eye",
            allowed="an eye in every row of a condition, or in none",
            hint="Give the rows without an eye the name of a condition of their own",
            severity="warning",
        ),
    ]
