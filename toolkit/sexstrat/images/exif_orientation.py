"""Keep of a photograph's EXIF data the one number that says which way is up."""

from __future__ import annotations

import struct

__all__ = ["orientation_exif"]


def orientation_exif(orientation: int) -> bytes:
    r"""Return EXIF data that hold an orientation and nothing else.

    Parameters
    ----------
    orientation : EXIF tag 274, 1 to 8.

    Returns
    -------
    A TIFF header and one directory with one entry, as JPEG keeps it after ``Exif\0\0`` and PNG in ``eXIf``.

    References
    ----------
    CIPA DC-008-2019, Exif 2.32, section 4.6.4.

    Examples
    --------
    >>> from PIL import Image
    >>> exif = Image.Exif()
    >>> exif.load(orientation_exif(6))
    >>> dict(exif)
    {274: 6}
    """
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
