"""Turn rows that break a rule into one problem: how many, the first rows, and the value of the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.errors import Problem

__all__ = ["FIRST_ROWS", "breach", "first_rows"]

FIRST_ROWS = 5


def first_rows(rows: Sequence[int] | None, count: int) -> str:
    """Return the first rows in words, "" for a single one.

    Parameters
    ----------
    rows : the lowest row numbers.
    count : how many rows there are in all.

    Examples
    --------
    >>> first_rows([3, 8], 2), first_rows([3, 8, 9, 12, 13], 70)
    (' (rows 3, 8)', ' (rows 3, 8, 9, 12, 13, ...)')
    """
    if rows is None or count < 2:
        return ""
    return f" (rows {', '.join(map(str, rows))}{', ...' if count > len(rows) else ''})"


def breach(
    connection: Connection,
    rows_sql: str,
    parameters: Sequence[Any] = (),
    *,
    kind: str,
    message: str,
    source: str,
    column: str | None,
    allowed: str,
    hint: str = "",
    severity: str = "error",
) -> list[Problem]:
    """Return the problem that a query's rows are, or nothing when it finds none.

    Parameters
    ----------
    connection : where the staged tables are.
    rows_sql : a query with columns ``source_row`` and ``found`` (text), one row per breach.
    parameters : its parameters.
    kind, message, source, column, allowed, hint, severity : of the problem.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> sql = "SELECT * FROM (VALUES (4, 'x'), (2, 'y')) t(source_row, found)"
    >>> print(breach(connect(), sql, kind="k", message="is odd", source="f", column="c", allowed="z")[0])
    f, row 2, column c: is odd (rows 2, 4); found 'y'; allowed: z (2 rows; this is the first)
    """
    template = (
        "SELECT count(*), min(source_row), arg_min(found, source_row), min(source_row, {first}) FROM ({rows}) breaches"
    )
    query = compose(template, first=str(FIRST_ROWS), rows=rows_sql)
    count, row, value, rows = single_row(connection, query, parameters)
    if count == 0:
        return []
    return [
        Problem(
            kind=kind,
            message=message + first_rows(rows, count),
            source=source,
            row=row,
            column=column,
            value=value,
            allowed=allowed,
            hint=hint,
            count=count,
            severity=severity,
        )
    ]
