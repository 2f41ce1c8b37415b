"""The one path from a file to the pixels a model sees, the same in training and in scoring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sexstrat.images.crop import crop_and_resize
from sexstrat.images.decode import ImageArray, decode_image
from sexstrat.images.field_of_view import FieldOfView, find_field_of_view
from sexstrat.images.laterality import InferredEye, infer_eye
from sexstrat.images.quality import Quality, measure_quality

__all__ = ["DECODES", "Prepared", "prepare"]

DECODES: dict[str, float | None] = {"exact": None, "safe": 2.0, "fast": 1.0}
"""How a JPEG is decoded, and how many pixels of it, at least, stand for one of the crop along a side: ``exact``
decodes every pixel; ``safe`` and ``fast`` decode at a half, a quarter or an eighth of the size where that leaves
the field of view at least twice as wide as the crop, or as wide."""

_USUAL_DIAMETER = 0.9  # of the shorter side; where the field of view turns out smaller, decoding is done again


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A photograph ready for a model, with what is reported beside its score.

    Parameters
    ----------
    pixels : crop around the field of view, shape (size, size, 3), uint8, black outside the circle.
    field_of_view : the circle, in pixels of the photograph at its full size.
    width, height : size of the photograph in pixels.
    format : JPEG, PNG, TIFF or DICOM.
    measures : exposure, sharpness and contrast, and the share of the field of view that can be read.
    inferred : the eye by the side of the optic disc, with its confidence.
    note : what decoding changed, or "".
    """

    pixels: NDArray[np.uint8]
    field_of_view: FieldOfView
    width: int
    height: int
    format: str
    measures: Quality
    inferred: InferredEye
    note: str

    @property
    def quality(self) -> float:
        """Share of the field of view that can be read, 0 to 1 (score column ``quality``)."""
        return self.measures.readable

    @property
    def relative_diameter(self) -> float:
        """Diameter of the field of view over the width of the photograph (score column ``field_of_view``)."""
        return 2 * self.field_of_view.radius / self.width


def prepare(source: str | Path | bytes, size: int, *, decode: str = "safe", frame: int | None = None) -> Prepared:
    """Decode a photograph, find its field of view, crop, resize and grade it.

    A reduced decode changes which pixels are averaged, not which part of the retina is seen: the circle is
    looked for on the same small copy as ever, and the crop follows it to fractions of a pixel.

    Parameters
    ----------
    source : path of the file, or its bytes.
    size : side of the crop in pixels, from the model's card.
    decode : ``exact``, ``safe`` or ``fast``, see ``DECODES``; only JPEG photographs differ.
    frame : number of the frame of a DICOM file, from 1; None for a file that holds a single one.

    Returns
    -------
    The crop and what is known about the photograph.

    Raises
    ------
    ImageError
        The photograph cannot be read or shows no field of view; ``status`` says which.
    ValueError
        The decode is not one of ``DECODES``.

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
    if decode not in DECODES:
        raise ValueError(f"unknown decode {decode!r}; allowed: {', '.join(DECODES)}")
    picture, view = _decoded_and_found(source, size, DECODES[decode], frame)
    pixels = crop_and_resize(picture.pixels, view, size)
    return Prepared(
        pixels=pixels,
        field_of_view=_in_photograph(view, picture),
        width=picture.width,
        height=picture.height,
        format=picture.format,
        measures=measure_quality(pixels),
        inferred=infer_eye(pixels),
        note=picture.note,
    )


def _decoded_and_found(
    source: str | Path | bytes, size: int, excess: float | None, frame: int | None
) -> tuple[ImageArray, FieldOfView]:
    """Decode just finely enough that the field of view is ``excess`` times as wide as the crop, or wider."""
    least = None if excess is None else excess * size
    picture = decode_image(source, least_side=None if least is None else least / _USUAL_DIAMETER, frame=frame)
    view = find_field_of_view(picture.pixels, picture.area)
    if least is not None and picture.reduction > 1 and 2 * view.radius < least:
        shorter = min(picture.width, picture.height)
        picture = decode_image(source, least_side=least * shorter / (2 * view.radius * picture.reduction))
        view = find_field_of_view(picture.pixels, picture.area)
    return picture, view


def _in_photograph(view: FieldOfView, picture: ImageArray) -> FieldOfView:
    return replace(
        view,
        center_x=picture.left + picture.reduction * view.center_x,
        center_y=picture.top + picture.reduction * view.center_y,
        radius=picture.reduction * view.radius,
    )
