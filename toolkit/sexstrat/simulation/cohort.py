"""A simulated cohort as the three tables a study reads, with the hidden truth kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.simulation.drawn_cells import PART_SIZE, draw_parts
from sexstrat.simulation.external import external_generator, external_setting
from sexstrat.simulation.named_settings import setting
from sexstrat.simulation.people import People, draw_people
from sexstrat.simulation.setting import Setting
from sexstrat.values.design import ValidationDesign
from sexstrat.values.tables import table_schema

__all__ = ["SimulatedCohort", "cohort_parts", "external_cohort", "simulate_cohort"]


_WITHOUT_PHOTOGRAPH = "simulated patient without a gradable photograph"
_EYES = np.array(["L", "R"])  # in the order of the rows of one patient; people hold right, then left


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCohort:
    """Tables that obey the contracts, and the truth that no study may read.

    Parameters
    ----------
    persons, conditions, scores : rows of the person, condition and score contracts.
    truth : patient_id and true_sex.
    setting : the setting they were drawn from.
    external : the external validation cohort, every sex recorded; None where the setting has none.
    """

    persons: pd.DataFrame
    conditions: pd.DataFrame
    scores: pd.DataFrame
    truth: pd.DataFrame
    setting: Setting
    external: SimulatedCohort | None = None


def _eye_rows(listed: NDArray[np.bool_], patient_id: pd.Series) -> tuple[NDArray[np.int64], pd.Series, pd.Series]:
    """Return patient, patient_id and eye of each listed eye, left before right, in the order of the patients."""
    patient, eye = np.nonzero(listed[:, ::-1])
    return 2 * patient + 1 - eye, patient_id.take(patient).reset_index(drop=True), pd.Series(_EYES).take(eye)


def _scores(people: People, patient_id: pd.Series) -> pd.DataFrame:
    """Return one score row per photographed eye, and one ``ungradable`` row where there is none."""
    listed = ~np.isnan(people.eye_logit)
    listed[people.n_eyes == 0, 0] = True
    at, ids, eye = _eye_rows(listed, patient_id)
    logit = people.eye_logit.ravel()[at]
    ok = ~np.isnan(logit)
    eye = eye.reset_index(drop=True)
    image = ids + "_" + eye + ".jpg"
    frame = pd.DataFrame(
        {
            "image_id": image,
            "path": image,
            "patient_id": ids,
            "eye": eye,
            "model_id": "simulated",
            "model_sha256": "0" * 64,
            "precision": "float32",
            "decode": "exact",
            "prob_male": expit(logit),
            "status": pd.Series(np.array(["ungradable", "ok"])).take(ok.astype(int)).to_numpy(),
            "reason": pd.Series(_WITHOUT_PHOTOGRAPH, index=ids.index).mask(ok),
        }
    )
    return frame.reindex(columns=table_schema("score").columns)


def _persons(one: Setting, people: People, patient_id: pd.Series, sexes: pd.Series) -> pd.DataFrame:
    r = people.validation_probability
    male = people.male if people.recorded_male is None else people.recorded_male
    declared = one.design in (ValidationDesign.random, ValidationDesign.known_probability)
    columns = {
        "patient_id": patient_id,
        "age_years": people.age_years.astype(float),
        "recorded_sex": sexes.take(np.where(people.validated, male.astype(int), 2)).to_numpy(),
        "validation_probability": np.where((r > 0) & declared, r, np.nan),
    }
    for name in ("stratum", "psu", "site"):
        codes = getattr(people, name)
        if codes is not None:
            columns[name] = pd.Series(np.arange(codes.max() + 1)).astype("str").take(codes).to_numpy()
    if people.weight is not None:
        columns["weight"] = people.weight
    return pd.DataFrame(columns).reindex(columns=table_schema("person").columns)


def _conditions(people: People, patient_id: pd.Series, condition: str) -> pd.DataFrame:
    """Return one row a patient, or one a graded eye where the disease is recorded by eye."""
    if people.affected is None:
        columns = {"patient_id": patient_id, "eye": None, "condition": condition, "present": people.diseased}
    else:
        at, ids, eye = _eye_rows(people.graded, patient_id)
        present = people.affected.ravel()[at]
        columns = {"patient_id": ids, "eye": eye.to_numpy(), "condition": condition, "present": present}
    return pd.DataFrame(columns)


def _tables(one: Setting, people: People, patient_id: pd.Series, condition: str) -> SimulatedCohort:
    sexes = pd.Series(["female", "male", "unknown"])
    return SimulatedCohort(
        persons=_persons(one, people, patient_id, sexes),
        conditions=_conditions(people, patient_id, condition),
        scores=_scores(people, patient_id),
        truth=pd.DataFrame({"patient_id": patient_id, "true_sex": sexes.take(people.male.astype(int)).to_numpy()}),
        setting=one,
    )


def _numbered(letter: str, first: int, n: int, width: int) -> pd.Series:
    return pd.Series([f"{letter}{number:0{width}d}" for number in range(first, first + n)])


def cohort_parts(
    one: Setting, n: int, seed: int, *, condition: str = "disease", part_size: int = PART_SIZE
) -> Iterator[SimulatedCohort]:
    """Draw a cohort as tables, part by part in the order of patient_id, so that memory holds one part at a time.

    Parameters
    ----------
    one : the setting.
    n : patients in all.
    seed : seed of the draw; the people are those of :func:`simulate_cells` with the same seed and size of a part.
    condition : name of the disease.
    part_size : patients of a part.

    Returns
    -------
    Parts of the main cohort; the external one is :func:`external_cohort`.

    Examples
    --------
    >>> [part.persons["patient_id"].iloc[-1] for part in cohort_parts(setting("weak"), 150, 1, part_size=100)]
    ['p100', 'p150']
    """
    first, width = 1, len(str(n))
    for people in draw_parts(one, n, seed, part_size):
        size = people.male.size
        yield _tables(one, people, _numbered("p", first, size, width), condition)
        first += size


def external_cohort(one: Setting, seed: int, *, condition: str = "disease") -> SimulatedCohort | None:
    """Draw the external validation cohort as tables; its patients' ids begin with e. None where there is none.

    Parameters
    ----------
    one : the setting.
    seed : seed of the main cohort.
    condition : name of the disease.

    Examples
    --------
    >>> external_cohort(setting("external"), 1).persons["patient_id"].iloc[-1]
    'e1000'
    >>> external_cohort(setting("baseline"), 1) is None
    True
    """
    if one.external is None:
        return None
    there = external_setting(one)
    people = draw_people(there, there.patients, external_generator(seed))
    return _tables(there, people, _numbered("e", 1, there.patients, len(str(there.patients))), condition)


def simulate_cohort(
    name: str | Setting, n: int | None = None, seed: int = 1, *, condition: str = "disease"
) -> SimulatedCohort:
    """Draw a cohort with known truth.

    Parameters
    ----------
    name : setting, or its name.
    n : patients; None takes as many as the setting says.
    seed : seed of the draw; the people are those of :func:`simulate_cells` with the same seed.
    condition : name of the disease.

    Returns
    -------
    Image-level scores of one or two eyes, persons with sex hidden where it was not recorded, the disease.

    Examples
    --------
    >>> cohort = simulate_cohort("baseline", 200, seed=1)
    >>> len(cohort.persons), set(cohort.persons["recorded_sex"]) <= {"male", "female", "unknown"}
    (200, True)
    """
    one = setting(name) if isinstance(name, str) else name
    parts = list(cohort_parts(one, one.patients if n is None else n, seed, condition=condition))

    def whole(table: str) -> pd.DataFrame:
        frames: list[pd.DataFrame] = [getattr(part, table) for part in parts]
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    return SimulatedCohort(
        persons=whole("persons"),
        conditions=whole("conditions"),
        scores=whole("scores"),
        truth=whole("truth"),
        setting=one,
        external=external_cohort(one, seed, condition=condition),
    )
