"""Rules of a single table, read from its contract: required, type, range, allowed values, pattern, keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sexstrat.cohort.condition_bits import repeated_conditions
from sexstrat.cohort.findings import FIRST_ROWS, breach, first_rows, note_left_out, remedy
from sexstrat.cohort.sex_coding import CODINGS, SexCoding
from sexstrat.cohort.sql import Connection, compose, quoted, single_row
from sexstrat.cohort.staged_names import absent_column, raw_column, typed_table
from sexstrat.cohort.staging import SEX, Staged
from sexstrat.errors import Problem
from sexstrat.values.tables import Field, TableSchema, table_schema

__all__ = ["contract_problems"]

UNDECLARED = "undeclared_sex_code"
# where no two keys have one digest no two are the same; where two have, the keys themselves are asked
MAYBE_REPEATED = "SELECT count(*) <> count(DISTINCT hash({columns})) FROM {table} {exempt}"
LATER = """SELECT source_row, {shown} AS found FROM (SELECT *, row_number() OVER
    (PARTITION BY {columns} ORDER BY source_row) AS occurrence FROM {table} {exempt}) t
    WHERE occurrence > 1 AND {first} IS NOT NULL"""
# of rows that are the same throughout all but the first; of rows that differ all, so that no order decides
SURPLUS = """SELECT source_row FROM (SELECT source_row, {first}, row_number() OVER keyed AS occurrence,
    count(*) OVER whole_key AS n, min({whole}) OVER whole_key <> max({whole}) OVER whole_key AS differ
    FROM {table} {exempt} WINDOW keyed AS (PARTITION BY {columns} ORDER BY source_row),
    whole_key AS (PARTITION BY {columns})) t
    WHERE n > 1 AND {first} IS NOT NULL AND (differ OR occurrence > 1)"""
FEW_VALUES = ("model_sha256",)  # of millions of rows
MANY_VALUES = 20  # undeclared sex values that get a message each


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    kind: str
    message: str
    column: str
    allowed: str
    predicate: str
    parameters: tuple[Any, ...] = ()


def contract_problems(connection: Connection, staged: Staged, coding: SexCoding) -> list[Problem]:
    """Return every breach of a table's own contract.

    Parameters
    ----------
    connection : where the table is staged.
    staged : the table.
    coding : meaning of the values of recorded sex.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.inputs import TableInput
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.cohort.staging import stage
    >>> frame = pd.DataFrame({"patient_id": ["a", "b"], "age_years": ["61", "-3"], "recorded_sex": ["", "male"]})
    >>> coding, connection = SexCoding.declared(None), connect()
    >>> staged = stage(connection, "person", TableInput.of(frame, "persons"), coding)
    >>> print(contract_problems(connection, staged, coding)[0])
    persons, row 2, column age_years: value is below the minimum; found '-3'; allowed: a number from 0 to 120.
    To leave such rows out, write drop = ["below_minimum"] in [persons] of the study file
    """
    schema = table_schema(staged.contract)
    rules = [rule for field in schema.fields if field.name in staged.types for rule in _rules(field)]
    problems = _broken(connection, staged, rules)
    if SEX in staged.types:
        problems += _undeclared_sex(connection, staged, coding)
    return problems + _repeated_keys(connection, staged, schema)


def _rules(field: Field) -> list[_Rule]:
    name, absent = quoted(field.name), absent_column(field.name)
    if field.name == SEX:
        return []
    found: list[tuple[str, str, str, tuple[Any, ...]]] = []
    if field.required and field.name != "present":  # no value means not known: link_rules warns and it is left out
        found.append(("missing_value", "value is missing", absent, ()))
    if field.type != "string":
        word = field.allowed.split(" from ")[0].split(" above ")[0].split(",")[0]
        found.append(("wrong_type", f"value is not {word}", f"NOT {absent} AND {name} IS NULL", ()))
    if field.minimum is not None:
        found.append(("below_minimum", "value is below the minimum", f"{name} < ?", (field.minimum,)))
    if field.exclusive_minimum is not None:
        message = f"value is not above {field.exclusive_minimum:g}"
        found.append(("below_minimum", message, f"{name} <= ?", (field.exclusive_minimum,)))
    if field.maximum is not None:
        found.append(("above_maximum", "value is above the maximum", f"{name} > ?", (field.maximum,)))
    if field.enum:
        places = ", ".join("?" for _ in field.enum)
        found.append(("not_allowed", "value is not among those allowed", f"{name} NOT IN ({places})", field.enum))
    if field.pattern:
        test = f"NOT regexp_full_match({name}, ?)"
        found.append(("wrong_pattern", "value has the wrong form", test, (field.pattern,)))
    return [
        _Rule(kind=kind, message=message, column=field.name, allowed=field.allowed, predicate=sql, parameters=values)
        for kind, message, sql, values in found
    ]


def _broken(connection: Connection, staged: Staged, rules: Sequence[_Rule]) -> list[Problem]:
    if not rules:
        return []
    tests = ", ".join(_test(staged, rule) for rule in rules)
    query = compose("SELECT {tests} FROM {table}", tests=tests, table=typed_table(staged.contract))
    broken = single_row(connection, query, [value for rule in rules for value in rule.parameters])
    problems: list[Problem] = []
    for rule in (rule for rule, found in zip(rules, broken, strict=True) if found):
        template = "SELECT source_row, {raw} AS found FROM {table} WHERE {predicate}"
        parts = {"raw": raw_column(rule.column), "table": typed_table(staged.contract), "predicate": rule.predicate}
        problems += breach(
            connection,
            compose(template, **parts),
            rule.parameters,
            kind=rule.kind,
            message=rule.message,
            staged=staged,
            column=rule.column,
            allowed=rule.allowed,
        )
    return problems


def _test(staged: Staged, rule: _Rule) -> str:
    """Return SQL that is true where any row breaks a rule; of columns with few values, each value is looked at once."""
    test = f"coalesce(bool_or({rule.predicate}), false)"
    if rule.column not in FEW_VALUES or rule.kind != "wrong_pattern":
        return test
    parts = {"test": test, "column": quoted(rule.column), "table": typed_table(staged.contract)}
    return compose("(SELECT {test} FROM (SELECT DISTINCT {column} FROM {table}))", **parts)


def _undeclared_sex(connection: Connection, staged: Staged, coding: SexCoding) -> list[Problem]:
    query = compose(
        "SELECT {raw}, count(*), min(source_row), min(source_row, {n}) FROM {table} "
        "WHERE {raw} IS NOT NULL AND {sex} IS NULL GROUP BY {raw} ORDER BY min(source_row)",
        raw=raw_column(SEX),
        sex=quoted(SEX),
        table=typed_table(staged.contract),
        n=str(FIRST_ROWS),
    )
    rows = connection.execute(query).fetchall()
    if rows and UNDECLARED in staged.drop:
        undeclared = compose(
            "SELECT source_row FROM {table} WHERE {raw} IS NOT NULL AND {sex} IS NULL",
            table=typed_table(staged.contract),
            raw=raw_column(SEX),
            sex=quoted(SEX),
        )
        note_left_out(connection, staged, UNDECLARED, undeclared)
    places = [staged.place(row, first) for _, _, row, first in rows]
    return [
        Problem(
            kind=UNDECLARED,
            message=f"value of recorded sex is not in the declared coding ({coding.name}){first_rows(first, count)}",
            source=source,
            row=row,
            column=SEX,
            value=value,
            allowed=f"{coding.allowed}, or empty (unknown)",
            hint=remedy(staged, UNDECLARED, _declaration({text for text, *_ in rows})),
            count=count,
            severity="warning" if UNDECLARED in staged.drop else "error",
        )
        for (value, count, *_), (source, (row, *first)) in zip(rows[:MANY_VALUES], places, strict=False)
    ]


def _declaration(values: set[str]) -> str:
    fitting = [name for name, meanings in CODINGS.items() if values <= set(meanings)]
    known = "".join(
        f'sex_coding = "{name}" ({SexCoding.declared(name).allowed}), ' for name in fitting if name != "english"
    )
    shown = sorted(values)[:4]
    written = ", ".join(f'"{value}" = "..."' for value in shown)
    return (
        "The meaning is never guessed. Declare it in the study file: "
        f"{known}or sex_coding = {{ {written} }} with male, female, other or unknown for each value"
    )


def _repeated_keys(connection: Connection, staged: Staged, schema: TableSchema) -> list[Problem]:
    keys = [schema.primary_key, *((f.name,) for f in schema.fields if f.unique and (f.name,) != schema.primary_key)]
    if not any(name in staged.types for key in keys for name in key):
        return []
    if staged.contract == "condition" and not repeated_conditions(connection):
        return []  # the gathered bits have answered already
    exempt = "WHERE status IS DISTINCT FROM 'duplicate_id'" if staged.contract == "score" else ""
    problems: list[Problem] = []
    for key in keys:
        parts = {
            "columns": ", ".join(quoted(name) for name in key),
            "table": typed_table(staged.contract),
            "exempt": exempt,
            "first": quoted(key[0]),
            "shown": " || ', ' || ".join(f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" for name in key),
            "whole": "concat_ws(chr(31), " + ", ".join(_text(staged, field) for field in schema.fields) + ")",
        }
        if single_row(connection, compose(MAYBE_REPEATED, **parts)) == (False,):
            continue
        problems += breach(
            connection,
            compose(LATER, **parts),
            kind="duplicate_key",
            message=f"{' and '.join(key)} must identify one row, and this one repeats an earlier row",
            staged=staged,
            column=key[0],
            allowed=f"each {', '.join(key)} once",
            hint="Keep one row of each; rows are never merged silently (drop keeps one of rows that are the same "
            "throughout and none of rows that differ)",
            drop_sql=compose(SURPLUS, **parts),
        )
    return problems


def _text(staged: Staged, field: Field) -> str:
    name = quoted(field.name) if field.name in staged.types else "NULL"
    return f"coalesce(CAST({name} AS VARCHAR), '')"
