"""Lay the graph of a file over the graph of the network rebuilt from code, layer by layer from the features back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.layer_graph import LayerGraph, LayerNode

__all__ = ["GraphMatch", "match_graphs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphMatch:
    """Which layer of the file is which of the rebuilt network.

    Parameters
    ----------
    layers : the file's layer by the key of ours.
    entrance : key of the file's layer that feeds the backbone.
    deviation_scale : the file's network multiplies by these numbers after its first normalisation, as an
        EfficientNet made from ImageNet weights does; None when it does not.
    """

    layers: Mapping[str, LayerNode]
    entrance: str
    deviation_scale: tuple[float, ...] | None


def match_graphs(ours: LayerGraph, our_output: str, theirs: LayerGraph, their_output: str) -> GraphMatch:
    """Match two networks from an output back to the input.

    Every pair must be of one kind, do the same arithmetic and take its inputs from a pair. So a network with the
    right shapes and another stride, activation or epsilon is found out.

    Parameters
    ----------
    ours, theirs : graphs of the rebuilt network and of the file.
    our_output, their_output : keys of the layers to begin with.

    Returns
    -------
    The match.

    Raises
    ------
    ModelError
        The networks differ; the first layers that do are named.
    """
    pairs: dict[str, str] = {}
    taken: dict[str, str] = {}
    entrance, deviation_scale = "", None
    waiting = [(our_output, their_output)]
    while waiting:
        mine, other = waiting.pop()
        if mine in pairs or other in taken:
            if pairs.get(mine) != other:
                raise ModelError(f"the file joins {theirs.nodes[other].name!r} to other layers than the backbone does")
            continue
        one, two = ours.nodes[mine], theirs.nodes[other]
        if one.kind == "Normalization" and two.kind == "Rescaling":
            deviation_scale = _scale_alone(two)
            other = two.inputs[0]
            two = theirs.nodes[other]
        pairs[mine], taken[other] = other, mine
        if one.kind == "InputLayer" or one.name == "preface":
            entrance = other
            continue
        _compare(one, two)
        waiting += zip(one.inputs, two.inputs, strict=True)
    layers = {mine: theirs.nodes[other] for mine, other in pairs.items() if other != entrance}
    return GraphMatch(layers=layers, entrance=entrance, deviation_scale=deviation_scale)


def _scale_alone(node: LayerNode) -> tuple[float, ...]:
    scale = node.settings["scale"]
    scale = scale if isinstance(scale, tuple) else (scale,) * 3
    if node.settings["offset"] not in (0, (0.0,) * 3) or len(scale) != 3 or len(node.inputs) != 1:
        raise ModelError(f"layer {node.name!r} of the file is not part of the backbone")
    return tuple(float(value) for value in scale)


def _compare(one: LayerNode, two: LayerNode) -> None:
    if one.kind != two.kind or len(one.inputs) != len(two.inputs):
        raise ModelError(f"the file has a {two.kind} {two.name!r} where the backbone has a {one.kind} {one.name!r}")
    for name, value in one.settings.items():
        if name in ("mean", "variance"):
            continue  # weights by another way, given when the network is filled
        if not _same(value, two.settings[name]):
            raise ModelError(
                f"layer {two.name!r} of the file has {name} {two.settings[name]!r:.80}; the backbone has {value!r:.80}"
            )


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(_same(a, b) for a, b in zip(one, two, strict=True))
    numbers = isinstance(one, int | float) and isinstance(two, int | float)
    if numbers and not isinstance(one, bool) and not isinstance(two, bool):
        return isclose(one, two, rel_tol=1e-6, abs_tol=1e-12)
    return type(one) is type(two) and bool(one == two)
