"""Strip a JPEG of everything but its picture, without decoding it: the coded pixels keep their bytes."""

from __future__ import annotations

import re
import struct

from sexstrat.errors import ImageError
from sexstrat.images.exif_orientation import orientation_exif
from sexstrat.images.icc_profile import neutral_profile

__all__ = ["clean_jpeg"]

_END, _SCAN = 0xD9, 0xDA
_KEPT = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, 0xF7, 0xF8} - {0xC8}  # frames, tables, scans; also of JPEG-LS
_ALONE = {0x01, *range(0xD0, 0xD8)}
_NEXT_MARKER = re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]")  # in a scan, 255 is followed by less, or by a restart
_ICC = b"ICC_PROFILE\0"
_MOST = 65_533 - len(_ICC) - 2

_NAMES = (
    (0xE1, b"Exif\0", "EXIF"),
    (0xE1, b"http://ns.adobe.com/", "XMP"),
    (0xED, b"Photoshop 3.0\0", "IPTC"),
    (0xFE, b"", "comment"),
    (0xE2, b"MPF\0", "further pictures"),
    (0xE0, b"JFXX\0", "thumbnail"),
)


def clean_jpeg(data: bytes, *, orientation: int = 1) -> tuple[bytes, list[str]]:
    r"""Return a JPEG without metadata; frames, tables and scans keep their bytes.

    EXIF, XMP, IPTC, comments, thumbnails, makers' segments, and what follows the picture's end are left out. The JFIF
    header stays without its thumbnail, Adobe's note of the colour transform stays since colours depend on it, and a
    colour profile stays as :func:`neutral_profile` leaves it. JPEG-LS and the abbreviated streams in a TIFF are read as
    well.

    Parameters
    ----------
    data : the stream, from its first marker.
    orientation : which way is up, EXIF tag 274; kept in EXIF data of its own unless 1.

    Returns
    -------
    The stream, and the names of what was left out.

    Raises
    ------
    ImageError
        The stream is damaged or cut off.

    References
    ----------
    ITU-T T.81, annex B; ITU-T T.871 (JFIF).

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> buffer = io.BytesIO()
    >>> Image.new("RGB", (16, 16)).save(buffer, "JPEG", comment="patient 17")
    >>> cleaned, removed = clean_jpeg(buffer.getvalue() + b"and more")
    >>> b"patient" in cleaned, removed
    (False, ['comment', 'data after the picture'])
    """
    if not data.startswith(b"\xff\xd8"):
        raise _damaged("it does not start like a JPEG")
    kept: list[bytes] = []
    removed: list[str] = []
    profile: dict[int, bytes] = {}
    at = 2
    while True:
        marker, start = _marker(data, at, removed)
        if marker == _END:
            if data[start:].strip(b"\0"):
                removed.append("data after the picture")
            break
        if marker in _ALONE:
            at = start
            continue
        length = int.from_bytes(data[start : start + 2], "big")
        body = data[start + 2 : start + length]
        if length < 2 or len(body) != length - 2:
            raise _damaged("a segment reaches beyond the end")
        at = start + length
        if marker in _KEPT:
            kept.append(bytes([0xFF, marker]) + data[start:at])
        elif marker == 0xE2 and body.startswith(_ICC) and len(body) > len(_ICC) + 2:
            profile[body[len(_ICC)]] = body[len(_ICC) + 2 :]
        else:
            kept += _header_segment(marker, body, removed)
        if marker == _SCAN:
            found = _NEXT_MARKER.search(data, at)
            if found is None:
                raise _damaged("the last scan has no end")
            kept.append(data[at : found.start()])
            at = found.start()
    first = 1 if kept and kept[0][1] == 0xE0 else 0
    extra = [_segment(0xE1, b"Exif\0\0" + orientation_exif(orientation))] if orientation in range(2, 9) else []
    kept[first:first] = extra + _profile_segments(profile, removed)
    return b"\xff\xd8" + b"".join(kept) + b"\xff\xd9", list(dict.fromkeys(removed))


def _marker(data: bytes, at: int, removed: list[str]) -> tuple[int, int]:
    """Return the next marker and where its segment begins; what lies before it belongs to no segment."""
    start = data.find(b"\xff", at)
    while 0 <= start < len(data) - 1 and data[start + 1] in (0x00, 0xFF):
        start = data.find(b"\xff", start + 1)
    if not 0 <= start < len(data) - 1:
        raise _damaged("its end is missing")
    if data[at:start].strip(b"\xff\0"):
        removed.append("stray bytes")
    return data[start + 1], start + 2


def _header_segment(marker: int, body: bytes, removed: list[str]) -> list[bytes]:
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        if len(body) > 14:
            removed.append("thumbnail")
        return [_segment(marker, body[:12] + b"\0\0")]
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return [_segment(marker, body[:7] + bytes(4) + body[11:12])]  # version and colour transform
    for one, start, name in _NAMES:
        if marker == one and body.startswith(start):
            removed.append(name)
            return []
    removed.append(f"APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else "unknown segment")
    return []


def _profile_segments(parts: dict[int, bytes], removed: list[str]) -> list[bytes]:
    if not parts:
        return []
    whole = b"".join(parts[number] for number in sorted(parts))
    neutral = neutral_profile(whole)
    if neutral != whole:
        removed.append("colour profile" if neutral is None else "texts of the colour profile")
    if neutral is None:
        return []
    pieces = [neutral[i : i + _MOST] for i in range(0, len(neutral), _MOST)]
    if len(pieces) > 255:
        removed.append("colour profile")
        return []
    return [_segment(0xE2, _ICC + bytes([n, len(pieces)]) + piece) for n, piece in enumerate(pieces, 1)]


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _damaged(what: str) -> ImageError:
    return ImageError("unreadable", f"damaged JPEG stream: {what}")
