"""Turn what people type about a model into the values of a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.card import GoldenOutput

__all__ = ["parsed_answers", "read_golden"]


def parsed_answers(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers with numbers and lists in place of text.

    Parameters
    ----------
    answers : text by name of the question; values that are not text are kept.

    Returns
    -------
    Values as :func:`sexstrat.models.card_drafting.draft_card` takes them.

    Raises
    ------
    ModelError
        A number or a list is not one.

    Examples
    --------
    >>> parsed_answers({"training_ages": "17,94", "class_order": "male", "input_size": "224"})
    {'training_ages': (17.0, 94.0), 'class_order': ('male',), 'input_size': 224}
    """
    found = dict(answers)
    try:
        if isinstance(found.get("training_ages"), str):
            low, high = (float(part) for part in found["training_ages"].split(","))
            found["training_ages"] = (low, high)
        if isinstance(found.get("input_size"), str):
            found["input_size"] = int(found["input_size"])
    except ValueError as err:
        raise ModelError(f"not a number where one is needed: {err}; ages are given as 17,94") from err
    if isinstance(found.get("class_order"), str):
        found["class_order"] = tuple(part.strip() for part in found["class_order"].split(","))
    for name in ("citation", "failure_modes"):
        if isinstance(found.get(name), list):
            found[name] = tuple(found[name])
    return found


def read_golden(path: Path) -> tuple[GoldenOutput, ...]:
    """Read golden outputs that a model's maker got for this library's golden inputs.

    Parameters
    ----------
    path : JSON list of objects with seed and prob_male, or age_years.

    Returns
    -------
    The outputs.

    Raises
    ------
    ModelError
        The file cannot be read or is not such a list.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            GoldenOutput(seed=int(row["seed"]), prob_male=row.get("prob_male"), age_years=row.get("age_years"))
            for row in rows
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise ModelError(f"the golden outputs {path} cannot be read: {err}") from err
