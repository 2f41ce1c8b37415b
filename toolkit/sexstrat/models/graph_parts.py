"""Divide a file's network into scaling, backbone, pooling and head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sexstrat.errors import ModelError
from sexstrat.models.architecture import HeadLayer, Preface
from sexstrat.models.layer_graph import LayerGraph, LayerNode

__all__ = ["Tail", "preface_of", "tail_of"]

_POOLING = {"GlobalAveragePooling2D": "average", "GlobalMaxPooling2D": "max", "Flatten": "flatten"}
_AFTER_POOLING = ("Flatten", "Reshape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What a file's network does after its backbone.

    Parameters
    ----------
    features : key of the backbone's last layer.
    pooling : how its output becomes one vector.
    head : layers after pooling, the last without activation.
    layers : the file's layer for each of ``head``.
    output_activation : what is applied to the last values: linear, sigmoid, softmax or another.
    """

    features: str
    pooling: str
    head: tuple[HeadLayer, ...]
    layers: tuple[LayerNode, ...]
    output_activation: str


def tail_of(graph: LayerGraph) -> Tail:
    """Walk from the output back to the pooling.

    Parameters
    ----------
    graph : the file's network.

    Returns
    -------
    Head and pooling.

    Raises
    ------
    ModelError
        There is something else than pooling, dense, normalisation and activation layers.
    """
    key, nodes = graph.output, list[LayerNode]()
    while True:
        node = graph.nodes[key]
        if node.kind in _POOLING and not _only_drops_sides(graph, node):
            break
        if len(node.inputs) != 1 or len(nodes) > 40:
            raise ModelError(f"the head's layer {node.name!r} ({node.kind}) is not one that can be rebuilt")
        nodes.append(node)
        key = node.inputs[0]
    head: list[tuple[HeadLayer, LayerNode]] = []
    for node in reversed(nodes):
        _extend(head, node)
    if not head or head[-1][0].kind not in ("dense", "activation"):
        raise ModelError("the file's network does not end in a dense layer")
    layers, final = _without_last_activation(head)
    return Tail(
        features=graph.nodes[key].inputs[0],
        pooling=_POOLING[graph.nodes[key].kind],
        head=tuple(layer for layer, _ in layers),
        layers=tuple(node for _, node in layers),
        output_activation=final,
    )


def _only_drops_sides(graph: LayerGraph, node: LayerNode) -> bool:
    """Whether a Flatten stands after global pooling, where it changes nothing but the shape."""
    source = graph.nodes[node.inputs[0]]
    return node.kind == "Flatten" and (
        source.kind in ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Dense", "Conv2D")
    )


def _extend(head: list[tuple[HeadLayer, LayerNode]], node: LayerNode) -> None:
    settings = node.settings
    if node.kind in _AFTER_POOLING:
        return
    if node.kind == "Dense":
        layer = HeadLayer(
            kind="dense", units=settings["units"], activation=settings["activation"], use_bias=settings["use_bias"]
        )
    elif node.kind == "Conv2D" and settings["kernel_size"] == (1, 1) and settings["groups"] == 1:
        layer = HeadLayer(  # MobileNet's own top is a convolution over one pixel, which is a dense layer
            kind="dense", units=settings["filters"], activation=settings["activation"], use_bias=settings["use_bias"]
        )
    elif node.kind == "BatchNormalization" and settings["axis"] in (-1, 1):
        layer = HeadLayer(
            kind="batch_normalization", epsilon=settings["epsilon"], center=settings["center"], scale=settings["scale"]
        )
    else:
        layer = HeadLayer(kind="activation", activation=_activation_of(node))
    head.append((layer, node))


def _activation_of(node: LayerNode) -> str:
    settings = node.settings
    if node.kind == "Activation":
        return str(settings["activation"])
    if node.kind == "Softmax" and settings["axis"] == -1:
        return "softmax"
    if node.kind == "ReLU" and settings["negative_slope"] == 0 and settings["threshold"] == 0:
        bound = settings["max_value"]
        if bound is None or bound == 6:
            return "relu" if bound is None else "relu6"
    raise ModelError(f"the head's layer {node.name!r} ({node.kind}) is not one that can be rebuilt")


def _without_last_activation(
    head: list[tuple[HeadLayer, LayerNode]],
) -> tuple[list[tuple[HeadLayer, LayerNode]], str]:
    last, node = head[-1]
    final = last.activation
    layers = head[:-1]
    if last.kind == "activation":
        if not layers or layers[-1][0].kind != "dense" or layers[-1][0].activation != "linear":
            raise ModelError("the file's network ends in two activations; allowed: one")
        last, node = layers.pop()
    bare = HeadLayer(kind="dense", units=last.units, use_bias=last.use_bias)
    return [*layers, (bare, node)], final


def preface_of(
    graph: LayerGraph, entrance: str, moments: Callable[[LayerNode], tuple[object, object]]
) -> Preface | None:
    """Gather the scaling between the input and the backbone.

    Parameters
    ----------
    graph : the file's network.
    entrance : key of the layer that feeds the backbone.
    moments : returns mean and variance of a Normalization layer.

    Returns
    -------
    The scaling, or None when the backbone takes the input as it is.

    Raises
    ------
    ModelError
        There is something else than scaling.
    """
    chain: list[LayerNode] = []
    key = entrance
    while graph.nodes[key].kind != "InputLayer":
        node = graph.nodes[key]
        if node.kind not in ("Rescaling", "Normalization") or len(node.inputs) != 1 or len(chain) > 20:
            raise ModelError(f"layer {node.name!r} ({node.kind}) before the backbone is not a scaling")
        chain.append(node)
        key = node.inputs[0]
    if not chain:
        return None
    scale, offset = np.ones(3), np.zeros(3)
    for node in reversed(chain):
        if node.kind == "Rescaling":
            factor, shift = _channels(node.settings["scale"]), _channels(node.settings["offset"])
        else:
            mean, variance = (_channels(value) for value in moments(node))
            factor = 1 / np.maximum(np.sqrt(variance), 1e-7)
            shift = -mean * factor
        scale, offset = scale * factor, offset * factor + shift
    return Preface(scale=tuple(scale.tolist()), offset=tuple(offset.tolist()))


def _channels(value: object) -> np.ndarray:
    numbers = np.asarray(value, dtype=np.float64).reshape(-1)
    if numbers.size not in (1, 3) or not np.isfinite(numbers).all():
        raise ModelError(f"a scaling layer has {numbers.size} numbers; allowed: one, or one a colour channel")
    return np.broadcast_to(numbers, 3).copy()
