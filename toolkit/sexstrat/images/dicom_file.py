"""Open a DICOM file: known by its preamble, read without letting a hostile one fill the memory."""

from __future__ import annotations

import io
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sexstrat.errors import ImageError

__all__ = ["HAVE_TO_INSTALL", "PREAMBLE", "frame_count", "has_preamble", "is_dicom", "quiet", "read_dicom"]

PREAMBLE = 132
"""Bytes at the start of a DICOM file: 128 of any content and the letters DICM (DICOM PS3.10 section 7.1)."""

HAVE_TO_INSTALL = "DICOM files need pydicom; install it with: pip install 'sexstrat[dicom]'"

MAXIMUM_FRAMES = 4096
"""A file that states more frames is refused: no camera makes them, but one number in a header may claim millions."""

_MAXIMUM_INFLATED = 2**30  # bytes that a deflated file may unpack to
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"  # tag (0002,0000), whose value is the length of the file's first group


def is_dicom(data: bytes) -> bool:
    r"""Tell whether bytes are those of a DICOM file, by the preamble.

    Parameters
    ----------
    data : the file's bytes, at least the first 132.

    Examples
    --------
    >>> is_dicom(bytes(128) + b"DICM"), is_dicom(b"\xff\xd8\xff")
    (True, False)
    """
    return data[128:PREAMBLE] == b"DICM"


def has_preamble(path: str | Path) -> bool:
    """Tell whether a file is a DICOM file, whatever its name; a file that cannot be read is none.

    Parameters
    ----------
    path : the file.

    Examples
    --------
    >>> has_preamble("no such file")
    False
    """
    file = Path(path)
    try:
        if not file.is_file():  # opening a pipe would wait for ever
            return False
        with file.open("rb") as opened:
            return is_dicom(opened.read(PREAMBLE))
    except (OSError, ValueError):
        return False


def read_dicom(source: bytes | str | Path, *, pixels: bool = True) -> Any:
    """Read the data set of a DICOM file.

    Parameters
    ----------
    source : the file's bytes, or its path.
    pixels : whether pixel data are wanted; without them only the header of a file is read.

    Returns
    -------
    The ``pydicom`` data set.

    Raises
    ------
    ImageError
        pydicom is not installed, or the file is damaged or unpacks to more than 1 GiB.

    Examples
    --------
    >>> read_dicom(bytes(128) + b"DICM")
    Traceback (most recent call last):
    sexstrat.errors.ImageError: unreadable: damaged DICOM file: no transfer syntax
    """
    try:
        import pydicom
    except ImportError as err:
        raise ImageError("unreadable", HAVE_TO_INSTALL) from err
    try:
        with _opened(source) as stream, quiet():
            _check_inflated_size(stream)
            dataset = pydicom.dcmread(stream, stop_before_pixels=not pixels)
            if "TransferSyntaxUID" not in dataset.file_meta:
                raise ImageError("unreadable", "damaged DICOM file: no transfer syntax")
            return dataset
    except (ImageError, OSError):
        raise
    except Exception as err:
        raise ImageError("unreadable", f"damaged DICOM file: {' '.join(str(err).split())[:200]}") from err


def frame_count(dataset: Any) -> int:
    """Return the number of frames that a data set states, 1 when it states none.

    Parameters
    ----------
    dataset : a ``pydicom`` data set.

    Returns
    -------
    1 to 4096.

    Raises
    ------
    ImageError
        The number is not such a whole number.

    Examples
    --------
    >>> frame_count({"NumberOfFrames": 3}), frame_count({})
    (3, 1)
    """
    stated = dataset.get("NumberOfFrames", None)
    if stated in (None, ""):
        return 1
    try:
        number = int(stated)
    except (TypeError, ValueError):
        number = 0
    if not 1 <= number <= MAXIMUM_FRAMES:
        raise ImageError("unreadable", f"NumberOfFrames is {str(stated)[:40]!r}; allowed: 1 to {MAXIMUM_FRAMES}")
    return number


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom's remarks about values that bend the standard; what matters becomes status and reason.

    Filters belong to the whole process, so threads leave them as they are: who starts threads sets them first.

    Examples
    --------
    >>> with quiet():
    ...     warnings.warn("a value that bends the standard", UserWarning, stacklevel=1)
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _opened(source: bytes | str | Path) -> Any:
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")


def _check_inflated_size(stream: Any) -> None:
    """Refuse a deflated file that unpacks to too much, before pydicom unpacks it whole."""
    head = stream.read(PREAMBLE + len(_GROUP_LENGTH) + 4)
    stated = head[PREAMBLE:-4] == _GROUP_LENGTH
    meta = stream.read(int.from_bytes(head[-4:], "little") if stated else 2**16)
    if _DEFLATED in meta:
        if not stated:
            raise ImageError("unreadable", "damaged DICOM file: deflated, but the length of its first group is missing")
        unpacker, waiting, total = zlib.decompressobj(-zlib.MAX_WBITS), stream.read(), 0
        while waiting:
            total += len(unpacker.decompress(waiting, 2**20))
            if total > _MAXIMUM_INFLATED:
                raise ImageError("too_large", f"the deflated file unpacks to more than {_MAXIMUM_INFLATED:,} bytes")
            waiting = unpacker.unconsumed_tail
    stream.seek(0)
