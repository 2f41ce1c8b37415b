"""Tell whether something is written into the dark ground around the retina; nothing is ever painted over."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ImageError
from sexstrat.images.field_of_view import find_field_of_view

__all__ = ["BURNED_IN", "BurnedIn", "burned_in_sign"]

BurnedIn = Literal["none_seen", "not_checked", "suspected", "stated"]

BURNED_IN: tuple[BurnedIn, ...] = ("none_seen", "not_checked", "suspected", "stated")
"""What can be said of a photograph, the most worrying last. ``not_checked``: no dark ground was found around the
retina, so nothing can be said of it; ``stated``: the header of a DICOM file says that text is burnt in."""

_MARGIN = 1.06  # of the radius: beyond the blur of the edge and the camera's notch
_ABOVE_GROUND = 40  # of 255: compression and stray light stay below
_LEAST_PIXELS = 12  # of one letter, at least
_LEAST_SHARE = 2e-5  # of the photograph: hot pixels and dust are smaller
_LEAST_GROUND = 0.02  # share of the photograph that must lie outside the circle


def burned_in_sign(pixels: NDArray[np.uint8]) -> BurnedIn:
    """Return whether the ground outside the field of view holds something bright, such as a name or a date.

    The brightest channel outside the circle (enlarged by 6 %) is compared with the median of that ground. Letters over
    the retina itself cannot be found this way, and dark letters neither: a person has to look at some photographs of
    each camera.

    Parameters
    ----------
    pixels : RGB photograph of shape (height, width, 3), uint8, not reduced.

    Returns
    -------
    ``none_seen``, ``suspected``, or ``not_checked``.

    Examples
    --------
    >>> y, x = np.mgrid[:200, :300]
    >>> retina = ((x - 150) ** 2 + (y - 100) ** 2 < 90**2)[:, :, None] * np.array([180, 90, 40])
    >>> plain = retina.astype(np.uint8)
    >>> written = plain.copy()
    >>> written[5:12, 5:40:3] = 255
    >>> burned_in_sign(plain), burned_in_sign(written)
    ('none_seen', 'suspected')
    """
    try:
        view = find_field_of_view(pixels)
    except ImageError:
        return "not_checked"
    if view.method == "full_frame":
        return "not_checked"
    brightest = pixels.max(axis=2)
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    outside = (x + 0.5 - view.center_x) ** 2 + (y + 0.5 - view.center_y) ** 2 > (_MARGIN * view.radius) ** 2
    ground = brightest[outside]
    if ground.size < _LEAST_GROUND * brightest.size:
        return "not_checked"
    level = float(np.median(ground))
    if level > _ABOVE_GROUND * 2:
        return "suspected"  # a ground that bright is none: a frame, a form or a screen
    n_bright = int((ground > level + _ABOVE_GROUND).sum())
    return "suspected" if n_bright >= max(_LEAST_PIXELS, _LEAST_SHARE * brightest.size) else "none_seen"
