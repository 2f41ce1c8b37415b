"""Decode one photograph to eight-bit RGB pixels, or say exactly why that cannot be done."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from sexstrat.errors import ImageError
from sexstrat.images.dicom_file import is_dicom
from sexstrat.images.dicom_pixels import decode_dicom
from sexstrat.images.jpeg import decode_jpeg, jpeg_reduction, turn_upright

__all__ = ["MAXIMUM_PIXELS", "MINIMUM_SIDE", "ImageArray", "decode_image"]

MINIMUM_SIDE = 64
"""Shorter side, in pixels, below which a photograph shows no retina that a model can read."""

MAXIMUM_PIXELS = 80_000_000
"""Larger pictures are refused before they are unpacked; fundus cameras stay below 60 million pixels."""

_SIGNATURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"II*\x00": "TIFF", b"MM\x00*": "TIFF"}
_BIT_DEPTHS = (8, 10, 12, 14, 16)
_MIRRORED_X, _MIRRORED_Y = {2, 3, 6, 7}, {3, 4, 7, 8}  # EXIF orientations whose first column or row was a last one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageArray:
    """A decoded photograph, upright, in eight-bit RGB.

    Parameters
    ----------
    pixels : array of shape (rows, columns, 3), uint8: the photograph, or its reduced copy.
    format : what the content is: JPEG, PNG, TIFF or DICOM (never guessed from the file's name).
    width, height : size of the photograph in pixels after the EXIF orientation was applied, never reduced.
    note : what was changed on the way, for instance ``16-bit grey scaled from 12 bits``; or "".
    reduction : pixels of the photograph, in a row, that one of ``pixels`` stands for: 1, 2, 4 or 8.
    left, top : where ``pixels`` begin, in pixels of the photograph: 0, or just outside it (above -8) where the
        last column or row of a reduced copy, which reaches beyond the photograph, came to be the first.
    """

    pixels: NDArray[np.uint8]
    format: str
    width: int
    height: int
    note: str = ""
    reduction: int = 1
    left: int = 0
    top: int = 0

    @property
    def area(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the photograph itself, in units of ``pixels``."""
        left, top = -self.left / self.reduction, -self.top / self.reduction
        return left, top, left + self.width / self.reduction, top + self.height / self.reduction


def decode_image(
    source: str | Path | bytes, *, least_side: float | None = None, frame: int | None = None
) -> ImageArray:
    """Decode a JPEG, PNG, TIFF or DICOM photograph, judged by content and not by suffix.

    EXIF orientation is applied; CMYK, palette, grey and transparent pictures become RGB (transparent
    over black, the colour around a fundus); 16-bit grey is divided by the smallest of the usual bit
    depths (8, 10, 12, 14, 16) that holds its brightest pixel, so that a 12-bit picture in a 16-bit
    file comes out neither black nor white. Of a file with several pages the first is read.

    Parameters
    ----------
    source : path of the file, or its bytes.
    least_side : pixels that the shorter side of a JPEG must keep: it is then decoded at the smallest of a
        half, a quarter or an eighth of its size that does; None decodes every pixel. Other formats, and
        JPEG files that are not sound to the last byte, are always decoded whole.
    frame : number of the frame of a DICOM file, from 1; None for a file that holds a single one.

    Returns
    -------
    The pixels with what is known of their origin.

    Raises
    ------
    ImageError
        The file is missing, empty, not a picture of these formats, damaged or cut off, smaller than
        64 pixels on its shorter side, or larger than 80 million pixels; ``status`` says which.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> Image.new("L", (80, 64), 200).save(buffer, "PNG")
    >>> picture = decode_image(buffer.getvalue())
    >>> picture.format, picture.width, picture.height, picture.pixels[0, 0].tolist()
    ('PNG', 80, 64, [200, 200, 200])
    """
    data = source if isinstance(source, bytes) else _read_bytes(Path(source))
    if not data:
        raise ImageError("empty_file", "the file has no content")
    if is_dicom(data):
        pixels, note = decode_dicom(data, frame=frame, check_size=_check_size)
        return ImageArray(pixels=pixels, format="DICOM", width=pixels.shape[1], height=pixels.shape[0], note=note)
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF")) as picture:
            _check_size(*picture.size)
            return _decoded(picture, data, least_side)
    except ImageError:
        raise
    except UnidentifiedImageError as err:
        raise _not_identified(data) from err
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as err:
        raise ImageError("too_large", f"more than {MAXIMUM_PIXELS:,} pixels") from err
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError, KeyError, IndexError) as err:
        raise ImageError("unreadable", f"damaged or cut off: {str(err) or type(err).__name__}") from err


