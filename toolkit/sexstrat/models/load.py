"""Load a model: rebuild it from code, give it checked weights, compare its golden outputs."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.architecture import rebuild
from sexstrat.models.card import ModelCard, card_to_json, read_card
from sexstrat.models.golden import check_golden
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.model_files import file_format, rebuild_from_file
from sexstrat.models.onnx_model import read_onnx
from sexstrat.models.runtime import make_forward, precision_named
from sexstrat.models.weights import load_weights, weights_sha256

__all__ = ["CARD_NAME", "card_path_of", "load_model", "load_unchecked", "shipped_card"]

CARD_NAME = "card.json"

_ACTIVATIONS = {
    "logit": ("linear",),
    "sigmoid": ("sigmoid",),
    "softmax": ("softmax", "linear"),
    "age_years": ("linear", "relu"),
}
"""What a file's network may apply to its last values, by the card's kind of output."""


def load_model(
    source: str | Path | None = None, *, runtime: str = "keras", precision: str = "float32", trust: bool = False
) -> LoadedModel:
    """Load a model and refuse it unless everything fits.

    The network is rebuilt from code; the file gives arrays and, as plain data, how its layers are joined. Its SHA-256
    and the golden outputs must be those of the card. An ONNX file is run by OpenVINO, whatever runtime is asked for.

    Parameters
    ----------
    source : a card's JSON file, or a folder with ``card.json``; None is the shipped demonstration model.
    runtime : what carries out the forward pass; see ``RUNTIMES``.
    precision : arithmetic of the forward pass; see ``PRECISIONS``. Golden outputs hold to the card's tolerance in
        float32, to 0.15 in bfloat16.
    trust : whether the maker of a SavedModel is trusted; other formats need no trust.

    Returns
    -------
    The model.

    Raises
    ------
    ModelError
        Card or weights are missing, damaged or do not belong together, or a golden output differs.
    """
    if source is None:
        with as_file(files("sexstrat.models.shipped")) as folder:
            return load_model(folder, runtime=runtime, precision=precision)
    path = card_path_of(source)
    card = read_card(path)
    weights = path.parent / card.weights_file
    if not weights.exists():
        raise ModelError(f"the weights file {card.weights_file} is not beside its card {path}")
    digest = weights_sha256(weights)
    if digest != card.weights_sha256:
        raise ModelError(
            f"the weights file {weights} is not the one of its card: SHA-256 {digest}, expected {card.weights_sha256}"
        )
    model = load_unchecked(card, weights, runtime=runtime, precision=precision, trust=trust)
    check_golden(model)
    return model


def card_path_of(source: str | Path) -> Path:
    """Return the path of the card that a user names by its file or by its folder.

    Parameters
    ----------
    source : a card's JSON file, or a folder with ``card.json``.

    Returns
    -------
    The file's path.

    Raises
    ------
    ModelError
        It is another kind of file.

    Examples
    --------
    >>> card_path_of("model.h5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sexstrat.errors.ModelError: model.h5 is not a model card; ...
    """
    place = Path(source)
    path = place / CARD_NAME if place.is_dir() else place
    if path.suffix != ".json":
        raise ModelError(
            f"{path} is not a model card; give a card's .json file or a folder that holds {CARD_NAME} "
            f"(sexstrat models card {path} writes one)"
        )
    return path


def load_unchecked(
    card: ModelCard, weights: Path, *, runtime: str = "keras", precision: str = "float32", trust: bool = False
) -> LoadedModel:
    """Load a model without comparing its digest and its golden outputs, in order to make or to check them.

    Parameters
    ----------
    card : what is said of the model.
    weights : the weights file.
    runtime, precision, trust : as in :func:`load_model`.

    Returns
    -------
    The model.

    Raises
    ------
    ModelError
        Card and file do not fit, or the file cannot be used.
    """
    precision = precision_named(precision)
    form = file_format(weights)
    if form != card.weights_format:
        raise ModelError(f"{weights} is a {form} file; the card says {card.weights_format}")
    runtime = "openvino" if form == "onnx" else runtime
    build = cache(lambda: _network(card, weights, trust))
    forward = make_forward(build, runtime, identity=card_to_json(card), size=card.input_size, precision=precision)
    network = build() if runtime == "keras" else None
    return LoadedModel(card=card, network=network, forward=forward, runtime=runtime, precision=precision)


def _network(card: ModelCard, weights: Path, trust: bool) -> Any:
    if card.weights_format == "npz":
        network = rebuild(card.backbone, card.surroundings, card.input_size)
        load_weights(network, weights)
        return network
    if card.weights_format == "onnx":
        read = read_onnx(weights, card.input_size)
        _check_output(card, read.output_activation, read.units)
        return read.network
    found = rebuild_from_file(weights, card.surroundings, card.input_size, trust=trust)
    if found.backbone != card.backbone:
        raise ModelError(f"{weights} holds the backbone {found.backbone}; the card says {card.backbone}")
    if found.input_size not in (None, card.input_size):
        raise ModelError(
            f"{weights} takes pictures of {found.input_size} pixels; the card says input_size {card.input_size}"
        )
    if card.architecture not in (None, found.architecture):
        raise ModelError(f"{weights} holds another head, pooling or input scaling than the card's architecture says")
    _check_output(card, found.output_activation, found.architecture.units)
    return found.network


def _check_output(card: ModelCard, activation: str | None, units: int) -> None:
    if units != card.units:
        raise ModelError(f"the network gives {units} values; the card's {card.output_kind} has {card.units}")
    allowed = _ACTIVATIONS[card.output_kind]
    if activation is not None and activation not in allowed:
        raise ModelError(
            f"the network ends in {activation}; the card's output kind {card.output_kind} needs {' or '.join(allowed)}"
        )


def shipped_card() -> ModelCard:
    """Return the card of the shipped demonstration model, without loading the model.

    Returns
    -------
    The card.

    Examples
    --------
    >>> card = shipped_card()
    >>> card.backbone, card.positive_class, card.output_kind
    ('mobilenet', 'male', 'logit')
    """
    with as_file(files("sexstrat.models.shipped")) as folder:
        return read_card(folder / CARD_NAME)
