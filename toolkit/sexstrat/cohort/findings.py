"""Turn rows that break a rule into one problem: how many, the first rows, and the value of the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sexstrat.cohort.drops import DROPPABLE
from sexstrat.cohort.sql import Connection, compose, literal, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem

__all__ = ["FIRST_ROWS", "breach", "first_rows", "note_left_out", "remedy"]

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
    staged: Staged,
    column: str | None,
    allowed: str,
    hint: str = "",
    severity: str = "error",
    drop_sql: str = "",
) -> list[Problem]:
    """Return the problem that a query's rows are, or nothing when it finds none.

    Where the table is declared to drop this kind, its rows are noted in the table ``left_out`` and it is a warning.

    Parameters
    ----------
    connection : where the staged tables are.
    rows_sql : a query with columns ``source_row`` and ``found`` (text), one row per breach.
    parameters : its parameters.
    kind, message, column, allowed, hint, severity : of the problem.
    staged : the table.
    drop_sql : a query with the column ``source_row``, with the same parameters: the rows to leave out where they are
        not the rows found; "" when they are.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> sql = "SELECT * FROM (VALUES (4, 'x'), (2, 'y')) t(source_row, found)"
    >>> table = Staged(contract="person", label="f", types={}, decimal=".", problems=())
    >>> print(breach(connect(), sql, kind="no_age", message="is odd", staged=table, column="c", allowed="z")[0])
    f, row 2, column c: is odd (rows 2, 4); found 'y'; allowed: z (2 rows; this is the first).
    To leave such rows out, write drop = ["no_age"] in [persons] of the study file
    """
    template = (
        "SELECT count(*), min(source_row), arg_min(found, source_row), min(source_row, {first}) FROM ({rows}) breaches"
    )
    query = compose(template, first=str(FIRST_ROWS), rows=rows_sql)
    count, row, value, rows = single_row(connection, query, parameters)
    if count == 0:
        return []
    if kind in staged.drop:
        note_left_out(connection, staged, kind, drop_sql or rows_sql, parameters)
    source, (row, *rows) = staged.place(row, rows)
    return [
        Problem(
            kind=kind,
            message=message + first_rows(rows, count),
            source=source,
            row=row,
            column=column,
            value=value,
            allowed=allowed,
            hint=remedy(staged, kind, hint),
            count=count,
            severity="warning" if kind in staged.drop else severity,
        )
    ]


def remedy(staged: Staged, kind: str, hint: str = "") -> str:
    """Say what to write in the study file to leave the rows of a problem out, after what else can be done.

    Parameters
    ----------
    staged : the table.
    kind : of the problem.
    hint : what else can be done, or "".

    Examples
    --------
    >>> table = Staged(contract="score", label="s.csv", types={}, decimal=".", problems=(), drop=("no_patient",))
    >>> remedy(table, "no_patient")
    'Left out, as drop in [scores] declares'
    """
    if kind in staged.drop:
        return f"Left out, as drop in [{staged.section}] declares"
    if kind not in DROPPABLE.get(staged.contract, ()):
        return hint
    drop = f'To leave such rows out, write drop = ["{kind}"] in [{staged.section}] of the study file'
    return f"{hint}. {drop}" if hint else drop


def note_left_out(
    connection: Connection, staged: Staged, kind: str, rows_sql: str, parameters: Sequence[Any] = ()
) -> None:
    """Note rows of a table as left out for a problem.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : the table.
    kind : of the problem.
    rows_sql : a query with the column ``source_row``.
    parameters : its parameters.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import LEFT_OUT
    >>> connection = connect()
    >>> _ = connection.execute(LEFT_OUT)
    >>> table = Staged(contract="person", label="f", types={}, decimal=".", problems=())
    >>> note_left_out(connection, table, "no_age", "SELECT 7 AS source_row")
    >>> connection.execute("FROM left_out").fetchall()
    [('person', 'no_age', 7)]
    """
    template = "INSERT INTO left_out SELECT DISTINCT {contract}, {kind}, source_row FROM ({rows}) found"
    query = compose(template, contract=literal(staged.contract), kind=literal(kind), rows=rows_sql)
    connection.execute(query, list(parameters))
