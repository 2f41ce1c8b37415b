"""Staging: each input as it came, with row numbers, and a view of the same rows in the types of the contract."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from sexstrat.cohort.csv_source import ROW
from sexstrat.cohort.ddl import column_type
from sexstrat.cohort.drops import SECTIONS, checked_drop
from sexstrat.cohort.inputs import TableInput, read_input
from sexstrat.cohort.parquet_scan import scanned_file, view_of_parquet
from sexstrat.cohort.parsing import as_text, staged_expression, staged_type, typed_expression
from sexstrat.cohort.provenance import note_input
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.sql import Connection, compose, literal, quoted
from sexstrat.cohort.staged_names import absent_column, given_table, raw_column, typed_table
from sexstrat.errors import Problem, SchemaError
from sexstrat.values.tables import Field, table_schema

__all__ = ["LEFT_OUT", "SEX", "Staged", "define_typed", "narrow", "stage"]

SEX = "recorded_sex"
LEFT_OUT = "CREATE TEMP TABLE IF NOT EXISTS left_out (contract VARCHAR, kind VARCHAR, source_row BIGINT)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """One input in the database.

    Parameters
    ----------
    contract : name of the table's contract.
    label : how messages call it.
    types : contract column -> staged type; columns that the input lacks are absent.
    decimal : decimal mark in text.
    problems : what is wrong with the file's shape.
    drop : kinds of problem whose rows are left out.
    on_conflict : ``"present"`` to leave out the rows that say a condition is absent where another says present.
    declared_in : section of the study file; empty means the usual one of the contract.
    parts : first row and name of each file, where the table lies in several.
    made_from : tables of a common data model of whose rows these are made.

    Examples
    --------
    >>> table = Staged(contract="person", label="*.csv", types={}, decimal=".", problems=(), parts=((1, "a"), (4, "b")))
    >>> table.table, table.section, table.place(5, [5, 6])
    ('staged_person', 'persons', ('b', [2, 2, 3]))
    """

    contract: str
    label: str
    types: Mapping[str, str]
    decimal: str
    problems: tuple[Problem, ...]
    drop: tuple[str, ...] = ()
    on_conflict: str = "error"
    declared_in: str = ""
    parts: tuple[tuple[int, str], ...] = ()
    made_from: tuple[Staged, ...] = ()

    @property
    def table(self) -> str:
        """Name the staging table, or the view of a file read where it lies."""
        return f"staged_{self.contract}"

    @property
    def section(self) -> str:
        """Name the section of the study file that declares the table."""
        return self.declared_in or SECTIONS.get(self.contract, self.contract)

    def place(self, row: int, rows: Sequence[int] | None) -> tuple[str, list[int]]:
        """Return the file of a row, and that row and the other rows of the same file by their number in it."""
        if not (self.parts and row):  # rows that stand for no record have no number
            return self.label, [row, *(rows or ())]
        k = max(bisect_right([first for first, _ in self.parts], row) - 1, 0)
        first, name = self.parts[k]
        end = self.parts[k + 1][0] if k + 1 < len(self.parts) else sys.maxsize
        return name, [each - first + 1 for each in (row, *(rows or ())) if first <= each < end]


def narrow(connection: Connection, contract: str) -> None:
    """Take the rows noted as left out from the typed view of a contract.

    Parameters
    ----------
    connection : where the table is staged.
    contract : name of the table's contract.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.sql import connect
    >>> connection, frame = connect(), pd.DataFrame({"patient_id": ["a", "b"], "recorded_sex": ["", ""]})
    >>> _ = stage(connection, "person", TableInput.of(frame, "persons"), SexCoding.declared(None))
    >>> _ = connection.execute("INSERT INTO left_out VALUES ('person', 'no_age', 1)")
    >>> narrow(connection, "person")
    >>> connection.execute("SELECT patient_id FROM typed_person").fetchall()
    [('b',)]
    """
    template = (
        "CREATE OR REPLACE TEMP VIEW {typed} AS SELECT * FROM {given} g WHERE NOT EXISTS "
        "(SELECT 1 FROM left_out l WHERE l.contract = {contract} AND l.source_row = g.source_row)"
    )
    parts = {"typed": typed_table(contract), "given": given_table(contract), "contract": literal(contract)}
    connection.execute(compose(template, **parts))


def stage(connection: Connection, contract: str, table: TableInput, coding: SexCoding) -> Staged:
    """Bring an input into the database: its rows as they came and, beside them, typed.

    A Parquet file is read where it lies; all else is copied.

    Parameters
    ----------
    connection : a connection whose temporary tables may be written.
    contract : name of the table's contract.
    table : the input.
    coding : meaning of the values of recorded sex.

    Returns
    -------
    What was staged; a file that cannot be read at all gives an empty table and its problem.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.sql import connect
    >>> connection, frame = connect(), pd.DataFrame({"patient_id": [7.0], "recorded_sex": ["M"]})
    >>> staged = stage(connection, "person", TableInput.of(frame, "persons"), SexCoding.declared("dicom"))
    >>> connection.execute("SELECT patient_id, recorded_sex, age_years FROM typed_person").fetchall()
    [('7', 'male', None)]
    """
    drop = checked_drop(contract, section := table.section or SECTIONS.get(contract, contract), table.drop)
    connection.execute(LEFT_OUT)
    note_input(connection, contract, table)
    problems: list[Problem] = []
    parts: list[tuple[int, str]] = []
    types: dict[str, str] | None = None
    if (path := scanned_file(table)) is not None:
        types = view_of_parquet(connection, f"staged_{contract}", path, table, table_schema(contract), problems)
    if types is None:
        types = _copied(connection, contract, table, problems, parts)
    staged = Staged(
        contract=contract,
        label=table.label,
        types=types,
        decimal=table.decimal,
        problems=tuple(_shape(problem, drop, section) for problem in problems),
        drop=drop,
        on_conflict=table.on_conflict,
        declared_in=table.section,
        parts=tuple(parts),
    )
    for problem in staged.problems:
        if problem.kind == "wrong_field_count" and problem.kind in drop:
            rows = f"SELECT NULL AS source_row, '{problem.kind}' AS kind FROM range({problem.count:d})"  # noqa: S608
            connection.execute(f"INSERT INTO left_out SELECT '{contract}', kind, source_row FROM ({rows})")  # noqa: S608
    define_typed(connection, staged, coding)
    return staged


def _copied(
    connection: Connection, contract: str, table: TableInput, problems: list[Problem], parts: list[tuple[int, str]]
) -> dict[str, str]:
    """Copy an input that the database cannot read itself, batch by batch, and return the staged types."""
    types: dict[str, str] | None = None
    try:
        for batch in read_input(table, table_schema(contract), problems, parts):
            if types is None:
                types = _create(connection, contract, batch)
            _insert(connection, contract, batch, types)
    except SchemaError as err:
        problems.extend(err.problems)
    nothing = pa.table({ROW: pa.array([], type=pa.int64())})
    return _create(connection, contract, nothing) if types is None else types


def _shape(problem: Problem, drop: tuple[str, ...], section: str) -> Problem:
    """Return a problem of the file's shape with what to declare about it."""
    if problem.kind != "wrong_field_count":
        return problem
    if problem.kind in drop:
        return replace(problem, severity="warning", hint=f"Left out, as drop in [{section}] declares")
    hint = f'{problem.hint}. To leave such rows out, write drop = ["{problem.kind}"] in [{section}] of the study file'
    return replace(problem, hint=hint)


