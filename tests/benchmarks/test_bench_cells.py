"""How fast cells are counted, against the same counting in pandas in the same run.

Processor time of all threads is compared: a busy machine changes it little.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.values.logit_bins import logit_bin, logit_edges

PATIENTS = 1_000_000
MOST_TIMES_SLOWER_TO_CREATE = 15.0  # create checks every rule, links and writes 4 tables; pandas only counts


def cohort_tables(n: int) -> dict[str, pd.DataFrame]:
    """Make a cohort of n patients with two images each, one in twenty with recorded sex."""
    rng = np.random.default_rng(1)
    patient_id = np.array([f"P{k:07d}" for k in range(n)])
    drawn = rng.random(n)
    sex = np.where(drawn < 0.025, "male", np.where(drawn < 0.05, "female", "unknown"))
    scores = {
        "image_id": np.char.add(np.tile(patient_id, 2), np.repeat(["/R", "/L"], n)),
        "path": "x",
        "patient_id": np.tile(patient_id, 2),
        "eye": np.repeat(["R", "L"], n),
        "model_id": "m",
        "model_sha256": "0" * 64,
        "precision": "float32",
        "decode": "exact",
        "prob_male": rng.random(2 * n),
        "status": "ok",
    }
    return {
        "persons": pd.DataFrame({"patient_id": patient_id, "age_years": rng.integers(20, 95, n), "recorded_sex": sex}),
        "scores": pd.DataFrame(scores),
        "conditions": pd.DataFrame({"patient_id": patient_id, "condition": "amd", "present": rng.random(n) < 0.15}),
    }


def pandas_cells(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the same cells with pandas, without checks, folds, flow or file."""
    scores = tables["scores"]
    scores = scores.assign(logit=np.log(scores["prob_male"] / (1 - scores["prob_male"])).clip(-10, 10))
    eyes = scores.groupby(["patient_id", "eye"], sort=False)["logit"].mean()
    combined = eyes.groupby("patient_id", sort=False).agg(["mean", "size"])
    combined["p"] = 1 / (1 + np.exp(-combined["mean"]))
    combined["logit_bin"] = logit_bin(combined["p"].to_numpy(), logit_edges())
    joined = tables["persons"].merge(combined, on="patient_id", how="left").merge(tables["conditions"], on="patient_id")
    keys = ["age_years", "present", "recorded_sex", "size", "logit_bin"]
    return joined.groupby(keys).agg(n=("p", "size"), sum_p=("p", "sum")).reset_index()


@pytest.mark.benchmark_suite
def test_cells_of_a_million_patients(tmp_path: Path) -> None:
    """Cells take less processor time than in pandas, and the whole build a small multiple of it."""
    tables = cohort_tables(PATIENTS)
    started = time.process_time()
    expected = pandas_cells(tables)
    in_pandas = time.process_time() - started
    started = time.process_time()
    cohort = Cohort.create(tmp_path / "c.duckdb", **tables)
    created = time.process_time() - started
    started = time.process_time()
    frame = cohort.cells().frame
    counted = time.process_time() - started
    cohort.close()
    logging.getLogger(__name__).info("pandas %.1f s, create %.1f s, cells %.2f s", in_pandas, created, counted)
    assert frame["n"].sum() == expected["n"].sum() == PATIENTS
    np.testing.assert_allclose(frame["sum_p"].sum() / 2**30, expected["sum_p"].sum(), rtol=1e-9)
    assert counted < in_pandas, f"cells {counted:.1f} s, pandas {in_pandas:.1f} s"
    assert created < MOST_TIMES_SLOWER_TO_CREATE * in_pandas, f"create {created:.1f} s, pandas {in_pandas:.1f} s"
