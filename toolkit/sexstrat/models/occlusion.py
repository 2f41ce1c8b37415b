"""Occlusion: hide one patch of a photograph after the other and see how much the model's output changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.images.crop import center_crop, circle_mask
from sexstrat.models.explanation import Explanation, field_mask
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.views import views_of

__all__ = ["DEFAULT_GRID", "DEFAULT_PATCH", "occlusion_map"]

DEFAULT_PATCH = 0.125
"""Side of the patch over that of the network's window: as wide as an optic disc."""

DEFAULT_GRID = 24
"""Places of the patch along a side; with the default patch, three patches overlap along each side at any place."""

_BATCH = 64  # photographs with a hidden patch in memory at once; changes no value
_NOISE = {"float32": 1e-4, "bfloat16": 0.05}  # changes of output that arithmetic alone can make


def occlusion_map(
    model: LoadedModel,
    pixels: NDArray[np.uint8],
    *,
    eye: str | None = None,
    patch: float = DEFAULT_PATCH,
    grid: int = DEFAULT_GRID,
) -> Explanation:
    """Return how much a model's output changes when a place is hidden; works with every model and runtime.

    A square takes the mean colour of the retina, at each place of a regular grid; the importance of a pixel is the
    mean, over the squares that cover it, of the absolute change of the logit (of the years, for a model of age). Black
    ground outside the field of view stays black, and squares that would hide nothing else are left out. The mean
    colour is a choice: another one gives another map.

    Parameters
    ----------
    model : the model.
    pixels : crop as :func:`sexstrat.images.prepare` makes it with the card's prepared_size, uint8.
    eye : R, L, or None when not known.
    patch : side of the square over that of the network's window, 0.02 to 0.5.
    grid : places along a side, 2 to 200, enough that the squares leave no gap.

    Returns
    -------
    The map, in the size of the network's window.

    Raises
    ------
    ModelError
        Patch or grid are not in range, the squares leave gaps, or the crop does not fit the model.

    References
    ----------
    Zeiler MD, Fergus R. Visualizing and understanding convolutional networks. ECCV 2014, section 4.2.
    """
    size, window = model.card.prepared_size, model.card.input_size
    side, starts = _places(window, patch, grid)
    starts = starts + (size - window) // 2
    circle = circle_mask(size).astype(bool)
    corners = [(top, left) for top in starts for left in starts if circle[top : top + side, left : left + side].any()]
    colour = np.rint(pixels[circle].mean(axis=0)).astype(np.uint8)
    base = float(_outputs(model, pixels[None], eye)[0])
    change, covered = np.zeros((size, size)), np.zeros((size, size))
    for start in range(0, len(corners), _BATCH):
        some = corners[start : start + _BATCH]
        hidden = np.repeat(pixels[None], len(some), axis=0)
        for one, (top, left) in zip(hidden, some, strict=True):
            box = (slice(top, top + side), slice(left, left + side))
            one[box][circle[box]] = colour
        for value, (top, left) in zip(_outputs(model, hidden, eye), some, strict=True):
            change[top : top + side, left : left + side] += abs(float(value) - base)
            covered[top : top + side, left : left + side] += 1
    mean = np.divide(change, covered, out=np.zeros_like(change), where=covered > 0) * circle
    return _explanation(model, pixels, mean, eye, f"{len(corners)} squares of {side} by {side} pixels")


def _explanation(
    model: LoadedModel, pixels: NDArray[np.uint8], mean: NDArray[np.float64], eye: str | None, detail: str
) -> Explanation:
    card = model.card
    start = (card.prepared_size - card.input_size) // 2
    window = mean[start : start + card.input_size, start : start + card.input_size]
    largest = float(window.max())
    flat = largest <= _NOISE[model.precision]
    importance = np.zeros_like(window) if flat else window / largest
    seen, turn = center_crop(pixels, card.input_size), views_of(card.views, [eye]).turn(0)
    return Explanation(
        method="occlusion",
        pixels=seen[:, ::-1] if turn else seen,
        importance=importance[:, ::-1] if turn else importance,
        field=field_mask(card.prepared_size, card.input_size),
        largest=largest,
        unit="years" if card.output_kind == "age_years" else "logit",
        flat=flat,
        mirrored=turn,
        detail=detail,
    )


def _places(window: int, patch: float, grid: int) -> tuple[int, NDArray[np.int64]]:
    if not 0.02 <= patch <= 0.5:
        raise ModelError(f"patch is {patch:g}; allowed: 0.02 to 0.5 of the side")
    side = max(1, round(patch * window))
    least = max(2, -(-window // side))
    if not least <= grid <= 200:
        raise ModelError(f"grid is {grid}; allowed for patches of {side} of {window} pixels: {least} to 200 places")
    starts = np.unique(np.rint(np.linspace(0, window - side, grid)).astype(np.int64))
    if int(np.diff(starts).max()) > side:
        raise ModelError(f"{grid} places leave gaps between patches of {side} pixels; give a larger grid")
    return side, starts


def _outputs(model: LoadedModel, pixels: NDArray[np.uint8], eye: str | None) -> NDArray[np.float64]:
    estimate = model.predict if model.card.output_kind == "age_years" else model.logits
    return estimate(pixels, [eye] * len(pixels))
