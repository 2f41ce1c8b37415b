"""Ages that a model estimated from photographs, combined to one a patient, and whose age they are allowed to be.

Recorded age stays what it is: the table ``patient`` keeps it as ``recorded_age`` beside ``predicted_age``, and
``age_source`` says which of the two the analyses use.
"""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.cohort.findings import breach
from sexstrat.cohort.person_rules import AGE_SQL
from sexstrat.cohort.score_use import ScoreUse
from sexstrat.cohort.sql import Connection, compose
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem, StudyError

__all__ = ["AGE_SOURCES", "age_problems_of_scores", "age_sql", "combine_ages"]

AGE_SOURCES = ("recorded", "predicted", "predicted_for_all")
"""Age of the analyses: the recorded one; the predicted one where none is recorded; the predicted one for everybody."""

UNIT = 2**30  # years are averaged as integers of this unit, so that no order of rows can change a bit

NO_AGES = """
CREATE OR REPLACE TEMP TABLE combined_age (patient_id VARCHAR, predicted_age DOUBLE, n_age_eyes BIGINT,
                                           n_age_images BIGINT)
"""
COMBINED = """
CREATE OR REPLACE TEMP TABLE combined_age AS
WITH eyes AS (
    SELECT patient_id, count(*) AS n,
           CAST(round(sum(CAST(round(predicted_age * {unit}) AS HUGEINT)) / count(*)) AS HUGEINT) AS units
    FROM (SELECT * REPLACE ({eye} AS eye) FROM typed_age_score)
    WHERE status = 'ok' AND predicted_age IS NOT NULL AND patient_id IS NOT NULL {gradable}
    GROUP BY patient_id, eye
)
SELECT patient_id, CAST(sum(units) / count(*) / {unit} AS DOUBLE) AS predicted_age, count(*) AS n_age_eyes,
       CAST(sum(n) AS BIGINT) AS n_age_images
FROM eyes GROUP BY patient_id
"""


def combine_ages(connection: Connection, staged: Mapping[str, Staged], use: ScoreUse | None = None) -> None:
    """Write the temporary table ``combined_age``: the mean over eyes of the mean age over an eye's photographs.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table; ``age_score`` may be there.
    use : what the study declares about scores: it holds for those of age as well.

    Examples
    --------
    Right eye 50 and 60, left eye 80: the mean of 55 and 80.

    >>> import pandas as pd
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sex_coding import SexCoding
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> frame = pd.DataFrame({"image_id": list("ijk"), "patient_id": "a", "eye": ["R", "R", "L"], "status": "ok"})
    >>> connection, ages = connect(), TableInput.of(frame.assign(predicted_age=[50.0, 60.0, 80.0]), "ages")
    >>> staged = {"age_score": stage(connection, "age_score", ages, SexCoding.declared(None))}
    >>> combine_ages(connection, staged)
    >>> connection.execute("FROM combined_age").fetchall()
    [('a', 67.5, 2, 3)]
    """
    if "age_score" not in staged:
        connection.execute(NO_AGES)
        return
    use = use or ScoreUse()
    eye = "eye" if use.accept_inferred_eye else "CASE WHEN eye_source IS DISTINCT FROM 'inferred' THEN eye END"
    gradable = "" if use.min_quality is None else f"AND quality >= {use.min_quality!r}"
    connection.execute(compose(COMBINED, unit=str(UNIT), eye=eye, gradable=gradable))


def age_sql(source: str) -> str:
    """Return the age that the analyses use, as an expression over a person and the ``predicted_age`` beside it.

    Parameters
    ----------
    source : one of ``AGE_SOURCES``.

    Raises
    ------
    StudyError : it is none of them.

    Examples
    --------
    >>> age_sql("predicted").endswith(", predicted_age)"), age_sql("predicted_for_all")
    (True, 'predicted_age')
    """
    if source not in AGE_SOURCES:
        raise StudyError(f"age_source is one of {', '.join(AGE_SOURCES)}; found {source!r}")
    return {
        "recorded": AGE_SQL,
        "predicted": f"coalesce({AGE_SQL}, predicted_age)",
        "predicted_for_all": "predicted_age",
    }[source]


def age_problems_of_scores(connection: Connection, staged: Mapping[str, Staged], source: str) -> list[Problem]:
    """Return what is wrong with the scores of age, beyond their contract.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table.
    source : one of ``AGE_SOURCES``.

    Raises
    ------
    StudyError : predicted ages are to be used and not given, or given and not used.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> age_problems_of_scores(connect(), {}, "predicted")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: age_source 'predicted' needs the scores of a model of age
    """
    age_sql(source)
    if "age_score" not in staged:
        if source != "recorded":
            raise StudyError(f"age_source {source!r} needs the scores of a model of age")
        return []
    if source == "recorded":
        raise StudyError("scores of a model of age are given; say age_source 'predicted' or 'predicted_for_all'")
    table = staged["age_score"]
    without = "SELECT source_row, status AS found FROM typed_age_score WHERE status = 'ok' AND predicted_age IS NULL"
    mixed = """SELECT min(source_row) AS source_row, model_id AS found FROM typed_age_score WHERE status = 'ok'
        AND model_id <> (SELECT arg_min(model_id, source_row) FROM typed_age_score WHERE status = 'ok')
        GROUP BY model_id"""
    unknown = """SELECT o.source_row, o.patient_id AS found FROM typed_age_score o WHERE o.patient_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM typed_person p WHERE p.patient_id = o.patient_id)"""
    nobody = "SELECT source_row, image_id AS found FROM typed_age_score WHERE patient_id IS NULL"
    rules = [
        (without, "status_contradicts_score", "status is ok but there is no predicted age", "predicted_age", "error"),
        (mixed, "several_models", "ages of more than one model are mixed", "model_id", "error"),
        (
            unknown,
            "unknown_patient",
            "patient is not in the person table; the age is not used",
            "patient_id",
            "warning",
        ),
        (nobody, "no_patient", "predicted age names no patient, so it is not used", "patient_id", "warning"),
    ]
    allowed = {
        "status_contradicts_score": "a number from 0 to 130 where status is ok: the table of a model of age",
        "several_models": "one model_id for all ages",
        "unknown_patient": "a patient_id of the person table",
        "no_patient": "a patient_id",
    }
    return [
        problem
        for rows, kind, message, column, severity in rules
        for problem in breach(
            connection,
            rows,
            kind=kind,
            message=message,
            staged=table,
            column=column,
            allowed=allowed[kind],
            severity=severity,
        )
    ]
