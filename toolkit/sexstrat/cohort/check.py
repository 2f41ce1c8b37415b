"""Check every input of a study at once: all problems, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from sexstrat.cohort.contract_rules import contract_problems
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.link_rules import link_problems
from sexstrat.cohort.person_rules import person_problems
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.sql import Connection, connect
from sexstrat.cohort.staging import Staged, stage
from sexstrat.cohort.training_overlap import TrainingAges, age_problems
from sexstrat.errors import Problem, StudyError

__all__ = ["CodingLike", "TableLike", "check_inputs", "stage_and_check"]

TableLike: TypeAlias = TableInput | str | Path | pd.DataFrame | pa.Table
CodingLike: TypeAlias = SexCoding | Mapping[str, str] | str | None
ORPHANS = ("error", "drop")
CONTRACTS = {"persons": "person", "images": "image", "scores": "score", "conditions": "condition"}


def check_inputs(
    *,
    persons: TableLike,
    scores: TableLike | None = None,
    conditions: TableLike | None = None,
    images: TableLike | None = None,
    sex_coding: CodingLike = None,
    on_orphan: str = "error",
    training_ages: TrainingAges | None = None,
) -> list[Problem]:
    """Return everything wrong with the inputs of a study: file, row, column, value, what is allowed.

    Parameters
    ----------
    persons, scores, conditions, images : the tables, as :class:`TableInput`, path or frame.
    sex_coding : name of a known coding or map from value to male, female, other or unknown.
    on_orphan : ``"error"``, or ``"drop"`` to leave out rows of unknown patients with a warning.
    training_ages : ages on which the model was trained, for a warning.

    Returns
    -------
    Problems in table and row order; those of severity ``error`` would stop a run.

    Raises
    ------
    StudyError : a setting is none of those allowed.

    Examples
    --------
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [-3], "recorded_sex": ["1"]})
    >>> for problem in check_inputs(persons=persons):
    ...     print(problem.kind, problem.column, problem.value)
    below_minimum age_years -3
    undeclared_sex_code recorded_sex 1
    """
    tables = {"persons": persons, "images": images, "scores": scores, "conditions": conditions}
    connection = connect()
    try:
        _, problems = stage_and_check(
            connection, tables, coding=sex_coding, on_orphan=on_orphan, training_ages=training_ages
        )
    finally:
        connection.close()
    return problems


def stage_and_check(
    connection: Connection,
    tables: Mapping[str, TableLike | None],
    *,
    coding: CodingLike,
    on_orphan: str,
    training_ages: TrainingAges | None,
) -> tuple[dict[str, Staged], list[Problem]]:
    """Stage the tables of a study and return them with every problem found.

    Parameters
    ----------
    connection : a connection whose temporary tables may be written.
    tables : persons, images, scores, conditions -> table or None.
    coding, on_orphan, training_ages : as in :func:`check_inputs`.

    Examples
    --------
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> staged, problems = stage_and_check(
    ...     connect(), {"persons": persons}, coding=None, on_orphan="error", training_ages=None
    ... )
    >>> list(staged), problems
    (['person'], [])
    """
    if on_orphan not in ORPHANS:
        raise StudyError(f"on_orphan is one of {', '.join(ORPHANS)}; found {on_orphan!r}")
    declared = SexCoding.declared(coding)
    staged = {
        CONTRACTS[name]: stage(connection, CONTRACTS[name], TableInput.of(table, name), declared)
        for name, table in tables.items()
        if table is not None
    }
    problems: list[Problem] = []
    for contract, table in staged.items():
        found = [*table.problems, *contract_problems(connection, table, declared)]
        if contract == "person":
            found += person_problems(connection, table) + age_problems(connection, staged, training_ages)
        problems += sorted(found, key=lambda problem: problem.row or 0)
    return staged, problems + link_problems(connection, staged, on_orphan)
