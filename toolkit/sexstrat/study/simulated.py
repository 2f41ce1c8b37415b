"""Write a simulated cohort as study tables with a study file that runs on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.simulation import Setting, settings, simulate_cohort

__all__ = ["STUDY_TEXT", "write_simulated_study"]

STUDY_TEXT = """\
# A simulated cohort: nothing in it is a patient. The truth is known and shown beside every estimate.
schema_version = 1
title = "{title}"
seed = {seed}
notices = [
{notices}
]
{extra}
[scores]
source = "scores.parquet"

[persons]
source = "persons.csv"

[conditions]
source = "conditions.csv"

[truth]
source = "truth.csv"          # the sex that was hidden from the analysis

[validation]
design = "{design}"           # how sex came to be recorded for some patients

[analysis]
target = "population"
age_bands = [20, 45, 55, 65, 75]
standards = ["cohort", "who_2000_2025"]

[disclosure]
profile = "uk-5"
"""


def write_simulated_study(
    out: str | Path,
    *,
    setting: str = "error_by_disease",
    n_patients: int = 20_000,
    seed: int = 1,
    title: str = "",
    notices: Sequence[str] = (),
    extra: str = "",
) -> Path:
    """Simulate a cohort and write persons.csv, truth.csv, conditions.csv, scores.parquet and study.toml.

    Parameters
    ----------
    out : folder to write into; made when absent.
    setting : name of a simulation setting.
    n_patients : patients to simulate.
    seed : seed of every draw.
    title : title of the study; a plain one when empty.
    notices : further sentences every reader must see first.
    extra : further top-level lines of the study file (TOML).

    Returns
    -------
    The study file.

    Raises
    ------
    StudyError : no such setting; the message lists those there are.
    """
    if setting not in settings():
        raise StudyError(f"no simulation setting {setting!r}; there are {', '.join(settings())}")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    cohort = simulate_cohort(setting, n_patients, seed)
    cohort.persons.to_csv(folder / "persons.csv", index=False)
    truth = cohort.truth.set_index("patient_id")["true_sex"]
    shown = cohort.persons.assign(recorded_sex=cohort.persons["patient_id"].map(truth))
    shown.to_csv(folder / "truth.csv", index=False)
    cohort.conditions.to_csv(folder / "conditions.csv", index=False)
    cohort.scores.to_parquet(folder / "scores.parquet", index=False)
    simulated = (
        f"Everything about these {n_patients:,} patients is simulated (setting {setting}, seed {seed}): "
        "ages, sexes, diseases and scores. No real person is in it."
    )
    study = folder / "study.toml"
    text = STUDY_TEXT.format(
        title=title or f"Simulated cohort, setting {setting}",
        seed=seed,
        notices="\n".join(f"  {json.dumps(text, ensure_ascii=False)}," for text in (simulated, *notices)),
        extra=extra,
        design=_design(cohort.setting),
    )
    study.write_text(text, encoding="utf-8")
    return study


def _design(setting: Setting) -> str:
    return setting.design.value
