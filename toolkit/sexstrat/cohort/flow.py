"""Who was in and who was lost: counts of patients and images at every step, each the one before less the lost."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sexstrat.cohort.ddl import create_table
from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.cohort.training_overlap import TrainingAges
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

__all__ = ["write_flow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    name: str
    remain: str  # predicate on flow_patient
    images: str  # which images of those who remain are counted: n_listed or n_ok
    reason: str  # why some were lost
    note: str = ""  # what to know of those who remain


# One row a patient named anywhere, with the images listed for it; images that name no patient are the row of NULL.
UNIVERSE = """
CREATE OR REPLACE TEMP TABLE flow_image AS
WITH listed AS (
    SELECT coalesce(s.patient_id, i.patient_id) AS patient_id, s.status
    FROM listed_score s LEFT JOIN listed_image i USING (image_id)
    UNION ALL
    SELECT i.patient_id, 'not_scored' AS status FROM listed_image i
    WHERE NOT EXISTS (SELECT 1 FROM listed_score s WHERE s.image_id = i.image_id)
)
SELECT patient_id, status, count(*) AS n FROM listed GROUP BY patient_id, status;
CREATE OR REPLACE TEMP TABLE flow_patient AS
WITH images AS (
    SELECT patient_id, sum(n) AS n_listed, sum(n) FILTER (WHERE status = 'ok') AS n_ok
    FROM flow_image GROUP BY patient_id
)
SELECT p.patient_id IS NOT NULL OR i.patient_id IS NOT NULL AS named, p.patient_id IS NOT NULL AS known,
       coalesce(p.recorded_sex, 'unknown') AS recorded_sex, p.age_years IS NOT NULL AS aged,
       coalesce(p.in_study, false) AS in_study, coalesce(p.n_eyes, 0) > 0 AS scored,
       coalesce(p.trained_model, false) AS trained_model,
       coalesce(p.outside_training_ages, false) AS outside_training_ages,
       coalesce(i.n_listed, 0) AS n_listed, coalesce(i.n_ok, 0) AS n_ok
FROM patient p FULL JOIN images i ON p.patient_id = i.patient_id;
"""

COUNT = """
SELECT count(*) FILTER (WHERE named), CAST(coalesce(sum({images}), 0) AS BIGINT),
       count(*) FILTER (WHERE named AND recorded_sex = 'male'),
       count(*) FILTER (WHERE named AND recorded_sex = 'female'),
       count(*) FILTER (WHERE named AND recorded_sex = 'other'),
       count(*) FILTER (WHERE named AND recorded_sex = 'unknown')
FROM flow_patient WHERE {remain}
"""
NO_AGE = "no age and no two dates to take it from"
UNSCORED = "no usable image; they stay in the estimates, by age and disease"
UNRECORDED = (
    "sex not recorded: they stay in the estimates; "
    "recorded as other: counted here, outside the binary composition, never imputed"
)
TRAINED = (
    "their images trained the model, or may have, and were not scored out of fold; "
    "they stay in the estimates as patients without recorded sex"
)


def write_flow(connection: Connection, *, bands: AgeBands | None, training_ages: TrainingAges | None) -> None:
    """Write the table ``flow`` of a cohort.

    Steps before "in the estimates" lose patients for good. Later ones say how many of them carry a usable score and a
    recorded sex: those that lack one stay in the estimates, and their reason says so.

    Parameters
    ----------
    connection : the cohort being built, with ``listed_score`` and ``listed_image`` as given.
    bands : declared age bands, or None.
    training_ages : ages on which the model was trained, or None when not known.

    Examples
    --------
    >>> from sexstrat.cohort.store import Cohort
    >>> import tempfile, pathlib
    >>> persons = pd.DataFrame({"patient_id": ["a", "b"], "age_years": [61, None], "recorded_sex": ["male", ""]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Cohort.create(pathlib.Path(folder) / "c.duckdb", persons=persons) as cohort:
    ...         cohort.flow()[["name", "n_patients", "patients_lost"]].head(3)
                                      name  n_patients  patients_lost
    0         listed: in any of the tables           2              0
    1             in the table of persons           2              0
    2  age known: these enter the estimates           1              1
    """
    connection.execute(UNIVERSE)
    rows: list[tuple[object, ...]] = []
    before = (0, 0)
    for number, step in enumerate(_steps(connection, bands, training_ages), start=1):
        counts = single_row(connection, compose(COUNT, images=step.images, remain=step.remain))
        lost = (0, 0) if number == 1 else (before[0] - counts[0], before[1] - counts[1])
        before = (counts[0], counts[1])
        rows.append((number, step.name, *counts, *lost, _reason(step, any(lost)), "counted"))
    create_table(connection, table_schema("flow"))
    connection.register("incoming_flow", pd.DataFrame(rows, columns=table_schema("flow").columns))
    connection.execute("INSERT INTO flow SELECT * FROM incoming_flow ORDER BY step")
    connection.unregister("incoming_flow")


def _reason(step: _Step, lost: bool) -> str | None:
    return "; ".join(text for text in (step.reason if lost else "", step.note) if text) or None


def _steps(connection: Connection, bands: AgeBands | None, training_ages: TrainingAges | None) -> list[_Step]:
    unlinked = "the image names no patient, or one whom the table of persons lacks"
    steps = [
        _Step(name="listed: in any of the tables", remain="true", images="n_listed", reason=""),
        _Step(name="in the table of persons", remain="known", images="n_listed", reason=unlinked),
    ]
    if bands is None:
        entering, lost = "age known: these enter the estimates", NO_AGE
    else:
        steps.append(_Step(name="age known", remain="aged", images="n_listed", reason=NO_AGE))
        entering = "age inside the declared bands: these enter the estimates"
        lost = f"age outside the bands {', '.join(bands.labels)}"
    untested = "" if training_ages is None else _untested(connection, training_ages)
    recorded = "in_study AND scored AND recorded_sex IN ('male', 'female')"
    steps += [
        _Step(name=entering, remain="in_study", images="n_listed", reason=lost),
        _Step(name="images with a usable score", remain="in_study", images="n_ok", reason=_statuses(connection)),
        _Step(
            name="patients with a usable score",
            remain="in_study AND scored",
            images="n_ok",
            reason=UNSCORED,
            note=untested,
        ),
        _Step(name="recorded sex male or female", remain=recorded, images="n_ok", reason=UNRECORDED),
    ]
    if single_row(connection, "SELECT count(*) FROM patient WHERE trained_model") != (0,):
        validated = f"{recorded} AND NOT trained_model"
        steps.append(_Step(name="recorded sex validates the scores", remain=validated, images="n_ok", reason=TRAINED))
    return steps


def _statuses(connection: Connection) -> str:
    query = """SELECT i.status, CAST(sum(i.n) AS BIGINT) FROM flow_image i JOIN patient p USING (patient_id)
        WHERE p.in_study AND i.status <> 'ok' GROUP BY i.status ORDER BY sum(i.n) DESC, i.status"""
    found = connection.execute(query).fetchall()
    return ", ".join(f"{status.replace('_', ' ')}: {count:,}" for status, count in found)


def _untested(connection: Connection, ages: TrainingAges) -> str:
    query = "SELECT count(*) FROM flow_patient WHERE in_study AND scored AND outside_training_ages"
    (count,) = single_row(connection, query)
    if count == 0:
        return ""
    return (
        f"of those who remain, {count} {'patient is' if count == 1 else 'patients are'} outside the ages {ages} on "
        "which the model was trained: counted further and kept in the estimates, but their scores are untested"
    )
