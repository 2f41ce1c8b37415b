"""Check every input of a study at once: all problems, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from sexstrat.cohort.condition_bits import gather_conditions
from sexstrat.cohort.contract_rules import contract_problems
from sexstrat.cohort.damaged_files import damage_told
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.link_rules import link_problems
from sexstrat.cohort.links import link_scores
from sexstrat.cohort.omop_staging import stage_omop
from sexstrat.cohort.parquet_scan import scanned_files
from sexstrat.cohort.patients import combine_scores
from sexstrat.cohort.person_rules import person_problems
from sexstrat.cohort.predicted_ages import age_problems_of_scores, combine_ages
from sexstrat.cohort.resources import enough_memory
from sexstrat.cohort.row_counts import TableRows, row_counts
from sexstrat.cohort.score_use import ScoreUse, use_problems
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.sql import Connection, connect, single_row
from sexstrat.cohort.staging import Staged, narrow, stage
from sexstrat.cohort.training_overlap import TrainingAges, age_problems
from sexstrat.cohort.visit_days import date_by_photographs
from sexstrat.errors import Problem

__all__ = ["CheckedInputs", "CodingLike", "TableLike", "as_inputs", "check_inputs", "stage_and_check"]

TableLike: TypeAlias = TableInput | str | Path | pd.DataFrame | pa.Table
CodingLike: TypeAlias = SexCoding | Mapping[str, str] | str | None
SETTLED = ("Left out, as", "Counted as present, as")  # hints of problems that the study has settled
CONTRACTS = {"persons": "person", "images": "image", "scores": "score", "conditions": "condition"} | {
    "age_scores": "age_score"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedInputs:
    """What a check of the inputs found.

    Parameters
    ----------
    problems : in table and row order; those of severity ``error`` would stop a run.
    rows : how many rows of each table were read, kept and left out.

    Examples
    --------
    >>> CheckedInputs(problems=(), rows=()).problems
    ()
    """

    problems: tuple[Problem, ...]
    rows: tuple[TableRows, ...]


def check_inputs(
    *,
    persons: TableLike,
    scores: TableLike | None = None,
    conditions: TableLike | None = None,
    images: TableLike | None = None,
    sex_coding: CodingLike = None,
    training_ages: TrainingAges | None = None,
    score_use: ScoreUse | None = None,
    age_scores: TableLike | None = None,
    age_source: str = "recorded",
) -> CheckedInputs:
    """Return everything wrong with the inputs of a study (file, row, column, value, what is allowed), and their rows.

    Parameters
    ----------
    persons, scores, conditions, images : the tables, as :class:`TableInput`, path or frame.
    sex_coding : name of a known coding or map from value to male, female, other or unknown.
    training_ages : ages on which the model was trained, for a warning.
    score_use : what the study declares about scores; None declares nothing.
    age_scores : scores of a model of age, as the other tables.
    age_source : which age the analyses use, one of :data:`sexstrat.cohort.predicted_ages.AGE_SOURCES`.

    Raises
    ------
    StudyError : a setting is none of those allowed.

    Examples
    --------
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [-3], "recorded_sex": ["1"]})
    >>> for problem in check_inputs(persons=persons).problems:
    ...     print(problem.kind, problem.column, problem.value)
    below_minimum age_years -3
    undeclared_sex_code recorded_sex 1
    """
    tables = {"persons": persons, "images": images, "scores": scores, "conditions": conditions}
    tables |= {"age_scores": age_scores}
    connection = connect(readable=scanned_files(as_inputs(tables).values()), ordered=False)
    try:
        with enough_memory():
            staged, problems = stage_and_check(
                connection,
                tables,
                coding=sex_coding,
                training_ages=training_ages,
                score_use=score_use,
                age_source=age_source,
            )
            return CheckedInputs(problems=tuple(problems), rows=row_counts(connection, staged, problems))
    finally:
        connection.close()


def as_inputs(tables: Mapping[str, TableLike | None]) -> dict[str, TableInput]:
    """Return the tables that are given, as inputs.

    Parameters
    ----------
    tables : persons, images, scores, conditions -> table or None.

    Examples
    --------
    >>> list(as_inputs({"persons": "p.csv", "scores": None}))
    ['persons']
    """
    return {name: TableInput.of(table, name) for name, table in tables.items() if table is not None}


def stage_and_check(
    connection: Connection,
    tables: Mapping[str, TableLike | None],
    *,
    coding: CodingLike,
    training_ages: TrainingAges | None,
    score_use: ScoreUse | None = None,
    age_source: str = "recorded",
) -> tuple[dict[str, Staged], list[Problem]]:
    """Stage the tables of a study and return them with every problem found.

    Parameters
    ----------
    connection : a connection whose temporary tables may be written.
    tables : persons, images, scores, conditions -> table or None.
    coding, training_ages, score_use, age_source : as in :func:`check_inputs`.

    Examples
    --------
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> staged, problems = stage_and_check(connect(), {"persons": persons}, coding=None, training_ages=None)
    >>> list(staged), problems
    (['person'], [])
    """
    inputs = as_inputs(tables)
    of_model = "persons" in inputs and inputs["persons"].omop is not None
    declared = SexCoding.declared("omop" if coding is None and of_model else coding)
    left: list[Problem] = []
    with damage_told(connection, inputs):
        staged = _all_staged(connection, inputs, declared)
        while True:  # leaving rows out may lay bare, or clear away, other problems: until nothing more is left out
            before = _n_left_out(connection)
            link_scores(connection, staged, score_use)
            combine_scores(connection, training_ages, staged)
            combine_ages(connection, staged, score_use)
            if "condition" in staged:
                gather_conditions(connection)
            problems = _problems(connection, staged, declared, training_ages, age_source)
            problems += age_problems_of_scores(connection, staged, age_source)
            problems += use_problems(connection, staged, score_use or ScoreUse())
            if _n_left_out(connection) == before:
                return staged, [*left, *problems]
            left += [problem for problem in problems if problem.hint.startswith(SETTLED)]
            for contract in staged:
                narrow(connection, contract)


def _all_staged(connection: Connection, inputs: Mapping[str, TableInput], coding: SexCoding) -> dict[str, Staged]:
    """Stage the tables, conditions last: diagnoses of a common data model are dated against visits."""
    staged: dict[str, Staged] = {}
    for name in (name for name in inputs if name != "conditions"):
        staged[CONTRACTS[name]] = _staged(connection, CONTRACTS[name], inputs[name], coding)
    staged = date_by_photographs(connection, staged)
    if "conditions" in inputs:
        staged["condition"] = _staged(connection, "condition", inputs["conditions"], coding)
    return staged


def _staged(connection: Connection, contract: str, table: TableInput, coding: SexCoding) -> Staged:
    if table.omop is None:
        return stage(connection, contract, table, coding)
    return stage_omop(connection, contract, table, table.omop, coding)


def _n_left_out(connection: Connection) -> int:
    (n,) = single_row(connection, "SELECT count(*) FROM left_out")
    return int(n)


def _problems(
    connection: Connection,
    staged: Mapping[str, Staged],
    coding: SexCoding,
    training_ages: TrainingAges | None,
    age_source: str,
) -> list[Problem]:
    problems: list[Problem] = []
    for contract, table in staged.items():
        found = [*table.problems, *contract_problems(connection, table, coding)]
        if contract == "person":
            found += person_problems(connection, table, age_source=age_source)
            found += age_problems(connection, staged, training_ages)
        problems += sorted(found, key=lambda problem: problem.row or 0)
    return problems + link_problems(connection, staged)
