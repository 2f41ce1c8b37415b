"""Strip a TIFF of everything but its first picture: the strips and tiles keep their coded pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sexstrat.errors import ImageError
from sexstrat.images.clean_jpeg import clean_jpeg
from sexstrat.images.icc_profile import neutral_profile

__all__ = ["clean_tiff"]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_KEPT = frozenset(
    {256, 257, 258, 259, 262, 266, 274, 277, 278, 280, 281, 282, 283, 284, 290, 291, 296, 317, 320, 322, 323, 336}
    | {338, 339, 340, 341, 347, 529, 530, 531, 532, 34675}
)
_STRIPS, _TILES, _JPEG_TABLES, _PROFILE, _COMPRESSION = (273, 279), (324, 325), 347, 34675, 259
_COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "Deflate", 32773: "PackBits", 32946: "Deflate"}
_NUMERIC = frozenset(_SIZES) - {2, 7}  # types that hold no text
_LONG = 4
_NAMES = {270: "description", 305: "software", 306: "time", 315: "artist", 316: "computer", 33432: "copyright"} | {
    700: "XMP",
    33723: "IPTC",
    34377: "IPTC",
    34665: "EXIF",
    34853: "GPS",
    271: "maker",
    272: "model",
    330: "thumbnail",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    kind: int
    count: int
    value: bytes


def clean_tiff(data: bytes) -> tuple[bytes, list[str]]:
    """Return a TIFF with its first picture and the tags without which that cannot be decoded.

    Everything else is left out: texts, EXIF, GPS, XMP, IPTC, private tags, further pages, and whatever lies between
    the parts. A colour profile stays as :func:`neutral_profile` leaves it, the orientation as it is, and JPEG strips
    are cleaned as :func:`clean_jpeg` does.

    Parameters
    ----------
    data : content of the file.

    Returns
    -------
    The file, and the names of what was left out.

    Raises
    ------
    ImageError
        The file is damaged, a BigTIFF, or coded in a way that is not read here; the reason names it.

    References
    ----------
    TIFF, revision 6.0, Adobe 1992, sections 2 and 8.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> buffer = io.BytesIO()
    >>> Image.new("RGB", (64, 64)).save(buffer, "TIFF", description="patient Mori")
    >>> cleaned, removed = clean_tiff(buffer.getvalue())
    >>> b"Mori" in cleaned, removed
    (False, ['description'])
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise ImageError("unreadable", "a TIFF of this kind (BigTIFF) is not cleaned; save it as a plain TIFF")
    entries, following = _directory(data, order, struct.unpack_from(f"{order}I", data, 4)[0])
    removed = [_NAMES.get(tag, "private tag") for tag in entries if tag not in {*_KEPT, *_STRIPS, *_TILES, 254, 255}]
    if following:
        removed.append("further pages")
    coding = _numbers(entries[_COMPRESSION], order)[0] if _COMPRESSION in entries else 1
    if coding not in _COMPRESSIONS:
        allowed = ", ".join(sorted(set(_COMPRESSIONS.values())))
        raise ImageError("unreadable", f"TIFF compression {coding} is not cleaned; allowed: {allowed}")
    places = _TILES if _TILES[0] in entries else _STRIPS
    if not set(places) <= set(entries):
        raise _damaged("it says not where its pixels lie")
    parts = _parts(data, *(_numbers(entries[tag], order) for tag in places))
    kept = {tag: entry for tag, entry in entries.items() if tag in _KEPT and _is_sound(tag, entry)}
    if coding == 7:
        parts = [_cleaned_jpeg(part, removed) for part in parts]
        if _JPEG_TABLES in kept:
            tables = _cleaned_jpeg(kept[_JPEG_TABLES].value, removed)
            kept[_JPEG_TABLES] = _Entry(kind=7, count=len(tables), value=tables)
    if _PROFILE in kept:
        profile = neutral_profile(kept.pop(_PROFILE).value)
        removed.append("colour profile" if profile is None else "texts of the colour profile")
        if profile is not None:
            kept[_PROFILE] = _Entry(kind=7, count=len(profile), value=profile)
    return _written(order, kept, places, parts), list(dict.fromkeys(removed))


def _directory(data: bytes, order: str, at: int) -> tuple[dict[int, _Entry], int]:
    try:
        (number,) = struct.unpack_from(f"{order}H", data, at)
        entries = {}
        for index in range(number):
            tag, kind, count, place = struct.unpack_from(f"{order}HHII", data, at + 2 + 12 * index)
            if kind not in _SIZES:
                continue
            size = _SIZES[kind] * count
            start = at + 2 + 12 * index + 8 if size <= 4 else place
            value = data[start : start + size]
            if len(value) != size:
                raise _damaged("a tag reaches beyond the end")
            entries[tag] = _Entry(kind=kind, count=count, value=value)
        (following,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * number)
    except struct.error as err:
        raise _damaged("its directory is cut off") from err
    return entries, following


def _is_sound(tag: int, entry: _Entry) -> bool:
    """Tell whether a kept tag holds numbers and no more of them than it can need: a text could hide in others."""
    if tag in (_JPEG_TABLES, _PROFILE):
        return entry.kind in (1, 7)
    return entry.kind in _NUMERIC and (tag == 320 or len(entry.value) <= 128)


def _numbers(entry: _Entry, order: str) -> list[int]:
    letter = {3: "H", 4: "I", 1: "B", 13: "I"}.get(entry.kind)
    if letter is None or not entry.count:
        raise _damaged("a number is of a type that it cannot have")
    return list(struct.unpack(f"{order}{entry.count}{letter}", entry.value))


def _parts(data: bytes, starts: list[int], lengths: list[int]) -> list[bytes]:
    if len(starts) != len(lengths):
        raise _damaged("it states as many places as lengths of its pixels; they differ")
    parts = [data[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    if any(len(part) != length for part, length in zip(parts, lengths, strict=True)):
        raise _damaged("its pixels are cut off")
    return parts


def _cleaned_jpeg(part: bytes, removed: list[str]) -> bytes:
    cleaned, names = clean_jpeg(part)
    removed += names
    return cleaned


def _written(order: str, kept: dict[int, _Entry], places: tuple[int, int], parts: list[bytes]) -> bytes:
    number = len(kept) + 2
    values = 8 + 2 + 12 * number + 4
    lengths = struct.pack(f"{order}{len(parts)}I", *(len(part) for part in parts))
    room = sum(len(e.value) + len(e.value) % 2 for e in kept.values() if len(e.value) > 4)
    pixels = values + room + (2 * len(lengths) if len(parts) > 1 else 0)
    starts, at = [], pixels
    for part in parts:
        starts.append(at)
        at += len(part) + len(part) % 2
    offsets = struct.pack(f"{order}{len(parts)}I", *starts)
    entries = kept | {
        places[0]: _Entry(kind=_LONG, count=len(parts), value=offsets),
        places[1]: _Entry(kind=_LONG, count=len(parts), value=lengths),
    }
    directory, beyond = struct.pack(f"{order}H", number), b""
    for tag in sorted(entries):
        entry = entries[tag]
        directory += struct.pack(f"{order}HHI", tag, entry.kind, entry.count)
        if len(entry.value) <= 4:
            directory += entry.value.ljust(4, b"\0")
        else:
            directory += struct.pack(f"{order}I", values + len(beyond))
            beyond += entry.value + bytes(len(entry.value) % 2)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + directory + bytes(4) + beyond + b"".join(part + bytes(len(part) % 2) for part in parts)


def _damaged(what: str) -> ImageError:
    return ImageError("unreadable", f"damaged TIFF file: {what}")
