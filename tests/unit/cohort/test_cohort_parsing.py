"""Text becomes a value only where it is one."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sexstrat.cohort.parsing import as_text, staged_expression, staged_type, typed_expression
from sexstrat.cohort.sql import connect, single_row
from sexstrat.values.tables import Field


def parsed(kind: str, value: object, staged: str, decimal: str = ".") -> object:
    """Return what a staged value parses to."""
    sql = typed_expression(Field(name="x", type=kind), "x", staged, decimal)
    return single_row(connect(threads=1), f"SELECT {sql} FROM (SELECT CAST(? AS {staged}) AS x)", [value])[0]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("number", "61.5", 61.5),
        ("number", "-3", -3.0),
        ("number", "1e-3", 0.001),
        ("number", "６１．５", 61.5),
        ("number", "nan", None),
        ("number", "inf", None),
        ("number", "1e999", None),
        ("number", "1_000", None),
        ("number", "0x10", None),
        ("number", "45歳", None),
        ("number", "1,5", None),
        ("integer", "3", 3),
        ("integer", "3.0", 3),
        ("integer", "3.5", None),
        ("integer", "99999999999999999999", None),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("boolean", "yes", None),
        ("string", "007", "007"),
    ],
)
def test_text(kind: str, text: str, expected: object) -> None:
    """Only plain numbers, true/false/1/0 and full-width digits of the same meaning are understood."""
    assert parsed(kind, text, "VARCHAR") == expected


def test_dates_are_written_one_way() -> None:
    """A date is YYYY-MM-DD and exists."""
    assert str(parsed("date", "2024-02-29", "VARCHAR")) == "2024-02-29"
    assert str(parsed("date", "2024-02-29 00:00:00", "VARCHAR")) == "2024-02-29"
    for wrong in ("2023-02-29", "29/02/2024", "2024-2-9", "2024-02-29 10:30:00"):
        assert parsed("date", wrong, "VARCHAR") is None


def test_decimal_comma() -> None:
    """With a declared decimal comma the point is no decimal mark."""
    assert parsed("number", "61,5", "VARCHAR", decimal=",") == 61.5
    assert parsed("number", "61.5", "VARCHAR", decimal=",") is None


@pytest.mark.parametrize(
    ("kind", "value", "staged", "expected"),
    [
        ("number", 3, "BIGINT", 3.0),
        ("number", float("inf"), "DOUBLE", None),
        ("number", True, "BOOLEAN", None),
        ("integer", 3.0, "DOUBLE", 3),
        ("integer", 3.5, "DOUBLE", None),
        ("boolean", 1, "BIGINT", True),
        ("boolean", 2, "BIGINT", None),
        ("date", 20240101, "BIGINT", None),
        ("string", 7.0, "DOUBLE", "7"),
        ("string", 7.5, "DOUBLE", "7.5"),
        ("string", 7, "BIGINT", "7"),
    ],
)
def test_typed_sources(kind: str, value: object, staged: str, expected: object) -> None:
    """A typed column is taken as it is when its type fits, and refused when it does not."""
    assert parsed(kind, value, staged) == expected


def test_blanks_and_not_a_number_are_empty() -> None:
    """Spaces, the full-width space and NaN mean that there is no value."""
    connection = connect(threads=1)
    for value, kind in ((" \u3000\t", "VARCHAR"), ("", "VARCHAR"), (float("nan"), "DOUBLE")):
        sql = f"SELECT {staged_expression('x', kind)} FROM (SELECT CAST(? AS {kind}) AS x)"
        assert single_row(connection, sql, [value]) == (None,)


def test_arrow_types_are_staged_without_loss() -> None:
    """Numbers stay numbers, everything else is text."""
    assert [staged_type(t) for t in (pa.bool_(), pa.int8(), pa.uint64(), pa.decimal128(5, 2), pa.date32())] == [
        *["BOOLEAN", "BIGINT", "VARCHAR", "DOUBLE", "DATE"]
    ]
    assert as_text("x", "VARCHAR") == "CAST(x AS VARCHAR)"
