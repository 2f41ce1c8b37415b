"""Vary a training photograph: turn, shift, zoom, mirror, recolour, blur; never the same way twice, never unseeded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

__all__ = ["augment"]

_ROTATION = 15.0  # degrees, either way
_ZOOM = 0.10  # share, either way
_SHIFT = 0.0625  # share of the side: what a random 224-pixel window of 256 pixels moves
_BLUR = (0.003, 0.012)  # deviation of the blur in shares of the side: from sharp to a hazy lens
_GAIN, _CHANNEL_GAIN, _GAMMA = 0.20, 0.08, 0.15


def augment(
    pixels: NDArray[np.uint8],
    size: int,
    rng: np.random.Generator,
    *,
    mirrored: bool | None = None,
    blur: float = 0.0,
) -> NDArray[np.uint8]:
    """Cut a randomly turned, shifted and zoomed window, vary its light and colour, and blur some.

    Parameters
    ----------
    pixels : prepared crop, shape (side, side, 3), uint8.
    size : side of the window, at most the crop's.
    rng : the only source of chance.
    mirrored : whether the window is mirrored; None mirrors half of the windows by chance.
    blur : share of the windows that are blurred, 0 to 1.

    Returns
    -------
    Window of shape (size, size, 3), uint8.

    Examples
    --------
    >>> crop = np.full((64, 64, 3), 100, np.uint8)
    >>> a, b = (augment(crop, 56, np.random.default_rng(7)) for _ in range(2))
    >>> a.shape, bool((a == b).all())
    ((56, 56, 3), True)
    """
    side = pixels.shape[0]
    angle = np.deg2rad(rng.uniform(-_ROTATION, _ROTATION))
    zoom = 1.0 + rng.uniform(-_ZOOM, _ZOOM)
    shift_x, shift_y = rng.uniform(-_SHIFT, _SHIFT, size=2) * side
    by_chance = rng.random() < 0.5
    mirror = -1.0 if (by_chance if mirrored is None else mirrored) else 1.0
    cosine, sine = np.cos(angle) / zoom, np.sin(angle) / zoom
    a, b, d, e = mirror * cosine, sine, -mirror * sine, cosine
    c = side / 2 + shift_x - (a + b) * size / 2
    f = side / 2 + shift_y - (d + e) * size / 2
    picture = Image.fromarray(pixels).transform(
        (size, size), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
    )
    picture = picture.point(_colour_table(rng))
    if blur > 0 and rng.random() < blur:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(*_BLUR) * size))
    return np.asarray(picture)


def _colour_table(rng: np.random.Generator) -> list[int]:
    """Return 3 x 256 output values; black stays black."""
    level = np.arange(256) / 255.0
    gamma = np.exp(rng.uniform(-_GAMMA, _GAMMA))
    gain = (1.0 + rng.uniform(-_GAIN, _GAIN)) * (1.0 + rng.uniform(-_CHANNEL_GAIN, _CHANNEL_GAIN, size=3))
    table = np.clip(np.rint(255.0 * gain[:, None] * level[None, :] ** gamma), 0, 255).astype(int)
    return [int(value) for value in table.ravel()]
