"""What holds of cells whatever the cohort: nobody is lost or counted twice, and order changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.cohort import Cohort, fold_of
from sexstrat.cohort.bins import bin_frame, lowest_probabilities
from sexstrat.cohort.folds import fold_sql
from sexstrat.cohort.sql import connect
from sexstrat.values.logit_bins import logit_bin, logit_edges

PATIENT = st.fixed_dictionaries(
    {
        "age_years": st.none() | st.floats(0, 120),
        "recorded_sex": st.sampled_from(["male", "female", "other", "unknown", ""]),
        "weight": st.floats(1e-3, 1e3),
        "validation_probability": st.floats(0.01, 1),
        "scores": st.lists(st.tuples(st.sampled_from(["R", "L", None]), st.floats(0, 1)), max_size=4),
        "condition": st.none() | st.booleans(),
        "site": st.sampled_from(["x", "y"]),
    }
)


def tables(patients: list[dict[str, object]]) -> dict[str, pd.DataFrame]:
    """Lay out generated patients as the three tables of a study."""
    columns = ["age_years", "recorded_sex", "weight", "validation_probability", "site"]
    persons = pd.DataFrame([{name: patient[name] for name in columns} for patient in patients], columns=columns)
    persons.insert(0, "patient_id", [f"P{k}" for k in range(len(patients))])
    score_columns = ["image_id", "patient_id", "eye", "prob_male", "status"]
    rows = [
        (f"P{k}/{j}", f"P{k}", eye, prob_male, "ok")
        for k, patient in enumerate(patients)
        for j, (eye, prob_male) in enumerate(patient["scores"])  # type: ignore[arg-type, var-annotated]
    ]
    fixed = {"path": "p", "model_id": "m", "model_sha256": "0" * 64, "precision": "float32", "decode": "exact"}
    known = [(f"P{k}", "amd", p["condition"]) for k, p in enumerate(patients) if p["condition"] is not None]
    return {
        "persons": persons.assign(age_years=persons["age_years"].astype("float64")),
        "scores": pd.DataFrame(rows, columns=score_columns).assign(**fixed),
        "conditions": pd.DataFrame(known, columns=["patient_id", "condition", "present"]),
    }


def cells_of(inputs: dict[str, pd.DataFrame], threads: int) -> pd.DataFrame:
    with (
        tempfile.TemporaryDirectory() as folder,
        Cohort.create(Path(folder) / "c.duckdb", threads=threads, **inputs) as cohort,
    ):
        return cohort.cells().frame


@settings(max_examples=8, deadline=None)
@given(patients=st.lists(PATIENT, max_size=12), order=st.randoms(use_true_random=False))
def test_nobody_is_lost_and_order_changes_nothing(patients: list[dict[str, object]], order) -> None:
    """The sum of n is the patients with age and a known condition; shuffled rows give the same bytes."""
    inputs = tables(patients)
    frame = cells_of(inputs, threads=1)
    counted = [p for p in patients if p["age_years"] is not None and p["condition"] is not None]
    assert frame["n"].sum() == len(counted)
    assert frame.loc[frame["diseased"], "n"].sum() == sum(bool(p["condition"]) for p in counted)
    assert frame.loc[frame["n_eyes"] == 0, "n"].sum() == sum(not p["scores"] for p in counted)
    assert frame.loc[frame["recorded_sex"] == "male", "n"].sum() == sum(p["recorded_sex"] == "male" for p in counted)
    np.testing.assert_allclose(frame["sum_w"].sum(), sum(p["weight"] for p in counted), rtol=1e-12)
    assert (frame["sum_p"] <= frame["n"] * 2**30).all()
    shuffled = {
        name: table.iloc[order.sample(range(len(table)), len(table))].reset_index(drop=True)
        for name, table in inputs.items()
    }
    again = cells_of(shuffled, threads=3)
    assert again.to_csv(float_format="%.17g") == frame.to_csv(float_format="%.17g")


@settings(max_examples=40, deadline=None)
@given(
    probabilities=st.lists(st.floats(0, 1), min_size=1, max_size=50),
    thresholds=st.lists(st.floats(0.01, 0.99), max_size=3),
)
def test_bins_in_sql_are_those_of_python(probabilities: list[float], thresholds: list[float]) -> None:
    """The database puts every probability into the bin that the Python function names, on the edges too."""
    edges = logit_edges(tuple(thresholds))
    borders = lowest_probabilities(edges)
    p = np.concatenate([probabilities, thresholds, borders, np.nextafter(borders[1:], 0), np.nextafter(borders, 1)])
    connection = connect(threads=1)
    connection.register("bins", bin_frame(edges))
    connection.register("scores", pd.DataFrame({"k": np.arange(len(p)), "prob_male": p}))
    query = "SELECT logit_bin FROM scores s ASOF LEFT JOIN bins b ON s.prob_male >= b.prob_low ORDER BY k"
    found = [row[0] for row in connection.execute(query).fetchall()]
    assert found == [int(logit_bin(x, edges)) for x in p]
    connection.close()


@settings(max_examples=50, deadline=None)
@given(
    key=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), salt=st.sampled_from(["", "s"])
)
def test_folds_in_sql_are_those_of_python(key: str, salt: str) -> None:
    """The database and Python put every patient into the same fold, whatever the writing system of the key."""
    connection = connect(threads=1)
    (row,) = connection.execute("SELECT " + fold_sql("CAST(? AS VARCHAR)"), [salt, key]).fetchall()
    assert row == (fold_of(key, salt),)
    connection.close()
