"""Run an ONNX file on OpenVINO, once it has been checked; the sigmoid or softmax at its end is cut off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.onnx_file import check_onnx

__all__ = ["OnnxNetwork", "read_onnx"]

_ENDINGS = {"Sigmoid": "sigmoid", "Softmax": "softmax", "SoftMax": "softmax"}
_MOST_VALUES = 2**28  # of one intermediate result; EfficientNetB7 at 600 pixels has 2**24


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNetwork:
    """An ONNX network as OpenVINO reads it.

    Parameters
    ----------
    network : ``openvino.Model`` from pictures (1, size, size, 3) to values before the last activation.
    units : number of values.
    output_activation : what the file applied to them: linear, sigmoid or softmax.
    """

    network: Any
    units: int
    output_activation: str


def read_onnx(path: str | Path, size: int) -> OnnxNetwork:
    """Check and read an ONNX file.

    Parameters
    ----------
    path : the file.
    size : side of the square input in pixels.

    Returns
    -------
    The network, its channels last.

    Raises
    ------
    ModelError
        The file is refused by :func:`sexstrat.models.onnx_file.check_onnx`, OpenVINO cannot read it, or it has not one
        picture as input and one vector as output.
    """
    from sexstrat.models.openvino_runtime import import_openvino

    data = Path(path).read_bytes()
    check_onnx(data, str(path))
    openvino = import_openvino()
    try:
        network = openvino.Core().read_model(model=data)
        if len(network.inputs) != 1 or len(network.outputs) != 1:
            raise ModelError(
                f"{path} has {len(network.inputs)} inputs and {len(network.outputs)} outputs; allowed: one"
            )
        network, activation = _without_ending(openvino, network)
        network = _channels_last(openvino, network, size, path)
        _check_sizes(network, path)
        shape = tuple(network.output(0).get_partial_shape().to_shape())
    except RuntimeError as err:
        raise ModelError(f"OpenVINO cannot read {path}: {str(err).splitlines()[-1]:.300}") from err
    if len(shape) != 2 or shape[0] != 1:
        raise ModelError(f"{path} gives values of shape {shape} for one picture; allowed: one vector")
    return OnnxNetwork(network=network, units=shape[1], output_activation=activation)


def _without_ending(openvino: Any, network: Any) -> tuple[Any, str]:
    last = network.output(0).get_node().input_value(0)
    kind = last.get_node().get_type_name()
    if kind not in _ENDINGS:
        return network, "linear"
    before = last.get_node().input_value(0)
    return openvino.Model([before], network.get_parameters(), "network"), _ENDINGS[kind]


def _channels_last(openvino: Any, network: Any, size: int, path: str | Path) -> Any:
    shape = network.input(0).get_partial_shape()
    if shape.rank.is_dynamic or len(shape) != 4:
        raise ModelError(f"{path} takes inputs of shape {shape}; allowed: four dimensions")
    fixed = [dimension.get_length() if dimension.is_static else None for dimension in shape]
    last = fixed[3] == 3
    if not last and fixed[1] != 3:
        raise ModelError(f"{path} takes inputs of shape {shape}; allowed: three colour channels, first or last")
    sides = fixed[1:3] if last else fixed[2:4]
    if any(side not in (None, size) for side in sides):
        raise ModelError(f"{path} takes pictures of {sides} pixels; the card says {size}")
    if last:
        network.reshape([1, size, size, 3])
        return network
    network.reshape([1, 3, size, size])
    turned = openvino.preprocess.PrePostProcessor(network)
    turned.input().tensor().set_layout(openvino.Layout("NHWC"))
    turned.input().model().set_layout(openvino.Layout("NCHW"))
    return turned.build()


def _check_sizes(network: Any, path: str | Path) -> None:
    for node in network.get_ops():
        for output in node.outputs():
            shape = output.get_partial_shape()
            if shape.is_dynamic:
                continue
            count = 1
            for side in shape.to_shape():
                count *= side
            if count > _MOST_VALUES:
                raise ModelError(f"{path} makes {count:,} values in one step; allowed: {_MOST_VALUES:,}")
