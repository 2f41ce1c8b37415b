"""Read the SavedModel folder of Keras 2 as data: its configuration and its arrays; its graph is never run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.hdf5_reading import StoredArray
from sexstrat.models.keras_archive import json_object
from sexstrat.models.layer_graph import LayerGraph, LayerNode
from sexstrat.models.protobuf import fields_of
from sexstrat.models.stored_layers import LayerArrays

__all__ = ["SavedLayers", "read_saved_model"]

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = b"VARIABLE_VALUE"
_LAYER = b"layer_with_weights-"
_DEEPEST = 6
_WITH_WEIGHTS = (
    "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "BatchNormalization", "Dense", "Normalization", "Functional",
    "Model", "Sequential",
)  # fmt: skip
_LARGEST = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLayers:
    """Arrays of a checkpoint, under ``layer_with_weights-<number>``.

    Parameters
    ----------
    arrays : every array by path.
    """

    arrays: dict[str, StoredArray]

    def of(self, node: LayerNode, graph: LayerGraph) -> LayerArrays:
        """Return the arrays of one layer of a graph."""
        path = ""
        for depth in range(len(node.scope) + 1):
            name = (*node.scope, node.name)[depth]
            weighted = [entry[0] for entry in graph.members[node.scope[:depth]] if entry[1] in _WITH_WEIGHTS]
            if name not in weighted:
                return {}
            path += f"layer_with_weights-{weighted.index(name)}/"
        return {name[len(path) :]: array for name, array in self.arrays.items() if name.startswith(path)}


@dataclass(frozen=True, slots=True)
class _Variable:
    """One variable of a checkpoint, read when it is asked for."""

    reader: Any
    name: str

    def __getitem__(self, key: tuple[()]) -> Any:
        return self.reader.get_tensor(self.name)


def read_saved_model(folder: Path) -> tuple[dict[str, Any], SavedLayers]:
    """Return configuration and arrays of a SavedModel folder.

    Parameters
    ----------
    folder : the folder, trusted by its user: TensorFlow's own checkpoint reader opens its files.

    Returns
    -------
    The parsed configuration, and the arrays.

    Raises
    ------
    ModelError
        Keras's metadata or the variables are missing or damaged.
    """
    import tensorflow as tf

    metadata = folder / "keras_metadata.pb"
    if not metadata.is_file() or metadata.stat().st_size > _LARGEST:
        raise ModelError(
            f"{folder} has no keras_metadata.pb, so its layers cannot be known; allowed: a SavedModel of Keras 2. "
            "Save the weights alone (save_weights) and name the backbone"
        )
    try:
        reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        shapes = reader.get_variable_to_shape_map()
    except (tf.errors.OpError, ValueError, RuntimeError) as err:
        raise ModelError(f"the variables of {folder} cannot be read: {err}") from err
    graph = reader.get_tensor(_OBJECT_GRAPH) if _OBJECT_GRAPH in shapes else b""
    arrays = {
        path: StoredArray(shape=tuple(shapes[key]), source=_Variable(reader, key))
        for path, key in _variable_keys(graph)
        if key in shapes
    }
    return _configuration(metadata), SavedLayers(arrays=arrays)


def _variable_keys(graph: bytes) -> Iterator[tuple[str, str]]:
    """Yield the path of every weight through the layers that hold it, and its name in the checkpoint.

    A checkpoint names a variable by the shortest way to it, which for a nested model is not the one through its
    layers; the object graph tells all ways: nodes with children (1: node, name) and attributes (2: name, key).
    """
    nodes = [_node(value) for number, value in fields_of(graph) if number == 1 and isinstance(value, bytes)]
    waiting: list[tuple[int, str, int]] = [(0, "", 0)] if nodes else []
    while waiting:
        place, path, depth = waiting.pop()
        for name, child in nodes[place][0].items():
            if not 0 <= child < len(nodes) or depth > _DEEPEST:
                raise ModelError("the checkpoint's object graph is damaged")
            key = nodes[child][1]
            if name.startswith(_LAYER):
                waiting.append((child, f"{path}{name.decode()}/", depth + 1))
            elif key is not None and depth > 0:
                yield f"{path}{name.decode()}", key


def _node(node: bytes) -> tuple[dict[bytes, int], str | None]:
    """Return children by name, and the key of the node's own value."""
    children: dict[bytes, int] = {}
    key = None
    for number, value in fields_of(node):
        if not isinstance(value, bytes) or number not in (1, 2):
            continue
        inner = dict(fields_of(value))
        name, held = inner.get(2), inner.get(3)
        if number == 1 and isinstance(name, bytes):
            child = inner.get(1, 0)
            children[name] = child if isinstance(child, int) else -1
        elif number == 2 and inner.get(1) == _VALUE and isinstance(held, bytes):
            key = held.decode("utf-8", errors="replace")
    return children, key


def _configuration(metadata: Path) -> dict[str, Any]:
    """Find the network's configuration: the metadata of the root node, JSON within a protocol buffer."""
    for text in _node_metadata(metadata.read_bytes()):
        values = json_object(text, str(metadata))
        if values.get("class_name") in ("Functional", "Sequential", "Model") and "config" in values:
            return {"class_name": values["class_name"], "config": values["config"]}
    raise ModelError(f"{metadata} tells no Functional or Sequential model")


def _node_metadata(data: bytes) -> Iterator[bytes]:
    """Yield the metadata of each node: field 1 of the file are nodes, field 5 of a node is its metadata."""
    for number, node in fields_of(data):
        if number == 1 and isinstance(node, bytes):
            yield from (value for field, value in fields_of(node) if field == 5 and isinstance(value, bytes))
