"""Blank the comments and boxes of a JPEG 2000 stream in place: every byte of the picture stays where it is."""

from __future__ import annotations

import struct

from sexstrat.errors import ImageError

__all__ = ["clean_jpeg2000"]

_SOC, _SOT, _SOD, _EOC, _COM = 0xFF4F, 0xFF90, 0xFF93, 0xFFD9, 0xFF64
_KEPT_BOXES = frozenset({b"jP  ", b"ftyp", b"jp2h", b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})


def clean_jpeg2000(data: bytes) -> tuple[bytes, list[str]]:
    """Return a JPEG 2000 stream whose comments, and boxes with anything but the picture, are blank.

    Parameters
    ----------
    data : a code stream, as DICOM keeps it, or a JP2 file.

    Returns
    -------
    The stream, of the same length unless something follows the picture's end, and the names of what was blanked.

    Raises
    ------
    ImageError
        The stream is damaged or cut off.

    References
    ----------
    ITU-T T.800, annexes A and I.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> buffer = io.BytesIO()
    >>> Image.new("RGB", (64, 64)).save(buffer, "JPEG2000", no_jp2=True, comment="Mori")
    >>> cleaned, removed = clean_jpeg2000(buffer.getvalue())
    >>> b"Mori" in cleaned, removed, len(cleaned) == len(buffer.getvalue())
    (False, ['comment'], True)
    """
    stream, removed = bytearray(data), list[str]()
    if data.startswith(b"\xff\x4f"):
        end = _blank_stream(stream, 0, len(stream), removed)
        if bytes(stream[end:]).strip(b"\0"):
            removed.append("data after the picture")
        return bytes(stream[:end]), list(dict.fromkeys(removed))
    at = 0
    while at + 8 <= len(stream):
        size, kind = struct.unpack_from(">I4s", stream, at)
        head = 16 if size == 1 else 8
        size = int.from_bytes(stream[at + 8 : at + 16], "big") if size == 1 else size or len(stream) - at
        if size < head or at + size > len(stream):
            raise _damaged("a box reaches beyond the end")
        if kind == b"jp2c":
            end = _blank_stream(stream, at + head, at + size, removed)
            stream[end : at + size] = bytes(at + size - end)
        elif kind not in _KEPT_BOXES:
            stream[at + 4 : at + 8] = b"free"
            stream[at + head : at + size] = bytes(size - head)
            removed.append("box")
        at += size
    return bytes(stream[:at]), list(dict.fromkeys(removed))


def _blank_stream(stream: bytearray, start: int, stop: int, removed: list[str]) -> int:
    """Blank the comments of a code stream's headers; return where the stream ends."""
    at, tile = start + 2, 0
    while at + 2 <= stop:
        marker = int.from_bytes(stream[at : at + 2], "big")
        if marker == _EOC:
            return at + 2
        if marker == _SOD:
            if not at < tile <= stop:
                raise _damaged("a tile reaches beyond the end")
            at = tile
            continue
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        if marker < 0xFF00 or length < 2 or at + 2 + length > stop:
            raise _damaged("a segment reaches beyond the end")
        if marker == _SOT:
            whole = int.from_bytes(stream[at + 6 : at + 10], "big")
            tile = at + whole if whole else _last_tile_end(stream, at, stop)
        if marker == _COM:
            stream[at + 6 : at + 2 + length] = b" " * max(0, length - 4)
            removed.append("comment")
        at += 2 + length
    raise _damaged("its end is missing")


def _last_tile_end(stream: bytearray, at: int, stop: int) -> int:
    """Return the end of a last tile that states no length: the end of the stream's own marker."""
    end = stream.rfind(b"\xff\xd9", at, stop)
    if end < 0:
        raise _damaged("its end is missing")
    return end


def _damaged(what: str) -> ImageError:
    return ImageError("unreadable", f"damaged JPEG 2000 stream: {what}")
