"""Turn eight-bit pixels into the numbers that a backbone expects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError

__all__ = ["SCALINGS", "scale_pixels"]

SCALINGS = ("tf", "torch", "raw", "unit")

_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)  # ImageNet, keras.applications mode "torch"
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def scale_pixels(pixels: NDArray[np.uint8], scaling: str, channel_order: str = "RGB") -> NDArray[np.float32]:
    """Scale pixels: ``tf`` x/127.5 - 1, ``torch`` (x/255 - mean)/deviation, ``raw`` x, ``unit`` x/255.

    Parameters
    ----------
    pixels : RGB, shape (..., 3), uint8.
    scaling : tf, torch, raw or unit, from the backbone's entry or the model's card.
    channel_order : RGB, or BGR to reverse the channels after scaling.

    Returns
    -------
    Array of the same shape, float32.

    Raises
    ------
    ModelError
        The scaling or the channel order is unknown.

    Examples
    --------
    >>> scale_pixels(np.array([0, 255, 255], np.uint8), "tf").tolist()
    [-1.0, 1.0, 1.0]
    """
    values = pixels.astype(np.float32)
    if scaling == "tf":
        values /= np.float32(127.5)
        values -= np.float32(1.0)
    elif scaling == "torch":
        values /= np.float32(255.0)
        values -= _MEAN
        values /= _DEVIATION
    elif scaling == "unit":
        values /= np.float32(255.0)
    elif scaling != "raw":
        raise ModelError(f"unknown scaling {scaling!r}; allowed: {', '.join(SCALINGS)}")
    if channel_order not in {"RGB", "BGR"}:
        raise ModelError(f"unknown channel order {channel_order!r}; allowed: RGB, BGR")
    return values[..., ::-1] if channel_order == "BGR" else values
