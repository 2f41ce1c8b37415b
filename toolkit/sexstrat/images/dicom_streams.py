"""Clean what lies in a DICOM file's pixel data besides pixels: metadata of coded frames, bytes past the last one."""

from __future__ import annotations

from typing import Any

from sexstrat.errors import ImageError
from sexstrat.images.clean_jpeg import clean_jpeg
from sexstrat.images.clean_jpeg2000 import clean_jpeg2000
from sexstrat.images.dicom_file import frame_count

__all__ = ["clean_pixel_data"]

_RLE = "1.2.840.10008.1.2.5"


def clean_pixel_data(dataset: Any) -> list[str]:
    r"""Clean the pixel data of a data set in place; coded and native pixels keep their bytes.

    Parameters
    ----------
    dataset : a ``pydicom`` data set with PixelData.

    Returns
    -------
    The names of what was left out.

    Raises
    ------
    ImageError
        A coded frame is damaged or of a kind that cannot be cleaned.

    Examples
    --------
    >>> from pydicom.dataset import Dataset, FileMetaDataset
    >>> dataset = Dataset()
    >>> dataset.file_meta = FileMetaDataset()
    >>> dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    >>> dataset.Rows = dataset.Columns = 2
    >>> dataset.SamplesPerPixel, dataset.BitsAllocated, dataset.PhotometricInterpretation = 1, 8, "MONOCHROME2"
    >>> dataset.PixelData = bytes(4) + b"Mori"
    >>> clean_pixel_data(dataset), dataset.PixelData
    (['data after the pixels'], b'\x00\x00\x00\x00')
    """
    removed: list[str] = []
    for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if name in dataset:
            delattr(dataset, name)  # the frames move; their new places are in the basic table
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _clean_frames(dataset, removed)
    else:
        _cut_native(dataset, removed)
    return list(dict.fromkeys(removed))


def _clean_frames(dataset: Any, removed: list[str]) -> None:
    from pydicom.encaps import encapsulate, generate_frames

    frames = []
    for frame in generate_frames(dataset.PixelData, number_of_frames=frame_count(dataset)):
        if frame.startswith(b"\xff\xd8"):
            cleaned, names = clean_jpeg(frame)
        elif frame.startswith((b"\xff\x4f", b"\x00\x00\x00\x0cjP")):
            cleaned, names = clean_jpeg2000(frame)
        elif str(dataset.file_meta.TransferSyntaxUID) == _RLE:
            cleaned, names = frame, []
        else:
            raise ImageError(
                "unreadable", f"coded pixels of {dataset.file_meta.TransferSyntaxUID.name} are not cleaned"
            )
        frames.append(cleaned)
        removed += [f"{name} of a frame" for name in names]
    if len(frames) != frame_count(dataset):
        raise ImageError("unreadable", f"{frame_count(dataset)} frames are stated, {len(frames)} found")
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def _cut_native(dataset: Any, removed: list[str]) -> None:
    samples = int(dataset.SamplesPerPixel)
    bits = int(dataset.BitsAllocated)
    pixels = int(dataset.Rows) * int(dataset.Columns) * frame_count(dataset)
    if str(dataset.PhotometricInterpretation) == "YBR_FULL_422":
        samples = 2  # each colour stands for two pixels
    needed = -(-pixels * samples * bits // 8)
    rest = dataset.PixelData[needed:]
    if not rest:
        return
    if rest.strip(b"\0"):
        removed.append("data after the pixels")
    dataset.PixelData = dataset.PixelData[:needed] + bytes(needed % 2)
