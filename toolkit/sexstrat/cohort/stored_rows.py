"""Images and scores as they were given: tables of the columns there are, under views with all of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sexstrat.cohort.ddl import column_type, comment_on_column, comment_on_view, create_table
from sexstrat.cohort.sql import Connection, compose, quoted
from sexstrat.cohort.staging import Staged
from sexstrat.values.tables import table_schema

__all__ = ["write_rows"]

ORIGIN = {"image": "typed_image", "score": "linked_score"}  # contract -> where its rows come from
ADDED = {"score": ("patient_id", "eye", "reason")}  # columns that linking and the use of scores may fill
KNOWN = "WHERE patient_id IS NULL OR patient_id IN (SELECT patient_id FROM typed_person)"


def write_rows(connection: Connection, contract: str, staged: Mapping[str, Staged], *, known_only: bool) -> None:
    """Write the rows of an input: the table ``image_row`` or ``score_row``, and the contract's view of it.

    A column that the input lacks takes no room and no time, and reads as empty.

    Parameters
    ----------
    connection : the cohort being built, holding the staged tables.
    contract : image or score.
    staged : contract name -> table; without the contract's, the table is empty.
    known_only : leave out rows of patients whom the person table lacks.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> write_rows(connection, "score", {}, known_only=False)
    >>> connection.execute("SELECT count(prob_male) FROM score").fetchall()
    [(0,)]
    """
    schema = table_schema(contract)
    there = staged[contract].types if contract in staged else {}
    fields = tuple(
        field
        for field in schema.fields
        if field.name in there or field.required or field.name in ADDED.get(contract, ())
    )
    table = f"{contract}_row"
    create_table(connection, replace(schema, name=table, fields=fields))
    if contract in staged:
        columns = ", ".join(quoted(field.name) for field in fields)
        template = "INSERT INTO {table} SELECT {columns} FROM {origin} {where}"
        where = KNOWN if known_only else ""
        connection.execute(compose(template, table=table, columns=columns, origin=ORIGIN[contract], where=where))
    kept = {field.name for field in fields}
    shown = ", ".join(
        quoted(field.name) if field.name in kept else f"CAST(NULL AS {column_type(field)}) AS {quoted(field.name)}"
        for field in schema.fields
    )
    connection.execute(
        compose("CREATE VIEW {view} AS SELECT {shown} FROM {table}", view=contract, shown=shown, table=table)
    )
    comment_on_view(connection, contract, f"{schema.title}; the columns that {table} lacks are empty")
    for field in schema.fields:
        comment_on_column(connection, contract, field.name, field.description)
