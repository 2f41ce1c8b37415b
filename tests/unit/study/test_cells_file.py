"""A file of cells is read as it was written, or refused with every breach named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.errors import SchemaError, StudyError
from sexstrat.estimates import compose
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.study.cells_file import read_cells


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_cells_come_back_as_they_were(tmp_path: Path, suffix: str) -> None:
    """CSV and Parquet alike: the same estimate, to the last digit."""
    cells = worked_cells()
    file = tmp_path / f"cells.{suffix}"
    cells.frame.to_csv(file, index=False) if suffix == "csv" else cells.frame.to_parquet(file)
    read = read_cells(file)
    ways = [compose(one, bands=worked_bands(), design="random", method="E1") for one in (cells, read)]
    assert ways[0].contrast("ratio").rows == ways[1].contrast("ratio").rows


def broken(tmp_path: Path, column: str, value: object) -> Path:
    """Return the file of the example with one value of its second row changed."""
    frame = worked_cells().frame.astype(object)
    frame.loc[1, column] = value
    file = tmp_path / "cells.csv"
    frame.to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("recorded_sex", "m", r"row 3, column recorded_sex: value is not allowed; found 'm'; allowed: male, female"),
        ("age_years", -1, "row 3, column age_years: .*found '-1'; allowed: a whole number from 0 to 120"),
        ("age_years", 45.5, "row 3, column age_years: .*found '45.5'"),
        ("diseased", "perhaps", "column diseased: .*found 'perhaps'; allowed: true or false"),
        ("n", 0, "column n: .*allowed: a whole number from 1"),
        ("sum_w", "inf", "column sum_w: .*found 'inf'"),
        ("logit_bin", 200, "beyond the fixed bins.*declared threshold"),
        ("logit_bin", "", "a row with scored eyes has no bin"),
    ],
)
def test_a_broken_value_is_named(tmp_path: Path, column: str, value: object, words: str) -> None:
    """File, row, column, value and what is allowed."""
    with pytest.raises(SchemaError, match=words):
        read_cells(broken(tmp_path, column, value))


def test_rows_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    """A validated row without a fold; the same keys twice."""
    frame = worked_cells().frame
    known = frame["recorded_sex"] != "unknown"
    file = tmp_path / "cells.parquet"
    frame.assign(fold=frame["fold"].mask(known)).to_parquet(file)
    with pytest.raises(SchemaError, match="a validated row has no cross-fitting fold"):
        read_cells(file)
    pd.concat([frame, frame.head(2)], ignore_index=True).to_parquet(file)
    with pytest.raises(SchemaError, match=r"the same keys stand in an earlier row.*2 rows"):
        read_cells(file)


def test_missing_columns_and_files(tmp_path: Path) -> None:
    """All missing columns at once; another kind of file, an empty and an unreadable one are said to be so."""
    file = tmp_path / "cells.csv"
    worked_cells().frame.drop(columns=["n", "sum_w"]).to_csv(file, index=False)
    with pytest.raises(SchemaError, match="2 problems"):
        read_cells(file)
    (tmp_path / "cells.txt").write_text("", encoding="utf-8")
    with pytest.raises(StudyError, match=r"\.parquet or \.csv"):
        read_cells(tmp_path / "cells.txt")
    for name in ("empty.csv", "false.parquet"):
        (tmp_path / name).write_text("", encoding="utf-8")
        with pytest.raises(StudyError, match="cannot be read"):
            read_cells(tmp_path / name)
