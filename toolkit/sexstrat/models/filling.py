"""Give a rebuilt network the arrays of a file, layer by layer, until every weight has one and none is left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.hdf5_reading import StoredArray
from sexstrat.models.stored_layers import LayerArrays

__all__ = ["check_nothing_left", "fill_layer", "fill_normalization", "finish_normalizations"]

_OTHER_NAMES = {"depthwise_kernel": "kernel"}  # how Keras 2 calls the kernel of a DepthwiseConv2D
_COUNT = "count"  # of what a Normalization layer has seen in training; it does not count in use


def fill_layer(layer: Any, arrays: LayerArrays, used: set[int]) -> None:
    """Give one layer its arrays.

    Parameters
    ----------
    layer : Keras layer of the rebuilt network.
    arrays : the file's arrays for it, by name or by number.
    used : identities of the arrays that a layer has taken; this layer's are added.

    Raises
    ------
    ModelError
        An array is missing, left over, misshapen or not finite.
    """
    named = _named(layer, arrays)
    wanted = {variable.name: variable for variable in layer.weights if variable.name != _COUNT}
    if set(named) - {_COUNT} != set(wanted):
        raise ModelError(
            f"layer {layer.name!r} needs the weights {sorted(wanted)}; the file holds {sorted(set(named) - {_COUNT})}"
        )
    for name, variable in wanted.items():
        variable.assign(_values(named[name], tuple(variable.shape), f"weight {name} of layer {layer.name!r}"))
    used.update(id(array) for array in arrays.values())


def _named(layer: Any, arrays: LayerArrays) -> dict[str, StoredArray]:
    order = [variable.name for variable in layer.weights]
    found = {}
    for key, array in arrays.items():
        name = order[int(key)] if key.isascii() and key.isdigit() and int(key) < len(order) else key
        found[_OTHER_NAMES.get(name, name) if type(layer).__name__ == "DepthwiseConv2D" else name] = array
    return found


def _values(array: StoredArray, shape: tuple[int, ...], what: str) -> NDArray[np.float32]:
    if array.shape == (1, 1, *shape):  # MobileNet's own top is a convolution over one pixel
        return array.read((1, 1, *shape), what).reshape(shape)
    return array.read(shape, what)


def fill_normalization(
    layer: Any, arrays: LayerArrays, settings: Mapping[str, Any], scale: tuple[float, ...] | None, used: set[int]
) -> None:
    """Give an EfficientNet's first normalisation its mean and variance.

    A network made from ImageNet weights divides once more by the root of the deviation, in a layer of its own that
    the rebuilt network lacks: ``(x - mean) / sqrt(variance) * scale`` is ``(x - mean) / sqrt(variance / scale²)``.

    Parameters
    ----------
    layer : Keras layer of the rebuilt network.
    arrays : the file's arrays for it; empty when its configuration holds the numbers.
    settings : the file's settings of the layer, with mean and variance or None.
    scale : what the file's network multiplies by afterwards; None for nothing.
    used : as in :func:`fill_layer`.

    Raises
    ------
    ModelError
        As :func:`fill_layer`; or a variance is not positive.
    """
    if settings.get("mean") is not None:
        mean, variance = (np.asarray(settings[name], np.float32).reshape(-1) for name in ("mean", "variance"))
        arrays = {
            "mean": StoredArray(shape=mean.shape, source=mean),
            "variance": StoredArray(shape=variance.shape, source=variance),
        }
    fill_layer(layer, arrays, used)
    variance = np.asarray(layer.adapt_variance, dtype=np.float64)
    if not (variance > 0).all():
        raise ModelError(f"layer {layer.name!r} of the file has the variances {variance.tolist()}; allowed: above zero")
    if scale is not None:
        layer.adapt_variance.assign((variance / np.square(scale)).astype(np.float32))
    layer.finalize_state()  # Keras computes with copies of mean and variance, made here


def check_nothing_left(arrays: Mapping[str, StoredArray], used: set[int]) -> None:
    """Refuse a file that holds weights which no layer has taken.

    Parameters
    ----------
    arrays : every array of the file by path.
    used : identities of the arrays that were taken.

    Raises
    ------
    ModelError
        Some are left over.
    """
    left = [path for path, array in arrays.items() if id(array) not in used]
    if left:
        raise ModelError(
            f"{len(left)} arrays of the file belong to no layer of the rebuilt network, such as {left[0]!r}"
        )


def finish_normalizations(layers: Iterable[Any]) -> None:
    """Let every Normalization layer compute with the mean and the variance that it was given.

    Parameters
    ----------
    layers : layers of a Keras network whose weights were assigned.
    """
    for layer in layers:
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()
