"""Tell a right from a left eye by the side of the optic disc, with a confidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter1d

__all__ = ["EVIDENCE_WEIGHT", "MINIMUM_CONFIDENCE", "PLACE_WEIGHT", "InferredEye", "disc_evidence", "infer_eye"]

MINIMUM_CONFIDENCE = 0.95
"""Confidence from which an inferred eye is stated. On the 5,120 photographs of ODIR-5K, whose eyes are known, the
share of right answers above it was at least 99 % in the half of the patients the weights below were fitted on and
in the other half (tests/reference/scripts/laterality.py makes the figures)."""

EVIDENCE_WEIGHT, PLACE_WEIGHT = 1.37, 5.30  # logistic regression on half of the patients of ODIR-5K, no intercept

_SIDE = 128  # pixels a side at which vessels are looked for; a disc is then about 18 pixels wide
_GRID = 64  # blocks a side of the map of evidence
_DISC, _GROUND = 2.5, 9.0  # standard deviations, in blocks, of the Gaussian windows: a disc, and what surrounds it
_FLOORS = (0.08, 0.012, 0.012)  # least spread of brightness (log) and of vessels (log) that is taken for structure
_BLACK, _BURNT = 16, 250
_MIDDLE = 0.1  # half-width of the middle that speaks for neither side, over the radius
_HEIGHT = 0.5  # the disc lies within this distance of the horizontal through the centre, over the radius


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredEye:
    """Which eye a photograph most likely shows.

    Parameters
    ----------
    eye : R or L when the confidence reaches :data:`MINIMUM_CONFIDENCE`, else None: not determined.
    confidence : estimated probability that the likelier side is right, 0.5 (nothing to go by) to 1.
    """

    eye: Literal["R", "L"] | None
    confidence: float


def infer_eye(pixels: NDArray[np.uint8]) -> InferredEye:
    """Infer the eye from the side of the optic disc: to the right in a right eye, to the left in a left one.

    ``log odds of right = 1.37 E + 5.30 X`` with the evidence E and the place X of :func:`disc_evidence`. It holds
    for photographs centred between disc and macula or on the macula, as the camera takes them. A mirrored or
    upside-down photograph is read as the other eye with high confidence, and one centred on the disc may be read
    as either: a recorded eye always goes before an inferred one.

    Parameters
    ----------
    pixels : crop around the field of view, shape (size, size, 3), uint8; size at least 32.

    Returns
    -------
    The eye, if it can be told, and the confidence.

    Examples
    --------
    A retina of one colour shows no disc; a bright round spot with a vessel through it, to the right, speaks for
    a right eye:

    >>> retina = np.full((128, 128, 3), (150, 80, 40), np.uint8)
    >>> infer_eye(retina).eye, round(infer_eye(retina).confidence, 6)
    (None, 0.5)
    >>> y, x = np.mgrid[:128, :128]
    >>> retina[np.hypot(x - 94, y - 64) < 9] = (240, 200, 120)
    >>> retina[20:108, 93:95] = (110, 30, 20)
    >>> infer_eye(retina).eye, infer_eye(retina[:, ::-1]).eye
    ('R', 'L')
    """
    found = disc_evidence(pixels)
    if found is None:
        return InferredEye(eye=None, confidence=0.5)
    logit = EVIDENCE_WEIGHT * found[0] + PLACE_WEIGHT * found[1]
    confidence = float(1 / (1 + np.exp(-abs(logit))))
    eye: Literal["R", "L"] = "R" if logit > 0 else "L"
    return InferredEye(eye=eye if confidence >= MINIMUM_CONFIDENCE else None, confidence=confidence)


def disc_evidence(pixels: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Measure how much more the right half of a crop looks like an optic disc than the left half.

    Three maps over 64 x 64 blocks: brightness (mean log of red and green, Gaussian window of a disc minus that of
    its surroundings), vessels that run up and down, and vessels that run across (darker in green than both
    neighbours 2 and 4 pixels away). Each is centred on its median and divided by its spread (16th to 84th
    percentile, at least a floor, so that a retina without structure says nothing). Their sum D, across counted
    half, is high where a bright disc lies and the great vessels leave it. Positions are taken relative to
    the middle of the part of the circle that is lit.

    Parameters
    ----------
    pixels : crop around the field of view, shape (size, size, 3), uint8.

    Returns
    -------
    E, the log of the mean of exp(1.5 D) over the right half minus that over the left half; and X, the mean
    horizontal position weighted by exp(2 D), in radii, right positive. None when a half is not lit.

    Examples
    --------
    >>> disc_evidence(np.zeros((64, 64, 3), np.uint8)) is None
    True
    """
    crop = np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=None))
    values = crop.astype(np.float32)
    seen = (np.maximum(values[:, :, 0], values[:, :, 1]) > _BLACK) & (values[:, :, 1] < _BURNT)
    x, y = _positions()
    lit = (_blocks(seen.astype(np.float32)) > 0.99) & (np.hypot(x, y) < 0.95)
    columns = np.flatnonzero(lit.sum(axis=0) > 3)
    if len(columns) < _GRID // 8:
        return None
    place = x - (x[0, columns[0]] + x[0, columns[-1]]) / 2
    band = lit & (np.abs(y) < _HEIGHT)
    right, left = band & (place > _MIDDLE), band & (place < -_MIDDLE)
    if not right.any() or not left.any():
        return None
    disc = _disc_map(values, seen, lit)
    evidence = np.log(np.exp(1.5 * disc[right]).mean() / np.exp(1.5 * disc[left]).mean())
    weight = np.exp(2 * disc[band])
    return float(evidence), float((weight * place[band]).sum() / weight.sum())


