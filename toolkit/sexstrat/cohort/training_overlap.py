"""What the model saw in training against whom it scores: ages it never saw, patients it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sexstrat.cohort.findings import breach
from sexstrat.cohort.person_rules import AGE_SQL
from sexstrat.cohort.sql import Connection, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem

__all__ = ["TrainingAges", "age_problems", "in_sample_problems"]

IN_SAMPLE = """
SELECT count(*) FILTER (WHERE t.patient_id IS NOT NULL), count(*) FILTER (WHERE t.patient_id IS NULL)
FROM patient p LEFT JOIN training_patient t USING (patient_id)
WHERE p.trained_model AND p.recorded_sex IN ('male', 'female')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAges:
    """The ages on which a model was trained.

    Parameters
    ----------
    low, high : youngest and oldest, in completed years.
    model_sha256 : digest of the weights they belong to: only patients scored by these are judged; None judges all.

    Examples
    --------
    >>> str(TrainingAges(low=15, high=91))
    '15 to 91'
    """

    low: float
    high: float
    model_sha256: str | None = None

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


def age_problems(connection: Connection, staged: Mapping[str, Staged], ages: TrainingAges | None) -> list[Problem]:
    """Return the warning about patients outside the ages on which the model was trained.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table.
    ages : the ages, or None when they are not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.check import stage_and_check
    >>> from sexstrat.cohort.sql import connect
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [12], "recorded_sex": [""]})
    >>> connection = connect()
    >>> staged, _ = stage_and_check(connection, {"persons": persons}, coding=None, training_ages=None)
    >>> [problem.value for problem in age_problems(connection, staged, TrainingAges(low=17, high=94))]
    ['12']
    """
    if ages is None:
        return []
    parameters: list[object] = [ages.low, ages.high]
    by_model = ""
    if ages.model_sha256 is not None:
        if "score" not in staged:
            return []
        link = "LEFT JOIN typed_image i USING (image_id)" if "image" in staged else ""
        whose = "coalesce(s.patient_id, i.patient_id)" if link else "s.patient_id"
        by_model = f"""AND patient_id IN (SELECT {whose} FROM typed_score s {link}
            WHERE s.status = 'ok' AND s.model_sha256 = ?)"""  # noqa: S608
        parameters.append(ages.model_sha256)
    shown = f'coalesce("raw age_years", CAST(CAST({AGE_SQL} AS BIGINT) AS VARCHAR))'
    rows = f"""SELECT source_row, {shown} AS found FROM typed_person
        WHERE (floor({AGE_SQL}) < ? OR floor({AGE_SQL}) > ?) {by_model}"""  # noqa: S608
    return breach(
        connection,
        rows,
        parameters,
        kind="outside_training_ages",
        message="age lies outside the ages on which the model was trained; its scores there are untested",
        staged=staged["person"],
        column="age_years",
        allowed=str(ages),
        severity="warning",
    )


def in_sample_problems(connection: Connection, persons: str, scores: str) -> list[Problem]:
    """Return the warnings about recorded sexes that validate nothing, from the table ``patient``.

    Parameters
    ----------
    connection : the cohort being built, patients written.
    persons, scores : how messages call the two tables.

    Examples
    --------
    Of three patients with recorded sex whom the model may have seen, two are listed as trained on.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> people = "(VALUES ('a', true, 'male'), ('b', true, 'female'), ('c', true, 'male'), ('d', false, 'male'))"
    >>> _ = connection.execute(f"CREATE TABLE patient AS FROM {people} AS p(patient_id, trained_model, recorded_sex)")
    >>> _ = connection.execute("CREATE TABLE training_patient AS FROM (VALUES ('a'), ('b')) AS t(patient_id)")
    >>> [(problem.column, problem.count) for problem in in_sample_problems(connection, "persons.csv", "scores.csv")]
    [('recorded_sex', 2), ('fold', 1)]
    """
    listed, unlisted = single_row(connection, IN_SAMPLE)
    seen = "score has no fold while others have one, so its model may have seen the patient"
    found = [
        ("patient trained the model and was not scored out of fold", persons, "recorded_sex", listed),
        (seen, scores, "fold", unlisted),
    ]
    return [
        Problem(
            kind="trained_in_sample",
            message=f"{message}: the recorded sex validates nothing",
            source=source,
            column=column,
            allowed="scores made out of fold (column fold of the score table)",
            count=count,
            severity="warning",
        )
        for message, source, column, count in found
        if count
    ]
