"""Check the plain values of a model card against its contract, naming every breach at once."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from sexstrat.models.backbones import BACKBONES

__all__ = ["breaches", "card_contract"]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@cache
def card_contract() -> dict[str, Any]:
    """Return the contract, ``data_schemas/model_card.json``.

    Examples
    --------
    >>> card_contract()["properties"]["positive_class"]["enum"]
    ['male', 'none']
    """
    text = files("sexstrat.data_schemas").joinpath("model_card.json").read_text(encoding="utf-8")
    contract: dict[str, Any] = json.loads(text)
    return contract


def breaches(values: dict[str, Any]) -> list[str]:
    """Return every breach of the contract, one sentence each.

    Parameters
    ----------
    values : the card as parsed JSON.

    Examples
    --------
    >>> [text for text in breaches({"backbone": "vgg16"}) if "unknown" in text]  # doctest: +ELLIPSIS
    ["backbone 'vgg16' is unknown; allowed: mobilenet, ..."]
    """
    rules = card_contract()["properties"]
    missing = [f"{name} is missing" for name in card_contract()["required"] if name not in values]
    unknown = [f"{name} is not a field of a model card" for name in values if name not in rules]
    found = [text for name, value in values.items() if name in rules for text in _field_breaches(name, value)]
    if isinstance(values.get("backbone"), str) and values["backbone"] not in BACKBONES:
        found.append(f"backbone {values['backbone']!r} is unknown; allowed: {', '.join(BACKBONES)}")
    ages = values.get("training_ages")
    numbers = [age for age in ages if _is_of_type(age, "number")] if isinstance(ages, list) else []
    if numbers == ages and (len(numbers) != 2 or not numbers[0] <= numbers[1]):
        found.append(f"training_ages must be youngest and oldest; found {ages}")
    return missing + unknown + found


def _field_breaches(name: str, value: Any) -> list[str]:
    rule = card_contract()["properties"][name]
    if not _is_of_type(value, rule["type"]):
        return [f"{name} must be of type {rule['type']}; found {value!r}"]
    if "enum" in rule and value not in rule["enum"]:
        return [f"{name} is {value!r}; allowed: {', '.join(map(str, rule['enum']))}"]
    if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        return [f"{name} is {value!r}; allowed: text matching {rule['pattern']}"]
    if "minimum" in rule and not rule["minimum"] <= value <= rule["maximum"]:
        return [f"{name} is {value!r}; allowed: {rule['minimum']} to {rule['maximum']}"]
    if "items" in rule:
        return _item_breaches(name, value, rule["items"])
    return []


def _item_breaches(name: str, value: list[Any], rule: dict[str, Any]) -> list[str]:
    if not all(_is_of_type(item, rule["type"]) for item in value):
        return [f"every entry of {name} must be of type {rule['type']}; found {value!r}"]
    if "enum" in rule and not all(item in rule["enum"] for item in value):
        return [f"an entry of {name} is not one of {', '.join(map(str, rule['enum']))}; found {value!r}"]
    return []


def _is_of_type(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
