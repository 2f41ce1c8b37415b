"""Cells in one scan: GROUP BY over patients and conditions, with sums that no order of rows can change."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from sexstrat.cohort.frames import contract_frame
from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.values.logit_bins import FIXED_POINT

__all__ = ["OPTIONAL_KEYS", "cell_frame", "filled_keys"]

OPTIONAL_KEYS = ("site", "stratum", "psu")
VALIDATED = "p.validated_sex IN ('male', 'female')"
QUANTITIES = {  # sums of the contract that are not whole numbers: value per patient
    "sum_w": "p.weight",
    "sum_w2": "p.weight * p.weight",
    "sum_w_over_r": "p.weight / p.validation_probability",
    "sum_w2_over_r": "p.weight * p.weight / p.validation_probability",
    "sum_w2_over_r2": "(p.weight / p.validation_probability) * (p.weight / p.validation_probability)",
}
HEADROOM_BITS = 120  # a sum of scaled integers stays below 2^120 and fits a 128-bit integer

QUERY = """
SELECT k.condition, {site} AS site, {stratum} AS stratum, {psu} AS psu, p.age_years, k.diseased,
       k.n_graded_eyes, k.n_diseased_eyes, p.validated_sex AS recorded_sex,
       p.n_eyes, p.logit_bin, p.fold, count(*) AS n,
       CAST(coalesce(sum(CAST(round(p.prob_male * {fixed}) AS BIGINT)), 0) AS BIGINT) AS sum_p,
       CAST(coalesce(sum(CAST(round(p.prob_male * p.prob_male * {fixed}) AS BIGINT)), 0) AS BIGINT) AS sum_p2,
       {sums}
FROM patient p JOIN patient_condition k USING (patient_id)
WHERE p.in_study AND k.condition IN (SELECT unnest(?))
GROUP BY ALL
ORDER BY k.condition, site NULLS FIRST, stratum NULLS FIRST, psu NULLS FIRST, p.age_years, k.diseased,
         k.n_graded_eyes NULLS FIRST, k.n_diseased_eyes NULLS FIRST, p.validated_sex,
         p.n_eyes, p.logit_bin NULLS FIRST, p.fold NULLS FIRST
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


def cell_frame(connection: Connection, conditions: Sequence[str], keys: Sequence[str]) -> pd.DataFrame:
    """Return the cells of the named conditions, sorted by the contract's primary key.

    Sums of weights are added as 128-bit integers, scaled by a power of two that the largest weight allows, then
    divided back: exact to the last bit or so of a double, and the same whatever the order of rows or threads.

    Parameters
    ----------
    connection : a cohort.
    conditions : their cubes, one each.
    keys : optional keys the cubes carry; the others are empty.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> patient = "SELECT 'a' patient_id, 61 age_years, 'male' validated_sex, true in_study, 0.75 prob_male,"
    >>> patient += " 7 logit_bin, 2 n_eyes, 3 fold, NULL::DOUBLE validation_probability, 1.0 weight,"
    >>> patient += " NULL site, NULL stratum, NULL psu"
    >>> _ = connection.execute("CREATE TABLE patient AS " + patient)
    >>> known = "SELECT 'a' patient_id, 'amd' condition, true diseased, 2 n_graded_eyes, 1 n_diseased_eyes"
    >>> _ = connection.execute("CREATE TABLE patient_condition AS " + known)
    >>> frame = cell_frame(connection, ["amd"], [])
    >>> frame["n"].tolist(), frame["sum_p"].tolist(), frame["sum_w_over_r"].tolist()
    ([1], [805306368], [nan])
    >>> frame[["n_diseased_eyes", "n_graded_eyes"]].values.tolist()
    [[1, 2]]
    """
    sums = ",\n       ".join(_sum(name, value) for name, value in QUANTITIES.items())
    chosen = {name: f"p.{name}" if name in keys else "CAST(NULL AS VARCHAR)" for name in OPTIONAL_KEYS}
    query = compose(QUERY, fixed=str(FIXED_POINT), sums=sums, **chosen)
    scales = _scales(connection)
    parameters = [scale for scale in scales for _ in range(2)]
    return contract_frame(connection.execute(query, [*parameters, list(conditions)]).df(), "cell")


def _sum(name: str, value: str) -> str:
    total = f"CAST(sum(CAST(round(({value}) * CAST(? AS DOUBLE)) AS HUGEINT)) AS DOUBLE) / CAST(? AS DOUBLE)"
    if not name.endswith(("_r", "_r2")):
        return f"{total} AS {name}"
    known = f"bool_and({VALIDATED} AND p.validation_probability IS NOT NULL)"
    return f"CASE WHEN {known} THEN {total} END AS {name}"


def _scales(connection: Connection) -> list[float]:
    largest = ", ".join(f"max({value})" for value in QUANTITIES.values())
    query = compose("SELECT count(*), {largest} FROM patient p", largest=largest)
    count, *highest = single_row(connection, query)
    room = HEADROOM_BITS - math.ceil(math.log2(count + 1))
    return [2.0 ** (room - math.ceil(math.log2(value))) if value else 1.0 for value in highest]
