"""Who was in and who was lost: counts of patients and images at every step, each the one before less the lost."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sexstrat.cohort.ddl import create_table
from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

__all__ = ["write_flow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    name: str
    patients: str  # predicate on flow_patient
    images: str  # predicate on flow_image
    reason: str


# Every listed image once: those of the image table that were never scored, and every score row.
UNIVERSE = """
CREATE OR REPLACE TEMP TABLE flow_image AS
SELECT s.image_id, coalesce(s.patient_id, i.patient_id) AS patient_id, s.status
FROM listed_score s LEFT JOIN listed_image i USING (image_id)
UNION ALL
SELECT i.image_id, i.patient_id, 'not_scored' AS status FROM listed_image i
WHERE NOT EXISTS (SELECT 1 FROM listed_score s WHERE s.image_id = i.image_id);
CREATE OR REPLACE TEMP TABLE flow_patient AS
WITH named AS (SELECT patient_id FROM person UNION SELECT patient_id FROM flow_image WHERE patient_id IS NOT NULL)
SELECT n.patient_id, p.patient_id IS NOT NULL AS known, coalesce(p.recorded_sex, 'unknown') AS recorded_sex,
       p.age_years IS NOT NULL AS aged, coalesce(p.in_study, false) AS in_study,
       coalesce(p.n_eyes, 0) > 0 AS scored, coalesce(p.trained_model, false) AS trained_model
FROM named n LEFT JOIN patient p USING (patient_id);
"""

COUNT = """
SELECT (SELECT count(*) FROM flow_patient p WHERE {patients}) AS n_patients,
       (SELECT count(*) FROM flow_image i LEFT JOIN flow_patient p USING (patient_id) WHERE {images}) AS n_images,
       {sexes}
"""
NO_AGE = "no age and no two dates to take it from"
SEXES = ("male", "female", "other", "unknown")


def write_flow(connection: Connection, *, bands: AgeBands | None, with_training: bool) -> None:
    """Write the table ``flow`` of a cohort.

    Steps before "in the estimates" lose patients for good. Later ones say how many of them carry a usable score and a
    recorded sex: those that lack one stay in the estimates, and their reason says so.

    Parameters
    ----------
    connection : the cohort being built, with ``listed_score`` and ``listed_image`` as given.
    bands : declared age bands, or None.
    with_training : whether some patients' images trained the model.

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
    for number, step in enumerate(_steps(connection, bands, with_training), start=1):
        sexes = ", ".join(
            compose(
                "(SELECT count(*) FROM flow_patient p WHERE p.recorded_sex = '{sex}' AND {patients}) AS n_{sex}",
                sex=sex,
                patients=step.patients,
            )
            for sex in SEXES
        )
        query = compose(COUNT, patients=step.patients, images=step.images, sexes=sexes)
        counts = single_row(connection, query)
        lost = (0, 0) if number == 1 else (before[0] - counts[0], before[1] - counts[1])
        before = (counts[0], counts[1])
        rows.append((number, step.name, *counts, *lost, step.reason if any(lost) else None, "counted"))
    create_table(connection, table_schema("flow"))
    connection.register("incoming_flow", pd.DataFrame(rows, columns=table_schema("flow").columns))
    connection.execute("INSERT INTO flow SELECT * FROM incoming_flow ORDER BY step")
    connection.unregister("incoming_flow")


def _steps(connection: Connection, bands: AgeBands | None, with_training: bool) -> list[_Step]:
    known = "p.known"
    aged = "p.known AND p.aged"
    study = "p.in_study"
    ok = "i.status = 'ok'"
    steps = [
        _Step(name="listed: in any of the tables", patients="true", images="true", reason=""),
        _Step(
            name="in the table of persons",
            patients=known,
            images=known,
            reason="the image names no patient, or one whom the table of persons lacks",
        ),
    ]
    inside = " and inside the declared age bands" if bands is not None else ""
    if bands is not None:
        steps.append(_Step(name="age known", patients=aged, images=aged, reason=NO_AGE))
    steps.append(
        _Step(
            name=f"age known{inside}: these enter the estimates",
            patients=study,
            images=study,
            reason=f"age outside {bands.labels[0]} to {bands.labels[-1]}" if bands is not None else NO_AGE,
        )
    )
    steps += [
        _Step(
            name="images with a usable score",
            patients=study,
            images=f"{study} AND {ok}",
            reason=_statuses(connection),
        ),
        _Step(
            name="patients with a usable score",
            patients=f"{study} AND p.scored",
            images=f"{study} AND {ok}",
            reason="no usable image; they stay in the estimates, by age and disease",
        ),
        _Step(
            name="recorded sex male or female",
            patients=f"{study} AND p.scored AND p.recorded_sex IN ('male', 'female')",
            images=f"{study} AND {ok} AND p.recorded_sex IN ('male', 'female')",
            reason="sex not recorded: they stay in the estimates; recorded as other: counted here, outside the binary "
            "composition, never imputed",
        ),
    ]
    if with_training:
        validated = "p.recorded_sex IN ('male', 'female') AND NOT p.trained_model"
        steps.append(
            _Step(
                name="recorded sex validates the scores",
                patients=f"{study} AND p.scored AND {validated}",
                images=f"{study} AND {ok} AND {validated}",
                reason="their images trained the model and were not scored out of fold; they stay in the estimates as "
                "patients without recorded sex",
            )
        )
    return steps


def _statuses(connection: Connection) -> str:
    query = """SELECT i.status, count(*) FROM flow_image i JOIN flow_patient p USING (patient_id)
        WHERE p.in_study AND i.status <> 'ok' GROUP BY i.status ORDER BY count(*) DESC, i.status"""
    found = connection.execute(query).fetchall()
    return ", ".join(f"{status.replace('_', ' ')}: {count:,}" for status, count in found)