def _create(connection: Connection, contract: str, batch: pa.Table) -> dict[str, str]:
    types = {name: staged_type(batch.schema.field(name).type) for name in batch.column_names if name != ROW}
    columns = ", ".join([f"{ROW} BIGINT", *(f"{quoted(name)} {kind}" for name, kind in types.items())])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(f'staged_{contract}')} ({columns})")
    return types


def _insert(connection: Connection, contract: str, batch: pa.Table, types: Mapping[str, str]) -> None:
    values = ", ".join([ROW, *(staged_expression(quoted(name), kind) for name, kind in types.items())])
    connection.register("incoming_batch", batch)
    template = "INSERT INTO {table} SELECT {values} FROM incoming_batch"
    connection.execute(compose(template, table=quoted(f"staged_{contract}"), values=values))
    connection.unregister("incoming_batch")


def define_typed(connection: Connection, staged: Staged, coding: SexCoding) -> None:
    """Make the views of a staged table's rows in the types of its contract, given and typed.

    Parameters
    ----------
    connection : where the table is staged.
    staged : the table.
    coding : meaning of the values of recorded sex.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE staged_condition AS SELECT 1 source_row, 'a' patient_id, 1 present")
    >>> types = {"patient_id": "VARCHAR", "present": "BIGINT"}
    >>> table = Staged(contract="condition", label="c", types=types, decimal=".", problems=())
    >>> define_typed(connection, table, SexCoding.declared(None))
    >>> connection.execute("SELECT patient_id, present FROM typed_condition").fetchall()
    [('a', True)]
    """
    meanings = {value.casefold() if coding.any_case else value: word for value, word in coding.meanings.items()}
    connection.execute("CREATE OR REPLACE TEMP TABLE sex_code (code_value VARCHAR, meaning VARCHAR)")
    connection.executemany("INSERT INTO sex_code VALUES (?, ?)", list(meanings.items()))
    columns: list[str] = [f"s.{ROW}"]
    join = ""
    for field in table_schema(staged.contract).fields:
        kind = staged.types.get(field.name)
        if kind is None:
            columns.append(f"CAST(NULL AS VARCHAR) AS {raw_column(field.name)}")
            columns.append(f"true AS {absent_column(field.name)}")
            columns.append(f"CAST({_absent(field)} AS {column_type(field)}) AS {quoted(field.name)}")
            continue
        column = f"s.{quoted(field.name)}"
        text, value = as_text(column, kind), typed_expression(field, column, kind, staged.decimal)
        if field.name == SEX:
            join = f"LEFT JOIN sex_code k ON k.code_value = {f'lower({text})' if coding.any_case else text}"
            value = f"CASE WHEN {text} IS NULL THEN 'unknown' ELSE k.meaning END"
        columns.append(f"{text} AS {raw_column(field.name)}")
        columns.append(f"{column} IS NULL AS {absent_column(field.name)}")
        columns.append(f"CAST({value} AS {column_type(field)}) AS {quoted(field.name)}")
    template = (
        "CREATE OR REPLACE TEMP VIEW {given} AS SELECT {columns} FROM {staged} s {join}; "
        "CREATE OR REPLACE TEMP VIEW {typed} AS SELECT * FROM {given}"
    )
    names = {"given": given_table(staged.contract), "typed": typed_table(staged.contract)}
    parts = names | {"columns": ", ".join(columns), "staged": quoted(staged.table)}
    connection.execute(compose(template, join=join, **parts))


def _absent(field: Field) -> str:
    return "'unknown'" if field.name == SEX else "NULL"
