"""Real DICOM files of fundus-like photographs, written by pydicom in every coding that is read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

OPHTHALMIC_8_BIT = "1.2.840.10008.5.1.4.1.1.77.1.5.1"

Coder = Callable[[NDArray[np.uint8]], bytes]


def blank(pixels: NDArray[np.generic], photometric: str, *, bits: int = 8, syntax: str | None = None) -> Any:
    """Return a data set with everything a photograph needs but its pixel data."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax is None else UID(syntax)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = OPHTHALMIC_8_BIT
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[photometric])
    dataset.Modality = "OP"
    dataset.SamplesPerPixel = 3 if photometric.startswith(("RGB", "YBR")) else 1
    dataset.PhotometricInterpretation = photometric
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 if bits == 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
    return dataset


def saved(dataset: Any, **facts: Any) -> bytes:
    """Set header fields and return the file's bytes."""
    for name, value in facts.items():
        setattr(dataset, name, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def dicom_bytes(pixels: NDArray[np.uint8], **facts: Any) -> bytes:
    """Return an uncompressed RGB file; ``facts`` are header fields by their keyword."""
    dataset = blank(pixels, "RGB")
    dataset.PixelData = pixels.tobytes()
    return saved(dataset, **facts)


def several_frames(frames: list[NDArray[np.uint8]], **facts: Any) -> bytes:
    """Return an uncompressed RGB file of several frames."""
    dataset = blank(frames[0], "RGB")
    dataset.PixelData = np.stack(frames).tobytes()
    return saved(dataset, NumberOfFrames=len(frames), **facts)


def coded(pixels: NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    """Return a JPEG or JPEG 2000 stream."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def encapsulated(pixels: NDArray[Any], photometric: str, syntax: str, stream: bytes, *, bits: int = 8) -> bytes:
    """Return a file that holds one coded stream."""
    from pydicom.encaps import encapsulate

    dataset = blank(pixels, photometric, bits=bits, syntax=syntax)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return saved(dataset)


def run_length(pixels: NDArray[np.uint8]) -> bytes:
    """Return an RLE file, coded by pydicom."""
    from pydicom.uid import RLELossless

    dataset = blank(pixels, "RGB")
    dataset.PixelData = pixels.tobytes()
    dataset.compress(RLELossless)
    return saved(dataset)


def halved_colour(pixels: NDArray[np.uint8]) -> bytes:
    """Return an uncompressed YBR_FULL_422 file: two luminances, then the first pixel's two colours."""
    ybr = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    packed = np.stack([ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)
    dataset = blank(pixels, "YBR_FULL_422")
    dataset.PixelData = packed.tobytes()
    return saved(dataset)


def palette(pixels: NDArray[np.uint8], *, bits: int = 8) -> tuple[bytes, NDArray[np.uint8]]:
    """Return a PALETTE COLOR file and the RGB pixels it stands for."""
    indexed = Image.fromarray(pixels).quantize(256)
    table = np.zeros((256, 3), np.uint8)
    given = np.asarray(indexed.getpalette()).reshape(-1, 3)
    table[: len(given)] = given
    dataset = blank(pixels, "PALETTE COLOR")
    dataset.PixelData = np.asarray(indexed, dtype=np.uint8).tobytes()
    for channel, name in enumerate(("Red", "Green", "Blue")):
        values = table[:, channel].astype(np.uint16) * (1 if bits == 8 else 257)
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, bits])
        raw = values.astype(np.uint8 if bits == 8 else np.uint16).tobytes()
        setattr(dataset, f"{name}PaletteColorLookupTableData", raw)
    return saved(dataset), table[np.asarray(indexed)]
