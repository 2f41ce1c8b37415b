"""Everybody whom an input names, one row a patient with the images listed, for the flow to count."""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.cohort.person_rules import AGE_SQL
from sexstrat.cohort.score_use import BELOW_QUALITY, ScoreUse
from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.cohort.staged_names import given_table
from sexstrat.cohort.staging import LEFT_OUT, Staged

__all__ = ["left_out_words", "write_universe"]

LISTED = """
CREATE OR REPLACE TEMP VIEW listed_{contract} AS SELECT image_id, patient_id, {status} NOT EXISTS
(SELECT 1 FROM left_out l WHERE l.contract = '{contract}' AND l.source_row = g.source_row) AS kept FROM {given} g
"""
NONE_LISTED = """
CREATE OR REPLACE TEMP VIEW listed_{contract} AS SELECT image_id, patient_id, {status} true AS kept FROM {contract}
"""

# One row a patient named anywhere, with the images listed for it; images that name no patient are the row of NULL.
UNIVERSE = """
CREATE OR REPLACE TEMP TABLE flow_image AS
WITH listed AS ({listed})
SELECT patient_id, status, kept, count(*) AS n FROM listed GROUP BY patient_id, status, kept;
"""
# Patients with their images; those of the patient table may stand for a query of it.
PATIENTS = """
CREATE OR REPLACE TEMP TABLE flow_patient AS
WITH images AS (
    SELECT patient_id, sum(n) AS n_listed, sum(n) FILTER (WHERE kept) AS n_kept,
           sum(n) FILTER (WHERE kept AND status = 'ok') AS n_ok,
           sum(n) FILTER (WHERE kept AND status = '{below}') AS n_below
    FROM flow_image GROUP BY patient_id
), people AS ({people})
SELECT p.patient_id IS NOT NULL OR i.patient_id IS NOT NULL AS named, p.patient_id IS NOT NULL AS known,
       coalesce(p.kept, false) AS kept, coalesce(p.recorded_sex, 'unknown') AS recorded_sex, p.age_years,
       p.age_years IS NOT NULL AS aged, coalesce(p.in_study, false) AS in_study, coalesce(p.n_eyes, 0) > 0 AS scored,
       coalesce(p.trained_model, false) AS trained_model,
       coalesce(p.outside_training_ages, false) AS outside_training_ages,
       coalesce(i.n_listed, 0) AS n_listed, coalesce(i.n_kept, 0) AS n_kept, coalesce(i.n_ok, 0) AS n_ok,
       coalesce(i.n_below, 0) AS n_below {bits}
FROM people p FULL JOIN images i ON p.patient_id = i.patient_id;
"""
WITH_IMAGES = """
    SELECT coalesce(s.patient_id, i.patient_id) AS patient_id, s.status, s.kept AND coalesce(i.kept, true) AS kept
    FROM listed_score s LEFT JOIN listed_image i USING (image_id)
    UNION ALL
    SELECT i.patient_id, 'not_scored' AS status, i.kept FROM listed_image i
    WHERE NOT EXISTS (SELECT 1 FROM listed_score s WHERE s.image_id = i.image_id)
"""
SCORES_ALONE = "SELECT patient_id, status, kept FROM listed_score"
# Without an image list and with nothing left out, the patient table has counted every usable score of a known patient.
OTHER_SCORES = SCORES_ALONE + " WHERE status <> 'ok' OR patient_id IS NULL"
COUNTED = """
CREATE OR REPLACE TEMP TABLE flow_patient AS
WITH other AS (
    SELECT patient_id, sum(n) AS n_listed, sum(n) FILTER (WHERE status = 'ok') AS n_ok
    FROM flow_image GROUP BY patient_id
)
SELECT p.patient_id IS NOT NULL OR o.patient_id IS NOT NULL AS named, p.patient_id IS NOT NULL AS known,
       p.patient_id IS NOT NULL AS kept, coalesce(p.recorded_sex, 'unknown') AS recorded_sex, p.age_years,
       p.age_years IS NOT NULL AS aged, coalesce(p.in_study, false) AS in_study, coalesce(p.n_eyes, 0) > 0 AS scored,
       coalesce(p.trained_model, false) AS trained_model,
       coalesce(p.outside_training_ages, false) AS outside_training_ages,
       coalesce(p.n_images, 0) + coalesce(o.n_listed, 0) AS n_listed, n_listed AS n_kept,
       coalesce(p.n_images, 0) + coalesce(o.n_ok, 0) AS n_ok, 0 AS n_below {bits}
FROM patient p FULL JOIN other o ON p.patient_id = o.patient_id
"""
PEOPLE = "SELECT *, true AS kept FROM patient {left_out}"
# Persons all of whose rows are left out: their conditions are not told, for nothing says which row would be right.
PEOPLE_LEFT_OUT = """
UNION ALL BY NAME SELECT patient_id, false AS kept,
    CASE WHEN count(DISTINCT recorded_sex) = 1 THEN min(recorded_sex) ELSE 'unknown' END AS recorded_sex,
    CASE WHEN count(DISTINCT {age}) = 1 THEN CAST(floor(min({age})) AS BIGINT) END AS age_years
FROM given_person WHERE patient_id IS NOT NULL AND patient_id NOT IN (SELECT patient_id FROM patient)
GROUP BY patient_id
"""
WORDS = """
SELECT contract, kind, count(DISTINCT coalesce(source_row, -k)) FROM (SELECT *, row_number() OVER () AS k FROM left_out)
GROUP BY contract, kind ORDER BY contract DESC, kind
"""
TABLES = {
    "person": "persons",
    "image": "images",
    "score": "scores",
    "condition": "conditions",
    "omop_measurement": "measurements",
}


