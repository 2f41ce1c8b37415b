"""Write a network as ONNX, operator by operator, so that runtimes other than Keras can carry it out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from sexstrat.errors import ModelError
from sexstrat.models.layer_graph import LayerNode, graph_of
from sexstrat.models.onnx_layers import LAYER_WRITERS, activated
from sexstrat.models.onnx_writer import OnnxWriter

__all__ = ["onnx_bytes"]


def onnx_bytes(network: Any, size: int, *, ending: str = "") -> bytes:
    """Return a network as an ONNX file: pictures (n, size, size, 3) to values (n, units).

    Parameters
    ----------
    network : Keras model that this library built, with the output ``sex``.
    size : side of the square input in pixels.
    ending : operator after the last values: Sigmoid, Softmax, or "" for none.

    Returns
    -------
    The file.

    Raises
    ------
    ModelError
        A layer has no counterpart.
    """
    graph = graph_of(json.loads(network.to_json()))
    writer = OnnxWriter()
    names = {graph.input: writer.node("Transpose", ["pixels"], perm=[0, 3, 1, 2])}
    for key in _in_order(graph.nodes, graph.output):
        node = graph.nodes[key]
        if node.kind == "InputLayer":
            continue
        layer = network.get_layer(node.name)
        inputs = [names[source] for source in node.inputs]
        write = LAYER_WRITERS.get(node.kind)
        if write is None:
            raise ModelError(f"layer {node.name!r} ({node.kind}) has no counterpart in ONNX here")
        weights = {value.name: np.asarray(value) for value in layer.weights}
        names[key] = activated(
            writer, write(writer, node.settings, inputs, weights), node.settings.get("activation", "linear")
        )
    last = names[graph.output]
    writer.node(ending or "Identity", [last], output="sex", **({"axis": 1} if ending == "Softmax" else {}))
    units = int(network.output["sex"].shape[-1])
    return writer.model(size, units)


def _in_order(nodes: Mapping[str, LayerNode], output: str) -> list[str]:
    """Return the layers that the output needs, each after its inputs."""
    order: list[str] = []
    done: set[str] = set()
    waiting = [(output, False)]
    while waiting:
        key, ready = waiting.pop()
        if ready:
            order.append(key)
        elif key not in done:
            done.add(key)
            waiting.append((key, True))
            waiting += [(source, False) for source in nodes[key].inputs]
    return order
