"""Grade how well the field of view of a photograph can be read: four plain numbers, no model, no gate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from sexstrat.images.crop import circle_mask

__all__ = ["Quality", "grade_quality", "measure_quality"]

_SIDE = 256  # pixels a side at which a crop is measured; the constants below belong to it
_BLACK = 16  # brightest channel at or below which a pixel shows nothing
_BURNT = 250  # green channel from which a pixel is burnt out
_DETAIL = 0.7  # mean absolute step between neighbouring pixels of the green channel, in grey levels
_BLOCKS = 16  # blocks along a side
_STEP = 4  # pixels a side of the blocks that the local mean is made of
_COARSE = 9  # blocks a side of the square that is the local ground: 36 pixels, about the diameter of an optic disc


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What can be read in a photograph, measured on the crop around its field of view.

    Parameters
    ----------
    readable : share of the field of view, by blocks, that is well exposed and carries detail, 0 to 1.
    exposure : share of the pixels of the field of view that are neither black nor burnt out, 0 to 1.
    sharpness : share of the local variation of the green channel that lies in its finest structure, 0 to 1;
        noise raises it as fine vessels do.
    contrast : root mean square of the green channel's departure from its local mean, over that mean, at least 0.
    """

    readable: float
    exposure: float
    sharpness: float
    contrast: float


def measure_quality(pixels: NDArray[np.uint8]) -> Quality:
    """Measure exposure, sharpness and contrast of a crop, and the share of it that can be read.

    All four are taken inside the circle, from the green channel, where vessels stand out best, of the crop
    reduced to at most 256 pixels a side. With the local mean over 36 x 36 pixels, ``contrast`` is the root mean
    square of (green - local mean) / local mean, and ``sharpness`` is the mean square of (green - mean over 3 x 3)
    over the mean square of (green - local mean). They describe a photograph and grade no patient: a cataract, a
    dark fundus and a bad photograph look alike. Values compare within one size of crop; sharpness of a crop
    smaller than 256 pixels is higher, because the squares cover more of the eye.

    Parameters
    ----------
    pixels : crop around the field of view, shape (size, size, 3), uint8; size at least 32.

    Returns
    -------
    The four numbers; a crop without any well exposed pixel has 0 in all of them.

    References
    ----------
    Peli E. Contrast in complex images. J Opt Soc Am A 1990;7:2032-2040.
    Pertuz S, Puig D, Garcia MA. Analysis of focus measure operators for shape-from-focus.
    Pattern Recognit 2013;46:1415-1432.

    Examples
    --------
    A board of single pixels of 90 and 150 departs from the ground (120) by a quarter of it everywhere, and from the
    mean of the nine pixels around by 8/9 of that, whose square is 0.79:

    >>> board = np.repeat((np.indices((256, 256)).sum(axis=0) % 2 * 60 + 90)[:, :, None], 3, axis=2)
    >>> found = measure_quality(board.astype(np.uint8))
    >>> found.readable, found.exposure, round(found.contrast, 2), round(found.sharpness, 2)
    (1.0, 1.0, 0.25, 0.79)
    """
    reduced = _reduced(pixels)
    mask = _circle(len(reduced))
    green = reduced[:, :, 1].astype(np.float32)
    brightest = np.maximum(np.maximum(reduced[:, :, 0], reduced[:, :, 1]), reduced[:, :, 2])  # max() is 20 x slower
    seen = (brightest > _BLACK) & (reduced[:, :, 1] < _BURNT) & mask
    number = int(np.count_nonzero(seen))
    exposure = number / int(np.count_nonzero(mask))
    if not number:
        return Quality(readable=0.0, exposure=0.0, sharpness=0.0, contrast=0.0)
    shown = green * seen
    ground = _local_ground(shown, seen)
    departure = (green - ground) * seen
    fine = (green - _neighbour_mean(shown, seen)) * seen
    variation = _sum_of_squares(departure)
    departure /= np.maximum(ground, 1.0)
    return Quality(
        readable=_readable_share(green, seen, mask),
        exposure=exposure,
        sharpness=min(1.0, _sum_of_squares(fine) / variation) if variation > 0 else 0.0,
        contrast=float(np.sqrt(_sum_of_squares(departure) / number)),
    )


