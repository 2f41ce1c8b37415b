"""Rebuild the network of a full model file: its configuration tells what to build, its arrays fill it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from sexstrat.errors import ModelError
from sexstrat.models.architecture import Architecture, Preface, rebuild
from sexstrat.models.backbones import BACKBONES
from sexstrat.models.filling import check_nothing_left, fill_layer, fill_normalization
from sexstrat.models.graph_match import GraphMatch, match_graphs
from sexstrat.models.graph_parts import preface_of, tail_of
from sexstrat.models.hdf5_reading import StoredArray
from sexstrat.models.layer_graph import LayerGraph, LayerNode, graph_of
from sexstrat.models.stored_layers import StoredLayers

__all__ = ["Rebuilt", "architecture_of", "backbone_of", "rebuild_from_graph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """A network made from code that holds the weights of a file.

    Parameters
    ----------
    network : Keras model; its output ``sex`` holds logits or years.
    backbone : one of the sixteen.
    architecture : what stands before and after the backbone.
    input_size : side of the input in pixels that the file demands; None when it does not say.
    output_activation : what the file's network applies to its last values; None when it does not say.
    """

    network: Any
    backbone: str
    architecture: Architecture
    input_size: int | None
    output_activation: str | None


def backbone_of(arrays: Mapping[str, StoredArray]) -> str:
    """Tell the backbone by the number of values in the convolution kernels.

    Parameters
    ----------
    arrays : every array of a file.

    Returns
    -------
    Name of the backbone.

    Raises
    ------
    ModelError
        The kernels are those of none of the sixteen.

    Examples
    --------
    >>> backbone_of({"dense/kernel": StoredArray(shape=(9, 1), source=None)})
    Traceback (most recent call last):
    sexstrat.errors.ModelError: the file's convolution kernels hold 0 values, as none of the sixteen backbones has
    """
    kernels = [array.shape for array in arrays.values() if len(array.shape) == 4 and array.shape[-1] > 2]
    total = sum(prod(shape) for shape in kernels)
    for name, entry in BACKBONES.items():
        if entry.kernel_values == total:
            return name
    raise ModelError(f"the file's convolution kernels hold {total:,} values, as none of the sixteen backbones has")


def architecture_of(network: Any) -> Architecture:
    """Return what stands before and after the backbone of a network that this library built.

    Parameters
    ----------
    network : Keras model of :func:`sexstrat.models.architecture.rebuild`.
    """
    graph = graph_of(json.loads(network.to_json()))
    tail = tail_of(graph)
    given = next((node.settings for node in graph.nodes.values() if node.name == "preface"), None)
    preface = None if given is None else Preface(scale=given["scale"], offset=given["offset"])
    return Architecture(head=tail.head, pooling=tail.pooling, preface=preface)


def rebuild_from_graph(theirs: LayerGraph, stored: StoredLayers) -> Rebuilt:
    """Build the network of a file from code and fill it.

    Parameters
    ----------
    theirs : graph of the file's configuration.
    stored : the file's arrays.

    Returns
    -------
    The network.

    Raises
    ------
    ModelError
        The network is not a backbone of the sixteen with a head, or weights are missing, left over or misshapen.
    """
    name = backbone_of(stored.arrays)
    tail = tail_of(theirs)
    used: set[int] = set()
    bare = Architecture(head=tail.head, pooling=tail.pooling)
    ours, match = _matched(name, bare, theirs, tail.features)
    preface = preface_of(theirs, match.entrance, lambda node: _moments(node, stored, theirs, used))
    architecture = replace(bare, preface=preface)
    if preface is not None:
        ours, match = _matched(name, architecture, theirs, tail.features)
    for key, node in match.layers.items():
        layer = ours.get_layer(key)
        arrays = stored.of(node, theirs)
        if node.kind == "Normalization":
            fill_normalization(layer, arrays, node.settings, match.deviation_scale, used)
        elif layer.weights or arrays:
            fill_layer(layer, arrays, used)
    heads = [layer for layer in ours.layers if layer.name.startswith("head_")]
    for layer, node in zip(heads, tail.layers, strict=True):
        fill_layer(layer, stored.of(node, theirs), used)
    check_nothing_left(stored.arrays, used)
    return Rebuilt(
        network=ours,
        backbone=name,
        architecture=architecture,
        input_size=theirs.input_size,
        output_activation=tail.output_activation,
    )


def _matched(name: str, architecture: Architecture, theirs: LayerGraph, features: str) -> tuple[Any, GraphMatch]:
    network = rebuild(name, architecture, theirs.input_size)
    ours = graph_of(json.loads(network.to_json()))
    return network, match_graphs(ours, ours.nodes["pooled"].inputs[0], theirs, features)


def _moments(node: LayerNode, stored: StoredLayers, graph: LayerGraph, used: set[int]) -> tuple[object, object]:
    """Return mean and variance of a scaling layer, from its settings or its arrays."""
    if node.settings["mean"] is not None:
        return node.settings["mean"], node.settings["variance"]
    arrays = stored.of(node, graph)
    mean, variance = arrays.get("mean", arrays.get("0")), arrays.get("variance", arrays.get("1"))
    if mean is None or variance is None:
        raise ModelError(f"layer {node.name!r} of the file has neither mean nor variance")
    used.update(id(array) for array in arrays.values())
    return tuple(np.asarray(array.read((3,), f"a moment of layer {node.name!r}")) for array in (mean, variance))  # type: ignore[return-value]
