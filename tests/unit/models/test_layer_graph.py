"""A configuration is read as plain data: one graph for Keras 2 and 3, and a refusal for whatever is not plain."""

from __future__ import annotations

from typing import Any

import pytest

from sexstrat.errors import ModelError
from sexstrat.models.graph_match import match_graphs
from sexstrat.models.graph_parts import preface_of, tail_of
from sexstrat.models.layer_graph import LayerGraph, graph_of


def entry(kind: str, name: str, *sources: str, **config: Any) -> dict[str, Any]:
    inbound = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": inbound}


def functional(*layers: dict[str, Any]) -> dict[str, Any]:
    ends = {"input_layers": [[layers[0]["name"], 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "net", "layers": list(layers), **ends}}


def small(**changes: Any) -> LayerGraph:
    return graph_of(
        functional(
            entry("InputLayer", "in", batch_input_shape=[None, 64, 64, 3]),
            entry("Rescaling", "scale", "in", scale=0.5, offset=-1.0),
            entry("Conv2D", "conv", "scale", filters=4, kernel_size=[3, 3], **changes),
            entry("GlobalAveragePooling2D", "pool", "conv"),
            entry("Dropout", "drop", "pool", rate=0.5),
            entry("Dense", "hidden", "drop", units=8, activation="relu"),
            entry("Dense", "sex", "hidden", units=1),
            entry("Activation", "sigmoid", "sex", activation="sigmoid"),
        )
    )


def test_head_pooling_and_scaling_are_told_apart() -> None:
    """Dropout leaves no trace; the last activation is kept apart from the last dense layer."""
    graph = small()
    tail = tail_of(graph)
    assert tail.pooling == "average"
    assert [(layer.units, layer.activation) for layer in tail.head] == [(8, "relu"), (1, "linear")]
    assert tail.output_activation == "sigmoid"
    assert graph.nodes[tail.features].name == "conv"
    preface = preface_of(graph, "scale", lambda node: (0, 1))
    assert preface is not None
    assert (preface.scale, preface.offset) == ((0.5,) * 3, (-1.0,) * 3)


def test_a_file_that_differs_in_one_setting_does_not_match() -> None:
    """Equal graphs match layer by layer; another stride is named."""
    found = match_graphs(small(), "conv", small(), "conv")
    assert {key: node.name for key, node in found.layers.items()} == {"conv": "conv", "scale": "scale"}
    with pytest.raises(ModelError, match=r"has strides \(2, 2\); the backbone has \(1, 1\)"):
        match_graphs(small(), "conv", small(strides=[2, 2]), "conv")


def test_keras_3_says_the_same_in_other_words() -> None:
    """Tensors by history, arguments by name: the same graph."""
    first = functional(entry("InputLayer", "in", batch_input_shape=[None, 64, 64, 3]), entry("Flatten", "flat", "in"))
    second = functional(
        entry("InputLayer", "in", batch_shape=[None, 64, 64, 3]),
        entry("Flatten", "flat") | {
            "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["in", 0, 0]}}],
                               "kwargs": {}}]
        },
    )  # fmt: skip
    assert graph_of(first) == graph_of(second)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([entry("Lambda", "f", "in", function="code")], "is a Lambda, which carries code"),
        ([entry("MyLayer", "f", "in")], "is of kind 'MyLayer'"),
        ([entry("Flatten", "f", "in") | {"module": "evil"}], "comes from the module 'evil'"),
        ([entry("Flatten", "f", "nobody")], "takes its input from 'nobody'"),
        ([entry("Flatten", "in", "in")], "two layers of the file are named 'in'"),
        ([entry("Dropout", "a", "b"), entry("Dropout", "b", "a")], "in a circle"),
        ([entry("Conv2D", "c", "in", data_format="channels_first")], "keeps its channels first"),
        ([entry("Flatten", "f", "in") | {"inbound_nodes": [[["in", 0, 0]], [["in", 0, 0]]]}], "several times"),
        ([{"class_name": 3}], "damaged|kind is 3"),
    ],
)
def test_whatever_is_not_plain_is_refused(layers: list[dict[str, Any]], message: str) -> None:
    """Code, unknown kinds, foreign modules and impossible connections each give a ModelError."""
    config = functional(entry("InputLayer", "in", batch_input_shape=[None, 64, 64, 3]), entry("Flatten", "flat", "in"))
    config["config"]["layers"][1:] = layers
    config["config"]["output_layers"] = [[layers[0].get("name", "x"), 0, 0]]
    with pytest.raises(ModelError, match=message):
        graph_of(config)
