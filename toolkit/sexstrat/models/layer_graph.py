"""Read a Keras configuration as plain data: which layers a network has and how they are joined; nothing is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.layer_kinds import PASSED_OVER, check_kind, kind_of, settings_of

__all__ = ["LayerGraph", "LayerNode", "graph_of"]

_CONTAINERS = ("Functional", "Model", "Sequential")
_MOST_LAYERS = 20_000  # the largest of the sixteen networks has under a thousand
_DEEPEST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNode:
    """One layer of a network.

    Parameters
    ----------
    scope : names of the models that hold it, outermost first; empty in a flat network.
    name : name of the layer.
    kind : class name.
    settings : what decides its arithmetic, in one form for Keras 2 and 3.
    inputs : keys of the layers whose outputs it takes, in order.
    """

    scope: tuple[str, ...]
    name: str
    kind: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name with scope, unique in its graph."""
        return "\0".join((*self.scope, self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerGraph:
    """A network as layers and their connections.

    Parameters
    ----------
    nodes : layers by key, in the order of the configuration; those without effect in use are left out.
    members : kind of every layer by scope and name, in order, those without effect included.
    input : key of the one input layer.
    output : key of the layer that gives the one output.
    """

    nodes: Mapping[str, LayerNode]
    members: Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]
    input: str
    output: str

    @property
    def input_size(self) -> int | None:
        """Side of the square input in pixels; None when the network takes any."""
        shape = self.nodes[self.input].settings["shape"]
        sides = shape[1:3] if len(shape) == 4 else shape
        if len(shape) != 4 or shape[3] != 3 or sides[0] != sides[1]:
            raise ModelError(
                f"the network takes inputs of shape {shape}; allowed: square colour pictures, channels last"
            )
        side = sides[0]
        if side is not None and (not isinstance(side, int) or isinstance(side, bool) or not 32 <= side <= 2048):
            raise ModelError(f"the network takes pictures of {side} pixels; allowed: 32 to 2048")
        return side


def graph_of(config: Mapping[str, Any]) -> LayerGraph:
    """Turn the configuration of a saved Keras model into its graph.

    Parameters
    ----------
    config : parsed JSON with ``class_name`` and ``config``, as Keras 2 and 3 store it.

    Returns
    -------
    The graph; nested models are spread out.

    Raises
    ------
    ModelError
        A layer is a Lambda, custom or unknown, or the network has not one input and one output.

    Examples
    --------
    >>> layers = [
    ...     {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 64, 64, 3]}},
    ...     {"class_name": "Flatten", "config": {"name": "f"}},
    ... ]
    >>> graph = graph_of({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})
    >>> graph.input_size, [node.kind for node in graph.nodes.values()]
    (64, ['InputLayer', 'Flatten'])
    """
    reader = _Reader()
    try:
        output = reader.add_model(config, (), None)
        return reader.finish(output)
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError, ValueError) as err:
        if isinstance(err, ModelError):
            raise
        raise ModelError(f"the network's configuration is damaged: {type(err).__name__}: {err}") from err


