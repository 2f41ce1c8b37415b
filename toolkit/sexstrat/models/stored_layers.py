"""Where each way of saving keeps the arrays of a layer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from sexstrat.errors import ModelError
from sexstrat.models.hdf5_reading import StoredArray, stored_arrays, text_list_attribute
from sexstrat.models.layer_graph import LayerGraph, LayerNode

__all__ = ["LayerArrays", "NamedLayers", "NumberedLayers", "StoredLayers", "layers_in_hdf5", "numbered_names"]

LayerArrays = Mapping[str, StoredArray]
"""Arrays of one layer, by the name of the weight or, where the file only counts, by its number."""

_STATE = ("seed_generator", "StateVar", "random_generator", "seed_gen_state")


class StoredLayers(Protocol):
    """Arrays of a file, to be asked for by layer."""

    @property
    def arrays(self) -> dict[str, StoredArray]:
        """Every array by path."""

    def of(self, node: LayerNode, graph: LayerGraph) -> LayerArrays:
        """Return the arrays of one layer of a graph."""


def _without_state(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """Leave out what random layers keep, which is of training only."""
    return {path: array for path, array in arrays.items() if not any(word in path for word in _STATE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLayers:
    """Groups named as the layers, each with the names of its weights: Keras 2, and ``.h5`` of Keras 3.

    Parameters
    ----------
    arrays : every array by path.
    groups : for each outermost layer, its weights' names (``conv1/kernel:0``) and paths, in order.
    """

    arrays: dict[str, StoredArray]
    groups: dict[str, list[tuple[str, str]]]

    def of(self, node: LayerNode, graph: LayerGraph) -> LayerArrays:
        """Return the arrays of one layer of a graph."""
        entries = self.groups.get(node.scope[0] if node.scope else node.name, [])
        if not node.scope:
            return {_weight(name): self.arrays[path] for name, path in entries}
        exact = [entry for entry in entries if _layer(entry[0]) == node.name]
        chosen = exact or [entry for entry in entries if f"/{_layer(entry[0])}".endswith(f"/{node.name}")]
        if len({_layer(name) for name, _ in chosen}) > 1:
            raise ModelError(f"the file holds several layers {node.name!r}; their weights cannot be told apart")
        return {_weight(name): self.arrays[path] for name, path in chosen}

    def in_order(self) -> list[tuple[str, LayerArrays]]:
        """Return every layer with weights, as the file lists them, with its name."""
        found: dict[tuple[str, str], dict[str, StoredArray]] = {}
        for group, entries in self.groups.items():
            nested = len({_weight(name) for name, _ in entries}) < len(entries)
            for name, path in entries:
                layer = _layer(name) if nested else group
                found.setdefault((group, layer), {})[_weight(name)] = self.arrays[path]
        return [(layer, arrays) for (_, layer), arrays in found.items()]


def _layer(weight: str) -> str:
    return weight.rpartition("/")[0]


def _weight(name: str) -> str:
    return name.rpartition("/")[2].split(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedLayers:
    """Groups ``layers/<class>_<number>/vars/<number>``: ``.keras`` and ``.weights.h5``.

    Parameters
    ----------
    arrays : every array by path.
    groups : paths of all groups, those without arrays included.
    layers : the arrays of each layer by number, by the path of the layer's group.
    """

    arrays: dict[str, StoredArray]
    groups: frozenset[str]
    layers: dict[str, dict[str, StoredArray]]

    def of(self, node: LayerNode, graph: LayerGraph) -> LayerArrays:
        """Return the arrays of one layer of a graph."""
        path = ""
        for depth in range(len(node.scope) + 1):
            scope, name = node.scope[:depth], (*node.scope, node.name)[depth]
            path += f"layers/{numbered_names(graph.members[scope])[name]}/"
        return self.layers.get(path.rstrip("/"), {})


@lru_cache(maxsize=64)
def numbered_names(members: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the names that Keras gives the layers of one model in a file that only counts.

    Parameters
    ----------
    members : name and kind of every layer in order.

    Returns
    -------
    Class name in small letters with a number, by layer name.

    Examples
    --------
    >>> numbered_names((("a", "Conv2D"), ("b", "ReLU"), ("c", "Conv2D")))
    {'a': 'conv2d', 'b': 're_lu', 'c': 'conv2d_1'}
    """
    counts: dict[str, int] = {}
    names = {}
    for name, kind in members:
        small = _snake(kind)
        number = counts.get(small, 0)
        counts[small] = number + 1
        names[name] = f"{small}_{number}" if number else small
    return names


def _snake(name: str) -> str:
    parted = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", parted).lower()


def layers_in_hdf5(file: Any) -> NamedLayers | NumberedLayers:
    """Find out how an HDF5 file keeps its layers, and list them.

    Parameters
    ----------
    file : opened h5py file.

    Returns
    -------
    The layers.

    Raises
    ------
    ModelError
        It is neither of the two ways in which Keras keeps weights.
    """
    every = _without_state(stored_arrays(file))
    inner = "model_weights" in file
    root = file["model_weights"] if inner else file  # no link leads elsewhere: that is checked by now
    arrays = {path.removeprefix("model_weights/"): array for path, array in every.items()} if inner else every
    names = text_list_attribute(root.attrs, "layer_names")
    if names is not None:
        return NamedLayers(arrays=arrays, groups=_named_groups(root, names, arrays))
    if "layers" not in root:
        raise ModelError("the HDF5 file does not keep weights as Keras does: neither layer_names nor layers")
    groups: list[str] = []
    root.visit(groups.append)  # after the check of every link
    layers: dict[str, dict[str, StoredArray]] = {}
    for path, array in arrays.items():
        layer, _, number = path.rpartition("/vars/")
        layers.setdefault(layer, {})[number] = array
    return NumberedLayers(arrays=arrays, groups=frozenset(path for path in groups if path not in arrays), layers=layers)


def _named_groups(root: Any, names: list[str], arrays: Mapping[str, StoredArray]) -> dict[str, list[tuple[str, str]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in [*names, *(["top_level_model_weights"] if "top_level_model_weights" in root else [])]:
        if name not in root or name in groups:
            raise ModelError(f"the file lists the layer {name!r:.80} and holds it not, or lists it twice")
        weights = text_list_attribute(root[name].attrs, "weight_names") or []
        groups[name] = [
            (weight, f"{name}/{weight}") for weight in weights if not any(word in weight for word in _STATE)
        ]
        lacking = [path for _, path in groups[name] if path not in arrays]
        if lacking:
            raise ModelError(f"the file lists the array {lacking[0]!r:.80} and does not hold it")
    return groups
