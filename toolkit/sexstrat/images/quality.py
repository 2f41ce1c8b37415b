"""Grade how well the field of view of a photograph can be read: four plain numbers, no model, no gate."""

from __future__ import annotations

from dataclasses import dataclass

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
    mask = circle_mask(len(reduced)).astype(bool)
    green = reduced[:, :, 1].astype(np.float32)
    brightest = np.maximum(np.maximum(reduced[:, :, 0], reduced[:, :, 1]), reduced[:, :, 2])  # max() is 20 x slower
    seen = (brightest > _BLACK) & (green < _BURNT) & mask
    exposure = float(seen.sum() / mask.sum())
    if not seen.any():
        return Quality(readable=0.0, exposure=0.0, sharpness=0.0, contrast=0.0)
    ground = _local_ground(green, seen)
    departure = np.where(seen, green - ground, 0.0)
    fine = np.where(seen, green - _neighbour_mean(green, seen), 0.0)
    variation = float((departure**2).sum(dtype=np.float64))
    relative = departure / np.maximum(ground, 1.0)
    return Quality(
        readable=_readable_share(green, seen, mask),
        exposure=exposure,
        sharpness=min(1.0, float((fine**2).sum(dtype=np.float64)) / variation) if variation > 0 else 0.0,
        contrast=float(np.sqrt((relative**2).sum(dtype=np.float64) / seen.sum())),
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


def _local_ground(green: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean of the seen pixels in the square of 9 x 9 blocks around each block of 4 x 4 pixels."""
    total = uniform_filter(_sums_of_blocks(np.where(seen, green, np.float32(0.0))), _COARSE)
    count = uniform_filter(_sums_of_blocks(seen.astype(np.float32)), _COARSE)
    ground = total / np.maximum(count, np.float32(1e-6))
    return np.asarray(ground.repeat(_STEP, axis=0).repeat(_STEP, axis=1), dtype=np.float32)


def _sums_of_blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum blocks of 4 x 4 pixels, by slices: several times as fast as sums over axes of length 4."""
    rows = sum(values[start::_STEP] for start in range(1, _STEP)) + values[::_STEP]
    return np.asarray(sum(rows[:, start::_STEP] for start in range(1, _STEP)) + rows[:, ::_STEP], dtype=np.float32)


def _neighbour_mean(green: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean of the seen pixels in the square of 3 x 3 around each pixel."""
    total = _sum_of_nine(np.where(seen, green, np.float32(0.0)))
    count = _sum_of_nine(seen.astype(np.float32))
    return np.asarray(total / np.maximum(count, np.float32(1.0)), dtype=np.float32)


def _sum_of_nine(values: NDArray[np.float32]) -> NDArray[np.float32]:
    wide = np.pad(values, 1)
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    return np.asarray(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:], dtype=np.float32)


def _readable_share(green: NDArray[np.float32], seen: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    step = np.zeros(green.shape, dtype=np.float32)
    step[:-1, :-1] = (np.abs(np.diff(green, axis=0))[:, :-1] + np.abs(np.diff(green, axis=1))[:-1, :]) / 2
    inner = seen.copy()
    inner[:-1, :-1] &= seen[1:, :-1] & seen[:-1, 1:]
    area, shown = _block_sums(mask), _block_sums(seen)
    detail = _block_sums(np.where(inner, step, 0.0)) / np.maximum(_block_sums(inner), 1.0)
    good = (shown >= 0.5 * area) & (detail >= _DETAIL)
    return float((area * good).sum() / area.sum())


def _block_sums(values: NDArray[np.generic]) -> NDArray[np.float64]:
    edges = np.linspace(0, values.shape[0], _BLOCKS + 1).astype(int)[:-1]
    return np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges, axis=0), edges, axis=1)