class _Reader:
    """Gather layers; a name may stand for another (nested models, layers without effect)."""

    def __init__(self) -> None:
        self.nodes: dict[str, LayerNode] = {}
        self.stands_for: dict[str, str] = {}
        self.members: dict[tuple[str, ...], list[tuple[str, str]]] = {}

    def add_model(self, entry: Mapping[str, Any], scope: tuple[str, ...], feed: str | None) -> str:
        """Add the layers of a model, those of models inside it too, and return the key of its output."""
        if len(scope) > _DEEPEST:
            raise ModelError(f"models are nested more than {_DEEPEST} deep in the file")
        check_kind(entry)
        kind = entry["class_name"]
        if kind not in _CONTAINERS:
            raise ModelError(f"the file holds a {kind}, not a Functional or Sequential model; it cannot be rebuilt")
        self.members[scope] = []
        layers = entry["config"]["layers"]
        if kind == "Sequential":
            return self._add_chain(layers, scope, feed)
        inputs = _ends(entry["config"]["input_layers"])
        outputs = _ends(entry["config"]["output_layers"])
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"the network has {len(inputs)} inputs and {len(outputs)} outputs; allowed: one and one")
        for layer in layers:
            name = _name(layer)
            sources = list(_sources(layer.get("inbound_nodes", [])))
            feeds = [_key(scope, source) for source in sources]
            if name == inputs[0] and feed is not None:
                self._note(layer, scope)
                self.stands_for[_key(scope, name)] = feed
            else:
                self._add_layer(layer, scope, feeds)
        return _key(scope, outputs[0])

    def _add_chain(self, layers: list[Mapping[str, Any]], scope: tuple[str, ...], feed: str | None) -> str:
        last = feed
        for layer in layers:
            if layer["class_name"] == "InputLayer" and feed is not None:
                self._note(layer, scope)
                continue
            if last is None and layer["class_name"] != "InputLayer":
                last = self._unnamed_input(layer, scope)
            last = self._add_layer(layer, scope, [] if last is None else [last])
        if last is None:
            raise ModelError("the file holds a Sequential model without layers")
        return last

    def _unnamed_input(self, layer: Mapping[str, Any], scope: tuple[str, ...]) -> str:
        """Keras 2 may leave out the input layer and tell the shape at the first layer."""
        shape = layer["config"].get("batch_input_shape")
        if shape is None:
            if layer["class_name"] not in _CONTAINERS:
                raise ModelError("the network has no input layer; save it after it was built")
            shape = _first_shape(layer)
        key = _key(scope, "\0input")
        self.nodes[key] = LayerNode(
            scope=scope,
            name="\0input",
            kind="InputLayer",
            settings=settings_of("InputLayer", {"batch_shape": shape}),
            inputs=(),
        )
        return key

    def _add_layer(self, layer: Mapping[str, Any], scope: tuple[str, ...], feeds: list[str]) -> str:
        name, kind = _name(layer), kind_of(layer)
        key = _key(scope, name)
        if key in self.nodes or key in self.stands_for:
            raise ModelError(f"two layers of the file are named {name!r}")
        if len(self.nodes) + len(self.stands_for) > _MOST_LAYERS:
            raise ModelError(f"the file lists more than {_MOST_LAYERS:,} layers")
        self._note(layer, scope)
        if kind in _CONTAINERS:
            _need_one(feeds, name)
            self.stands_for[key] = self.add_model(layer, (*scope, name), feeds[0])
        elif kind in PASSED_OVER:
            _need_one(feeds, name)
            self.stands_for[key] = feeds[0]
        else:
            settings = settings_of(kind, layer["config"])
            self.nodes[key] = LayerNode(scope=scope, name=name, kind=kind, settings=settings, inputs=tuple(feeds))
        return key

    def _note(self, layer: Mapping[str, Any], scope: tuple[str, ...]) -> None:
        check_kind(layer)
        self.members[scope].append((_name(layer), kind_of(layer)))

    def finish(self, output: str) -> LayerGraph:
        """Return the graph that ends in an output, every input resolved."""
        nodes = {
            key: LayerNode(
                scope=node.scope, name=node.name, kind=node.kind, settings=node.settings,
                inputs=tuple(self._resolved(source) for source in node.inputs),
            )
            for key, node in self.nodes.items()
        }  # fmt: skip
        inputs = [key for key, node in nodes.items() if node.kind == "InputLayer"]
        if len(inputs) != 1:
            raise ModelError(f"the network has {len(inputs)} input layers; allowed: one")
        members = {scope: tuple(entries) for scope, entries in self.members.items()}
        return LayerGraph(nodes=nodes, members=members, input=inputs[0], output=self._resolved(output))

    def _resolved(self, key: str) -> str:
        seen = set()
        while key in self.stands_for:
            if key in seen:
                raise ModelError("layers of the file feed each other in a circle")
            seen.add(key)
            key = self.stands_for[key]
        if key not in self.nodes:
            raise ModelError(f"a layer takes its input from {key.split(chr(0))[-1]!r}, which the file does not hold")
        return key


def _key(scope: tuple[str, ...], name: str) -> str:
    return "\0".join((*scope, name))


def _name(layer: Mapping[str, Any]) -> str:
    name = layer["config"]["name"] if "name" not in layer else layer["name"]
    if not isinstance(name, str) or "\0" in name or not 0 < len(name) < 500:
        raise ModelError(f"a layer's name is {name!r:.80}; allowed: text of 1 to 499 characters")
    return name


def _need_one(feeds: list[str], name: str) -> None:
    if len(feeds) != 1:
        raise ModelError(f"layer {name!r} takes {len(feeds)} inputs; allowed: one")


def _first_shape(layer: Mapping[str, Any]) -> list[int | None]:
    first = layer["config"]["layers"][0]
    shape: list[int | None] | None = first["config"].get("batch_input_shape") or first["config"].get("batch_shape")
    if shape is None:
        raise ModelError("the network has no input layer; save it after it was built")
    return shape


def _ends(value: Any) -> list[str]:
    """Names of input or output layers: ``["a", 0, 0]``, a list of such, or a dictionary of them."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        value = [value]
    for end in value:
        _first_of_layer(end)
    return [end[0] for end in value]


def _first_of_layer(end: Any) -> None:
    # The number of the call (second) may be 1 for a nested model; that there is but one call is checked elsewhere.
    if not isinstance(end[0], str) or end[2] != 0:
        raise ModelError(f"the network uses a layer with several outputs ({end[0]!r:.80})")


def _sources(inbound: Any) -> Iterator[str]:
    """Names of the layers that feed one layer, of the one time that it is called."""
    if len(inbound) > 1:
        raise ModelError("the network calls one layer several times; such networks are not among the sixteen")
    for node in inbound:
        yield from _tensors(node["args"] if isinstance(node, Mapping) else node)


def _tensors(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        end = value["config"]["keras_history"]  # Keras 3
        _first_of_layer(end)
        yield end[0]
    elif value and isinstance(value[0], str):  # Keras 2: [layer, call, output, other arguments]
        _first_of_layer(value)
        if len(value) > 3 and any(key not in ("training", "mask") for key in value[3]):
            raise ModelError(f"a layer is called with arguments {sorted(value[3])}; allowed: none")
        yield value[0]
    else:
        for part in value:
            yield from _tensors(part)
