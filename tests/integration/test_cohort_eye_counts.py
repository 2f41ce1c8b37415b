"""A condition recorded by eye is counted eye by eye from its rows to the cells, and one about the person as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.cohort.check import check_inputs
from sexstrat.errors import SchemaError
from sexstrat.simulation import simulate_cells, simulate_cohort
from sexstrat.study.cells_file import read_cells
from sexstrat.values.cells import Cells

EYE_KEYS = ["n_graded_eyes", "n_diseased_eyes"]
PERSONS = pd.DataFrame({"patient_id": list("ABCD"), "age_years": 61, "recorded_sex": "male"})
BY_EYE = pd.DataFrame(
    {
        "patient_id": ["A", "A", "B", "C", "C", "D", "D"],
        "eye": ["R", "L", "L", "R", "L", "R", "L"],
        "condition": "amd",
        "present": [True, False, True, False, False, False, None],
    }
)


def counted(path: Path, conditions: pd.DataFrame) -> pd.DataFrame:
    with Cohort.create(path / "c.duckdb", persons=PERSONS, conditions=conditions) as cohort:
        return cohort.cells().frame


def test_eyes_are_counted_and_an_eye_without_a_value_is_not_graded(tmp_path: Path) -> None:
    """A has one of two, B one of one, C none of two; D's left eye has no value, so D has none of one."""
    frame = counted(tmp_path, BY_EYE)
    shown = frame[["diseased", *EYE_KEYS, "n"]].values.tolist()
    assert shown == [[False, 1, 0, 1], [False, 2, 0, 1], [True, 1, 1, 1], [True, 2, 1, 1]]


def test_a_condition_of_the_person_has_no_eyes_beside_one_that_has(tmp_path: Path) -> None:
    """Rows that name no eye leave the eye keys empty and every other column as it was without the other condition."""
    person = pd.DataFrame(
        {"patient_id": list("ABC"), "eye": None, "condition": "stroke", "present": [True, False, True]}
    )
    alone = counted(tmp_path, person)
    both = counted(tmp_path, pd.concat([BY_EYE, person], ignore_index=True))
    found = both[both["condition"] == "stroke"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, alone)
    assert found[EYE_KEYS].isna().all(axis=None)
    assert both.loc[both["condition"] == "amd", EYE_KEYS].notna().all(axis=None)


def test_rows_of_eyes_and_of_persons_in_one_condition_are_counted_by_person_with_a_warning(tmp_path: Path) -> None:
    """Nobody can say how many eyes a row about the person stands for, so the condition has no eyes, and it is said."""
    mixed = BY_EYE.assign(eye=["R", "L", None, "R", "L", "R", "L"])
    assert counted(tmp_path, mixed)[EYE_KEYS].isna().all(axis=None)
    (problem,) = [
        one for one in check_inputs(persons=PERSONS, conditions=mixed).problems if one.kind.endswith("_mixed")
    ]
    assert (problem.severity, problem.column, problem.row) == ("warning", "eye", 3)
    assert problem.value == "amd: 1 rows without an eye, 5 with one"
    assert not [one for one in check_inputs(persons=PERSONS, conditions=BY_EYE).problems if one.kind.endswith("_mixed")]


@pytest.mark.parametrize("name", ["eye_level_disease", "baseline"])
def test_the_database_counts_what_arrays_count(tmp_path: Path, name: str) -> None:
    """The same simulated people give the same cells by SQL and by arrays, with eyes and without."""
    one = simulate_cohort(name, 400, seed=3)
    with Cohort.create(
        tmp_path / "c.duckdb", persons=one.persons, scores=one.scores, conditions=one.conditions
    ) as cohort:
        found = cohort.cells().frame
    expected = simulate_cells(name, 400, seed=3).cells.frame
    keys = ["age_years", "diseased", *EYE_KEYS, "recorded_sex", "n_eyes", "logit_bin"]
    both = [frame.groupby(keys, dropna=False)["n"].sum().reset_index() for frame in (found, expected)]
    pd.testing.assert_frame_equal(*both, check_dtype=False)
    assert found["n_graded_eyes"].notna().all() == (name == "eye_level_disease")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_cells_without_the_columns_are_still_read(tmp_path: Path, suffix: str) -> None:
    """A file of version 1, which had no such columns, reads as cells of conditions that are about the person."""
    cells = simulate_cells("baseline", 300, seed=1).cells
    old = cells.frame.drop(columns=EYE_KEYS)
    path = tmp_path / f"cells.{suffix}"
    old.to_csv(path, index=False) if suffix == "csv" else old.to_parquet(path, index=False)
    read = read_cells(path)
    pd.testing.assert_frame_equal(read.frame, cells.frame, check_dtype=False)
    assert not read.by_eye
    pd.testing.assert_frame_equal(Cells(frame=old, edges=cells.edges).frame, cells.frame)


def test_cells_with_eyes_survive_a_file(tmp_path: Path) -> None:
    """Counts of eyes written to a file are read back."""
    cells = simulate_cells("eye_level_disease", 300, seed=1).cells
    cells.frame.to_csv(tmp_path / "cells.csv", index=False)
    pd.testing.assert_frame_equal(read_cells(tmp_path / "cells.csv").frame, cells.frame, check_dtype=False)


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"n_diseased_eyes": None}, "n_diseased_eyes", "without the other"),
        ({"n_graded_eyes": 1, "n_diseased_eyes": 2}, "n_diseased_eyes", "more eyes are affected"),
        ({"n_diseased_eyes": 0}, "diseased", "contradicts the number"),
        ({"n_graded_eyes": 3}, "n_graded_eyes", "value is not allowed"),
    ],
)
def test_impossible_counts_of_eyes_are_named(
    tmp_path: Path, changes: dict[str, int | None], column: str, message: str
) -> None:
    """Counts that no cohort could have written are refused with their row, column and value."""
    frame = simulate_cells("eye_level_disease", 300, seed=1).cells.frame
    row = int(np.flatnonzero(frame["diseased"])[0])
    for name, value in changes.items():
        frame.loc[row, name] = pd.NA if value is None else value
    frame.to_csv(tmp_path / "cells.csv", index=False)
    with pytest.raises(SchemaError, match=message) as caught:
        read_cells(tmp_path / "cells.csv")
    assert (caught.value.problems[0].row, caught.value.problems[0].column) == (row + 2, column)
