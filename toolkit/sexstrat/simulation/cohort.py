"""A simulated cohort as the three tables a study reads, with the hidden truth kept apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from sexstrat.simulation.named_settings import setting
from sexstrat.simulation.people import People, draw_people
from sexstrat.simulation.setting import Setting
from sexstrat.values.design import ValidationDesign
from sexstrat.values.tables import table_schema

__all__ = ["SimulatedCohort", "simulate_cohort"]


_WITHOUT_PHOTOGRAPH = "simulated patient without a gradable photograph"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCohort:
    """Tables that obey the contracts, and the truth that no study may read.

    Parameters
    ----------
    persons, conditions, scores : rows of the person, condition and score contracts.
    truth : patient_id and true_sex.
    setting : the setting they were drawn from.
    """

    persons: pd.DataFrame
    conditions: pd.DataFrame
    scores: pd.DataFrame
    truth: pd.DataFrame
    setting: Setting


def _scores(people: People, patient_id: pd.Series) -> pd.DataFrame:
    """Return one score row per photographed eye, and one ``ungradable`` row where there is none."""
    rows = []
    for eye, column in (("R", 0), ("L", 1)):
        logit = people.eye_logit[:, column]
        listed = ~np.isnan(logit) | ((people.n_eyes == 0) & (column == 0))
        ok = ~np.isnan(logit[listed])
        ids = patient_id[listed].reset_index(drop=True)
        rows.append(
            pd.DataFrame(
                {
                    "image_id": ids + f"_{eye}.jpg",
                    "path": ids + f"_{eye}.jpg",
                    "patient_id": ids,
                    "eye": eye,
                    "prob_male": expit(logit[listed]),
                    "status": np.where(ok, "ok", "ungradable"),
                    "reason": pd.Series(_WITHOUT_PHOTOGRAPH, index=ids.index).mask(ok),
                }
            )
        )
    frame = pd.concat(rows, ignore_index=True).sort_values("image_id", ignore_index=True)
    fixed = {"model_id": "simulated", "model_sha256": "0" * 64, "precision": "float32", "decode": "exact"}
    frame = frame.assign(**fixed)
    return frame.reindex(columns=table_schema("score").columns)


def _declares_r(one: Setting) -> bool:
    return one.design in (ValidationDesign.random, ValidationDesign.known_probability)


def simulate_cohort(name: str | Setting, n: int, seed: int, *, condition: str = "disease") -> SimulatedCohort:
    """Draw a cohort with known truth.

    Parameters
    ----------
    name : setting, or its name.
    n : patients.
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
    people = draw_people(one, n, np.random.default_rng(seed))
    width = len(str(n))
    patient_id = pd.Series([f"p{number:0{width}d}" for number in range(1, n + 1)])
    sex = np.where(people.male, "male", "female")
    r = people.validation_probability
    persons = pd.DataFrame(
        {
            "patient_id": patient_id,
            "age_years": people.age_years.astype(float),
            "recorded_sex": np.where(people.validated, sex, "unknown"),
            "validation_probability": np.where((r > 0) & _declares_r(one), r, np.nan),
        }
    ).reindex(columns=table_schema("person").columns)
    conditions = pd.DataFrame(
        {"patient_id": patient_id, "eye": None, "condition": condition, "present": people.diseased}
    )
    truth = pd.DataFrame({"patient_id": patient_id, "true_sex": sex})
    return SimulatedCohort(
        persons=persons, conditions=conditions, scores=_scores(people, patient_id), truth=truth, setting=one
    )
