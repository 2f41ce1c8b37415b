"""Who was lost at each step of the flow against who remained, by sex, age and disease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.cohort.condition_bits import KNOWN, Place
from sexstrat.cohort.patient_conditions import diseased_sql
from sexstrat.cohort.sql import Connection, compose
from sexstrat.cohort.standardised_difference import difference_of_means, difference_of_share, difference_of_shares
from sexstrat.values.age_bands import AgeBands

__all__ = ["DifferenceRow", "difference_rows"]

TEN_YEARS = AgeBands(tuple(range(0, 100, 10)))  # bands of a cohort that declares none
SEXES = ("male", "female", "other")
AT_A_TIME = 100  # conditions counted in one query

BY_SEX = "SELECT {last}, recorded_sex, count(*) FROM flow_patient WHERE named GROUP BY ALL"
BY_AGE = "SELECT {last}, age_years, count(*) FROM flow_patient WHERE named AND age_years IS NOT NULL GROUP BY ALL"
BY_CONDITION = "SELECT {last} AS last_step {counts} FROM flow_patient WHERE named GROUP BY last_step"

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One characteristic, or one category of it, at one step.

    Parameters
    ----------
    step : number of the step.
    variable, category : as in the contract ``flow``; category None is the characteristic as a whole.
    remain, remain_known : patients who remain in the category, and of known characteristic.
    lost, lost_known : the same of those lost at the step.
    difference : standardised difference of those lost from those who remain, or None.
    note : why there is none.
    """

    step: int
    variable: str
    category: str | None
    remain: int
    remain_known: int
    lost: int
    lost_known: int
    difference: float | None
    note: str | None


def difference_rows(
    connection: Connection, predicates: Sequence[str], bands: AgeBands | None, places: Sequence[Place]
) -> Iterator[DifferenceRow]:
    """Yield the rows of each step from the second: sex, age and its bands, conditions; those lost against the rest.

    Parameters
    ----------
    connection : where ``flow_patient`` is.
    predicates : SQL of who remains at each step, each a part of the one before.
    bands : age bands, or None for bands of ten years.
    places : where the conditions are.

    Examples
    --------
    Two women of 40 and 60 are lost of whom three men of 50, 60 and 70 remain: means 50 and 60, variances 200 and 100.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> rows = (
    ...     "('female', 40, false), ('female', 60, false), ('male', 50, true), ('male', 60, true), ('male', 70, true)"
    ... )
    >>> columns = "t(recorded_sex, age_years, kept)"
    >>> _ = connection.execute(f"CREATE TABLE flow_patient AS SELECT *, true named FROM (VALUES {rows}) {columns}")
    >>> found = [row for row in difference_rows(connection, ["true", "kept"], None, []) if row.category is None]
    >>> [(row.variable, row.lost, row.remain, row.note) for row in found]
    [('sex', 2, 3, 'those lost and those who remain share no category, or nothing varies'), ('age', 2, 3, None)]
    >>> round(found[1].difference, 4)  # -10 / sqrt(150)
    -0.8165
    """
    last = " + ".join(f"CAST({predicate} AS BIGINT)" for predicate in predicates)
    steps = len(predicates)
    sex = _matrix(connection.execute(compose(BY_SEX, last=last)).fetchall(), steps, SEXES)
    ages = tuple(range(131))
    age = _matrix(connection.execute(compose(BY_AGE, last=last)).fetchall(), steps, ages)
    labels = (bands or TEN_YEARS).labels
    index = (bands or TEN_YEARS).index(ages)
    band = np.stack([age[:, index == k].sum(axis=1) for k in range(len(labels))], axis=1)
    diseased, known = _conditions(connection, last, steps, places)
    for step in range(1, steps):
        yield _row(step, "sex", None, sex.sum(axis=1), sex.sum(axis=1), _apart(sex, step))
        mean = difference_of_means(ages, age[step], age[step + 1 :].sum(axis=0))
        yield _row(step, "age", None, age.sum(axis=1), age.sum(axis=1), mean)
        for k, label in enumerate(labels):
            yield _row(step, "age", label, band[:, k], age.sum(axis=1))
        for k, place in enumerate(places):
            yield _row(step, "condition", place.condition, diseased[:, k], known[:, k])


def _apart(counts: Counts, step: int) -> float | None:
    return difference_of_shares(counts[step].tolist(), counts[step + 1 :].sum(axis=0).tolist())


def _row(
    step: int, variable: str, category: str | None, chosen: Counts, known: Counts, difference: float | None = None
) -> DifferenceRow:
    """Return the row of a step whose last patients are counted at its own number, from those of every last step."""
    lost, lost_known = int(chosen[step]), int(known[step])
    remain, remain_known = int(chosen[step + 1 :].sum()), int(known[step + 1 :].sum())
    if category is not None:
        difference = difference_of_share((lost, lost_known), (remain, remain_known))
    return DifferenceRow(
        step=step + 1,
        variable=variable,
        category=category,
        remain=remain,
        remain_known=remain_known,
        lost=lost,
        lost_known=lost_known,
        difference=difference,
        note=None if difference is not None else _why(variable, lost_known, remain_known),
    )


def _why(variable: str, lost: int, remain: int) -> str:
    least = 2 if variable == "age" else 1
    for n, who in ((lost, "lost"), (remain, "remaining")):
        if n < least:
            return (
                f"fewer than {least} {who} with a known {variable}"
                if least > 1
                else f"nobody {who} of known {variable}"
            )
    return "those lost and those who remain share no category, or nothing varies"


def _matrix(rows: Sequence[tuple[int, object, int]], steps: int, categories: Sequence[object]) -> Counts:
    """Return patients by last step (0: none) and category; other categories are left out."""
    counts = np.zeros((steps + 1, len(categories)), dtype=np.int64)
    place = {category: k for k, category in enumerate(categories)}
    for last, category, n in rows:
        if category in place:
            counts[last, place[category]] += n
    return counts


def _conditions(connection: Connection, last: str, steps: int, places: Sequence[Place]) -> tuple[Counts, Counts]:
    """Return patients by last step and condition: those in whom it is present, and those in whom it is known."""
    diseased, known = (np.zeros((steps + 1, len(places)), dtype=np.int64) for _ in range(2))
    sql: tuple[Callable[[str], str], ...] = (diseased_sql, lambda bits: f"{bits} & {KNOWN} <> 0")
    for start in range(0, len(places), AT_A_TIME):
        chunk = places[start : start + AT_A_TIME]
        for counts, test in zip((diseased, known), sql, strict=True):
            columns = "".join(f", count(*) FILTER (WHERE {test(place.sql)})" for place in chunk)
            for step, *found in connection.execute(compose(BY_CONDITION, last=last, counts=columns)).fetchall():
                counts[step, start : start + len(chunk)] = found
    return diseased, known
