"""Every rule of a contract that a value can break is found, with the first row and the number of rows."""

from __future__ import annotations

import pandas as pd
import pytest

from sexstrat.scores import typed_columns, value_breaches
from sexstrat.values.tables import table_schema


@pytest.mark.parametrize(
    ("column", "values", "kind", "row", "count"),
    [
        ("path", ["x", None, None], "empty_value", 3, 2),
        ("image_id", ["x", "x", "x"], "duplicate_value", 3, 2),
        ("status", ["ok", "ok", "OK"], "not_allowed", 4, 1),
        ("model_sha256", ["0" * 64, "0" * 63, "0" * 64], "wrong_pattern", 3, 1),
        ("prob_male", [0.0, 1.0, 1.5], "above_maximum", 4, 1),
        ("prob_male", [-0.1, None, 0.5], "below_minimum", 2, 1),
        ("prob_male", ["0.5", "half", ""], "not_a_number", 3, 2),
        ("prob_male", [0.5, float("inf"), 0.5], "not_a_number", 3, 1),
        ("fold", [0, 1.5, None], "not_a_whole_number", 3, 1),
    ],
)
def test_each_rule_is_found(column: str, values: list[object], kind: str, row: int, count: int) -> None:
    """The problem names the first row (a header is line 1) and counts the others."""
    (problem,) = value_breaches(pd.DataFrame({column: values}), table_schema("score"), source="scores.csv")
    assert (problem.kind, problem.row, problem.column, problem.count) == (kind, row, column, count)


def test_values_within_the_contract_break_nothing() -> None:
    """Bounds are closed and optional cells may be empty."""
    frame = pd.DataFrame({"prob_male": [0, 1, None], "fold": [0, 4, None], "eye": ["R", "L", None]})
    assert value_breaches(frame, table_schema("score"), source="scores.csv") == []


def test_dates_must_be_days() -> None:
    """A day that is not in the calendar and a date in another form are both named."""
    frame = pd.DataFrame({"acquired_on": ["2024-02-29", "2023-02-29", "1/2/2024", None]})
    (problem,) = value_breaches(frame, table_schema("image"), source="images.csv")
    assert (problem.kind, problem.row, problem.count) == ("not_a_date", 3, 2)


def test_types_follow_the_contract_even_without_values() -> None:
    """Columns that are lacking are made, empty and typed."""
    found = typed_columns(pd.DataFrame({"image_id": [1, 2]}), table_schema("score"))
    assert list(found.columns) == table_schema("score").columns
    assert {str(found[name].dtype) for name in ("image_id", "eye", "status")} == {"str"}
    assert (str(found["fold"].dtype), str(found["prob_male"].dtype)) == ("Int64", "float64")
    assert found["image_id"].tolist() == ["1", "2"]