def _disc_map(values: NDArray[np.float32], seen: NDArray[np.bool_], lit: NDArray[np.bool_]) -> NDArray[np.float32]:
    weight = lit.astype(np.float32)
    near, around = _gaussian(weight, _DISC), _gaussian(weight, _GROUND)

    def window(values: NDArray[np.float32], width: float, total: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(_gaussian(values * weight, width) / np.maximum(total, np.float32(1e-3)), dtype=np.float32)

    logs = np.log(np.maximum(values[:, :, :2], np.float32(8)))
    light = _blocks(np.asarray((logs[:, :, 0] + logs[:, :, 1]) / np.float32(2), dtype=np.float32))
    maps = [window(light, _DISC, near) - window(light, _GROUND, around)]
    green = np.ascontiguousarray(logs[:, :, 1])
    maps += [window(_blocks(_vessels(green, seen, axis)), _DISC, near) for axis in (1, 0)]
    parts = []
    for found, floor in zip(maps, _FLOORS, strict=True):
        low, middle, high = _quantiles(found[lit], (0.16, 0.5, 0.84))
        parts.append(np.clip((found - middle) / np.float32(max(float(high - low), floor)), -4, 4))
    return np.asarray(parts[0] + parts[1] + 0.5 * parts[2], dtype=np.float32)


def _gaussian(values: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Blur by a Gaussian window: two products of small matrices are many times as fast as a filter."""
    window = _window(width)
    return np.asarray(window @ values.astype(np.float64) @ window.T, dtype=np.float32)


@lru_cache(maxsize=4)
def _window(width: float) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter1d(np.eye(_GRID), width, axis=0))


def _quantiles(values: NDArray[np.float32], shares: tuple[float, ...]) -> list[np.float32]:
    """Return quantiles by linear interpolation; sorting a few thousand numbers takes a tenth of np.percentile."""
    ordered = np.sort(values)
    places = [share * (len(ordered) - 1) for share in shares]
    lows = [ordered[int(place)] for place in places]
    highs = [ordered[min(int(place) + 1, len(ordered) - 1)] for place in places]
    return [
        low + (high - low) * np.float32(place - int(place))
        for low, high, place in zip(lows, highs, places, strict=True)
    ]


def _vessels(green: NDArray[np.float32], seen: NDArray[np.bool_], axis: int) -> NDArray[np.float32]:
    """Return how much darker each pixel is than both its neighbours along an axis, 2 and 4 pixels away, summed."""
    depth = np.zeros_like(green)
    for step in (2, 4):
        before, after = np.roll(green, step, axis), np.roll(green, -step, axis)
        whole = seen & np.roll(seen, step, axis) & np.roll(seen, -step, axis)
        depth += np.where(whole, np.maximum(np.minimum(before, after) - green, 0), np.float32(0))
    return np.minimum(depth, np.float32(0.3))


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average blocks of 2 x 2 pixels."""
    return (values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]) / np.float32(4)


@lru_cache(maxsize=1)
def _positions() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.mgrid[:_GRID, :_GRID]
    return (x + 0.5) / (_GRID / 2) - 1, (y + 0.5) / (_GRID / 2) - 1
