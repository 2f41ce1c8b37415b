"""Read the table contracts that every stage border obeys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Field", "TableSchema", "table_names", "table_schema"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table contract.

    Parameters
    ----------
    name : column name.
    type : Frictionless type: string, integer, number, boolean or date.
    description : meaning, with unit.
    required : whether an empty value is a breach.
    unique : whether a repeated value is a breach.
    minimum, maximum : closed bounds, or None.
    exclusive_minimum : open lower bound, or None.
    enum : the allowed values, empty when any.
    pattern : regular expression the whole value must match, or None.
    optional : a table may lack the whole column, which then reads as empty.

    Examples
    --------
    >>> Field(name="age", type="number", minimum=0, maximum=120).allowed
    'a number from 0 to 120'
    """

    name: str
    type: str
    description: str = ""
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    optional: bool = False

    @property
    def allowed(self) -> str:
        """Say in words what the column accepts."""
        if self.enum:
            return ", ".join(self.enum)
        text = {"string": "text", "boolean": "true or false", "date": "a date as YYYY-MM-DD"}.get(
            self.type, "a whole number" if self.type == "integer" else "a number"
        )
        ceiling = "" if self.maximum is None else f" to {self.maximum:g}"
        if self.minimum is not None:
            text += f" from {self.minimum:g}{ceiling}"
        elif self.exclusive_minimum is not None:
            text += f" above {self.exclusive_minimum:g}{ceiling}"
        if self.pattern:
            text += f" matching {self.pattern}"
        return text + (", not empty" if self.required else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table contract.

    Parameters
    ----------
    name : table name, the file stem of the contract.
    version : schema version written with every table.
    title : one line for people.
    fields : the columns, in order.
    primary_key : columns that identify a row.
    foreign_keys : pairs of (column, referenced table).

    Examples
    --------
    >>> table_schema("person").column("age_years").maximum
    120
    """

    name: str
    version: int
    title: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> list[str]:
        """List the column names in order."""
        return [field.name for field in self.fields]

    @property
    def optional_columns(self) -> list[str]:
        """List the columns that a table may lack, in order."""
        return [field.name for field in self.fields if field.optional]

    def column(self, name: str) -> Field:
        """Return the contract of one column.

        Raises
        ------
        KeyError : the table has no such column.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"table {self.name} has no column {name}; it has {', '.join(self.columns)}")


def _field(raw: dict[str, Any]) -> Field:
    rules = raw.get("constraints", {})
    return Field(
        name=raw["name"],
        type=raw["type"],
        description=raw.get("description", ""),
        required=rules.get("required", False),
        unique=rules.get("unique", False),
        minimum=rules.get("minimum"),
        maximum=rules.get("maximum"),
        exclusive_minimum=rules.get("exclusiveMinimum"),
        enum=tuple(rules.get("enum", ())),
        pattern=rules.get("pattern"),
        optional=raw.get("optional", False),
    )


@cache
def table_schema(name: str) -> TableSchema:
    """Return the contract of a table by name.

    Parameters
    ----------
    name : one of :func:`table_names`.

    Raises
    ------
    KeyError : no such table; the message lists those there are.

    References
    ----------
    Frictionless Table Schema, https://specs.frictionlessdata.io/table-schema/

    Examples
    --------
    >>> table_schema("score").primary_key
    ('image_id',)
    """
    if name not in table_names():
        raise KeyError(f"no table contract {name!r}; there are {', '.join(table_names())}")
    raw = json.loads(files("sexstrat.data_schemas").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return TableSchema(
        name=raw["name"],
        version=raw["schema_version"],
        title=raw["title"],
        fields=tuple(_field(field) for field in raw["fields"]),
        primary_key=tuple(raw["primaryKey"]),
        foreign_keys=tuple((key["fields"], key["reference"]["resource"]) for key in raw.get("foreignKeys", ())),
    )


@cache
def table_names() -> tuple[str, ...]:
    """List the tables that have a contract.

    Examples
    --------
    >>> "cell" in table_names()
    True
    """
    found = []
    for entry in files("sexstrat.data_schemas").iterdir():
        if entry.name.endswith(".json") and '"fields": [' in entry.read_text(encoding="utf-8"):
            found.append(entry.name.removesuffix(".json"))
    return tuple(sorted(found))
