"""The model card: what a model is, what it may be used for, and how its weights are checked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from sexstrat.errors import ModelError
from sexstrat.models.architecture import Architecture, architecture_from_json, architecture_to_json
from sexstrat.models.card_contract import breaches, card_contract

__all__ = ["GoldenOutput", "ModelCard", "card_from_json", "card_to_json", "read_card", "write_card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenOutput:
    """What the weights give for one synthetic input: a probability, or years of a model that estimates age.

    Parameters
    ----------
    seed : number of the input, see :func:`sexstrat.models.golden.golden_input`.
    prob_male : the probability that the reference runtime gave; None of a model of age.
    age_years : the age that the reference runtime gave; None of a model of sex.
    """

    seed: int
    prob_male: float | None = None
    age_years: float | None = None

    @property
    def value(self) -> float:
        """The probability or the age, whichever it is."""
        return float(self.age_years if self.prob_male is None else self.prob_male)  # type: ignore[arg-type]


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
    scaling: Literal["tf", "torch", "raw", "unit"]
    channel_order: Literal["RGB", "BGR"]
    output_kind: Literal["logit", "sigmoid", "softmax", "age_years"]
    class_order: tuple[str, ...]
    views: Literal["as_taken", "both", "as_left_eye"]
    training_ages: tuple[float, float]
    terms: str
    golden: tuple[GoldenOutput, ...]
    golden_tolerance: float = 1e-4
    positive_class: Literal["male", "none"] = "male"
    weights_format: Literal["npz", "keras", "h5", "onnx", "saved_model"] = "npz"
    architecture: Architecture | None = None
    statement: str = ""
    intended_use: str = ""
    training_data: dict[str, Any] = field(default_factory=dict)
    performance: tuple[dict[str, Any], ...] = ()
    failure_modes: tuple[str, ...] = ()
    citation: tuple[str, ...] = ()
    acknowledgement: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    exports: tuple[dict[str, Any], ...] = ()
    schema_version: int = 1

    def __post_init__(self) -> None:
        problem = _contradiction(self)
        if problem:
            raise ModelError(f"model card: {problem}")

    @property
    def units(self) -> int:
        """Number of values that the network gives."""
        return max(1, len(self.class_order))

    @property
    def surroundings(self) -> Architecture:
        """What stands before and after the backbone: mean pooling and one dense layer, unless the card says more."""
        return Architecture.plain(self.units) if self.architecture is None else self.architecture


_CLASS_ORDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "logit": (("male",), ("female",)),
    "sigmoid": (("male",), ("female",)),
    "softmax": (("female", "male"), ("male", "female")),
    "age_years": ((),),
}
_SUFFIXES = {"npz": (".npz",), "keras": (".keras",), "h5": (".h5", ".hdf5"), "onnx": (".onnx",)}


def _contradiction(card: ModelCard) -> str:
    """Say where two fields of a card do not go together, or nothing."""
    allowed, age = _CLASS_ORDERS[card.output_kind], card.output_kind == "age_years"
    suffix = Path(card.weights_file).suffix
    if card.class_order not in allowed:
        found, want = list(card.class_order), " or ".join(str(list(order)) for order in allowed)
        return f"class_order {found} does not fit a {card.output_kind}; allowed: {want}"
    if (card.positive_class == "none") != age:
        return f"positive_class {card.positive_class!r} does not fit {card.output_kind}; only age_years has none"
    if suffix not in _SUFFIXES.get(card.weights_format, (suffix,)):
        suffixes = " or ".join(_SUFFIXES[card.weights_format])
        return f"weights_file is {card.weights_file!r}; allowed for the format {card.weights_format}: {suffixes}"
    if card.architecture is not None and card.architecture.units != card.units:
        return f"the architecture's head gives {card.architecture.units} values; {card.output_kind} has {card.units}"
    if card.input_size > card.prepared_size:
        return f"input_size {card.input_size} is larger than prepared_size {card.prepared_size}"
    if not card.golden:
        return "golden is empty; without golden outputs a model cannot be checked"
    if any((row.age_years is None) == age or (row.prob_male is None) != age for row in card.golden):
        return f"each golden row of a model of {card.output_kind} needs {'age_years' if age else 'prob_male'} alone"
    return ""


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
    values["golden"] = [{k: v for k, v in row.items() if v is not None} for row in values["golden"]]
    values["architecture"] = None if card.architecture is None else architecture_to_json(card.architecture)
    if not card.exports:
        del values["exports"]
    ordered = {name: values[name] for name in card_contract()["properties"] if values.get(name) is not None}
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
    problems = breaches(values) if isinstance(values, dict) else ["the top level must be an object"]
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise ModelError(f"{source}: {len(problems)} {noun}: " + "; ".join(problems))
    known = {entry.name for entry in fields(ModelCard)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    values = {name: value for name, value in values.items() if name in known}
    values["golden"] = tuple(_golden_row(row, source) for row in values["golden"])
    if "architecture" in values:
        values["architecture"] = architecture_from_json(values["architecture"])
    return ModelCard(**values)


def _golden_row(row: dict[str, Any], source: str) -> GoldenOutput:
    seed, rest = row.get("seed"), {name: value for name, value in row.items() if name != "seed"}
    whole = isinstance(seed, int) and not isinstance(seed, bool) and 0 < seed < 1000
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in rest.values())
    if not whole or set(rest) not in ({"prob_male"}, {"age_years"}) or not numbers:
        raise ModelError(f"{source}: each golden row needs a whole seed and a prob_male, or an age_years; found {row}")
    return GoldenOutput(seed=int(row["seed"]), **{name: float(value) for name, value in rest.items()})
