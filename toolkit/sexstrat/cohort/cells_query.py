"""Cells in one scan: GROUP BY over the patients, with sums of whole numbers that no order of rows can change.

Weights are added as 128-bit integers, scaled by a power of two that the largest weight of the cohort allows, and
divided back in the end. So the sums of any parts of the patients, wherever they were made, add up to those of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sexstrat.cohort.condition_bits import KNOWN, Place
from sexstrat.cohort.frames import contract_frame
from sexstrat.cohort.patient_conditions import diseased_sql, eyes_sql
from sexstrat.cohort.sql import Connection, compose, literal, single_row
from sexstrat.values.logit_bins import FIXED_POINT
from sexstrat.values.tables import table_schema

__all__ = ["OPTIONAL_KEYS", "CellQuery", "add_parts", "cell_frame", "cell_queries", "filled_keys"]

OPTIONAL_KEYS = ("site", "stratum", "psu")
VALIDATED = "p.validated_sex IN ('male', 'female')"
QUANTITIES = {  # sums of the contract that are not whole numbers: value per patient
    "sum_w": "p.weight",
    "sum_w2": "p.weight * p.weight",
    "sum_w_over_r": "p.weight / p.validation_probability",
    "sum_w2_over_r": "p.weight * p.weight / p.validation_probability",
    "sum_w2_over_r2": "(p.weight / p.validation_probability) * (p.weight / p.validation_probability)",
}
OVER_R = ("_r", "_r2")
ALL_ROWS = 2**62  # more than any table has
HEADROOM_BITS = 120  # a sum of scaled integers stays below 2^120 and fits a 128-bit integer

KEY_TYPES = {"diseased": "BOOLEAN"} | dict.fromkeys(
    ("age_years", "n_graded_eyes", "n_diseased_eyes", "n_eyes", "logit_bin", "fold"), "BIGINT"
)
KEYS = (
    *("condition", "site", "stratum", "psu", "age_years", "diseased", "n_graded_eyes", "n_diseased_eyes"),
    *("recorded_sex", "n_eyes", "logit_bin", "fold"),
)
KEYS_TYPED = [f"CAST({name} AS {KEY_TYPES.get(name, 'VARCHAR')}) AS {name}" for name in KEYS]
WHOLE = """
SELECT CAST(? AS VARCHAR) AS condition, {site} AS site, {stratum} AS stratum, {psu} AS psu, p.age_years,
       {diseased} AS diseased, {graded} AS n_graded_eyes, {affected} AS n_diseased_eyes,
       p.validated_sex AS recorded_sex, p.n_eyes, p.logit_bin, p.fold, count(*) AS n,
       coalesce(sum(CAST(round(p.prob_male * {fixed}) AS BIGINT)), 0) AS sum_p,
       coalesce(sum(CAST(round(p.prob_male * p.prob_male * {fixed}) AS BIGINT)), 0) AS sum_p2,
       {sums}, count(*) FILTER (WHERE {design}) AS n_of_design
