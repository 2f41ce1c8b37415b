"""Turn one frame of a DICOM photograph into eight-bit RGB pixels by the standard's rules, or say why not."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sexstrat.errors import ImageError
from sexstrat.images.dicom_file import frame_count, quiet, read_dicom

__all__ = ["decode_dicom"]

_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_PALETTE = "PALETTE COLOR"
_ALLOWED = ", ".join([*_GREY, _PALETTE, *_COLOUR])
_NOT_PHOTOGRAPHS = {
    "OPT": "ophthalmic tomography",
    "OCT": "optical coherence tomography",
    "OPTBSV": "a tomography's section",
    "OPTENF": "a tomography's projection",
    "OPM": "an ophthalmic map",
    "OPV": "a visual field",
    "SR": "a structured report",
    "DOC": "a document",
}


def decode_dicom(data: bytes, *, frame: int | None = None, check_size: Any = None) -> tuple[NDArray[np.uint8], str]:
    """Decode one frame of a DICOM photograph.

    Uncompressed, deflated, RLE, JPEG baseline and extended (8 bits) and JPEG 2000 transfer syntaxes; RGB, YBR
    (converted to RGB), palette and grey (MONOCHROME1 is inverted: there low values are white); 8 to 16 bits. Values
    are divided by the largest that BitsStored allows. Windows, modality tables and colour profiles in the file are
    not applied: models are trained on photographs as stored, and a note says that one was there.

    Parameters
    ----------
    data : the file's bytes.
    frame : number of the frame, from 1; None for a file that holds a single one.
    check_size : called with width and height before pixels are decoded; raises when they are not acceptable.

    Returns
    -------
    Pixels of shape (height, width, 3), uint8, and a note of what was converted or left aside, or "".

    Raises
    ------
    ImageError
        The file is damaged, holds no photograph, or is coded in a way that is not read; the reason names it.
    """
    dataset = read_dicom(data)
    _check_is_photograph(dataset)
    frames = frame_count(dataset)
    if frame is None and frames > 1:
        raise ImageError("unreadable", f"{frames} frames in one file whose name hides that; give it the suffix .dcm")
    number = 1 if frame is None else frame
    if not 1 <= number <= frames:
        raise ImageError("unreadable", f"frame {number} is asked for; the file holds {frames}")
    if check_size is not None:
        check_size(int(dataset.Columns), int(dataset.Rows))
    try:
        with quiet():
            return _eight_bit_rgb(dataset, number - 1)
    except ImageError:
        raise
    except Exception as err:
        raise ImageError("unreadable", f"the pixels cannot be decoded: {' '.join(str(err).split())[:200]}") from err


def _check_is_photograph(dataset: Any) -> None:
    modality = str(dataset.get("Modality", ""))
    if modality in _NOT_PHOTOGRAPHS:
        raise ImageError("not_an_image", f"a DICOM file of {_NOT_PHOTOGRAPHS[modality]}, not a photograph")
    if "PixelData" not in dataset:
        raise ImageError("not_an_image", "a DICOM file without pixels")
    lacking = [
        name
        for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "SamplesPerPixel", "PhotometricInterpretation")
        if dataset.get(name, None) in (None, "")
    ]
    if lacking:
        raise ImageError("unreadable", f"damaged DICOM file: {', '.join(lacking)} missing")
    colour = str(dataset.PhotometricInterpretation)
    if colour not in (*_GREY, _PALETTE, *_COLOUR):
        raise ImageError("unreadable", f"photometric interpretation {colour[:40]!r} is not read; allowed: {_ALLOWED}")
    stored, allocated = int(dataset.BitsStored), int(dataset.BitsAllocated)
    if allocated not in (8, 16) or not 8 <= stored <= allocated:
        raise ImageError("unreadable", f"{stored} bits stored in {allocated}; read are 8 to 16 bits in 8 or 16")
    if int(dataset.get("HighBit", stored - 1)) != stored - 1:
        raise ImageError("unreadable", f"HighBit is {dataset.HighBit}; allowed: BitsStored - 1, {stored - 1}")


def _eight_bit_rgb(dataset: Any, index: int) -> tuple[NDArray[np.uint8], str]:
    values, colour = _values(dataset, index)
    stored = int(dataset.BitsStored)
    signed = int(dataset.get("PixelRepresentation", 0)) == 1
    notes = _left_aside(dataset)
    if colour == _PALETTE:
        from pydicom.pixels import apply_color_lut

        values = np.asarray(apply_color_lut(values, dataset))[:, :, :3]
        stored = 8 if values.dtype == np.uint8 or int(values.max(initial=0)) < 256 else 16
        signed = False
        notes.insert(0, f"palette of {stored}-bit colours")
    elif colour in _GREY:
        values = np.repeat(values[:, :, None], 3, axis=2)
        notes.insert(0, f"grey of {stored} bits{', inverted' if colour == 'MONOCHROME1' else ''}")
    elif stored > 8:
        notes.insert(0, f"colour of {stored} bits")
    return _scaled(values, stored, signed=signed, inverted=colour == "MONOCHROME1"), "; ".join(notes)


def _values(dataset: Any, index: int) -> tuple[NDArray[Any], str]:
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
        available = decoder.is_available
    except NotImplementedError:
        available = False
    if not available:
        name = syntax.name if syntax.is_transfer_syntax else str(syntax)[:64]
        raise ImageError(
            "unreadable", f"transfer syntax {name} is not read; save the file as JPEG 2000 or uncompressed"
        )
    if syntax.is_encapsulated:
        _check_stream(dataset, index)
    array, properties = decoder.as_array(dataset, index=index)
    return np.asarray(array), str(properties["photometric_interpretation"])


def _check_stream(dataset: Any, index: int) -> None:
    """Refuse a JPEG stream of another size than the header's before it is unpacked."""
    from pydicom.encaps import get_frame

    stream = get_frame(dataset.PixelData, index, number_of_frames=frame_count(dataset))
    if not stream.startswith((b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0cjP")):
        return
    with Image.open(io.BytesIO(stream), formats=("JPEG", "JPEG2000")) as picture:
        if picture.size != (dataset.Columns, dataset.Rows):
            width, height = picture.size
            stated = f"{dataset.Columns} x {dataset.Rows}"
            raise ImageError("unreadable", f"the header states {stated} pixels, the coded picture {width} x {height}")


def _left_aside(dataset: Any) -> list[str]:
    found = []
    if dataset.get("WindowCenter", None) not in (None, "") or "VOILUTSequence" in dataset:
        found.append("window not applied")
    slope, intercept = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
    if "ModalityLUTSequence" in dataset or (slope, intercept) not in {(1, 0), (None, None)}:
        found.append("modality table not applied")
    if "ICCProfile" in dataset:
        found.append("colour profile not applied")
    return found


def _scaled(values: NDArray[Any], stored: int, *, signed: bool, inverted: bool) -> NDArray[np.uint8]:
    """Bring stored values to 0 to 255; signed ones start at the smallest that their bits allow."""
    if stored == 8 and not signed:
        eight = values.astype(np.uint8, copy=False)
    else:
        whole = values.astype(np.float64) + (2 ** (stored - 1) if signed else 0)
        eight = np.rint(np.clip(whole, 0, 2**stored - 1) * (255.0 / (2**stored - 1))).astype(np.uint8)
    return np.ascontiguousarray(255 - eight if inverted else eight)
