"""Check an ONNX file as data, before any runtime sees it: known operators, arrays within the file, nothing else."""

from __future__ import annotations

from math import prod

from sexstrat.errors import ModelError
from sexstrat.models.protobuf import fields_of, packed_numbers

__all__ = ["OPERATORS", "check_onnx"]

OPERATORS = frozenset({
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv", "Div", "Dropout",
    "Elu", "Erf", "Exp", "Flatten", "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid",
    "HardSwish", "Identity", "LeakyRelu", "MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "Pad", "Pow", "PRelu",
    "Reciprocal", "ReduceMax", "ReduceMean", "Relu", "Reshape", "Selu", "Shape", "Sigmoid", "Slice", "Softmax",
    "Softplus", "Sqrt", "Squeeze", "Sub", "Swish", "Tanh", "Transpose", "Unsqueeze",
})  # fmt: skip
"""What convolutional networks are made of. None of them loops, branches, calls out, or makes much of little."""

_ITEM_SIZES = {1: 4, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}  # float, int32, int64, bool, float16, double
_TYPED_DATA = {4: 4, 5: 4, 7: 8, 10: 8}  # field: bytes an item when packed; int32 and int64 are counted otherwise
_LARGEST = 2**31  # ONNX itself allows no larger file
_MOST_NODES = 20_000
_MOST_PADDING = 64


def check_onnx(data: bytes, source: str) -> list[tuple[int, ...]]:
    """Check a model and list its arrays.

    Parameters
    ----------
    data : the file.
    source : name for messages.

    Returns
    -------
    Shape of every array.

    Raises
    ------
    ModelError
        The file is damaged, keeps arrays elsewhere, or uses functions, subgraphs or operators that are not known.
    """
    if len(data) >= _LARGEST:
        raise ModelError(f"{source} is larger than an ONNX file may be")
    graphs = []
    try:
        for number, value in fields_of(data):
            if number == 25:
                raise ModelError("it defines functions of its own; allowed: none")
            if number == 7 and isinstance(value, bytes):
                graphs.append(value)
        if len(graphs) != 1:
            raise ModelError(f"it holds {len(graphs)} graphs; allowed: one")
        return _checked_graph(graphs[0])
    except (ModelError, UnicodeDecodeError) as err:
        raise ModelError(f"{source} is not an ONNX file that can be used: {err}") from err


def _checked_graph(graph: bytes) -> list[tuple[int, ...]]:
    shapes, nodes = [], 0
    for number, value in fields_of(graph):
        if number in (1, 5, 15) and not isinstance(value, bytes):
            raise ModelError("a part of the graph is not a message")
        if number == 1:
            nodes += 1
            shapes += _checked_node(value)  # type: ignore[arg-type]
        elif number == 5:
            shapes.append(_checked_tensor(value))  # type: ignore[arg-type]
        elif number == 15:
            raise ModelError("it holds sparse arrays; allowed: plain ones")
    if not 0 < nodes <= _MOST_NODES:
        raise ModelError(f"it holds {nodes:,} operators; allowed: 1 to {_MOST_NODES:,}")
    return shapes


def _checked_node(node: bytes) -> list[tuple[int, ...]]:
    operator, domain, attributes = "", "", []
    for number, value in fields_of(node):
        if number in (4, 5, 7) and not isinstance(value, bytes):
            raise ModelError("a part of an operator is of a wrong kind")
        if number == 4:
            operator = value.decode()  # type: ignore[union-attr]
        elif number == 7:
            domain = value.decode()  # type: ignore[union-attr]
        elif number == 5:
            attributes.append(value)
    if domain not in ("", "ai.onnx") or operator not in OPERATORS:
        name = f"{domain}.{operator}" if domain else operator
        raise ModelError(f"it uses the operator {name!r:.80}, which no network of this kind needs")
    return [shape for value in attributes for shape in _checked_attribute(value)]  # type: ignore[arg-type]


def _checked_attribute(attribute: bytes) -> list[tuple[int, ...]]:
    shapes, name, whole = [], "", []
    for number, value in fields_of(attribute):
        if number in (6, 11, 22, 23):
            raise ModelError("an operator holds a graph or sparse arrays of its own; allowed: none")
        if number in (5, 10) and isinstance(value, bytes):
            shapes.append(_checked_tensor(value))
        elif number == 1 and isinstance(value, bytes):
            name = value.decode()
        elif number == 8:
            whole += packed_numbers(value)
    if name in ("pads", "strides", "dilations", "kernel_shape") and any(not 0 <= n <= _MOST_PADDING for n in whole):
        raise ModelError(f"an operator has {name} {whole[:8]}; allowed: 0 to {_MOST_PADDING}")
    return shapes


def _checked_tensor(tensor: bytes) -> tuple[int, ...]:
    dimensions: list[int] = []
    kind, stored = 0, 0
    for number, value in fields_of(tensor):
        if number == 1:
            dimensions += packed_numbers(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number in (13, 14) and value not in (0, b""):
            raise ModelError("it keeps arrays in other files; save it as one file")
        elif number == 9 and isinstance(value, bytes):
            stored += len(value) // _ITEM_SIZES.get(kind, 1) if kind else len(value)
        elif number in (5, 7):
            stored += len(packed_numbers(value))
        elif number in _TYPED_DATA:
            stored += len(value) // _TYPED_DATA[number] if isinstance(value, bytes) else 1
    if kind not in _ITEM_SIZES:
        raise ModelError(f"an array is of the type {kind}; allowed: numbers and truth values")
    if any(not 0 <= side < 2**31 for side in dimensions) or prod(dimensions) != stored:
        raise ModelError(f"an array declares the shape {tuple(dimensions)} and holds {stored:,} values")
    return tuple(dimensions)
