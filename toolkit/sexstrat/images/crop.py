"""Cut the square around the field of view and bring it to the model's size."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sexstrat.images.field_of_view import FieldOfView

__all__ = ["center_crop", "circle_mask", "crop_and_resize"]


def crop_and_resize(pixels: NDArray[np.uint8], field_of_view: FieldOfView, size: int) -> NDArray[np.uint8]:
    """Cut the square that holds the circle, resize it with antialiasing, blacken what lies outside.

    Parts of the square beyond the photograph are black. The resampling filter (bicubic) is stretched
    over the pixels it stands for, so that a large original and its reduced copy come out alike. Outside
    the circle everything is black: labels, notches and lens tabs tell cameras apart, not people.

    Parameters
    ----------
    pixels : RGB photograph of shape (height, width, 3), uint8.
    field_of_view : the circle, in pixels of that photograph.
    size : side of the result in pixels, at least 1.

    Returns
    -------
    Pixels of shape (size, size, 3), uint8.

    Examples
    --------
    >>> view = FieldOfView(center_x=2, center_y=2, radius=2, method="circle", coverage=1.0)
    >>> crop_and_resize(np.full((4, 4, 3), 90, np.uint8), view, 4)[:, :, 0]
    array([[ 0, 90, 90,  0],
           [90, 90, 90, 90],
           [90, 90, 90, 90],
           [ 0, 90, 90,  0]], dtype=uint8)
    """
    height, width = pixels.shape[:2]
    left, top = field_of_view.center_x - field_of_view.radius, field_of_view.center_y - field_of_view.radius
    side = 2 * field_of_view.radius
    x0, y0 = math.floor(left), math.floor(top)
    x1, y1 = max(x0 + 1, math.ceil(left + side)), max(y0 + 1, math.ceil(top + side))
    canvas = np.zeros((y1 - y0, x1 - x0, 3), dtype=np.uint8)
    inner_x0, inner_y0, inner_x1, inner_y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if inner_x1 > inner_x0 and inner_y1 > inner_y0:
        part = pixels[inner_y0:inner_y1, inner_x0:inner_x1]
        canvas[inner_y0 - y0 : inner_y1 - y0, inner_x0 - x0 : inner_x1 - x0] = part
    box = (left - x0, top - y0, min(left - x0 + side, x1 - x0), min(top - y0 + side, y1 - y0))
    resized = Image.fromarray(canvas).resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=None)
    return np.asarray(resized) * _mask_of_channels(size)


@lru_cache(maxsize=4)
def _mask_of_channels(size: int) -> NDArray[np.uint8]:
    return np.repeat(circle_mask(size)[:, :, None], 3, axis=2)


def circle_mask(size: int) -> NDArray[np.uint8]:
    """Return 1 inside the circle inscribed in a square and 0 outside.

    Parameters
    ----------
    size : side of the square in pixels.

    Returns
    -------
    Array of shape (size, size), uint8.

    Examples
    --------
    >>> circle_mask(4).sum()
    np.uint64(12)
    """
    middle = np.arange(size) + 0.5 - size / 2
    inside: NDArray[np.bool_] = middle[:, None] ** 2 + middle[None, :] ** 2 <= (size / 2) ** 2
    return inside.astype(np.uint8)


def center_crop(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Cut the middle square of the last two spatial axes of pictures of shape (..., side, side, 3).

    Parameters
    ----------
    pixels : one picture or a batch of square pictures, channels last.
    size : side of the result, at most the side of the pictures.

    Returns
    -------
    View of shape (..., size, size, 3).

    Examples
    --------
    >>> center_crop(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), 2)[:, :, 0]
    array([[15, 18],
           [27, 30]], dtype=uint8)
    """
    side = pixels.shape[-2]
    if size > side:
        raise ValueError(f"cannot cut {size} pixels from pictures of {side}; allowed: 1 to {side}")
    start = (side - size) // 2
    return pixels[..., start : start + size, start : start + size, :]
