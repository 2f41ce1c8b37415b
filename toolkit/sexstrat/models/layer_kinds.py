"""The kinds of layer that may stand in a model file, and what of each decides its arithmetic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sexstrat.errors import ModelError

__all__ = ["ACTIVATIONS", "PASSED_OVER", "check_kind", "kind_of", "settings_of"]

ACTIVATIONS = ("linear", "relu", "relu6", "swish", "sigmoid", "softmax", "tanh", "elu", "selu", "gelu", "softplus")

PASSED_OVER = (
    "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization",
    "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness", "RandomTranslation",
)  # fmt: skip
"""Layers that do nothing when a network is used and not trained."""

_CONVOLUTION = {
    "kernel_size": None, "strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1), "use_bias": True,
    "activation": "linear",
}  # fmt: skip
_POOLING = {"pool_size": (2, 2), "strides": None, "padding": "valid"}

# For each kind the settings that count, with Keras's default for files that leave one out.
_SETTINGS: dict[str, dict[str, Any]] = {
    "Conv2D": {"filters": None, "groups": 1, **_CONVOLUTION},
    "DepthwiseConv2D": {"depth_multiplier": 1, **_CONVOLUTION},
    "SeparableConv2D": {"filters": None, "depth_multiplier": 1, **_CONVOLUTION},
    "BatchNormalization": {"axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
    "Dense": {"units": None, "use_bias": True, "activation": "linear"},
    "Activation": {"activation": None},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "Softmax": {"axis": -1},
    "ZeroPadding2D": {"padding": (1, 1)},
    "MaxPooling2D": _POOLING,
    "AveragePooling2D": _POOLING,
    "GlobalAveragePooling2D": {"keepdims": False},
    "GlobalMaxPooling2D": {"keepdims": False},
    "Concatenate": {"axis": -1},
    "Add": {},
    "Multiply": {},
    "Flatten": {},
    "Reshape": {"target_shape": None},
    "Rescaling": {"scale": None, "offset": 0.0},
    "Normalization": {"axis": -1, "invert": False, "mean": None, "variance": None},
    "CustomScaleLayer": {"scale": 1.0},
}
_CODE = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFOpLambda", "SlicingOpLambda")
_MODULES = re.compile(r"(tf_)?keras(\.src)?(\.(layers|models|engine|applications)(\.\w+){0,3})?")
_SCALED_SUM = "Custom>CustomScaleLayer"  # how Keras 2 registers its own layer of InceptionResNetV2


def kind_of(entry: Mapping[str, Any]) -> str:
    """Return the kind of a layer by one name.

    Parameters
    ----------
    entry : the layer's entry in a model's configuration.

    Examples
    --------
    >>> kind_of({"class_name": "Custom>CustomScaleLayer"})
    'CustomScaleLayer'
    """
    kind = entry["class_name"]
    if not isinstance(kind, str):
        raise ModelError(f"a layer's kind is {kind!r:.80}; allowed: text")
    return "CustomScaleLayer" if kind == _SCALED_SUM else kind


def check_kind(entry: Mapping[str, Any]) -> None:
    """Refuse a layer that could carry code or that is not Keras's own.

    Parameters
    ----------
    entry : the layer's entry in a model's configuration.

    Raises
    ------
    ModelError
        The layer is a Lambda or wraps other code, is registered by someone else, or is of an unknown kind.

    Examples
    --------
    >>> check_kind({"class_name": "Lambda", "config": {"name": "evil"}})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sexstrat.errors.ModelError: layer 'evil' is a Lambda, which carries code; it is never run. ...
    """
    kind = kind_of(entry)
    name = entry.get("name", entry["config"].get("name") if isinstance(entry.get("config"), Mapping) else None)
    where = f"layer {name!r:.80}"
    if kind in _CODE:
        raise ModelError(
            f"{where} is a {kind}, which carries code; it is never run. "
            "Save the weights alone (save_weights) and name the backbone"
        )
    known = kind in _SETTINGS or kind in PASSED_OVER or kind in ("InputLayer", "Functional", "Model", "Sequential")
    if not known:
        raise ModelError(f"{where} is of kind {kind!r:.80}, which none of the sixteen networks or their heads has")
    module = entry.get("module")
    if module is not None and not (isinstance(module, str) and _MODULES.fullmatch(module)):
        raise ModelError(
            f"{where} comes from the module {module!r:.80}; allowed: Keras's own. Nothing of it is imported"
        )
    registered = entry.get("registered_name")
    if registered not in (None, kind, f"keras>{kind}") and (kind, registered) != ("CustomScaleLayer", _SCALED_SUM):
        raise ModelError(f"{where} is registered as {registered!r:.80}; allowed: Keras's own layers")


def settings_of(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides a layer's arithmetic, in one form for Keras 2 and 3.

    Parameters
    ----------
    kind : class name, checked before.
    config : the layer's configuration.

    Returns
    -------
    Settings by name.

    Raises
    ------
    ModelError
        A setting is not plain data, or the layer keeps its channels first.

    Examples
    --------
    >>> settings_of("MaxPooling2D", {"pool_size": [2, 2], "name": "p"})
    {'pool_size': (2, 2), 'strides': (2, 2), 'padding': 'valid'}
    """
    if config.get("data_format", "channels_last") != "channels_last":
        raise ModelError(f"a {kind} layer keeps its channels first; allowed: channels last")
    if kind == "InputLayer":
        shape = _plain(config["batch_shape"] if "batch_shape" in config else config["batch_input_shape"])
        if not isinstance(shape, tuple):
            raise ModelError(f"the network's input has the shape {shape!r:.80}; allowed: a list of sides")
        return {"shape": shape}
    found = {name: _plain(config.get(name, default)) for name, default in _SETTINGS[kind].items()}
    if "activation" in found:
        found["activation"] = _activation(found["activation"])
    for name in ("kernel_size", "strides", "dilation_rate", "pool_size"):
        if isinstance(found.get(name), int):
            found[name] = (found[name], found[name])
    if "pool_size" in found and found["strides"] is None:
        found["strides"] = found["pool_size"]
    if kind == "ZeroPadding2D":
        found["padding"] = _padding(found["padding"])
    if isinstance(found.get("axis"), tuple) and len(found["axis"]) == 1:
        found["axis"] = found["axis"][0]
    if kind in ("BatchNormalization", "Concatenate", "Normalization") and found["axis"] == 3:
        found["axis"] = -1
    return found


def _plain(value: Any) -> Any:
    """Lists become tuples, stored arrays and tuples their numbers; nothing else may be an object."""
    if isinstance(value, list | tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, Mapping):
        inner = value.get("config")
        if value.get("class_name") == "__tuple__" and isinstance(value.get("items"), list):
            return _plain(value["items"])
        if value.get("class_name") in ("__numpy__", "__tensor__") and isinstance(inner, Mapping):
            return _plain(inner.get("value"))
        raise ModelError(f"a setting of a layer is a {value.get('class_name')!r:.80}; allowed: plain numbers and names")
    return value


def _activation(value: Any) -> str:
    name = "linear" if value is None else {"silu": "swish"}.get(value, value)
    if name not in ACTIVATIONS:
        raise ModelError(f"an activation is {value!r:.80}; allowed: {', '.join(ACTIVATIONS)}")
    return str(name)


def _padding(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    if isinstance(value, int):
        value = (value, value)
    rows, columns = ((side, side) if isinstance(side, int) else tuple(side) for side in value)
    return (rows, columns)
