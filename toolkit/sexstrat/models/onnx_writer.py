"""Gather operators and arrays into an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.models.protobuf import delimited, float_field, varint_field

__all__ = ["OnnxWriter"]

_OPSET, _IR_VERSION = 13, 8
_FLOAT, _INT64 = 1, 7
_FLOAT_KIND, _INTS_KIND, _INT_KIND, _TEXT_KIND = 1, 7, 2, 3  # of attributes


@dataclass(slots=True)
class OnnxWriter:
    """Gather operators and arrays, channels first."""

    nodes: list[bytes] = field(default_factory=list)
    arrays: list[bytes] = field(default_factory=list)
    count: int = 0

    def name(self) -> str:
        """Return a name that is not used yet."""
        self.count += 1
        return f"v{self.count}"

    def node(self, operator: str, inputs: list[str], *, output: str | None = None, **attributes: Any) -> str:
        """Add an operator and return the name of its output."""
        output = output or self.name()
        parts = [delimited(1, value) for value in inputs] + [delimited(2, output), delimited(4, operator)]
        parts += [delimited(5, _attribute(name, value)) for name, value in attributes.items()]
        self.nodes.append(b"".join(parts))
        return output

    def array(self, values: NDArray[Any] | np.float32) -> str:
        """Add an array of float32 or int64 numbers and return its name."""
        name = self.name()
        whole = values.dtype.kind == "i"
        data = np.ascontiguousarray(values, dtype="<i8" if whole else "<f4")
        parts = [varint_field(1, side) for side in values.shape]
        parts += [varint_field(2, _INT64 if whole else _FLOAT), delimited(8, name), delimited(9, data.tobytes())]
        self.arrays.append(b"".join(parts))
        return name

    def model(self, size: int, units: int) -> bytes:
        """Return the file: pictures (n, size, size, 3) named pixels to values (n, units) named sex."""
        graph = b"".join(delimited(1, node) for node in self.nodes) + delimited(2, "sexstrat")
        graph += b"".join(delimited(5, values) for values in self.arrays)
        graph += delimited(11, _value("pixels", (size, size, 3))) + delimited(12, _value("sex", (units,)))
        opset = delimited(1, "") + varint_field(2, _OPSET)
        return varint_field(1, _IR_VERSION) + delimited(2, "sexstrat") + delimited(7, graph) + delimited(8, opset)


def _attribute(name: str, value: Any) -> bytes:
    head = delimited(1, name)
    if isinstance(value, str):
        return head + delimited(4, value) + varint_field(20, _TEXT_KIND)
    if isinstance(value, float):
        return head + float_field(2, value) + varint_field(20, _FLOAT_KIND)
    if isinstance(value, int):
        return head + varint_field(3, value) + varint_field(20, _INT_KIND)
    return head + b"".join(varint_field(8, int(part)) for part in value) + varint_field(20, _INTS_KIND)


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    sides = delimited(1, delimited(2, "n")) + b"".join(delimited(1, varint_field(1, side)) for side in shape)
    tensor = varint_field(1, _FLOAT) + delimited(2, sides)
    return delimited(1, name) + delimited(2, delimited(1, tensor))
