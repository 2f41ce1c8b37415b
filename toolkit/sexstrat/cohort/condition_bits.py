"""Conditions of a patient as bits: one pass over the rows, one number for ten conditions, nothing lost.

A condition has six bits of a column: for the person, the right eye and the left eye, whether it is known and whether
it is present. So a patient's ten conditions are one number, the first pass over the rows of the condition table gives
all that rules and cells ask of them, and the patient table carries them without a second table to join.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sexstrat.cohort.sql import Connection, compose, single_row

__all__ = [
    "CONDITIONS_A_COLUMN",
    "KNOWN",
    "KNOWN_EYES",
    "MOST_CONDITIONS",
    "PRESENT",
    "PRESENT_EYES",
    "Place",
    "broken_bits",
    "gather_conditions",
    "place_conditions",
    "places",
    "repeated_conditions",
]

BITS = 6  # known and present: of the person (1, 2), the right eye (4, 8), the left eye (16, 32)
KNOWN, PRESENT = 0b010101, 0b101010
KNOWN_PERSON, KNOWN_EYES, PRESENT_EYES = 0b000001, 0b010100, 0b101000
CONDITIONS_A_COLUMN = 10  # 60 of the 63 bits of a whole number that is not negative
MOST_CONDITIONS = 2_000  # a file with more of them has another column in the place of the condition's name

PLACE = """
CREATE OR REPLACE TEMP TABLE condition_place AS
SELECT condition, CAST(1 + k // {width} AS BIGINT) AS column_number, CAST({bits} * (k % {width}) AS BIGINT) AS first_bit
FROM (SELECT condition, row_number() OVER (ORDER BY condition) - 1 AS k
      FROM (SELECT DISTINCT condition FROM typed_condition WHERE condition IS NOT NULL)
      ORDER BY condition LIMIT {most})
"""
# listed has a bit for every row, so that rows that repeat a key are more than the bits they set
GATHERED = """
CREATE OR REPLACE TEMP TABLE condition_bits AS
SELECT patient_id, column_number, count(*) AS n_rows, bit_or(slot) AS listed,
       bit_or(CASE WHEN present IS NULL THEN 0 WHEN present THEN slot * 3 ELSE slot END) AS bits
FROM (SELECT c.patient_id, k.column_number, c.present,
             CAST(1 AS BIGINT) << (k.first_bit + CASE c.eye WHEN 'R' THEN 2 WHEN 'L' THEN 4 ELSE 0 END) AS slot
      FROM typed_condition c JOIN condition_place k USING (condition) WHERE c.patient_id IS NOT NULL)
GROUP BY patient_id, column_number
"""
BROKEN = """
SELECT bool_or(n_rows <> bit_count(listed)),
       bool_or(bits & {persons} & ~(bits >> 1) & ((bits >> 3) | (bits >> 5)) <> 0), bit_or(bits)
FROM condition_bits GROUP BY column_number
"""
UNKNOWN = """
SELECT EXISTS (SELECT 1 FROM condition_bits b WHERE NOT EXISTS
               (SELECT 1 FROM typed_person p WHERE p.patient_id = b.patient_id))
"""
LEFT_OVER = "SELECT count(DISTINCT condition) > {most} FROM typed_condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the six bits of a condition are in the patient table.

    Parameters
    ----------
    condition : its name.
    column_number : of the column conditions_1, conditions_2, ...
    first_bit : lowest of its bits, from 0.
    by_eye : every known row names an eye, so that eyes can be counted.

    Examples
    --------
    >>> Place(condition="amd", column_number=2, first_bit=6, by_eye=True).sql
    '((conditions_2 >> 6) & 63)'
    """

    condition: str
    column_number: int
    first_bit: int
    by_eye: bool

    @property
    def sql(self) -> str:
        """Return SQL of the six bits of a row of the patient table."""
        return f"((conditions_{self.column_number:d} >> {self.first_bit:d}) & 63)"


def gather_conditions(connection: Connection) -> None:
    """Gather the rows of the condition table to one row for each patient and ten conditions (``condition_bits``).

    Parameters
    ----------
    connection : where the view ``typed_condition`` is.

    Examples
    --------
    Right eye free of it, left eye affected: bits 4 and 16 and 32.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> rows = "('a', 'R', 'amd', false), ('a', 'L', 'amd', true)) AS t(patient_id, eye, condition, present)"
    >>> _ = connection.execute("CREATE TABLE typed_condition AS FROM (VALUES " + rows)
    >>> gather_conditions(connection)
    >>> connection.execute("SELECT patient_id, n_rows, bits FROM condition_bits").fetchall()
    [('a', 2, 52)]
    """
    width, bits, most = str(CONDITIONS_A_COLUMN), str(BITS), str(MOST_CONDITIONS)
    connection.execute(compose(PLACE, width=width, bits=bits, most=most))
    connection.execute(GATHERED)


def broken_bits(connection: Connection) -> dict[str, bool]:
    """Return which rules between the rows of the condition table are broken somewhere, from the gathered bits.

    Each has a query of its own, in ``link_rules`` and ``contract_rules``, that finds the rows; most files break none.

    Parameters
    ----------
    connection : where :func:`gather_conditions` has run.

    Returns
    -------
    repeated (or contradicting) rows of a patient, eye and condition; unknown_patient; person_and_eye_disagree;
    eyes_and_persons_mixed; too_many_conditions.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> rows = "('a', 'R', 'amd', false), ('a', 'R', 'amd', true)) AS t(patient_id, eye, condition, present)"
    >>> _ = connection.execute("CREATE TABLE typed_condition AS FROM (VALUES " + rows)
    >>> _ = connection.execute("CREATE TABLE typed_person AS SELECT 'a' AS patient_id")
    >>> gather_conditions(connection)
    >>> [rule for rule, broken in broken_bits(connection).items() if broken]
    ['repeated']
    """
    query = compose(BROKEN, persons=literal_mask(KNOWN_PERSON))
    rows = connection.execute(query).fetchall()
    (unknown,) = single_row(connection, UNKNOWN)
    (left_over,) = single_row(connection, compose(LEFT_OVER, most=str(MOST_CONDITIONS)))
    mixed = any(
        (bits >> shift) & KNOWN_PERSON and (bits >> shift) & KNOWN_EYES
        for *_, bits in rows
        for shift in range(0, BITS * CONDITIONS_A_COLUMN, BITS)
    )
    return {
        "repeated": any(repeated for repeated, *_ in rows),
        "unknown_patient": unknown,
        "person_and_eye_disagree": any(disagree for _, disagree, _ in rows),
        "eyes_and_persons_mixed": mixed,
        "too_many_conditions": left_over,
    }


def literal_mask(bits: int) -> str:
    """Return the same bits of ten conditions as one number."""
    return str(sum(bits << BITS * k for k in range(CONDITIONS_A_COLUMN)))


def repeated_conditions(connection: Connection) -> bool:
    """Tell whether any patient, eye and condition has more than one row.

    Parameters
    ----------
    connection : where :func:`gather_conditions` has run.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE condition_bits AS SELECT 3 AS n_rows, 5 AS listed")
    >>> repeated_conditions(connection)
    True
    """
    (repeated,) = single_row(connection, "SELECT bool_or(n_rows <> bit_count(listed)) FROM condition_bits")
    return bool(repeated)


def place_conditions(connection: Connection) -> pd.DataFrame:
    """Return where the conditions are that some patient of the cohort has known: condition, place, by_eye.

    Parameters
    ----------
    connection : a cohort being built, patients written.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> place = "SELECT 'amd' AS condition, 1 AS column_number, 0 AS first_bit"
    >>> _ = connection.execute("CREATE TABLE condition_place AS " + place)
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 52 AS conditions_1")
    >>> place_conditions(connection)["by_eye"].tolist()
    [True]
    """
    rows = connection.execute("SELECT * FROM condition_place ORDER BY condition").fetchall()
    numbers = sorted({number for _, number, _ in rows})
    columns = ", ".join(f"bit_or(conditions_{number:d})" for number in numbers)
    every = connection.execute(f"SELECT {columns} FROM patient").fetchall()[0] if numbers else ()  # noqa: S608
    of_all = dict(zip(numbers, every, strict=True))
    kept = []
    for condition, number, first_bit in rows:
        bits = ((of_all[number] or 0) >> first_bit) & 63
        if bits & KNOWN:
            kept.append((condition, number, first_bit, not bits & KNOWN_PERSON))
    frame = pd.DataFrame(kept, columns=["condition", "column_number", "first_bit", "by_eye"])
    return frame.astype({"condition": "str", "column_number": "int64", "first_bit": "int64", "by_eye": "bool"})


def places(connection: Connection) -> tuple[Place, ...]:
    """Return where each condition of a cohort is, by name.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> place = "SELECT 'amd' AS condition, 1 AS column_number, 0 AS first_bit, true AS by_eye"
    >>> _ = connection.execute("CREATE TABLE condition_column AS " + place)
    >>> [place.condition for place in places(connection)]
    ['amd']
    """
    query = "SELECT condition, column_number, first_bit, by_eye FROM condition_column ORDER BY condition"
    return tuple(
        Place(condition=name, column_number=number, first_bit=bit, by_eye=by_eye)
        for name, number, bit, by_eye in connection.execute(query).fetchall()
    )
