"""OpenVINO: a network converted once, kept in the cache, and run by asynchronous requests of fixed shape."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.cache import cached_files

__all__ = ["OpenVinoForward", "convert_network", "import_openvino", "openvino_forward", "stored_forward"]

_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_FILE = "network.xml"


def openvino_forward(build: Callable[[], Any], *, identity: str, size: int, precision: str) -> OpenVinoForward:
    """Return the forward pass of a network on OpenVINO; Keras is only imported when the cache lacks the network.

    The network is converted without loss (no compression to half precision) and kept in the cache under the
    digest of its identity and of OpenVINO's version.

    Parameters
    ----------
    build : makes the Keras network; its output ``sex`` is kept.
    identity : text that changes whenever weights or network change, such as the card.
    size : side of the square input in pixels.
    precision : float32 or bfloat16.

    Returns
    -------
    The forward pass.

    Raises
    ------
    ModelError
        The network cannot be converted, or this processor has no arithmetic of that precision.
    """
    openvino = import_openvino()
    text = "\0".join([identity, openvino.get_version(), "float32 weights, output sex"])
    digest = hashlib.sha256(text.encode()).hexdigest()
    folder = cached_files("openvino", digest, lambda target: convert_network(build(), size, target / _FILE))
    return stored_forward(folder / _FILE, size=size, precision=precision)


def stored_forward(path: Path, *, size: int, precision: str = "float32") -> OpenVinoForward:
    """Return the forward pass of OpenVINO's two files.

    Parameters
    ----------
    path : the ``.xml`` file; the ``.bin`` file lies beside it.
    size : side of the square input in pixels.
    precision : float32 or bfloat16.

    Returns
    -------
    The forward pass.

    Raises
    ------
    ModelError
        This processor has no arithmetic of that precision.
    """
    openvino = import_openvino()
    core = openvino.Core()
    network = core.read_model(path)
    network.reshape([_pictures_a_pass(size), size, size, 3])
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": _HINTS[precision]}
    compiled = core.compile_model(network, "CPU", options)
    used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if used != _HINTS[precision]:
        raise ModelError(f"this processor computes in {used}, not in {precision}; allowed here: float32")
    return OpenVinoForward(openvino.AsyncInferQueue(compiled, 2 * _streams(compiled)), tuple(network.input().shape))


class OpenVinoForward:
    """Forward pass of a compiled network; every pass has the same number of pictures, the last one filled up.

    Parameters
    ----------
    queue : OpenVINO's queue of asynchronous requests.
    shape : pictures a pass, height, width and channels.

    Notes
    -----
    Requests wait for each other's results nowhere, so the streams stay busy; two requests a stream hide the
    time that Python needs to hand over the next. Calls from several threads take turns.
    """

    def __init__(self, queue: Any, shape: tuple[int, ...]) -> None:
        self._queue = queue
        self._pictures = shape[0]
        self._lock = threading.Lock()

    def __call__(self, pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Run the forward pass of any number of pictures."""
        parts: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * -(-len(pixels) // self._pictures)

        def keep(request: Any, place: int) -> None:
            parts[place] = np.array(request.get_output_tensor(0).data, dtype=np.float32)

        inputs = [self._filled_up(pixels[i * self._pictures : (i + 1) * self._pictures]) for i in range(len(parts))]
        with self._lock:
            self._queue.set_callback(keep)
            for place, batch in enumerate(inputs):
                self._queue.start_async({0: batch}, place, share_inputs=True)
            self._queue.wait_all()
        return np.concatenate(parts)[: len(pixels)]

    def _filled_up(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(batch) == self._pictures:
            return np.ascontiguousarray(batch)
        full = np.zeros((self._pictures, *batch.shape[1:]), dtype=np.float32)
        full[: len(batch)] = batch
        return full


def _pictures_a_pass(size: int) -> int:
    """Return the fixed number of pictures that go through the network together: few, so that they fit the cache."""
    return 4 if size <= 256 else 2 if size <= 400 else 1


def _streams(compiled: Any) -> int:
    return int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would otherwise report every import.

    Returns
    -------
    The module.

    Raises
    ------
    ModelError
        It is not installed.

    Examples
    --------
    >>> import_openvino().__name__
    'openvino'
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # an import of it fails: none is sent
    try:
        import openvino
    except ImportError as err:
        raise ModelError("OpenVINO is not installed; install sexstrat[scoring], or use the keras runtime") from err
    return openvino


def convert_network(network: Any, size: int, path: Path) -> None:
    """Write a network as OpenVINO's two files, without loss.

    Parameters
    ----------
    network : Keras model whose output ``sex`` is kept, or a network that OpenVINO has read already.
    size : side of the square input in pixels.
    path : the ``.xml`` file; the ``.bin`` file is written beside it.

    Raises
    ------
    ModelError
        OpenVINO cannot convert the network.
    """
    openvino = import_openvino()
    if isinstance(network, openvino.Model):
        openvino.save_model(network, path, compress_to_fp16=False)
        return
    import tensorflow as tf

    pixels = tf.TensorSpec((None, size, size, 3), tf.float32)
    graph = tf.function(lambda values: network(values, training=False)["sex"]).get_concrete_function(pixels)
    try:
        openvino.save_model(openvino.convert_model(graph), path, compress_to_fp16=False)
    except Exception as err:
        raise ModelError(f"OpenVINO cannot convert this network: {err}; use the keras runtime") from err
