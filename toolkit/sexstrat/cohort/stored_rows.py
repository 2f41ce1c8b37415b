"""Images and scores as they were given: tables of the columns there are, under views with all of the contract.

What says how a score was made is the same for millions of scores: it is written once, in the table ``scoring``, and
each score names its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sexstrat.cohort.ddl import column_type, comment_on_column, comment_on_table, comment_on_view, create_table
from sexstrat.cohort.sql import Connection, compose, quoted, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.values.tables import Field, table_schema

__all__ = ["write_rows"]

ORIGIN = {"image": "typed_image", "score": "linked_score"}  # contract -> where its rows come from
ADDED = {"score": ("patient_id", "eye", "reason")}  # columns that linking and the use of scores may fill
HOW = ("model_id", "model_sha256", "precision", "runtime", "decode")
NUMBER = Field(name="scoring_number", type="integer", description="how the score was made: a row of the table scoring")
KNOWN = "WHERE patient_id IS NULL OR patient_id IN (SELECT patient_id FROM typed_person)"
SCORING = """
CREATE TABLE scoring AS SELECT CAST(row_number() OVER (ORDER BY {how}) AS BIGINT) AS scoring_number, {how}
FROM (SELECT DISTINCT {how} FROM {origin}) ORDER BY 1
"""


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
    >>> write_rows(connection, "image", {}, known_only=False)
    >>> connection.execute("SELECT count(camera) FROM image").fetchall()
    [(0,)]
    """
    schema = table_schema(contract)
    there = staged[contract].types if contract in staged else {}
    kept = [f for f in schema.fields if f.name in there or f.required or f.name in ADDED.get(contract, ())]
    how = [field for field in kept if field.name in HOW] if contract == "score" else []
    own = [field for field in kept if field not in how]
    table = f"{contract}_row"
    create_table(connection, replace(schema, name=table, fields=(*own, *([NUMBER] if how else ()))))
    if how:
        _write_scoring(connection, how)
    if contract in staged:
        values = ", ".join(
            [*(f"o.{quoted(field.name)}" for field in own), *([_number(connection, how)] if how else ())]
        )
        template = "INSERT INTO {table} SELECT {values} FROM {origin} o {where}"
        where = KNOWN if known_only else ""
        connection.execute(compose(template, table=table, values=values, origin=ORIGIN[contract], where=where))
    _write_view(
        connection, contract, {field.name for field in kept}, " JOIN scoring USING (scoring_number)" if how else ""
    )


def _write_scoring(connection: Connection, how: Sequence[Field]) -> None:
    names = ", ".join(quoted(field.name) for field in how)
    connection.execute(compose(SCORING, how=names, origin=ORIGIN["score"]))
    comment_on_table(connection, "scoring", "how scores were made: model, arithmetic and decoding, a row for each way")
    for field in (NUMBER, *how):
        comment_on_column(connection, "scoring", field.name, field.description)


def _number(connection: Connection, how: Sequence[Field]) -> str:
    """Return SQL of the number of a score's way of scoring; most cohorts know one way."""
    if single_row(connection, "SELECT count(*) FROM scoring") == (1,):
        return "1"
    same = " AND ".join(f"w.{quoted(field.name)} IS NOT DISTINCT FROM o.{quoted(field.name)}" for field in how)
    return compose("(SELECT w.scoring_number FROM scoring w WHERE {same})", same=same)


def _write_view(connection: Connection, contract: str, kept: set[str], joined: str) -> None:
    schema = table_schema(contract)
    shown = ", ".join(
        quoted(field.name) if field.name in kept else f"CAST(NULL AS {column_type(field)}) AS {quoted(field.name)}"
        for field in schema.fields
    )
    parts = {"view": contract, "shown": shown, "table": f"{contract}_row", "joined": joined}
    connection.execute(compose("CREATE VIEW {view} AS SELECT {shown} FROM {table}{joined}", **parts))
    comment_on_view(connection, contract, f"{schema.title}; columns that were not given are empty")
    for field in schema.fields:
        comment_on_column(connection, contract, field.name, field.description)
