"""What each kind of Keras layer is in ONNX, channels first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.onnx_writer import OnnxWriter

__all__ = ["LAYER_WRITERS", "activated"]

Weights = dict[str, NDArray[Any]]
LayerWriter = Callable[[OnnxWriter, Mapping[str, Any], list[str], Weights], str]


def activated(writer: OnnxWriter, value: str, activation: str) -> str:
    """Apply an activation to a value and return the name of the result.

    Parameters
    ----------
    writer : where the operators go.
    value : name of the value.
    activation : Keras's name of the activation.

    Raises
    ------
    ModelError
        It has no counterpart.
    """
    if activation == "linear":
        return value
    if activation == "swish":
        return writer.node("Mul", [value, writer.node("Sigmoid", [value])])
    if activation == "relu6":
        return writer.node("Clip", [value, writer.array(np.float32(0)), writer.array(np.float32(6))])
    operator = {"relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax", "tanh": "Tanh", "elu": "Elu"}.get(
        activation
    )
    if operator is None:
        raise ModelError(f"the activation {activation} has no counterpart in ONNX here")
    if operator == "Softmax":
        return writer.node(operator, [value], axis=-1)
    return writer.node(operator, [value])


def _window(settings: Mapping[str, Any], kernel: tuple[int, int]) -> dict[str, Any]:
    """Same padding is ONNX's SAME_UPPER, which is also TensorFlow's rule."""
    same = settings["padding"] == "same"
    found = {"kernel_shape": kernel, "strides": settings["strides"], "auto_pad": "SAME_UPPER" if same else "VALID"}
    if settings.get("dilation_rate", (1, 1)) != (1, 1):
        found["dilations"] = settings["dilation_rate"]
    return found


def _convolution(
    writer: OnnxWriter,
    settings: Mapping[str, Any],
    value: str,
    kernel: NDArray[Any],
    groups: int,
    bias: NDArray[Any] | None,
) -> str:
    inputs = [value, writer.array(kernel.transpose(3, 2, 0, 1))]
    if bias is not None:
        inputs.append(writer.array(bias))
    return writer.node("Conv", inputs, group=groups, **_window(settings, kernel.shape[:2]))


def _conv2d(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], weights: Weights) -> str:
    return _convolution(writer, settings, inputs[0], weights["kernel"], settings["groups"], weights.get("bias"))


def _per_channel(kernel: NDArray[Any]) -> NDArray[Any]:
    """Turn a depthwise kernel (h, w, channels, multiplier) into one of a grouped convolution (h, w, 1, out)."""
    height, width, channels, multiplier = kernel.shape
    return kernel.reshape(height, width, 1, channels * multiplier)


def _depthwise(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], weights: Weights) -> str:
    kernel = weights["kernel"]
    return _convolution(writer, settings, inputs[0], _per_channel(kernel), kernel.shape[2], weights.get("bias"))


def _separable(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], weights: Weights) -> str:
    deep = weights["depthwise_kernel"]
    value = _convolution(writer, settings, inputs[0], _per_channel(deep), deep.shape[2], None)
    point = {"padding": "valid", "strides": (1, 1)}
    return _convolution(writer, point, value, weights["pointwise_kernel"], 1, weights.get("bias"))


def _normalised(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], weights: Weights) -> str:
    count = len(weights["moving_mean"])
    values = [
        weights.get("gamma", np.ones(count, np.float32)),
        weights.get("beta", np.zeros(count, np.float32)),
        weights["moving_mean"],
        weights["moving_variance"],
    ]
    names = [writer.array(value) for value in values]
    return writer.node("BatchNormalization", [inputs[0], *names], epsilon=float(settings["epsilon"]))


def _affine(writer: OnnxWriter, value: str, scale: NDArray[Any], offset: NDArray[Any]) -> str:
    """Scale and shift each channel, or the only value."""
    shape = (-1, 1, 1)
    scaled = writer.node("Mul", [value, writer.array(np.float32(scale).reshape(shape))])
    return writer.node("Add", [scaled, writer.array(np.float32(offset).reshape(shape))])


def _rescaled(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
    return _affine(writer, inputs[0], np.asarray(settings["scale"]), np.asarray(settings["offset"]))


def _standardised(writer: OnnxWriter, _: Mapping[str, Any], inputs: list[str], weights: Weights) -> str:
    deviation = np.maximum(np.sqrt(weights["variance"].astype(np.float64)), 1e-7)
    return _affine(writer, inputs[0], 1 / deviation, -weights["mean"] / deviation)


def _scaled_sum(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
    return writer.node("Add", [inputs[0], _affine(writer, inputs[1], np.asarray(settings["scale"]), np.zeros(1))])


def _dense(writer: OnnxWriter, _: Mapping[str, Any], inputs: list[str], weights: Weights) -> str:
    bias = weights.get("bias", np.zeros(weights["kernel"].shape[1], np.float32))
    return writer.node("Gemm", [inputs[0], writer.array(weights["kernel"]), writer.array(bias)])


def _padded(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
    (top, bottom), (left, right) = settings["padding"]
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return writer.node("Pad", [inputs[0], writer.array(pads)], mode="constant")


def _pooled(operator: str) -> LayerWriter:
    def write(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
        return writer.node(operator, inputs, **_window(settings, settings["pool_size"]))

    return write


def _pooled_whole(operator: str) -> LayerWriter:
    def write(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
        value = writer.node(operator, inputs)
        return value if settings["keepdims"] else writer.node("Flatten", [value], axis=1)

    return write


def _flattened(writer: OnnxWriter, _: Mapping[str, Any], inputs: list[str], __: Weights) -> str:
    last = writer.node("Transpose", inputs, perm=[0, 2, 3, 1])  # Keras counts channels last
    return writer.node("Flatten", [last], axis=1)


def _reshaped(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
    sides = settings["target_shape"]
    if len(sides) != 3 or sides[:2] != (1, 1):
        raise ModelError(f"a reshape to {sides} has no counterpart in ONNX here")
    return writer.node("Reshape", [inputs[0], writer.array(np.array([-1, sides[2], 1, 1], np.int64))])


def _rectified(writer: OnnxWriter, settings: Mapping[str, Any], inputs: list[str], _: Weights) -> str:
    if settings["negative_slope"] or settings["threshold"]:
        raise ModelError("a rectifier with a slope or a threshold has no counterpart in ONNX here")
    top = settings["max_value"]
    if top is None:
        return writer.node("Relu", inputs)
    return writer.node("Clip", [inputs[0], writer.array(np.float32(0)), writer.array(np.float32(top))])


def _joined(operator: str, **attributes: Any) -> LayerWriter:
    def write(writer: OnnxWriter, _: Mapping[str, Any], inputs: list[str], __: Weights) -> str:
        value = inputs[0]
        if attributes:
            return writer.node(operator, inputs, **attributes)
        for other in inputs[1:]:
            value = writer.node(operator, [value, other])
        return value

    return write


LAYER_WRITERS: dict[str, LayerWriter] = {
    "Conv2D": _conv2d,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "BatchNormalization": _normalised,
    "Rescaling": _rescaled,
    "Normalization": _standardised,
    "CustomScaleLayer": _scaled_sum,
    "Dense": _dense,
    "ZeroPadding2D": _padded,
    "MaxPooling2D": _pooled("MaxPool"),
    "AveragePooling2D": _pooled("AveragePool"),
    "GlobalAveragePooling2D": _pooled_whole("GlobalAveragePool"),
    "GlobalMaxPooling2D": _pooled_whole("GlobalMaxPool"),
    "Flatten": _flattened,
    "Reshape": _reshaped,
    "ReLU": _rectified,
    "Activation": lambda writer, settings, inputs, weights: inputs[0],
    "Add": _joined("Add"),
    "Multiply": _joined("Mul"),
    "Concatenate": _joined("Concat", axis=1),
}
