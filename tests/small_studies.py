"""Small studies at random, with sparse cells, for the tests of disclosure control: their files, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

BANDS = ((40, 60), (40, 60, 75), (40, 50, 60, 75))
STUDY = """\
schema_version = 1
title = "Small study"
seed = {seed}

[scores]
source = "scores.parquet"

[persons]
source = "persons.csv"
sex_coding = "english"

[conditions]
source = "conditions.csv"

[validation]
design = "random"

[analysis]
age_bands = {bands}

[disclosure]
profile = "{profile}"
reason = "nobody in it is real"
"""


def write_small_study(folder: Path, seed: int, profile: str = "uk-5", scale: int = 1) -> Path:
    """Write the files of a random study of 60 to 400 patients (times the scale) and return its study file.

    One to three diseases, two to four age bands, half of the studies with two sites of which one may be tiny, sex
    recorded for few or nearly all, some of another sex, without age or without a usable photograph, one or two
    photographs a patient.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    bands = BANDS[rng.integers(len(BANDS))]
    n = int(rng.integers(60, 401)) * scale
    names = np.array([f"p{place:07d}" for place in range(n)])
    male = rng.random(n) < rng.uniform(0.2, 0.7)
    sex = np.where(male, "male", "female").astype(object)
    sex[rng.random(n) >= rng.choice([0.4, 0.7, 0.95])] = "unknown"
    sex[rng.random(n) < rng.choice([0.0, 0.02])] = "other"
    age = np.round(bands[0] + 0.5 + rng.beta(2, rng.choice([2, 5]), n) * 50, 1)
    lost = rng.random(n) < rng.choice([0.0, 0.01])
    persons = pd.DataFrame({"patient_id": names, "age_years": np.where(lost, np.nan, age), "recorded_sex": sex})
    if rng.random() < 0.5:
        persons["site"] = np.where(rng.random(n) < rng.choice([0.05, 0.4]), "north", "south")
    persons.to_csv(folder / "persons.csv", index=False)
    diseases = [
        pd.DataFrame(
            {
                "patient_id": names,
                "condition": f"disease {place + 1}",
                "present": rng.random(n) < rng.choice([0.02, 0.06, 0.15, 0.3]) * np.where(age > 65, 2, 1),
            }
        )
        for place in range(int(rng.integers(1, 4)))
    ]
    pd.concat(diseases).to_csv(folder / "conditions.csv", index=False)
    _scores(rng, names, male).to_parquet(folder / "scores.parquet", index=False)
    study = folder / "study.toml"
    study.write_text(STUDY.format(seed=seed, bands=list(bands), profile=profile), encoding="utf-8")
    return study


def _scores(rng: np.random.Generator, names: np.ndarray, male: np.ndarray) -> pd.DataFrame:
    """Return one row a photograph."""
    who = np.repeat(np.arange(len(names)), np.where(rng.random(len(names)) < rng.choice([0.0, 0.5]), 2, 1))
    logit = rng.normal(np.where(male[who], 1.5, -1.5), rng.choice([0.8, 1.6]))
    usable = rng.random(len(who)) < rng.choice([0.9, 0.98])
    image = [f"i{place:07d}.jpg" for place in range(len(who))]
    return pd.DataFrame(
        {
            "image_id": image,
            "path": image,
            "patient_id": names[who],
            "model_id": "small",
            "model_sha256": "0" * 64,
            "precision": "float32",
            "decode": "exact",
            "prob_male": np.where(usable, 1 / (1 + np.exp(-logit)), np.nan),
            "status": np.where(usable, "ok", "ungradable"),
            "reason": np.where(usable, None, "too dark"),
        }
    )
