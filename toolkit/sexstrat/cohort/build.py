"""Write the tables of a cohort file from staged and checked inputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import pandas as pd

from sexstrat.cohort.bins import bin_frame
from sexstrat.cohort.ddl import comment_on_column, comment_on_table, create_table
from sexstrat.cohort.flow import write_flow
from sexstrat.cohort.folds import DEFAULT_SALT
from sexstrat.cohort.patient_conditions import write_patient_conditions
from sexstrat.cohort.patients import write_patients
from sexstrat.cohort.sql import Connection, compose, quoted
from sexstrat.cohort.staging import Staged, typed_table
from sexstrat.cohort.training_overlap import TrainingAges, in_sample_problems
from sexstrat.errors import Problem
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.logit_bins import logit_edges
from sexstrat.values.tables import table_schema

__all__ = ["FORMAT_VERSION", "BuildSettings", "write_cohort"]

FORMAT_VERSION = 2  # 2: patient_condition counts graded and affected eyes
CONTRACTS = ("person", "image", "score", "condition")
TABLE_COMMENTS = {
    "logit_bin": "fixed bins of logit(prob_male); prob_low is the smallest probability that lies in the bin",
    "training_patient": "patients whose images trained the model",
    "problem": "warnings found in the inputs when the cohort was built",
    "setting": "what was declared when the cohort was built, as JSON",
    "schema_version": "version of each table's contract, and of this file's layout (cohort)",
}
PROBLEM_COLUMNS = tuple(Problem.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """What is declared when a cohort is built.

    Parameters
    ----------
    bands : age bands, or None for every age.
    thresholds : classification thresholds, each an edge of a bin.
    fold_salt : text put before the key of a fold.
    trained_on : patients whose images trained the model.
    training_ages : ages on which it was trained, or None.

    Examples
    --------
    >>> BuildSettings().thresholds
    (0.5,)
    """

    bands: AgeBands | None = None
    thresholds: tuple[float, ...] = (0.5,)
    fold_salt: str = DEFAULT_SALT
    trained_on: frozenset[str] = field(default_factory=frozenset)
    training_ages: TrainingAges | None = None


def write_cohort(
    connection: Connection, staged: Mapping[str, Staged], warnings: Sequence[Problem], settings: BuildSettings
) -> list[Problem]:
    """Write every table of the file and return the warnings kept in it.

    Parameters
    ----------
    connection : a writable connection to the new file, holding the staged tables.
    staged : contract name -> table.
    warnings : problems that did not stop the build.
    settings : what was declared.

    Examples
    --------
    >>> from sexstrat.cohort.check import stage_and_check
    >>> from sexstrat.cohort.sql import connect
    >>> connection, persons = connect(), pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": [""]})
    >>> staged, found = stage_and_check(
    ...     connection, {"persons": persons}, coding=None, on_orphan="error", training_ages=None
    ... )
    >>> write_cohort(connection, staged, found, BuildSettings())
    []
    """
    orphans = any(problem.kind == "unknown_patient" for problem in warnings)
    for contract in CONTRACTS:
        _write_contract(connection, contract, staged, known_only=orphans and contract != "person")
    _link_scores(connection, staged)
    bins = bin_frame(logit_edges(settings.thresholds))
    _write_frame(connection, "logit_bin", bins)
    trained = pd.DataFrame({"patient_id": pd.Series(sorted(settings.trained_on), dtype="str")})
    _write_frame(connection, "training_patient", trained)
    write_patients(connection, bands=settings.bands, salt=settings.fold_salt, training_ages=settings.training_ages)
    write_patient_conditions(connection)
    write_flow(connection, bands=settings.bands, training_ages=settings.training_ages)
    labels = [staged[name].label if name in staged else name for name in ("person", "score")]
    kept = [*warnings, *in_sample_problems(connection, *labels)]
    _write_frame(connection, "problem", pd.DataFrame([asdict(problem) for problem in kept], columns=PROBLEM_COLUMNS))
    _write_settings(connection, settings)
    return kept


def _write_contract(connection: Connection, contract: str, staged: Mapping[str, Staged], *, known_only: bool) -> None:
    schema = table_schema(contract)
    create_table(connection, schema)
    if contract not in staged:
        return
    columns = ", ".join(quoted(name) for name in schema.columns)
    kept = ["patient_id IS NULL OR patient_id IN (SELECT patient_id FROM person)"] if known_only else []
    if contract == "condition":
        kept.append("present IS NOT NULL")
    where = "WHERE " + " AND ".join(f"({predicate})" for predicate in kept) if kept else ""
    template = "INSERT INTO {table} SELECT {columns} FROM {typed} {where}"
    parts = {"table": quoted(contract), "columns": columns, "typed": typed_table(contract)}
    connection.execute(compose(template, where=where, **parts))


def _link_scores(connection: Connection, staged: Mapping[str, Staged]) -> None:
    """Keep the images as listed for the flow, then take the patient and eye of a score from the image list."""
    for contract in ("score", "image"):
        columns = "image_id, patient_id" + (", status" if contract == "score" else "")
        origin = typed_table(contract) if contract in staged else contract
        template = "CREATE OR REPLACE TEMP VIEW {listed} AS SELECT {columns} FROM {origin}"
        connection.execute(compose(template, listed=f"listed_{contract}", columns=columns, origin=origin))
    connection.execute(
        "UPDATE score SET patient_id = coalesce(score.patient_id, image.patient_id), "
        "eye = coalesce(score.eye, image.eye) FROM image WHERE image.image_id = score.image_id "
        "AND (score.patient_id IS NULL OR score.eye IS NULL)"
    )


def _write_frame(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    connection.register("incoming_frame", frame)
    connection.execute(compose("CREATE TABLE {table} AS SELECT * FROM incoming_frame", table=quoted(table)))
    connection.unregister("incoming_frame")
    comment_on_table(connection, table, TABLE_COMMENTS[table])


def _write_settings(connection: Connection, settings: BuildSettings) -> None:
    bands = None if settings.bands is None else {"lows": settings.bands.lows, "end": settings.bands.end}
    declared = {"bands": bands, "thresholds": settings.thresholds, "fold_salt": settings.fold_salt}
    rows = [(name, json.dumps(value)) for name, value in declared.items()]
    _write_frame(connection, "setting", pd.DataFrame(rows, columns=["name", "value"]))
    versions = [(name, table_schema(name).version) for name in (*CONTRACTS, "flow")]
    _write_frame(
        connection, "schema_version", pd.DataFrame([("cohort", FORMAT_VERSION), *versions], columns=["name", "version"])
    )
    connection.execute(
        'CREATE VIEW "README" AS SELECT table_name, comment FROM duckdb_tables() '
        "WHERE NOT internal AND NOT temporary ORDER BY table_name"
    )
    comment_on_column(connection, "problem", "row", "line of the CSV file (header is 1), or row of another source")


def as_problems(rows: Iterable[Sequence[object]]) -> tuple[Problem, ...]:
    """Return the problems stored in a file.

    Parameters
    ----------
    rows : rows of the table ``problem``.

    Examples
    --------
    >>> as_problems([])
    ()
    """
    return tuple(Problem(**dict(zip(PROBLEM_COLUMNS, row, strict=True))) for row in rows)  # type: ignore[arg-type]
