"""What a map of importance over a photograph is, and the numbers that sum it up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.images.crop import circle_mask

__all__ = ["Explanation", "field_mask", "half_share", "rim_share"]

_RIM = 0.9  # of the radius: lens edges, eyelids and the camera's notch lie beyond it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """Where in a photograph the output of a model comes from; neither the output nor its direction.

    Parameters
    ----------
    method : ``occlusion`` or ``grad-cam``.
    pixels : the photograph as the network looked at it, shape (size, size, 3), uint8.
    importance : share of the largest importance, 0 to 1, shape (size, size); all 0 when ``flat``.
    field : whether a pixel lies in the field of view, shape (size, size).
    largest : the largest importance, in ``unit``: how much the output changes when the place is hidden (occlusion), or
        what the place adds to it (Grad-CAM). At least 0.
    unit : ``logit`` or ``years``.
    flat : whether the largest importance is no more than rounding; then there is nothing to see.
    mirrored : whether the network looked at the mirror image; None when it looked both ways.
    detail : how the map was made, in a few words.
    """

    method: str
    pixels: NDArray[np.uint8]
    importance: NDArray[np.float64]
    field: NDArray[np.bool_]
    largest: float
    unit: str
    flat: bool
    mirrored: bool | None
    detail: str


def field_mask(prepared_size: int, input_size: int) -> NDArray[np.bool_]:
    """Return which pixels of a network's window lie in the circle of a prepared crop.

    Parameters
    ----------
    prepared_size : side of the crop that the circle touches.
    input_size : side of the window in its middle, at most as large.

    Examples
    --------
    >>> field_mask(4, 4).sum(), field_mask(8, 2).all()
    (np.int64(12), np.True_)
    """
    start = (prepared_size - input_size) // 2
    window = slice(start, start + input_size)
    return circle_mask(prepared_size)[window, window].astype(bool)


def half_share(importance: NDArray[np.float64], field: NDArray[np.bool_]) -> float | None:
    """Return the smallest share of the field of view that holds half of its importance.

    Parameters
    ----------
    importance : at least 0, any scale.
    field : which pixels lie in the field of view.

    Returns
    -------
    Above 0 and at most 0.5, which is a map that is the same everywhere; None of a map that is 0 everywhere.

    Examples
    --------
    >>> field = np.ones((2, 2), bool)
    >>> half_share(np.array([[4.0, 2.0], [1.0, 1.0]]), field), half_share(np.ones((2, 2)), field)
    (0.25, 0.5)
    >>> half_share(np.zeros((2, 2)), field) is None
    True
    """
    values = np.sort(importance[field])[::-1]
    total = float(values.sum())
    if total <= 0:
        return None
    reached = np.cumsum(values) >= 0.5 * total * (1 - 1e-12)
    return float((int(reached.argmax()) + 1) / len(values))


def rim_share(importance: NDArray[np.float64], prepared_size: int) -> tuple[float, float] | None:
    """Return how much of the importance lies at the rim, beyond nine tenths of the radius, and how much of the area.

    A share of importance well above that of the area says that the network looks at the edge of the photograph, where
    there is more of the camera than of the retina.

    Parameters
    ----------
    importance : at least 0, shape (size, size), in the middle of the prepared crop.
    prepared_size : side of that crop, the diameter of the field of view.

    Returns
    -------
    Share of importance, and of pixels, at the rim and outside the field of view; None of a map that is 0 everywhere.

    Examples
    --------
    >>> spot = np.zeros((64, 64))
    >>> spot[32, 32] = 1.0
    >>> rim_share(spot, 64)[0]
    0.0
    """
    total = float(importance.sum())
    if total <= 0:
        return None
    side = len(importance)
    middle = np.arange(side) + 0.5 - side / 2
    beyond = np.hypot(middle[:, None], middle[None, :]) > _RIM * prepared_size / 2
    return float(importance[beyond].sum() / total), float(beyond.mean())
