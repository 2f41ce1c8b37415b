"""Find the contract's columns in a file: by mapping, by name, and by saying which name was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from sexstrat.errors import Problem, StudyError
from sexstrat.values.tables import TableSchema

__all__ = ["find_columns", "nearest"]

ALTERNATIVES = {"age_years": ("birth_date", "visit_date")}  # a person needs the one or both others
CLOSE = 0.75  # similarity above which an unused column is taken for a slip of the pen


def nearest(name: str, available: Sequence[str], cutoff: float = 0.5) -> str | None:
    """Return the available name most like the one sought, or None when none is.

    Parameters
    ----------
    name : the name sought.
    available : the names there are.
    cutoff : least similarity, 0 to 1 (``difflib``).

    Examples
    --------
    >>> nearest("patient_id", ["PatientID", "age"])
    'PatientID'
    """
    plain = {column: "".join(c for c in column.casefold() if c.isalnum()) for column in reversed(available)}
    by_plain = {text: column for column, text in plain.items()}
    close = difflib.get_close_matches("".join(c for c in name if c.isalnum()), list(by_plain), n=1, cutoff=cutoff)
    return by_plain[close[0]] if close else None


def find_columns(
    header: Sequence[str], mapping: Mapping[str, str], schema: TableSchema, source: str
) -> tuple[dict[str, str], list[Problem]]:
    """Return the file's column for each contract column it holds, and what is wrong with the header.

    Parameters
    ----------
    header : the file's column names.
    mapping : contract column -> file column, as declared in the study.
    schema : the table's contract.
    source : file or table name for messages.

    Raises
    ------
    StudyError : the mapping names a column that the contract does not know.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> found, problems = find_columns(["patient", "age_years", "recorded_sex"], {}, table_schema("person"), "p.csv")
    >>> print(problems[0])
    p.csv, row 1, column patient_id: required column is missing; found 'patient'; allowed: a column named patient_id
    (the file has patient, age_years, recorded_sex). Rename 'patient', or map it: columns.patient_id = "patient"
    """
    unknown = [name for name in mapping if name not in schema.columns]
    if unknown:
        raise StudyError(
            f"{source}: the column mapping names {', '.join(map(repr, unknown))}, "
            f"but the {schema.name} table has {', '.join(schema.columns)}"
        )
    found = {name: mapping.get(name, name) for name in schema.columns if mapping.get(name, name) in header}
    problems = [
        _problem("duplicate_column", "column name appears more than once", source, name, wanted, header)
        for name, wanted in found.items()
        if list(header).count(wanted) > 1
    ]
    free = [name for name in header if name not in found.values()]
    for field in schema.fields:
        if field.name in found:
            continue
        slip = nearest(field.name, free)
        if field.name in mapping:
            slip = nearest(mapping[field.name], free)
            message = f"column {mapping[field.name]!r} of the mapping is not in the file"
            problems.append(_problem("missing_column", message, source, field.name, slip, header))
        elif field.required or (field.name in ALTERNATIVES and not set(ALTERNATIVES[field.name]) <= set(found)):
            problems.append(_problem("missing_column", "required column is missing", source, field.name, slip, header))
        elif (likely := nearest(field.name, free, CLOSE)) is not None and not nearest_taken(likely, schema):
            message = "optional column is absent, and a column of the file has nearly its name"
            problems.append(_problem("misnamed_column", message, source, field.name, likely, header, "warning"))
    return found, problems


def nearest_taken(column: str, schema: TableSchema) -> bool:
    """Tell whether a file column is itself a contract column, hence no slip of the pen for another."""
    return column in schema.columns


def _problem(
    kind: str, message: str, source: str, name: str, slip: str | None, header: Sequence[str], severity: str = "error"
) -> Problem:
    shown = ", ".join(header[:30]) + (f" and {len(header) - 30} more" if len(header) > 30 else "")
    hint = f'Rename {slip!r}, or map it: columns.{name} = "{slip}"' if slip and kind != "duplicate_column" else ""
    return Problem(
        kind=kind,
        message=message,
        source=source,
        row=1,
        column=name,
        value=slip,
        allowed=f"a column named {name} (the file has {shown or 'no column'})",
        hint=hint,
        severity=severity,
    )