FROM patient p WHERE p.in_study AND {bits} & {known} <> 0 AND p.rowid >= ? AND p.rowid < ?
GROUP BY ALL
"""
SCALED = """
SELECT {keys}, n, CAST(sum_p AS BIGINT) AS sum_p, CAST(sum_p2 AS BIGINT) AS sum_p2, {sums}
FROM ({whole}) ORDER BY {order}
"""


def filled_keys(connection: Connection) -> tuple[str, ...]:
    """Return the optional keys that the person table fills.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 'Oita' AS site, NULL AS stratum, NULL AS psu")
    >>> filled_keys(connection)
    ('site',)
    """
    counts = single_row(connection, "SELECT count(site), count(stratum), count(psu) FROM patient")
    return tuple(name for name, count in zip(OPTIONAL_KEYS, counts, strict=True) if count > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellQuery:
    """What is asked of the patient table: one cube's sums, for all of its patients or for a part of them.

    Parameters
    ----------
    place : where the condition is.
    keys : optional keys the cube carries; the others are empty.
    sums : SQL of each sum of the contract that is no whole number, in units of its scale.
    scales : units of those sums in one.

    Examples
    --------
    >>> place = Place(condition="amd", column_number=1, first_bit=0, by_eye=True)
    >>> query = CellQuery(place=place, keys=(), sums={"sum_w": "count(*)"}, scales={"sum_w": 1.0})
    >>> "conditions_1" in query.whole_numbers
    True
    """

    place: Place
    keys: tuple[str, ...]
    sums: dict[str, str]
    scales: dict[str, float]

    @property
    def whole_numbers(self) -> str:
        """Return SQL of the sums as whole numbers; parameters: condition, first row and the row after the last."""
        bits = self.place.sql
        empty = "CAST(NULL AS BIGINT)"
        graded, affected = eyes_sql(bits) if self.place.by_eye else (empty, empty)
        chosen = {name: f"p.{name}" if name in self.keys else "CAST(NULL AS VARCHAR)" for name in OPTIONAL_KEYS}
        return compose(
            WHOLE,
            bits=bits,
            known=str(KNOWN),
            diseased=diseased_sql(bits),
            graded=graded,
            affected=affected,
            fixed=str(FIXED_POINT),
            design=f"{VALIDATED} AND p.validation_probability IS NOT NULL",
            sums=", ".join(f"{sql} AS {name}" for name, sql in self.sums.items()),
            **chosen,
        )

    @property
    def as_text(self) -> str:
        """Return SQL of the same sums, those of 128 bits as text, which can travel without losing a digit."""
        wide = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in ("sum_p", "sum_p2", *self.sums))
        return compose("SELECT * REPLACE ({wide}) FROM ({whole})", wide=wide, whole=self.whole_numbers)

    def scaled(self, whole_numbers: str) -> str:
        """Return SQL of the cells of the contract from sums as whole numbers, sorted by its primary key.

        Parameters
        ----------
        whole_numbers : a table's name or a query with the columns of :attr:`whole_numbers`.
        """
        order = ", ".join(f"{name} NULLS FIRST" for name in KEYS)
        sums = ", ".join(_scaled(name, scale) for name, scale in self.scales.items())
        return compose(SCALED, keys=", ".join(KEYS), sums=sums, whole=whole_numbers, order=order)


def cell_queries(connection: Connection, wanted: Sequence[Place], keys: Sequence[str]) -> list[CellQuery]:
    """Return the query of each condition, all with the scales of the whole cohort.

    Parameters
    ----------
    connection : a cohort.
    wanted : where the conditions are.
    keys : optional keys the cubes carry.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 1.0 AS weight, NULL::DOUBLE AS validation_probability")
    >>> place = Place(condition="amd", column_number=1, first_bit=0, by_eye=False)
    >>> cell_queries(connection, [place], [])[0].scales["sum_w"] == 2.0**119
    True
    """
    extremes = ", ".join(f"min({value}), max({value})" for value in QUANTITIES.values())
    count, *found = single_row(connection, compose("SELECT count(*), {all} FROM patient p", all=extremes))
    room = HEADROOM_BITS - math.ceil(math.log2(count + 1))
    sums, scales = {}, {}
    for (name, value), least, most in zip(QUANTITIES.items(), found[::2], found[1::2], strict=True):
        scales[name] = 2.0 ** (room - math.ceil(math.log2(most))) if most else 1.0
        scale = f"CAST({literal(repr(scales[name]))} AS DOUBLE)"
        if most is None:
            sums[name] = "CAST(NULL AS HUGEINT)"
        elif least == most and not name.endswith(OVER_R):  # every patient counts the same: no need to add
            sums[name] = f"count(*) * CAST(round({literal(repr(float(most)))}::DOUBLE * {scale}) AS HUGEINT)"
        else:
            sums[name] = f"sum(CAST(round(({value}) * {scale}) AS HUGEINT))"
    return [CellQuery(place=place, keys=tuple(keys), sums=sums, scales=scales) for place in wanted]


def cell_frame(connection: Connection, wanted: Sequence[Place], keys: Sequence[str]) -> pd.DataFrame:
    """Return the cells of conditions, sorted by the contract's primary key.

    Sums of weights are exact to the last bit or so of a double, and the same whatever the order of rows or threads.

    Parameters
    ----------
    connection : a cohort.
    wanted : where the conditions are, sorted by name; a cube each.
    keys : optional keys the cubes carry; the others are empty.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> patient = "SELECT 'a' patient_id, 61 age_years, 'male' validated_sex, true in_study, 0.75 prob_male,"
    >>> patient += " 7 logit_bin, 2 n_eyes, 3 fold, NULL::DOUBLE validation_probability, 1.0 weight,"
    >>> patient += " NULL site, NULL stratum, NULL psu, 52 conditions_1"  # right eye free of it, left eye affected
    >>> _ = connection.execute("CREATE TABLE patient AS " + patient)
    >>> frame = cell_frame(connection, [Place(condition="amd", column_number=1, first_bit=0, by_eye=True)], [])
    >>> frame["n"].tolist(), frame["sum_p"].tolist(), frame["sum_w_over_r"].tolist()
    ([1], [805306368], [nan])
    >>> frame[["n_diseased_eyes", "n_graded_eyes"]].values.tolist()
    [[1, 2]]
    """
    found = [
        connection.execute(query.scaled(query.whole_numbers), [query.place.condition, 0, ALL_ROWS]).df()
        for query in cell_queries(connection, wanted, keys)
    ]
    return contract_frame(pd.concat(found, ignore_index=True) if found else _no_cells(), "cell")


def _no_cells() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in table_schema("cell").columns})


def add_parts(connection: Connection, queries: Sequence[CellQuery], parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the cells whose sums as whole numbers were made part by part.

    Parameters
    ----------
    connection : any.
    queries : what was asked of each part.
    parts : rows of :attr:`CellQuery.as_text` of all queries, for patients none of whom is in two parts.

    Examples
    --------
    Two parts of one cell each, with 2 and 3 patients.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> patient = "SELECT 61 age_years, 'male' validated_sex, true in_study, 0.75 prob_male, 7 logit_bin, 2 n_eyes,"
    >>> patient += " 3 fold, NULL::DOUBLE validation_probability, 1.0 weight, 3 conditions_1 FROM range(5)"
    >>> _ = connection.execute("CREATE TABLE patient AS " + patient)
    >>> queries = cell_queries(connection, [Place(condition="amd", column_number=1, first_bit=0, by_eye=False)], [])
    >>> rows = [("amd", 0, 2), ("amd", 2, 5)]
    >>> parts = [connection.execute(queries[0].as_text, row).df() for row in rows]
    >>> add_parts(connection, queries, parts)[["n", "sum_p", "sum_w"]].values.tolist()
    [[5.0, 4026531840.0, 5.0]]
    """
    connection.register("part_rows", pd.concat(list(parts), ignore_index=True).astype("object"))
    sums = ", ".join(f"sum(CAST({name} AS HUGEINT)) AS {name}" for name in ("sum_p", "sum_p2", *QUANTITIES))
    counts = ", ".join(f"CAST(sum(CAST({name} AS BIGINT)) AS BIGINT) AS {name}" for name in ("n", "n_of_design"))
    keys = ", ".join(KEYS_TYPED)
    whole = compose("SELECT {keys}, {sums}, {counts} FROM part_rows GROUP BY ALL", keys=keys, sums=sums, counts=counts)
    frame = connection.execute(queries[0].scaled(whole)).df()
    connection.unregister("part_rows")
    return contract_frame(frame, "cell")


def _scaled(name: str, scale: float) -> str:
    value = f"CAST({name} AS DOUBLE) / CAST({literal(repr(scale))} AS DOUBLE)"
    return f"CASE WHEN n_of_design = n THEN {value} END AS {name}" if name.endswith(OVER_R) else f"{value} AS {name}"