def _decoded(picture: Image.Image, data: bytes, least_side: float | None) -> ImageArray:
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)
    found = _decoded_jpeg(picture, data, least_side) if kind == "JPEG" and picture.mode in {"RGB", "L"} else None
    if found is not None:
        return found
    pages = int(getattr(picture, "n_frames", 1)) if kind == "TIFF" else 1
    rgb, note = _to_rgb(ImageOps.exif_transpose(picture))
    notes = [note] if note else []
    if pages > 1:
        notes.append(f"first of {pages} pages")
    height, width = rgb.shape[:2]
    return ImageArray(pixels=rgb, format=kind, width=width, height=height, note="; ".join(notes))


def _decoded_jpeg(picture: Image.Image, data: bytes, least_side: float | None) -> ImageArray | None:
    width, height = picture.size
    reduction = jpeg_reduction(width, height, least_side)
    lying = decode_jpeg(data, width, height, reduction)
    if lying is None:
        return None
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    pixels = turn_upright(lying, orientation)
    if orientation in {5, 6, 7, 8}:
        width, height = height, width
    return ImageArray(
        pixels=pixels,
        format="JPEG",
        width=width,
        height=height,
        note="" if picture.mode == "RGB" else f"converted from {picture.mode}",
        reduction=reduction,
        left=width - reduction * pixels.shape[1] if orientation in _MIRRORED_X else 0,
        top=height - reduction * pixels.shape[0] if orientation in _MIRRORED_Y else 0,
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as err:
        raise ImageError("missing_file", "no file of this name") from err
    except OSError as err:
        raise ImageError("unreadable", f"the file cannot be opened: {err.strerror or err}") from err


def _check_size(width: int, height: int) -> None:
    if width * height > MAXIMUM_PIXELS:
        raise ImageError("too_large", f"{width} x {height} pixels; at most {MAXIMUM_PIXELS:,} are read")
    if min(width, height) < MINIMUM_SIDE:
        raise ImageError("too_small", f"{width} x {height} pixels; the shorter side must have at least {MINIMUM_SIDE}")


def _not_identified(data: bytes) -> ImageError:
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            return ImageError("unreadable", f"starts like a {name} file but cannot be decoded")
    return ImageError("not_an_image", "the content is neither JPEG, PNG, TIFF nor DICOM")


def _to_rgb(picture: Image.Image) -> tuple[NDArray[np.uint8], str]:
    """Return RGB pixels and a note of what was converted."""
    mode = picture.mode
    if mode == "RGB":
        return np.asarray(picture), ""
    if mode.startswith("I"):
        return _scale_deep_grey(np.asarray(picture).astype(np.int64))
    if mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        return np.asarray(Image.alpha_composite(ground, layer).convert("RGB")), f"{mode} laid over black"
    if mode == "F":
        raise ImageError("unreadable", "floating-point pixels have no defined white; save as 8 or 16 bits")
    return np.asarray(picture.convert("RGB")), f"converted from {mode}"


def _scale_deep_grey(grey: NDArray[np.int64]) -> tuple[NDArray[np.uint8], str]:
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high > 65535:
        raise ImageError("unreadable", f"grey values from {low} to {high}; 0 to 65535 are read")
    depth = next(bits for bits in _BIT_DEPTHS if high < 2**bits)
    eight = np.rint(grey * (255.0 / (2**depth - 1))).astype(np.uint8)
    return np.repeat(eight[:, :, None], 3, axis=2), f"16-bit grey scaled from {depth} bits"
