"""Decode a JPEG photograph at full size or, in a fraction of the time, at an half, a quarter or an eighth of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sexstrat.images.field_of_view import WORKING_SIDE

__all__ = ["decode_jpeg", "jpeg_reduction", "turn_upright"]

_REDUCTIONS = (8, 4, 2)  # the scales that libjpeg-turbo computes with vector instructions; 3/8 is slower than 1/2

Pixels = NDArray[np.uint8]

_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}


def jpeg_reduction(width: int, height: int, least_side: float | None) -> int:
    """Return by how much a JPEG may be reduced while it is decoded: 1, 2, 4 or 8.

    The longer side keeps at least the 320 pixels on which the field of view is looked for.

    Parameters
    ----------
    width, height : size of the photograph in pixels.
    least_side : pixels that the shorter side must keep; None keeps all.

    Returns
    -------
    Pixels of the photograph, in a row, that one decoded pixel stands for.

    Examples
    --------
    >>> [jpeg_reduction(3000, 2000, side) for side in (250, 251, 1001, None)]
    [8, 4, 1, 1]
    """
    if least_side is None:
        return 1
    short, long = min(width, height), max(width, height)
    fitting = (r for r in _REDUCTIONS if short / r >= least_side and long / r >= WORKING_SIDE)
    return next(fitting, 1)


def decode_jpeg(data: bytes, width: int, height: int, reduction: int) -> Pixels | None:
    """Decode a grey or colour JPEG to RGB.

    A JPEG stores blocks of 8 x 8 pixels as cosine waves; leaving out the fine waves gives the picture at an
    eighth, a quarter or a half of its size without ever making the large one. At full size the pixels are
    those that Pillow gives.

    Parameters
    ----------
    data : content of the file.
    width, height : size of the photograph in pixels, from its header.
    reduction : 1, 2, 4 or 8.

    Returns
    -------
    RGB pixels of shape (ceil(height / reduction), ceil(width / reduction), 3), or None when the file is not
    sound to the last byte: what can be read of it is for a more patient decoder to say.

    References
    ----------
    Wallace GK. The JPEG still picture compression standard. IEEE Trans Consum Electron 1992;38:xviii-xxxiv.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> buffer = io.BytesIO()
    >>> Image.new("RGB", (80, 60), (200, 100, 50)).save(buffer, "JPEG", quality=95)
    >>> decode_jpeg(buffer.getvalue(), 80, 60, 8).shape
    (8, 10, 3)
    >>> decode_jpeg(buffer.getvalue()[:-300], 80, 60, 8) is None
    True
    """
    import simplejpeg

    wanted = (-(-height // reduction), -(-width // reduction))
    try:
        if simplejpeg.decode_jpeg_header(data)[:2] != (height, width):
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, "RGB", min_height=wanted[0], min_width=wanted[1], fastdct=False, fastupsample=False
        )
    except ValueError:
        return None
    return pixels if pixels.shape[:2] == wanted else None


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn or mirror decoded pixels as their EXIF orientation says.

    Parameters
    ----------
    pixels : shape (height, width, 3).
    orientation : EXIF tag 274, 1 to 8; anything else leaves the pixels as they are.

    Returns
    -------
    View of the pixels, turned.

    Examples
    --------
    >>> lying = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    >>> turn_upright(lying, 6)[:, :, 0].tolist()
    [[3, 0], [4, 1], [5, 2]]
    """
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels
