"""Read back what passed the gate earlier from the document that was written then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sexstrat.disclosure.profiles import profile
from sexstrat.disclosure.released import SEAL, Released
from sexstrat.disclosure.withhold import TYPES
from sexstrat.errors import DisclosureError, StudyError
from sexstrat.values.tables import table_schema

__all__ = ["reread"]

_INFINITIES = {"infinity": float("inf"), "-infinity": float("-inf")}


def reread(document: Mapping[str, Any]) -> Released:
    """Return the released results that a run wrote to ``results.json``.

    Nothing is withheld anew: the document must be the one that the gate let through, which the seal of its run shows.

    Parameters
    ----------
    document : the document as read; its tables in the versions that this sexstrat writes.

    Returns
    -------
    The same results as the gate gave then: the page made of them is the same to the byte.

    Raises
    ------
    DisclosureError : it is not such a document, or a table has another schema version.

    Examples
    --------
    >>> reread({"title": "t"})
    Traceback (most recent call last):
    sexstrat.errors.DisclosureError: not the released results of a run: 'tables' is missing
    """
    try:
        tables = {name: _frame(name, held) for name, held in document["tables"].items()}
        gate = document["disclosure"]
        return Released(
            title=document["title"],
            **tables,
            settings=document["settings"],
            provenance=document["provenance"],
            model_card=document["model_card"],
            choices=tuple(document["choices"]),
            notices=tuple(document["notices"]),
            profile=profile(gate["profile"]),
            reason=gate["reason"],
            suppressed_counts=gate["suppressed_rows"],
            left_out=tuple(gate["left_out"]),
            protection=gate["protection"],
            seal=SEAL,
        )
    except KeyError as missing:
        raise DisclosureError(f"not the released results of a run: {missing} is missing") from missing
    except (TypeError, ValueError, AttributeError, StudyError) as problem:
        raise DisclosureError(f"not the released results of a run: {problem}") from problem


def _frame(name: str, held: Mapping[str, Any]) -> pd.DataFrame:
    schema = table_schema(held["contract"])
    if held["schema_version"] != schema.version:
        raise ValueError(
            f"table {name} has schema version {held['schema_version']}, this sexstrat writes {schema.version}; "
            "run the study again"
        )
    columns = {
        field.name: pd.array([_value(row.get(field.name)) for row in held["rows"]], dtype=TYPES[field.type])  # type: ignore[call-overload]
        for field in schema.fields
    }
    return pd.DataFrame(columns | {"withheld": [row.get("withheld") or "" for row in held["rows"]]})


def _value(value: Any) -> Any:
    return _INFINITIES.get(value, value) if isinstance(value, str) else value
