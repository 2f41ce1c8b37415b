"""Who was in and who was lost: counts of patients and images at every step, each the one before less the lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from sexstrat.cohort.condition_bits import Place
from sexstrat.cohort.ddl import create_table
from sexstrat.cohort.flow_differences import DifferenceRow, difference_rows
from sexstrat.cohort.flow_notes import LACKING, eye_note, predicted_age_note, status_words, untested_note
from sexstrat.cohort.flow_universe import left_out_words, write_universe
from sexstrat.cohort.frames import contract_frame
from sexstrat.cohort.score_use import BELOW_QUALITY, ScoreUse
from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.cohort.training_overlap import TrainingAges
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema

__all__ = ["FlowSettings", "write_flow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    name: str
    remain: str  # predicate on flow_patient
    images: str  # which images of those who remain are counted: n_listed, n_kept or n_ok
    reason: str  # why some were lost
    note: str = ""  # what to know of those who remain


COUNT = """
SELECT count(*) FILTER (WHERE named), CAST(coalesce(sum({images}), 0) AS BIGINT),
       count(*) FILTER (WHERE named AND recorded_sex = 'male'),
       count(*) FILTER (WHERE named AND recorded_sex = 'female'),
       count(*) FILTER (WHERE named AND recorded_sex = 'other'),
       count(*) FILTER (WHERE named AND recorded_sex = 'unknown')
FROM flow_patient WHERE {remain}
"""
COUNTED = ("n_patients", "n_images", "n_male", "n_female", "n_other", "n_unknown")
LOST = ("patients_lost", "images_lost")
UNSCORED = "no usable image; they stay in the estimates, by age and disease"
UNRECORDED = (
    "sex not recorded: they stay in the estimates; "
    "recorded as other: counted here, outside the binary composition, never imputed"
)
TRAINED = (
    "their images trained the model, or may have, and were not scored out of fold; "
    "they stay in the estimates as patients without recorded sex"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSettings:
    """What the flow has to know of what is declared.

    Parameters
    ----------
    bands : declared age bands, or None.
    training_ages : ages on which the model was trained, or None when not known.
    score_use : what is declared about scores.
    age_source : which age the analyses use.

    Examples
    --------
    >>> FlowSettings().age_source
    'recorded'
    """

    bands: AgeBands | None = None
    training_ages: TrainingAges | None = None
    score_use: ScoreUse = field(default_factory=ScoreUse)
    age_source: str = "recorded"


def write_flow(
    connection: Connection, staged: Mapping[str, Staged], places: Sequence[Place], declared: FlowSettings
) -> None:
    """Write the table ``flow`` of a cohort.

    Steps before "in the estimates" lose patients for good. Later ones say how many of them carry a usable score and a
    recorded sex: those that lack one stay in the estimates, and their reason says so. Of each step the rows after
    those of whole steps compare who was lost with who remains, by sex, age and disease.

    Parameters
    ----------
    connection : the cohort being built, with the table patient and all typed rows as given.
    staged : contract name -> table.
    places : where the conditions are among the columns of the table patient.
    declared : what is declared.

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
    columns = max((place.column_number for place in places), default=0)
    write_universe(connection, staged, columns, declared.score_use)
    given = staged["score"].types if "score" in staged else {}
    tells_eyes = not {"eye_source", "eye_disagreement", "inferred_eye"}.isdisjoint(given)
    steps = _steps(connection, declared, tells_eyes)
    rows: list[dict[str, object]] = []
    before = (0, 0)
    for number, step in enumerate(steps, start=1):
        counts = single_row(connection, compose(COUNT, images=step.images, remain=step.remain))
        lost = (0, 0) if number == 1 else (before[0] - counts[0], before[1] - counts[1])
        before = (counts[0], counts[1])
        row = dict(zip(COUNTED, counts, strict=True)) | {"step": number, "name": step.name, "state": "counted"}
        rows.append(row | dict(zip(LOST, lost, strict=True)) | {"reason": _reason(step, any(lost))})
    found = difference_rows(connection, [step.remain for step in steps], declared.bands, places)
    rows += [_characteristic(one, steps[one.step - 1].name) for one in found]
    create_table(connection, table_schema("flow"))
    frame = pd.DataFrame(rows).reindex(columns=table_schema("flow").columns)
    connection.register("incoming_flow", contract_frame(frame, "flow"))
    connection.execute("INSERT INTO flow SELECT * FROM incoming_flow")
    connection.unregister("incoming_flow")


def _characteristic(one: DifferenceRow, name: str) -> dict[str, object]:
    return {
        "step": one.step,
        "name": name,
        "variable": one.variable,
        "category": one.category,
        "n_patients": one.remain,
        "n_known": one.remain_known,
        "patients_lost": one.lost,
        "known_lost": one.lost_known,
        "standardised_difference": one.difference,
        "difference_note": one.note,
        "state": "counted",
    }


def _reason(step: _Step, lost: bool) -> str | None:
    return "; ".join(text for text in (step.reason if lost else "", step.note) if text) or None


def _steps(connection: Connection, declared: FlowSettings, tells_eyes: bool) -> list[_Step]:
    unlinked = "the image names no patient, or one whom the table of persons lacks"
    steps = [
        _Step(name="listed: in any of the tables", remain="true", images="n_listed", reason=""),
        _Step(name="in the table of persons", remain="known", images="n_listed", reason=unlinked),
    ]
    images, lacking = "n_listed", LACKING[declared.age_source]
    if left_out := left_out_words(connection):
        images = "n_kept"
        steps.append(_Step(name="without the rows left out", remain="kept", images=images, reason="", note=left_out))
    if declared.bands is None:
        entering, lost = "age known: these enter the estimates", lacking
    else:
        steps.append(_Step(name="age known", remain="kept AND aged", images=images, reason=lacking))
        entering = "age inside the declared bands: these enter the estimates"
        lost = f"age outside the bands {', '.join(declared.bands.labels)}"
    ages = predicted_age_note(connection)
    steps.append(_Step(name=entering, remain="in_study", images=images, reason=lost, note=ages))
    if (least := declared.score_use.min_quality) is not None:
        name, reason = f"images not below the declared quality of {least:g}", f"{BELOW_QUALITY}: counted as ungradable"
        steps.append(_Step(name=name, remain="in_study", images=f"{images} - n_below", reason=reason))
    return steps + _scored_steps(connection, declared, tells_eyes)


def _scored_steps(connection: Connection, declared: FlowSettings, tells_eyes: bool) -> list[_Step]:
    untested = untested_note(connection, declared.training_ages)
    eyes = eye_note(connection, declared.score_use) if tells_eyes else ""
    recorded = "in_study AND scored AND recorded_sex IN ('male', 'female')"
    steps = [
        _Step(
            name="images with a usable score",
            remain="in_study",
            images="n_ok",
            reason=status_words(connection),
            note=eyes,
        ),
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
