"""Persons and conditions out of an OMOP common data model: sex by concept, ages by dates, diseases by declared sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.scores.urls import is_remote

__all__ = ["MeasuredDisease", "OmopSettings", "omop_place"]

VISITS = ("first", "last", "none")
ABSENT = ("absent", "unknown")
ENDINGS = (".parquet", ".pq", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDisease:
    """A disease that a measurement tells: present where any value reaches the limit, absent where none of them does.

    Parameters
    ----------
    concept : standard concept of the measurement.
    unit : concept of the unit of every value; another unit is an error.
    at_least : lowest value with the disease, or None.
    below : values under it have the disease, or None; exactly one of the two is given.

    Raises
    ------
    StudyError : none or both of the limits are given.

    Examples
    --------
    >>> MeasuredDisease(concept=3004410, unit=8554, at_least=6.5).test
    'value_as_number >= 6.5'
    """

    concept: int
    unit: int
    at_least: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.below is None):
            raise StudyError(f"measurement {self.concept}: give either at_least or below, one of the two")

    @property
    def test(self) -> str:
        """SQL that is true for a value with the disease."""
        return f"value_as_number >= {self.at_least!r}" if self.below is None else f"value_as_number < {self.below!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OmopSettings:
    """How persons and conditions are taken out of an OMOP common data model.

    Parameters
    ----------
    visit : which visit dates the age: ``"first"``, ``"last"``, or ``"none"`` where photographs date it.
    visit_concepts : kinds of visit that count; empty for all.
    conditions : disease -> standard concepts of its diagnoses, descendants listed too.
    measurements : disease -> the measurement that tells it.
    without_record : what a person without a diagnosis of the set is taken for: ``"absent"`` or ``"unknown"``. A common
        data model holds no diagnosis of absence, so this assumption must be declared.
    until_visit : count diagnoses and measurements up to the day of the visit (or first photograph) only; persons
        without such a day are not known.
    schema : schema of the database that holds the tables; empty for any.

    Raises
    ------
    StudyError : a setting is none of those allowed, or no disease is declared.

    Examples
    --------
    >>> OmopSettings(visit="first", without_record="absent", conditions={"glaucoma": [437541]}).until_visit
    True
    """

    visit: str
    without_record: str
    visit_concepts: Sequence[int] = ()
    conditions: Mapping[str, Sequence[int]] = field(default_factory=dict)
    measurements: Mapping[str, MeasuredDisease] = field(default_factory=dict)
    until_visit: bool = True
    schema: str = ""

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("visit", self.visit, VISITS),
            ("without_record", self.without_record, ABSENT),
        ):
            if value not in allowed:
                raise StudyError(f"omop.{name} is one of {', '.join(allowed)}; found {value!r}")
        twice = sorted(set(self.conditions) & set(self.measurements))
        if twice or not (self.conditions or self.measurements):
            raise StudyError(
                f"omop: {', '.join(twice) or 'no disease'} is declared by diagnoses and by a measurement; give each "
                "disease once, for instance conditions = { glaucoma = [437541] }"
                if twice
                else "omop: no disease is declared; for instance conditions = { glaucoma = [437541] }"
            )


def omop_place(source: str | Path, table: str, settings: OmopSettings) -> tuple[str | Path, str | None]:
    """Return where a table of the model is: its file below a folder, or the database and the table's name.

    Parameters
    ----------
    source : folder with one file a table (``person.csv``, ``PERSON.parquet``), its URL, or a DuckDB file.
    table : name of the table.
    settings : with the schema, for a database.

    Examples
    --------
    >>> settings = OmopSettings(visit="none", without_record="absent", conditions={"amd": [1]}, schema="cdm")
    >>> omop_place(Path("cdm.duckdb"), "person", settings)
    (...Path('cdm.duckdb'), 'cdm.person')
    """
    if is_remote(source):
        return f"{str(source).rstrip('/')}/{table}.parquet", None
    path = Path(source)
    if not path.is_dir():
        return path, f"{settings.schema}.{table}" if settings.schema else table
    named = {entry.name.lower(): entry for entry in path.iterdir()}
    return next((named[table + end] for end in ENDINGS if table + end in named), path / f"{table}.parquet"), None
