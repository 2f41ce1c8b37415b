"""The one path from a file to the pixels a model sees, the same in training and in scoring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sexstrat.images.crop import crop_and_resize
from sexstrat.images.decode import decode_image
from sexstrat.images.field_of_view import FieldOfView, find_field_of_view
from sexstrat.images.quality import grade_quality

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A photograph ready for a model, with what is reported beside its score.

    Parameters
    ----------
    pixels : crop around the field of view, shape (size, size, 3), uint8, black outside the circle.
    field_of_view : the circle, in pixels of the photograph as decoded.
    width, height : size of the photograph in pixels.
    format : JPEG, PNG or TIFF.
    quality : share of the field of view that can be read, 0 to 1.
    note : what decoding changed, or "".
    """

    pixels: NDArray[np.uint8]
    field_of_view: FieldOfView
    width: int
    height: int
    format: str
    quality: float
    note: str

    @property
    def relative_diameter(self) -> float:
        """Diameter of the field of view over the width of the photograph (score column ``field_of_view``)."""
        return 2 * self.field_of_view.radius / self.width


def prepare(source: str | Path | bytes, size: int) -> Prepared:
    """Decode a photograph, find its field of view, crop, resize and grade it.

    Parameters
    ----------
    source : path of the file, or its bytes.
    size : side of the crop in pixels, from the model's card.

    Returns
    -------
    The crop and what is known about the photograph.

    Raises
    ------
    ImageError
        The photograph cannot be read or shows no field of view; ``status`` says which.

    Examples
    --------
    >>> import io
    >>> from PIL import Image, ImageDraw
    >>> picture, buffer = Image.new("RGB", (300, 200)), io.BytesIO()
    >>> ImageDraw.Draw(picture).ellipse((60, 10, 240, 190), fill=(170, 80, 40))
    >>> picture.save(buffer, "PNG")
    >>> ready = prepare(buffer.getvalue(), 64)
    >>> ready.pixels.shape, ready.pixels[32, 32].tolist(), round(ready.relative_diameter, 1)
    ((64, 64, 3), [170, 80, 40], 0.6)
    """
    picture = decode_image(source)
    view = find_field_of_view(picture.pixels)
    pixels = crop_and_resize(picture.pixels, view, size)
    return Prepared(
        pixels=pixels,
        field_of_view=view,
        width=picture.width,
        height=picture.height,
        format=picture.format,
        quality=grade_quality(pixels),
        note=picture.note,
    )
