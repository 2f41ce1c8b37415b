"""Runtimes: what carries out a network's forward pass; Keras is the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError

__all__ = ["RUNTIMES", "Forward", "make_forward"]


class Forward(Protocol):
    """Scaled pixels (batch, size, size, 3) float32 to logits (batch, units) float32."""

    def __call__(self, pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Run the forward pass of one batch of fixed shape."""


def _keras_forward(network: Any) -> Forward:
    def forward(pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        return np.asarray(network.predict_on_batch(pixels)["sex"], dtype=np.float32)

    return forward


RUNTIMES: dict[str, Callable[[Any], Forward]] = {"keras": _keras_forward}
"""Name to a function that turns a Keras network into its forward pass."""


def make_forward(network: Any, runtime: str) -> Forward:
    """Return the forward pass of a network on a runtime.

    Parameters
    ----------
    network : Keras model with an output named sex.
    runtime : name of the runtime.

    Returns
    -------
    The forward pass.

    Raises
    ------
    ModelError
        There is no runtime of that name.

    Examples
    --------
    >>> make_forward(None, "abacus")
    Traceback (most recent call last):
    sexstrat.errors.ModelError: unknown runtime 'abacus'; allowed: keras
    """
    if runtime not in RUNTIMES:
        raise ModelError(f"unknown runtime {runtime!r}; allowed: {', '.join(RUNTIMES)}")
    return RUNTIMES[runtime](network)
