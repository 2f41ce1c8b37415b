"""The model card: what a model is, what it may be used for, and how its weights are checked."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from sexstrat.errors import ModelError
from sexstrat.models.backbones import BACKBONES

__all__ = ["GoldenOutput", "ModelCard", "card_from_json", "card_to_json", "read_card", "write_card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenOutput:
    """What the weights give for one synthetic input.

    Parameters
    ----------
    seed : number of the input, see :func:`sexstrat.models.golden.golden_input`.
    prob_male : the probability that the reference runtime gave.
    """

    seed: int
    prob_male: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Everything about a model but its weights; ``data_schemas/model_card.json`` explains each field."""

    model_id: str
    title: str
    weights_file: str
    weights_sha256: str
    backbone: str
    input_size: int
    prepared_size: int
    scaling: Literal["tf", "torch", "raw"]
    channel_order: Literal["RGB", "BGR"]
    output_kind: Literal["logit", "softmax"]
    class_order: tuple[str, ...]
    views: Literal["as_taken", "both", "as_left_eye"]
    training_ages: tuple[float, float]
    terms: str
    golden: tuple[GoldenOutput, ...]
    golden_tolerance: float = 1e-4
    positive_class: Literal["male"] = "male"
    statement: str = ""
    intended_use: str = ""
    training_data: dict[str, Any] = field(default_factory=dict)
    performance: tuple[dict[str, Any], ...] = ()
    failure_modes: tuple[str, ...] = ()
    citation: tuple[str, ...] = ()
    acknowledgement: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    schema_version: int = 1

    def __post_init__(self) -> None:
        allowed = {"logit": (("male",),), "softmax": (("female", "male"), ("male", "female"))}[self.output_kind]
        if self.class_order not in allowed:
            found, want = list(self.class_order), " or ".join(str(list(order)) for order in allowed)
            raise ModelError(f"model card: class_order {found} does not fit a {self.output_kind}; allowed: {want}")
        if self.input_size > self.prepared_size:
            raise ModelError(
                f"model card: input_size {self.input_size} is larger than prepared_size {self.prepared_size}"
            )
        if not self.golden:
            raise ModelError("model card: golden is empty; without golden outputs a model cannot be checked")


def read_card(path: str | Path) -> ModelCard:
    """Read and check a model card.

    Parameters
    ----------
    path : the JSON file.

    Returns
    -------
    The card.

    Raises
    ------
    ModelError
        The file is missing, is not JSON, or breaks the contract; every breach is named.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ModelError(f"the model card {path} cannot be read: {err}") from err
    return card_from_json(text, source=str(path))


def write_card(card: ModelCard, path: str | Path) -> None:
    """Write a model card as JSON.

    Parameters
    ----------
    card : the card.
    path : file to write.
    """
    Path(path).write_text(card_to_json(card), encoding="utf-8")


def card_to_json(card: ModelCard) -> str:
    """Return the card as indented JSON, fields in the order of the contract.

    Parameters
    ----------
    card : the card.

    Returns
    -------
    The text, with a final newline.

    Examples
    --------
    >>> from sexstrat.models import shipped_card
    >>> card_from_json(card_to_json(shipped_card())) == shipped_card()
    True
    """
    values = asdict(card)
    ordered = {name: values[name] for name in _contract()["properties"]}
    return json.dumps(ordered, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def card_from_json(text: str, *, source: str = "model card") -> ModelCard:
    """Make a card from JSON text, checking it against the contract.

    Parameters
    ----------
    text : JSON.
    source : name for messages.

    Returns
    -------
    The card.

    Raises
    ------
    ModelError
        The text is not JSON or breaks the contract; every breach is named.

    Examples
    --------
    >>> card_from_json('{"model_id": 7}', source="x.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sexstrat.errors.ModelError: x.json: 17 problems: schema_version is missing; ...
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as err:
        raise ModelError(f"{source}: not JSON: {err}") from err
    problems = _breaches(values) if isinstance(values, dict) else ["the top level must be an object"]
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise ModelError(f"{source}: {len(problems)} {noun}: " + "; ".join(problems))
    known = {entry.name for entry in fields(ModelCard)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        golden = tuple(
            GoldenOutput(seed=int(row["seed"]), prob_male=float(row["prob_male"])) for row in values["golden"]
        )
    except (KeyError, TypeError, ValueError) as err:
        raise ModelError(f"{source}: each golden row needs a whole seed and a prob_male: {err}") from err
    return ModelCard(**{name: value for name, value in values.items() if name in known} | {"golden": golden})


@cache
def _contract() -> dict[str, Any]:
    text = files("sexstrat.data_schemas").joinpath("model_card.json").read_text(encoding="utf-8")
    contract: dict[str, Any] = json.loads(text)
    return contract


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def _breaches(values: dict[str, Any]) -> list[str]:
    rules = _contract()["properties"]
    missing = [f"{name} is missing" for name in _contract()["required"] if name not in values]
    unknown = [f"{name} is not a field of a model card" for name in values if name not in rules]
    found = [text for name, value in values.items() if name in rules for text in _field_breaches(name, value)]
    if isinstance(values.get("backbone"), str) and values["backbone"] not in BACKBONES:
        found.append(f"backbone {values['backbone']!r} is unknown; allowed: {', '.join(BACKBONES)}")
    ages = values.get("training_ages")
    if isinstance(ages, list) and (len(ages) != 2 or not ages[0] <= ages[1]):
        found.append(f"training_ages must be youngest and oldest; found {ages}")
    return missing + unknown + found


def _field_breaches(name: str, value: Any) -> list[str]:
    rule = _contract()["properties"][name]
    if not _is_of_type(value, rule["type"]):
        return [f"{name} must be of type {rule['type']}; found {value!r}"]
    if "enum" in rule and value not in rule["enum"]:
        return [f"{name} is {value!r}; allowed: {', '.join(map(str, rule['enum']))}"]
    if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        return [f"{name} is {value!r}; allowed: text matching {rule['pattern']}"]
    if "minimum" in rule and not rule["minimum"] <= value <= rule["maximum"]:
        return [f"{name} is {value!r}; allowed: {rule['minimum']} to {rule['maximum']}"]
    if "items" in rule and not all(_is_of_type(item, rule["items"]["type"]) for item in value):
        return [f"every entry of {name} must be of type {rule['items']['type']}; found {value!r}"]
    return []


def _is_of_type(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