def write_universe(
    connection: Connection, staged: Mapping[str, Staged], columns: int, use: ScoreUse | None = None
) -> None:
    """Write the temporary tables ``flow_image`` and ``flow_patient``.

    Parameters
    ----------
    connection : the cohort being built, with the table patient.
    staged : contract name -> table.
    columns : how many columns of bits the conditions take.
    use : what the study declares about scores; None declares nothing.

    Examples
    --------
    A patient without a usable image, and an image of somebody whom the table of persons lacks.

    >>> from sexstrat.cohort.check import stage_and_check
    >>> from sexstrat.cohort.sql import connect
    >>> import pandas as pd
    >>> connection, persons = connect(), pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": [""]})
    >>> staged, _ = stage_and_check(connection, {"persons": persons}, coding=None, training_ages=None)
    >>> patient = "SELECT 'a' patient_id, 'male' recorded_sex, 61 age_years, true in_study, 0 n_eyes, "
    >>> patient += "false trained_model, false outside_training_ages"
    >>> _ = connection.execute("CREATE TABLE patient AS " + patient)
    >>> _ = connection.execute("CREATE TABLE image (image_id VARCHAR, patient_id VARCHAR)")
    >>> _ = connection.execute("CREATE TABLE score AS SELECT 'i' image_id, 'z' patient_id, 'ok' status")
    >>> write_universe(connection, staged, 0)
    >>> connection.execute("SELECT named, known, n_ok FROM flow_patient ORDER BY known").fetchall()
    [(True, False, 1), (True, True, 0)]
    """
    connection.execute(LEFT_OUT)
    for contract in ("score", "image"):
        shown = (use or ScoreUse()).listed_status if contract in staged else "status"
        status = f"{shown} AS status, " if contract == "score" else ""
        template = LISTED if contract in staged else NONE_LISTED
        connection.execute(compose(template, contract=contract, status=status, given=given_table(contract)))
    bits = "".join(f", p.conditions_{word}" for word in range(1, columns + 1))
    left_out, persons = single_row(
        connection, "SELECT count(*), count(*) FILTER (WHERE contract = 'person') FROM left_out"
    )
    quality = (use or ScoreUse()).min_quality
    if {"image", "score"} & set(staged) == {"score"} and not left_out and quality is None:
        connection.execute(compose(UNIVERSE, listed=OTHER_SCORES))
        connection.execute(compose(COUNTED, bits=bits))
        return
    people = compose(PEOPLE, left_out=compose(PEOPLE_LEFT_OUT, age=AGE_SQL) if persons else "")
    connection.execute(compose(UNIVERSE, listed=WITH_IMAGES if "image" in staged else SCORES_ALONE))
    connection.execute(compose(PATIENTS, people=people, bits=bits, below=BELOW_QUALITY))


def left_out_words(connection: Connection) -> str:
    """Return how many rows of which tables the study leaves out and why, "" when none.

    Parameters
    ----------
    connection : where the rows left out are noted.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute(
    ...     LEFT_OUT + "; INSERT INTO left_out VALUES ('person', 'no_age', 7), ('person', 'no_age', 9)"
    ... )
    >>> left_out_words(connection)
    'rows left out as the study declares: persons: no age: 2'
    """
    found = connection.execute(WORDS).fetchall()
    parts = [
        f"{TABLES.get(contract, contract)}: {kind.replace('_', ' ')}: {count:,}" for contract, kind, count in found
    ]
    return f"rows left out as the study declares: {', '.join(parts)}" if parts else ""
