"""Strip a PNG of everything but its picture: the compressed pixels keep their bytes."""

from __future__ import annotations

import struct
import zlib

from sexstrat.errors import ImageError
from sexstrat.images.exif_orientation import orientation_exif
from sexstrat.images.icc_profile import neutral_profile

__all__ = ["clean_png"]

_START = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"cICP"})
_SIZES = {b"IHDR": 13, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4}  # bytes; more could hide a text
_MOST = {b"PLTE": 768, b"tRNS": 256, b"sBIT": 4, b"bKGD": 6}
_NAMES = {
    b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"eXIf": "EXIF", b"tIME": "time", b"acTL": "animation",
    b"fcTL": "animation", b"fdAT": "animation",
}  # fmt: skip


def clean_png(data: bytes, *, orientation: int = 1) -> tuple[bytes, list[str]]:
    """Return a PNG without metadata; header, palette, transparency, colour numbers and pixels stay.

    Texts, EXIF, time, further pictures, private chunks, what follows the picture's end, and what follows the end of
    the compressed pixels within their chunks are left out. A colour profile stays as :func:`neutral_profile` leaves it.

    Parameters
    ----------
    data : content of the file.
    orientation : which way is up; kept in EXIF data of its own unless 1.

    Returns
    -------
    The file, and the names of what was left out.

    Raises
    ------
    ImageError
        The file is damaged or cut off.

    References
    ----------
    Portable Network Graphics, third edition, W3C 2025, section 11.

    Examples
    --------
    >>> import io
    >>> from PIL import Image, PngImagePlugin
    >>> texts, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    >>> texts.add_text("Name", "Mori")
    >>> Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=texts)
    >>> cleaned, removed = clean_png(buffer.getvalue())
    >>> b"Mori" in cleaned, removed
    (False, ['text'])
    """
    if not data.startswith(_START):
        raise _damaged("it does not start like a PNG")
    removed: list[str] = []
    before: list[bytes] = []
    pixels: list[bytes] = []
    at = len(_START)
    while True:
        if at + 12 > len(data):
            raise _damaged("its end is missing")
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if len(body) != length or at > len(data):
            raise _damaged("a chunk reaches beyond the end")
        if name == b"IEND":
            break
        if name == b"IDAT":
            pixels.append(body)
        elif name == b"iCCP":
            before += _profile(body, removed)
        elif name in _KEPT and length == _SIZES.get(name, length) and length <= _MOST.get(name, length):
            before.append(_chunk(name, body))
        else:
            removed.append(_NAMES.get(name, "private chunk"))
    if data[at:].strip(b"\0"):
        removed.append("data after the picture")
    if orientation in range(2, 9):
        before.append(_chunk(b"eXIf", orientation_exif(orientation)))
    kept = _without_rest(pixels, removed)
    return _START + b"".join([*before, *kept, _chunk(b"IEND", b"")]), list(dict.fromkeys(removed))


def _profile(body: bytes, removed: list[str]) -> list[bytes]:
    try:
        unpacker = zlib.decompressobj()
        profile = unpacker.decompress(body.partition(b"\0")[2][1:], 2**24)
    except zlib.error:
        profile = b""
    neutral = neutral_profile(profile)
    removed.append("colour profile" if neutral is None else "texts of the colour profile")
    return [] if neutral is None else [_chunk(b"iCCP", b"colours\0\0" + zlib.compress(neutral, 9))]


def _without_rest(pixels: list[bytes], removed: list[str]) -> list[bytes]:
    """Return the chunks of pixels as they are, or one chunk without what follows the end of the compressed data."""
    unpacker, whole = zlib.decompressobj(), b"".join(pixels)
    waiting = whole
    try:
        while waiting and not unpacker.eof:
            unpacker.decompress(waiting, 2**20)
            waiting = unpacker.unconsumed_tail
    except zlib.error as err:
        raise _damaged("its pixels cannot be unpacked") from err
    if not unpacker.unused_data:
        return [_chunk(b"IDAT", body) for body in pixels]
    removed.append("data after the pixels")
    return [_chunk(b"IDAT", whole[: -len(unpacker.unused_data)])]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _damaged(what: str) -> ImageError:
    return ImageError("unreadable", f"damaged PNG file: {what}")
