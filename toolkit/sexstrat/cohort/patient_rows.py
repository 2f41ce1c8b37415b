"""The patients of a cohort as rows for others to read: what was recorded of each, never an estimate of their sex."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from sexstrat.cohort.condition_bits import KNOWN, places
from sexstrat.cohort.patient_conditions import diseased_sql
from sexstrat.cohort.sql import Connection, compose, quoted, single_row

__all__ = ["PatientRows"]

COLUMNS = {  # name -> type and meaning
    "patient_id": ("string", "as given in the person table"),
    "age_years": ("integer", "completed years"),
    "recorded_sex": ("string", "sex as recorded by declared coding"),
    "in_study": ("boolean", "age known and inside the declared age bands"),
    "n_eyes": ("integer", "eyes with a usable score, at most 2"),
    "validation_probability": ("number", "probability, by design, that recorded sex is known; empty when not declared"),
    "weight": ("number", "survey weight, 1 when none is given"),
    "site": ("string", "hospital or registry"),
    "stratum": ("string", "sampling stratum"),
    "psu": ("string", "primary sampling unit"),
}
ROWS_AT_ONCE = 200_000


class PatientRows:
    """The patients of a cohort, a column for each condition; estimated probabilities of sex are left out.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> place = "SELECT 'amd' AS condition, 1 AS column_number, 0 AS first_bit, false AS by_eye"
    >>> _ = connection.execute("CREATE TABLE condition_column AS " + place)
    >>> patient = "SELECT 'a' patient_id, 61 age_years, 'male' recorded_sex, true in_study, 2 n_eyes, 3 conditions_1,"
    >>> patient += " NULL validation_probability, 1.0 weight, NULL site, NULL stratum, NULL psu"
    >>> _ = connection.execute("CREATE TABLE patient AS " + patient)
    >>> rows = PatientRows(connection)
    >>> [(row["age_years"], row["condition amd"]) for batch in rows.batches() for row in batch.to_pylist()]
    [(61, True)]
    >>> rows.prevalences()
    [('amd', 1, 1.0)]
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._places = places(connection)

    @property
    def columns(self) -> list[tuple[str, str, str]]:
        """Return name, type and meaning of each column."""
        known = [(name, kind, about) for name, (kind, about) in COLUMNS.items()]
        conditions = [
            (f"condition {place.condition}", "boolean", f"{place.condition} is present; empty when not known")
            for place in self._places
        ]
        return known + conditions

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the patients in the order of their identifiers, some at a time."""
        values = [f"CAST({name} AS VARCHAR) AS {name}" if name == "recorded_sex" else name for name in COLUMNS]
        for place in self._places:
            parts = {"known": f"{place.sql} & {KNOWN} <> 0", "present": diseased_sql(place.sql)}
            name = quoted(f"condition {place.condition}")
            values.append(compose("CASE WHEN {known} THEN {present} END AS {name}", name=name, **parts))
        query = compose("SELECT {values} FROM patient ORDER BY patient_id", values=", ".join(values))
        yield from self._connection.sql(query).to_arrow_reader(ROWS_AT_ONCE)

    def prevalences(self) -> list[tuple[str, int, float | None]]:
        """Return for each condition how many patients in the study have it known, and its weighted prevalence."""
        found = []
        for place in self._places:
            known, present = f"{place.sql} & {KNOWN} <> 0", diseased_sql(place.sql)
            query = compose(
                "SELECT count(*), fsum(weight) FILTER (WHERE {present}), fsum(weight) FROM patient "
                "WHERE in_study AND {known}",
                known=known,
                present=present,
            )
            n, diseased, everyone = single_row(self._connection, query)
            found.append((place.condition, int(n), (diseased or 0.0) / everyone if n else None))
        return found
