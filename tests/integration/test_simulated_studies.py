"""A simulated cohort written as tables gives, through the database, the cells that arrays alone give."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.simulation import Setting, setting, simulate_cells
from sexstrat.study import load_study
from sexstrat.study import simulated as module
from sexstrat.study.simulated import write_simulated_study

KEYS = ["site", "stratum", "psu", "age_years", "diseased", "recorded_sex", "n_eyes"]
SUMS = ["n", "sum_p", "sum_w", "sum_w2", "sum_w_over_r"]


def summed(frame: pd.DataFrame) -> pd.DataFrame:
    """Add cells up over score bins and folds: a patient near an edge may fall either side by rounding."""
    keys = frame[KEYS].astype("string").fillna("")
    return frame[SUMS].astype(float).fillna(0).groupby([keys[name] for name in KEYS]).sum()


@pytest.mark.parametrize(("name", "file_format"), [
    ("survey_weights", "csv"), ("survey_weights", "parquet"), ("site_clusters", "csv"), ("eye_level_disease", "csv"),
    ("eye_level_disease", "parquet"), ("some_without_photograph", "csv"), ("noisy_recorded_sex", "parquet"),
    ("recording_modelled", "csv"),
])  # fmt: skip
def test_tables_and_arrays_give_the_same_cells(tmp_path: Path, name: str, file_format: str) -> None:
    """Hospitals, strata, weights, eyes and wrong records reach the cells alike by both ways."""
    one: Setting = setting(name)
    study = load_study(write_simulated_study(tmp_path, setting=one, n_patients=1_500, seed=8, file_format=file_format))
    both = simulate_cells(one, 1_500, 8)
    for persons, cells in (("persons", both.cells), ("truth", both.truth)):
        with Cohort.create(
            tmp_path / f"{persons}.duckdb",
            persons=str(study.section(persons)["source"]),
            scores=str(study.section("scores")["source"]),
            conditions=str(study.section("conditions")["source"]),
        ) as cohort:
            found = summed(cohort.cells(("disease",), keys=("site", "stratum", "psu")).frame)
        arrays = summed(cells.frame)
        exact = ["n", "sum_w", "sum_w2", *(["sum_w_over_r"] if persons == "persons" else [])]  # the truth's r is 1
        pd.testing.assert_frame_equal(found[exact], arrays[exact], rtol=1e-9)
        units = (found["sum_p"] - arrays["sum_p"]).abs()  # each patient's p is rounded once, to 2^-30
        assert (units <= arrays["n"]).all()


def test_a_cohort_larger_than_a_part_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three parts give the tables that one gives for people in the same order, with each line told."""
    told: list[str] = []
    parts = module.cohort_parts

    def in_parts(one: Setting, n: int, seed: int) -> object:
        return parts(one, n, seed, part_size=400)

    monkeypatch.setattr(module, "cohort_parts", in_parts)
    for file_format in ("csv", "parquet"):
        folder = tmp_path / file_format
        write_simulated_study(
            folder, setting="weak", n_patients=1_000, seed=2, file_format=file_format, tell=told.append
        )
    persons = pd.read_csv(tmp_path / "csv" / "persons.csv")
    rows = pd.read_parquet(tmp_path / "parquet" / "persons.parquet")
    assert persons["patient_id"].tolist() == rows["patient_id"].tolist() == [f"p{k:04d}" for k in range(1, 1001)]
    assert persons["recorded_sex"].tolist() == rows["recorded_sex"].tolist()
    scores = pd.read_parquet(tmp_path / "csv" / "scores.parquet")
    assert scores["image_id"].is_monotonic_increasing
    assert set(scores["patient_id"]) == set(persons["patient_id"])
    assert told[:2] == ["simulate: 400 of 1,000 patients written", "simulate: 800 of 1,000 patients written"]


def test_a_failed_write_leaves_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When drawing fails half way, no half table stands under a table's name."""
    parts = module.cohort_parts

    def broken(one: Setting, n: int, seed: int) -> object:
        yield from parts(one, n // 2, seed)
        raise OSError("disk full")

    monkeypatch.setattr(module, "cohort_parts", broken)
    with pytest.raises(OSError, match="disk full"):
        write_simulated_study(tmp_path, setting="weak", n_patients=600, file_format="parquet")
    assert not list(tmp_path.iterdir())
