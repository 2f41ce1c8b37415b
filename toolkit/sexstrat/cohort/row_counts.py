"""How many rows of each input were read, kept, and left out for which reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sexstrat.cohort.sql import Connection, compose, literal, quoted, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem

__all__ = ["TableRows", "row_counts"]

NEVER_STAGED = "wrong_field_count"  # such a row of a CSV cannot be read into columns
UNUSED = {"score": "no_patient", "condition": "not_known"}  # rows that tell nothing, whatever the study declares
LEFT_OUT = """
SELECT kind, count(DISTINCT coalesce(source_row, -k)) FROM (
    SELECT *, row_number() OVER () AS k FROM left_out WHERE contract = {contract}) GROUP BY kind ORDER BY kind
"""
DIFFERENT = "SELECT count(DISTINCT source_row) FROM left_out WHERE contract = {contract} AND source_row IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """The rows of one input.

    Parameters
    ----------
    table : section of the study file that declares it.
    source : how messages call it.
    read : rows read, with those left out.
    accepted : rows kept.
    dropped : kind of problem -> rows left out for it, as the study declares or because they tell nothing (a score that
        names no patient, a condition without a value); a row may be left out for several kinds.

    Examples
    --------
    >>> TableRows(table="persons", source="p.csv", read=3, accepted=2, dropped={"no_age": 1}).document()["accepted"]
    2
    """

    table: str
    source: str
    read: int
    accepted: int
    dropped: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """Return the counts as plain values for ``--json``."""
        return asdict(self)


def row_counts(
    connection: Connection, staged: Mapping[str, Staged], problems: Sequence[Problem]
) -> tuple[TableRows, ...]:
    """Return the rows of each input once every rule has been asked.

    Of a common data model the rows made of it are counted first, then those of its own tables.

    Parameters
    ----------
    connection : where the tables are staged and rows left out are noted.
    staged : contract name -> table.
    problems : what was found among the rows that the study keeps.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sex_coding import SexCoding
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> connection, frame = connect(), pd.DataFrame({"patient_id": ["a", "b"], "recorded_sex": ["", ""]})
    >>> table = stage(connection, "person", TableInput.of(frame, "persons"), SexCoding.declared(None))
    >>> _ = connection.execute("INSERT INTO left_out VALUES ('person', 'no_age', 1)")
    >>> row_counts(connection, {"person": table}, [])
    (TableRows(table='persons', source='persons', read=2, accepted=1, dropped={'no_age': 1}),)
    """
    unused = {problem.kind: problem.count for problem in problems}
    return tuple(_rows(connection, one, unused) for table in staged.values() for one in (table, *table.made_from))


def _rows(connection: Connection, table: Staged, found: Mapping[str, int]) -> TableRows:
    contract = literal(table.contract)
    (there,) = single_row(connection, compose("SELECT count(*) FROM {table}", table=quoted(table.table)))
    dropped = {kind: int(n) for kind, n in connection.execute(compose(LEFT_OUT, contract=contract)).fetchall()}
    (lost,) = single_row(connection, compose(DIFFERENT, contract=contract))
    kind = UNUSED.get(table.contract, "")
    if kind not in table.drop and (unused := found.get(kind, 0)):
        dropped[kind], lost = unused, lost + unused
    read = int(there) + dropped.get(NEVER_STAGED, 0)
    return TableRows(table=table.section, source=table.label, read=read, accepted=int(there - lost), dropped=dropped)
