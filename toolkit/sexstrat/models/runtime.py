"""Runtimes: what carries out a network's forward pass; Keras is the reference, OpenVINO the fast one on processors."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.openvino_runtime import openvino_forward

__all__ = ["BATCH_SIZE", "PRECISIONS", "RUNTIMES", "Forward", "default_runtime", "make_forward", "precision_named"]

BATCH_SIZE = 16
"""Every forward pass of Keras has this many photographs, the last one filled up, so that a score does not
depend on what else is scored with it."""

PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16", "f32": "float32", "bf16": "bfloat16"}
"""Names of a precision, as users write them, to the one that a score row holds."""

_GPU_DRIVERS = ("libcuda.so.1", "libamdhip64.so")


class Forward(Protocol):
    """Scaled pixels (n, size, size, 3) float32 to logits (n, units) float32; passes of a fixed shape within."""

    def __call__(self, pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Run the forward pass of any number of pictures."""


def _keras_forward(build: Callable[[], Any], *, identity: str, size: int, precision: str) -> Forward:
    del identity, size
    if precision != "float32":
        raise ModelError(f"the keras runtime computes in float32, not in {precision}; use the openvino runtime")
    network = build()

    def forward(pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(pixels), BATCH_SIZE):
            batch = pixels[start : start + BATCH_SIZE]
            full = np.zeros((BATCH_SIZE, *batch.shape[1:]), dtype=np.float32)
            full[: len(batch)] = batch
            parts.append(np.asarray(network.predict_on_batch(full)["sex"], dtype=np.float32)[: len(batch)])
        return np.concatenate(parts)

    return forward


RUNTIMES: dict[str, Callable[..., Forward]] = {"keras": _keras_forward, "openvino": openvino_forward}
"""Name to a function that makes the forward pass of a network."""


def make_forward(
    build: Callable[[], Any], runtime: str, *, identity: str, size: int, precision: str = "float32"
) -> Forward:
    """Return the forward pass of a network on a runtime.

    Parameters
    ----------
    build : makes the Keras network with an output named sex; a runtime that has kept the network does not call it.
    runtime : name of the runtime, keras or openvino.
    identity : text that changes whenever weights or network change, such as the card.
    size : side of the square input in pixels.
    precision : float32 or bfloat16.

    Returns
    -------
    The forward pass.

    Raises
    ------
    ModelError
        There is no runtime of that name, or it cannot run this network in this precision.

    Examples
    --------
    >>> make_forward(lambda: None, "abacus", identity="", size=224)
    Traceback (most recent call last):
    sexstrat.errors.ModelError: unknown runtime 'abacus'; allowed: keras, openvino
    """
    if runtime not in RUNTIMES:
        raise ModelError(f"unknown runtime {runtime!r}; allowed: {', '.join(RUNTIMES)}")
    return RUNTIMES[runtime](build, identity=identity, size=size, precision=precision_named(precision))


def precision_named(name: str) -> str:
    """Return the precision that a user means, as score rows spell it.

    Parameters
    ----------
    name : one of ``PRECISIONS``.

    Returns
    -------
    float32 or bfloat16.

    Raises
    ------
    ModelError
        There is no precision of that name.

    Examples
    --------
    >>> precision_named("bf16")
    'bfloat16'
    """
    if name not in PRECISIONS:
        raise ModelError(f"unknown precision {name!r}; allowed: {', '.join(PRECISIONS)}")
    return PRECISIONS[name]


def default_runtime() -> str:
    """Return the fastest runtime here: keras where TensorFlow sees a GPU, else openvino where it is installed.

    TensorFlow, which takes seconds to import, is asked only where a driver of a GPU is installed.

    Returns
    -------
    keras or openvino.

    Examples
    --------
    >>> default_runtime() in RUNTIMES
    True
    """
    if _sees_gpu() or importlib.util.find_spec("openvino") is None:
        return "keras"
    return "openvino"


def _sees_gpu() -> bool:
    if os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"} or not _has_gpu_driver():
        return False
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _has_gpu_driver() -> bool:
    if sys.platform == "darwin":
        return importlib.util.find_spec("tensorflow-plugins") is not None  # the folder that tensorflow-metal installs
    for name in _GPU_DRIVERS:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
