"""Write the tables of a cohort file from staged and checked inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import pandas as pd

from sexstrat.cohort.bins import bin_frame
from sexstrat.cohort.condition_bits import place_conditions, places
from sexstrat.cohort.ddl import comment_on_column, comment_on_table
from sexstrat.cohort.flow import FlowSettings, write_flow
from sexstrat.cohort.folds import DEFAULT_SALT
from sexstrat.cohort.patient_conditions import write_condition_views
from sexstrat.cohort.patients import write_patients
from sexstrat.cohort.person_view import write_person_view
from sexstrat.cohort.provenance import write_provenance
from sexstrat.cohort.score_use import ScoreUse
from sexstrat.cohort.sql import Connection, compose, quoted, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.cohort.stored_rows import write_rows
from sexstrat.cohort.training_overlap import TrainingAges, in_sample_problems
from sexstrat.errors import Problem
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.logit_bins import logit_edges
from sexstrat.values.tables import table_schema

__all__ = ["FORMAT_VERSION", "BuildSettings", "write_cohort"]

FORMAT_VERSION = 4  # 3: one table of patients, persons and conditions are views; 4: recorded and predicted age
CONTRACTS = ("person", "image", "score", "condition")
TABLE_COMMENTS = {
    "condition_column": "where the six bits of each condition are among the columns conditions_1, ... of patient",
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
    score_use : what is declared about scores.
    age_source : which age the analyses use.

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
    score_use: ScoreUse = field(default_factory=ScoreUse)
    age_source: str = "recorded"


def write_cohort(
    connection: Connection,
    staged: Mapping[str, Staged],
    warnings: Sequence[Problem],
    settings: BuildSettings,
    step: Callable[[str], None] = lambda text: None,
) -> list[Problem]:
    """Write every table of the file and return the warnings kept in it.

    Parameters
    ----------
    connection : a writable connection to the new file, holding the staged tables.
    staged : contract name -> table.
    warnings : problems that did not stop the build.
    settings : what was declared.
    step : called with a line before each part that may take long.

    Examples
    --------
    >>> from sexstrat.cohort.check import stage_and_check
    >>> from sexstrat.cohort.sql import connect
    >>> connection, persons = connect(), pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": [""]})
    >>> staged, found = stage_and_check(connection, {"persons": persons}, coding=None, training_ages=None)
    >>> write_cohort(connection, staged, found, BuildSettings())
    []
    """
    orphans = single_row(connection, "SELECT EXISTS (SELECT 1 FROM left_out)") == (True,)
    for contract in ("image", "score"):
        write_rows(connection, contract, staged, known_only=orphans)
    step("images and scores are written; patients are being joined")
    bins = bin_frame(logit_edges(settings.thresholds))
    _write_frame(connection, "logit_bin", bins)
    trained = pd.DataFrame({"patient_id": pd.Series(sorted(settings.trained_on), dtype="str")})
    _write_frame(connection, "training_patient", trained)
    write_patients(
        connection,
        bands=settings.bands,
        salt=settings.fold_salt,
        lowest=bins["prob_low"].to_numpy(),
        training_ages=settings.training_ages,
        columns=_condition_columns(connection, staged),
        age_source=settings.age_source,
    )
    step("patients are written; the flow is being counted")
    write_person_view(connection)
    _write_frame(connection, "condition_column", place_conditions(connection))
    write_condition_views(connection, places(connection))
    declared = FlowSettings(
        bands=settings.bands,
        training_ages=settings.training_ages,
        score_use=settings.score_use,
        age_source=settings.age_source,
    )
    write_flow(connection, staged, places(connection), declared)
    labels = [staged[name].label if name in staged else name for name in ("person", "score")]
    kept = [*warnings, *in_sample_problems(connection, *labels)]
    _write_frame(connection, "problem", pd.DataFrame([asdict(problem) for problem in kept], columns=PROBLEM_COLUMNS))
    write_provenance(connection)
    _write_settings(connection, settings)
    return kept


def _condition_columns(connection: Connection, staged: Mapping[str, Staged]) -> int:
    if "condition" not in staged:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE condition_place (condition VARCHAR, column_number BIGINT, first_bit BIGINT)"
        )
    (columns,) = single_row(connection, "SELECT coalesce(max(column_number), 0) FROM condition_place")
    return int(columns)


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
        'CREATE VIEW "README" AS SELECT table_name, comment FROM ('
        "SELECT table_name, comment FROM duckdb_tables() WHERE NOT internal AND NOT temporary UNION ALL "
        "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal AND NOT temporary AND view_name <> 'README') "
        "ORDER BY table_name"
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
