"""De-identify one photograph of any format that is read, and make sure that no pixel has changed."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from sexstrat.errors import ImageError
from sexstrat.images.burned_in import BURNED_IN, BurnedIn, burned_in_sign
from sexstrat.images.clean_dicom import clean_dicom
from sexstrat.images.clean_jpeg import clean_jpeg
from sexstrat.images.clean_png import clean_png
from sexstrat.images.clean_tiff import clean_tiff
from sexstrat.images.decode import decode_image
from sexstrat.images.dicom_file import frame_count, is_dicom, read_dicom

__all__ = ["Cleaned", "clean_photograph"]

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "DICOM": ".dcm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A photograph without what identifies its patient.

    Parameters
    ----------
    data : the file.
    format : JPEG, PNG, TIFF or DICOM.
    removed : names of what was left out, none of them a value.
    burned_in : what was seen around the retina, of all frames the most worrying.
    """

    data: bytes
    format: str
    removed: tuple[str, ...]
    burned_in: BurnedIn

    @property
    def suffix(self) -> str:
        """Suffix of the file's name, by its content."""
        return _SUFFIXES[self.format]


def clean_photograph(data: bytes, key: bytes, *, patient: str | None = None, more: Iterable[str] = ()) -> Cleaned:
    """De-identify a JPEG, PNG, TIFF or DICOM photograph without changing a pixel.

    The pixels are decoded before and after and compared; where they differ, the photograph is refused. What may be
    written into the pixels is told and left as it is.

    Parameters
    ----------
    data : content of the file.
    key : secret key of a DICOM file's UIDs.
    patient : keyed hash that becomes a DICOM file's PatientID, or None.
    more : identifiers that must not stay in a DICOM header, such as the patient's in a list.

    Returns
    -------
    The photograph, with what was left out and what is to be looked at.

    Raises
    ------
    ImageError
        The photograph cannot be read or cleaned, or its pixels would change.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> Image.new("RGB", (64, 64)).save(buffer, "JPEG", comment="Mori")
    >>> found = clean_photograph(buffer.getvalue(), b"k" * 32)
    >>> found.format, found.removed, b"Mori" in found.data
    ('JPEG', ('comment',), False)
    """
    pictures = [(decode_image(data, frame=frame), frame) for frame in _frames(data)]
    kind = pictures[0][0].format
    signs = [burned_in_sign(picture.pixels) for picture, _ in pictures]
    burned_in = "stated" if _states_text(data) else max(signs, key=BURNED_IN.index)
    if kind == "DICOM":
        cleaned, removed = clean_dicom(data, key, patient=patient, more=more, burned_in=burned_in)
    elif kind == "TIFF":
        cleaned, removed = clean_tiff(data)
    else:
        orientation = _orientation(data)
        cleaned, removed = (clean_jpeg if kind == "JPEG" else clean_png)(data, orientation=orientation)
    for picture, frame in pictures:
        if not _same(picture.pixels, decode_image(cleaned, frame=frame).pixels):
            raise ImageError("unreadable", "the pixels would change by cleaning; the file bends its format's rules")
    return Cleaned(data=cleaned, format=kind, removed=tuple(removed), burned_in=burned_in)


def _frames(data: bytes) -> list[int | None]:
    if not is_dicom(data):
        return [None]
    return list(range(1, frame_count(read_dicom(data, pixels=False)) + 1))


def _states_text(data: bytes) -> bool:
    return is_dicom(data) and str(read_dicom(data, pixels=False).get("BurnedInAnnotation", "")).strip() == "YES"


def _orientation(data: bytes) -> int:
    """Return which way is up, read as decoding reads it: from EXIF, or from XMP where EXIF says nothing."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
        stated = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return stated if isinstance(stated, int) and stated in range(1, 9) else 1


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return one.shape == other.shape and bool((one == other).all())
