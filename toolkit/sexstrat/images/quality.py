"""Grade how much of the field of view of a photograph can be read, from 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.images.crop import circle_mask

__all__ = ["grade_quality"]

_BLACK = 16  # brightest channel at or below which a pixel shows nothing
_BURNT = 250  # green channel from which a pixel is burnt out
_DETAIL = 0.7  # mean absolute step between neighbouring pixels of the green channel, in grey levels
_BLOCKS = 16  # blocks along a side


def grade_quality(pixels: NDArray[np.uint8]) -> float:
    """Return the share of the field of view that is neither black nor burnt out and carries detail.

    The crop is divided into 16 x 16 blocks. A block counts, with its area inside the circle, when at
    most half of it is black or burnt out and the mean absolute step between neighbouring green pixels
    is at least 0.7 grey levels. It is a share of area, not a clinical grade, and the constants belong to
    crops of 256 pixels.

    Parameters
    ----------
    pixels : crop around the field of view, shape (size, size, 3), uint8; size at least 32.

    Returns
    -------
    Share from 0 (nothing can be read) to 1.

    Examples
    --------
    >>> grade_quality(np.zeros((256, 256, 3), np.uint8))
    0.0
    >>> board = np.indices((256, 256)).sum(axis=0) % 2 * 60 + 90
    >>> grade_quality(np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8))
    1.0
    """
    size = pixels.shape[0]
    mask = circle_mask(size).astype(bool)
    green = pixels[:, :, 1].astype(np.float64)
    readable = (pixels.max(axis=2) > _BLACK) & (green < _BURNT) & mask
    step = np.zeros((size, size))
    step[:-1, :-1] = (np.abs(np.diff(green, axis=0))[:, :-1] + np.abs(np.diff(green, axis=1))[:-1, :]) / 2
    inner = readable.copy()
    inner[:-1, :-1] &= readable[1:, :-1] & readable[:-1, 1:]
    area, seen = _block_sums(mask), _block_sums(readable)
    detail = _block_sums(np.where(inner, step, 0.0)) / np.maximum(_block_sums(inner), 1.0)
    good = (seen >= 0.5 * area) & (detail >= _DETAIL)
    return float((area * good).sum() / area.sum())


def _block_sums(values: NDArray[np.generic]) -> NDArray[np.float64]:
    edges = np.linspace(0, values.shape[0], _BLOCKS + 1).astype(int)[:-1]
    return np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges, axis=0), edges, axis=1)
