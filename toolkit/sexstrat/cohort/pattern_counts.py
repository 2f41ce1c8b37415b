"""The narrow cube: patients by recorded sex, age and pattern of conditions, for questions that ask no more."""

from __future__ import annotations

from collections.abc import Sequence, Set

import pandas as pd

from sexstrat.cohort.condition_bits import KNOWN, Place, places
from sexstrat.cohort.patient_conditions import diseased_sql
from sexstrat.cohort.sql import Connection, compose, quoted
from sexstrat.errors import StudyError
from sexstrat.values.logit_bins import FIXED_POINT

__all__ = ["pattern_counts"]

OLDEST = 120
# the columns as they lie are grouped first, which is several times faster than grouping what is made of them
PATTERNS = """
SELECT CAST(validated_sex AS VARCHAR) AS recorded_sex,
       CAST(age_years // {width} * {width} AS BIGINT) AS age_low, {present}
       CAST(sum(n) AS BIGINT) AS n, CAST(sum(n_scored) AS BIGINT) AS n_scored, CAST(sum(sum_p) AS BIGINT) AS sum_p
FROM (SELECT p.validated_sex, p.age_years, {words} count(*) AS n, count(p.prob_male) AS n_scored,
             coalesce(sum(CAST(round(p.prob_male * {fixed}) AS BIGINT)), 0) AS sum_p
      FROM patient p WHERE p.in_study GROUP BY ALL)
GROUP BY ALL ORDER BY ALL NULLS FIRST
"""


def pattern_counts(connection: Connection, wanted: Sequence[Place], age_width: int = 5) -> pd.DataFrame:
    """Return how many patients of the study there are by recorded sex, age and pattern of conditions.

    Unlike the cells, a row tells of several conditions at once, and patients are told apart by no score: a resample
    of these rows is one of patients for whatever recorded sex and conditions decide. The same rows come whatever the
    order of patients or the number of threads.

    Parameters
    ----------
    connection : a cohort.
    wanted : where the conditions of the pattern are; none of them counts by sex and age.
    age_width : years of age in a row, 1 to 120, from age 0 on.

    Returns
    -------
    Sorted rows: recorded_sex (unknown where it may not validate), age_low (completed years, the first of the width),
    a column ``condition <name>`` for each (true, false, or missing where not known), n (patients, unweighted), n_scored
    (of these, with a usable score) and sum_p (of prob_male x 2^30, rounded per patient).

    Raises
    ------
    StudyError : the width is not among those allowed.

    Examples
    --------
    Three men of 60 to 64, two of whom have the disease, and a woman in whom it is not known.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> place = "SELECT 'amd' AS condition, 1 AS column_number, 0 AS first_bit, false AS by_eye"
    >>> _ = connection.execute("CREATE TABLE condition_column AS " + place)
    >>> rows = "('male', 61, 3, 0.5), ('male', 64, 3, NULL), ('male', 60, 1, 0.5), ('female', 70, 0, 0.25)"
    >>> names = "(validated_sex, age_years, conditions_1, prob_male)"
    >>> _ = connection.execute(f"CREATE TABLE patient AS SELECT *, true AS in_study FROM (VALUES {rows}) t{names}")
    >>> found = pattern_counts(connection, places(connection))
    >>> found[["recorded_sex", "age_low", "condition amd", "n", "n_scored"]]
      recorded_sex  age_low  condition amd  n  n_scored
    0       female       70           <NA>  1         1
    1         male       60          False  1         1
    2         male       60           True  2         1
    """
    if not 1 <= age_width <= OLDEST:
        raise StudyError(f"age_width is {age_width!r}; allowed: whole years from 1 to {OLDEST}")
    names = {place.condition: f"condition {place.condition}" for place in wanted}
    present = "".join(
        f"CASE WHEN {place.sql} & {KNOWN} <> 0 THEN {diseased_sql(place.sql)} END AS {quoted(names[place.condition])}, "
        for place in wanted
    )
    numbers = sorted({place.column_number for place in wanted})
    others = set(places(connection)) - set(wanted)
    words = "".join(f"{_word(wanted, number, others)}, " for number in numbers)
    parts = {"width": f"{age_width:d}", "present": present, "words": words, "fixed": str(FIXED_POINT)}
    frame = connection.execute(compose(PATTERNS, **parts)).df()
    kinds = {"recorded_sex": "str", "age_low": "int64", "n": "int64", "n_scored": "int64", "sum_p": "int64"}
    return frame.astype(kinds | dict.fromkeys(names.values(), "boolean"))


def _word(wanted: Sequence[Place], number: int, others: Set[Place]) -> str:
    """Return SQL of a column of bits, those of other conditions put out."""
    if all(place.column_number != number for place in others):
        return f"p.conditions_{number:d}"  # as it lies
    mask = sum(63 << place.first_bit for place in wanted if place.column_number == number)
    return f"p.conditions_{number:d} & {mask:d} AS conditions_{number:d}"
