"""A table that scoring writes becomes a cohort as it stands, and the cohort combines eyes as the reference does."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.scores import combine_eyes, score_images, write_scores


def patients_of(scores: Path, persons: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Build a cohort and return its patients with one combined value each."""
    Cohort.create(folder / "cohort.duckdb", persons=persons, scores=scores).close()
    with duckdb.connect(str(folder / "cohort.duckdb"), read_only=True) as connection:
        query = "SELECT patient_id, prob_male, n_eyes FROM patient ORDER BY patient_id"
        return connection.execute(query).df()


def test_the_sql_combination_equals_the_reference(tmp_path: Path) -> None:
    """For 400 patients with 0 to 6 images of either or no eye, certain and failed ones too, both give 1e-9 the same."""
    rng = np.random.default_rng(5)
    n = 1200
    ok = rng.random(n) < 0.9
    prob = rng.choice([0.0, 1.0, 1e-7, 0.5, -1.0], n, p=[0.02, 0.02, 0.02, 0.02, 0.92])
    prob = np.where(prob < 0, rng.random(n), prob)
    scores = pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in range(n)],
            "path": "p",
            "patient_id": [f"p{i:03d}" for i in rng.integers(0, 400, n)],
            "eye": rng.choice(["R", "L", None], n, p=[0.45, 0.45, 0.1]),
            "model_id": "m",
            "model_sha256": "0" * 64,
            "precision": "float32",
            "decode": "exact",
            "prob_male": np.where(ok, prob, np.nan),
            "status": np.where(ok, "ok", "unreadable"),
        }
    )
    write_scores(scores, tmp_path / "scores.parquet")
    persons = pd.DataFrame({"patient_id": sorted(set(scores["patient_id"]))}).assign(
        age_years=60.0, recorded_sex="male", validation_probability=0.5
    )
    found = patients_of(tmp_path / "scores.parquet", persons, tmp_path)
    expected = combine_eyes(scores["prob_male"], scores["eye"], scores["patient_id"])
    assert found["patient_id"].tolist() == expected["patient_id"].tolist()
    assert found["n_eyes"].tolist() == expected["n_eyes"].tolist()
    assert {0, 1, 2} == set(expected["n_eyes"])
    np.testing.assert_allclose(found["prob_male"], expected["prob_male"], atol=1e-9)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_written_score_table_is_a_cohorts_input(tmp_path: Path, synthetic: ModuleType, suffix: str) -> None:
    """Photographs scored from a list, one of them broken, become patients without any step between."""
    synthetic.write_fundi(tmp_path / "photos", 3)
    (tmp_path / "photos" / "003.jpg").write_bytes(b"")
    rows = [("a", "R", "000.jpg"), ("a", "L", "001.jpg"), ("b", "R", "002.jpg"), ("c", "R", "003.jpg")]
    listing = tmp_path / "photos" / "images.csv"
    pd.DataFrame(rows, columns=["patient_id", "eye", "path"]).to_csv(listing, index=False)
    out = tmp_path / f"scores{suffix}"
    score_images(listing, model=synthetic.arithmetic_model(), out=out)
    persons = pd.DataFrame({"patient_id": list("abc"), "age_years": [50.0, 60.0, 70.0], "recorded_sex": "female"})
    found = patients_of(out, persons.assign(validation_probability=1.0), tmp_path)
    assert found["n_eyes"].tolist() == [2, 1, 0]
    assert found["prob_male"].isna().tolist() == [False, False, True]
