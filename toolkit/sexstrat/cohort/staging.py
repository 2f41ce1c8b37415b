"""Staging: each input as it came, with row numbers, and a view of the same rows in the types of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from sexstrat.cohort.csv_source import ROW
from sexstrat.cohort.ddl import column_type
from sexstrat.cohort.inputs import TableInput, read_input
from sexstrat.cohort.parsing import as_text, staged_expression, staged_type, typed_expression
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.sql import Connection, compose, quoted
from sexstrat.errors import Problem, SchemaError
from sexstrat.values.tables import Field, table_schema

__all__ = ["Staged", "raw_column", "stage", "typed_table"]

SEX = "recorded_sex"


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

    Examples
    --------
    >>> Staged(contract="person", label="p.csv", types={}, decimal=".", problems=()).table
    'staged_person'
    """

    contract: str
    label: str
    types: Mapping[str, str]
    decimal: str
    problems: tuple[Problem, ...]

    @property
    def table(self) -> str:
        """Name the staging table."""
        return f"staged_{self.contract}"


def raw_column(name: str) -> str:
    """Return the quoted name under which a column's original text stands beside the typed one.

    Parameters
    ----------
    name : contract column.

    Examples
    --------
    >>> raw_column("age_years")
    '"raw age_years"'
    """
    return quoted(f"raw {name}")


def typed_table(contract: str) -> str:
    """Return the quoted name of the view of typed rows of a contract, parsed only where they are asked for.

    Parameters
    ----------
    contract : name of the table's contract.

    Examples
    --------
    >>> typed_table("person")
    '"typed_person"'
    """
    return quoted(f"typed_{contract}")


def stage(connection: Connection, contract: str, table: TableInput, coding: SexCoding) -> Staged:
    """Read an input into the database: its rows as they came and, beside them, typed.

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
    problems: list[Problem] = []
    types: dict[str, str] | None = None
    try:
        for batch in read_input(table, table_schema(contract), problems):
            if types is None:
                types = _create(connection, contract, batch)
            _insert(connection, contract, batch, types)
    except SchemaError as err:
        problems.extend(err.problems)
    if types is None:
        types = _create(connection, contract, pa.table({ROW: pa.array([], type=pa.int64())}))
    staged = Staged(contract=contract, label=table.label, types=types, decimal=table.decimal, problems=tuple(problems))
    _define_typed(connection, staged, coding)
    return staged


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


def _define_typed(connection: Connection, staged: Staged, coding: SexCoding) -> None:
    meanings = {value.casefold() if coding.any_case else value: word for value, word in coding.meanings.items()}
    connection.execute("CREATE OR REPLACE TEMP TABLE sex_code (code_value VARCHAR, meaning VARCHAR)")
    connection.executemany("INSERT INTO sex_code VALUES (?, ?)", list(meanings.items()))
    columns: list[str] = [f"s.{ROW}"]
    join = ""
    for field in table_schema(staged.contract).fields:
        kind = staged.types.get(field.name)
        if kind is None:
            columns.append(f"CAST(NULL AS VARCHAR) AS {raw_column(field.name)}")
            columns.append(f"CAST({_absent(field)} AS {column_type(field)}) AS {quoted(field.name)}")
            continue
        column = f"s.{quoted(field.name)}"
        text, value = as_text(column, kind), typed_expression(field, column, kind, staged.decimal)
        if field.name == SEX:
            join = f"LEFT JOIN sex_code k ON k.code_value = {f'lower({text})' if coding.any_case else text}"
            value = f"CASE WHEN {text} IS NULL THEN 'unknown' ELSE k.meaning END"
        columns.append(f"{text} AS {raw_column(field.name)}")
        columns.append(f"CAST({value} AS {column_type(field)}) AS {quoted(field.name)}")
    template = "CREATE OR REPLACE TEMP VIEW {typed} AS SELECT {columns} FROM {staged} s {join}"
    parts = {"typed": typed_table(staged.contract), "columns": ", ".join(columns), "staged": quoted(staged.table)}
    connection.execute(compose(template, join=join, **parts))


def _absent(field: Field) -> str:
    return "'unknown'" if field.name == SEX else "NULL"