def grade_quality(pixels: NDArray[np.uint8]) -> float:
    """Return the share of the field of view that is neither black nor burnt out and carries detail.

    The crop, reduced to at most 256 pixels a side, is divided into 16 x 16 blocks. A block counts, with its area
    inside the circle, when at most half of it is black or burnt out and the mean absolute step between
    neighbouring green pixels is at least 0.7 grey levels. It is a share of area, not a clinical grade.

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
    return measure_quality(pixels).readable


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = min(_SIDE, len(pixels) // _STEP * _STEP)
    if side == len(pixels):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX, reducing_gap=None))


@lru_cache(maxsize=8)
def _circle(side: int) -> NDArray[np.bool_]:
    return circle_mask(side).astype(bool)


def _sum_of_squares(values: NDArray[np.float32]) -> float:
    """Sum squares row by row in single precision and the rows in double."""
    return float(np.einsum("ij,ij->i", values, values).sum(dtype=np.float64))


def _local_ground(shown: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean of the seen pixels in the square of 9 x 9 blocks around each block of 4 x 4 pixels."""
    total = uniform_filter(_sums_of_blocks(shown), _COARSE)
    count = uniform_filter(_sums_of_blocks(seen.astype(np.float32)), _COARSE)
    ground = total / np.maximum(count, np.float32(1e-6))
    return np.asarray(ground.repeat(_STEP, axis=0).repeat(_STEP, axis=1), dtype=np.float32)


def _sums_of_blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum blocks of 4 x 4 pixels, by slices: several times as fast as sums over axes of length 4."""
    rows = sum(values[start::_STEP] for start in range(1, _STEP)) + values[::_STEP]
    return np.asarray(sum(rows[:, start::_STEP] for start in range(1, _STEP)) + rows[:, ::_STEP], dtype=np.float32)


def _neighbour_mean(shown: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean of the seen pixels in the square of 3 x 3 around each pixel."""
    total, count = _sum_of_nine(shown), _sum_of_nine(seen.astype(np.uint8))
    total /= np.maximum(count, 1)
    return total


def _sum_of_nine(values: NDArray[Any]) -> NDArray[Any]:
    rows = values.copy()
    rows[1:] += values[:-1]
    rows[:-1] += values[1:]
    both = rows.copy()
    both[:, 1:] += rows[:, :-1]
    both[:, :-1] += rows[:, 1:]
    return both


def _readable_share(green: NDArray[np.float32], seen: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    corner = green[:-1, :-1]
    step = np.abs(green[:-1, 1:] - corner)
    step += np.abs(green[1:, :-1] - corner)
    inner = seen.copy()
    inner[:-1, :-1] &= seen[1:, :-1] & seen[:-1, 1:]
    steps = np.zeros(green.shape, dtype=np.float32)
    np.multiply(step, inner[:-1, :-1], out=steps[:-1, :-1])
    area, shown = _block_sums(mask), _block_sums(seen)
    detail = _block_sums(steps) / np.maximum(_block_sums(inner), 1.0) / 2
    good = (shown >= 0.5 * area) & (detail >= _DETAIL)
    return float((area * good).sum() / area.sum())


def _block_sums(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Sum each block; integers below 2**24, so that single precision holds the sums exactly."""
    blocks = _blocks_of(values.shape[0])
    return np.asarray(blocks @ values.astype(np.float32, copy=False) @ blocks.T, dtype=np.float64)


@lru_cache(maxsize=8)
def _blocks_of(side: int) -> NDArray[np.float32]:
    """Return 1 where a row of blocks holds a row of pixels, shape (blocks, side)."""
    number = np.searchsorted(np.linspace(0, side, _BLOCKS + 1).astype(int), np.arange(side), side="right") - 1
    return np.asarray(number == np.arange(_BLOCKS)[:, None], dtype=np.float32)
