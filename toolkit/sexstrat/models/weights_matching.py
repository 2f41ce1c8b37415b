"""Fill a network from a file of weights alone, which tells neither activations nor connections."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.architecture import Architecture, rebuild
from sexstrat.models.filling import check_nothing_left, fill_layer, fill_normalization
from sexstrat.models.layer_graph import graph_of
from sexstrat.models.rebuilding import Rebuilt, backbone_of
from sexstrat.models.stored_layers import LayerArrays, NamedLayers, NumberedLayers, numbered_names

__all__ = ["dense_shapes", "rebuild_from_weights"]

_AUTOMATIC = re.compile(r"(conv2d|separable_conv2d|depthwise_conv2d|batch_normalization|normalization)(?:_(\d+))?")
_RESCALING = re.compile(r"(?:.*/)?rescaling(_\d+)?")
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)  # as keras.applications.efficientnet has it

_LayersOfFile = dict[str, LayerArrays]


def rebuild_from_weights(
    stored: NamedLayers | NumberedLayers, architecture: Architecture, input_size: int | None
) -> Rebuilt:
    """Build a network from code by what a card says of it, and fill it from a file of weights alone.

    Parameters
    ----------
    stored : the file's arrays.
    architecture : what the card says stands before and after the backbone.
    input_size : side of the input in pixels.

    Returns
    -------
    The network.

    Raises
    ------
    ModelError
        Weights are missing, left over or misshapen, or the file has another number of rescaling layers.
    """
    name = backbone_of(stored.arrays)
    _check_rescaling(stored, name, architecture)
    network = rebuild(name, architecture, input_size)
    layers = [layer for layer in network.layers if layer.weights]
    base = [layer for layer in layers if not layer.name.startswith("head_")]
    head = [layer for layer in layers if layer.name.startswith("head_")]
    found, rest = _named(base, stored) if isinstance(stored, NamedLayers) else _numbered(network, base, stored)
    used: set[int] = set()
    scale = tuple(value**-0.5 for value in _IMAGENET_DEVIATION) if architecture.imagenet_rescaling else None
    for layer in base:
        if type(layer).__name__ == "Normalization":
            fill_normalization(layer, found[layer.name], {}, scale, used)
        else:
            fill_layer(layer, found[layer.name], used)
    _fill_head(head, rest, used)
    check_nothing_left(stored.arrays, used)
    return Rebuilt(network=network, backbone=name, architecture=architecture, input_size=None, output_activation=None)


def _check_rescaling(stored: NamedLayers | NumberedLayers, name: str, architecture: Architecture) -> None:
    groups = stored.groups
    number = sum(bool(_RESCALING.fullmatch(path)) for path in groups)
    efficient = name.startswith("efficientnet")
    expected = int(efficient) + int(architecture.imagenet_rescaling) + int(architecture.preface is not None)
    if number != expected:
        raise ModelError(
            f"the file lists {number} rescaling layers; the card's architecture has {expected}. An EfficientNet made "
            "from ImageNet weights has one more (imagenet_rescaling), a network that scales its own input a preface"
        )


def _named(base: list[Any], stored: NamedLayers) -> tuple[_LayersOfFile, list[LayerArrays]]:
    """Match by name; names that Keras counted (``conv2d_17``) by their rank."""
    theirs = {name.replace("/", "_"): arrays for name, arrays in stored.in_order()}  # Keras 2 writes conv1/conv
    found: _LayersOfFile = {}
    ranked = {kind: iter(names) for kind, names in _ranked(theirs).items()}
    for layer in sorted(base, key=lambda one: _number(one.name)):
        automatic = _AUTOMATIC.fullmatch(layer.name)
        source = next(ranked.get(automatic[1], iter(())), None) if automatic else layer.name
        if source is None or source not in theirs:
            raise ModelError(f"the file holds no weights for the backbone's layer {layer.name!r}")
        found[layer.name] = theirs.pop(source)
    return found, list(theirs.values())


def _ranked(names: _LayersOfFile) -> dict[str, list[str]]:
    ranks = defaultdict(list)
    for name in sorted(names, key=_number):
        automatic = _AUTOMATIC.fullmatch(name)
        if automatic:
            ranks[automatic[1]].append(name)
    return dict(ranks)


def _number(name: str) -> int:
    automatic = _AUTOMATIC.fullmatch(name)
    return int(automatic[2] or 0) if automatic else 0


def _numbered(network: Any, base: list[Any], stored: NumberedLayers) -> tuple[_LayersOfFile, list[LayerArrays]]:
    """Match by class and number within the part of the file that holds the convolutions."""
    by_layer = dict(stored.layers)
    kernels: dict[str, int] = defaultdict(int)
    for layer, arrays in by_layer.items():
        kernels[layer.rpartition("/")[0]] += sum(len(array.shape) == 4 for array in arrays.values())
    container = max(kernels, key=lambda place: kernels[place])
    members = graph_of(json.loads(network.to_json())).members[()]
    names = numbered_names(tuple(entry for entry in members if entry[0] != "preface"))
    found: _LayersOfFile = {}
    for layer in base:
        path = f"{container}/{names[layer.name]}"
        if path not in by_layer:
            raise ModelError(f"the file holds no weights for the backbone's layer {layer.name!r} ({path})")
        found[layer.name] = by_layer.pop(path)
    return found, [by_layer[path] for path in sorted(by_layer, key=_natural)]


def _natural(path: str) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D+?)_?(\d*)(?=/|$)", path)]


def _fill_head(head: list[Any], rest: list[LayerArrays], used: set[int]) -> None:
    if len(head) != len(rest):
        raise ModelError(
            f"the file holds {len(rest)} head layers with weights; the card's architecture has {len(head)}"
        )
    waiting = {size: [arrays for arrays in rest if (len(arrays) > 2) == size] for size in (False, True)}
    for layer in head:
        normalises = type(layer).__name__ == "BatchNormalization"
        if not waiting[normalises]:
            raise ModelError(f"the file holds no weights for the head's layer {layer.name!r}")
        fill_layer(layer, waiting[normalises].pop(0), used)


def dense_shapes(stored: NamedLayers | NumberedLayers) -> list[tuple[int, int]]:
    """Return inputs and outputs of every dense layer of a file, in its order.

    Parameters
    ----------
    stored : the file's arrays.
    """
    shapes = [(path, array.shape) for path, array in stored.arrays.items() if len(array.shape) == 2]
    if isinstance(stored, NumberedLayers):
        shapes.sort(key=lambda entry: _natural(entry[0]))
    else:
        order = [path for entries in stored.groups.values() for _, path in entries]
        shapes.sort(key=lambda entry: order.index(entry[0]))
    return [(shape[0], shape[1]) for _, shape in shapes]
