"""Keep of a colour profile what computes colours: its texts, dates, makers and private parts are left out."""

from __future__ import annotations

import struct

__all__ = ["neutral_profile"]

_COLOUR_TAGS = frozenset(
    {b"wtpt", b"bkpt", b"chad", b"lumi"}
    | {letter + kind for letter in (b"r", b"g", b"b") for kind in (b"XYZ", b"TRC")}
    | {b"kTRC", b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt", b"cicp"}
)
_NUMERIC_TYPES = frozenset(
    {b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"cicp"}
)  # types that hold numbers alone
_HEADER, _MOST_TAGS = 128, 100


def neutral_profile(profile: bytes) -> bytes | None:
    """Return a colour profile without what may name a person, a place, a day or a device.

    The header keeps version, class, colour spaces, intent and illuminant; of the tags those stay that hold numbers for
    converting colours, and the two texts that the standard demands become fixed words.

    Parameters
    ----------
    profile : content of an ICC profile.

    Returns
    -------
    The profile, or None when it is damaged or holds none of the tags that convert colours.

    References
    ----------
    ICC.1:2022, sections 7.2 and 9.2.

    Examples
    --------
    >>> from PIL import ImageCms
    >>> whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    >>> neutral = neutral_profile(whole)
    >>> neutral[36:40], b"rXYZ" in neutral, neutral_profile(b"no profile") is None
    (b'acsp', True, True)
    """
    if len(profile) < _HEADER + 4 or profile[36:40] != b"acsp":
        return None
    number = int.from_bytes(profile[_HEADER : _HEADER + 4], "big")
    if number > _MOST_TAGS or len(profile) < _HEADER + 4 + 12 * number:
        return None
    kept: dict[bytes, bytes] = {}
    for index in range(number):
        name, start, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * index)
        content = profile[start : start + size]
        if name in _COLOUR_TAGS and len(content) == size >= 8 and content[:4] in _NUMERIC_TYPES:
            kept[name] = content
    if not kept:
        return None
    new = profile[8] >= 4
    kept[b"desc"], kept[b"cprt"] = _text(b"colours", new, described=True), _text(b"none", new, described=False)
    return _assembled(profile, kept)


def _text(words: bytes, new: bool, *, described: bool) -> bytes:
    if new:
        wide = words.decode("ascii").encode("utf-16-be")
        return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(wide), 28) + wide
    if described:
        return b"desc" + bytes(4) + struct.pack(">I", len(words) + 1) + words + b"\0" + bytes(4 + 4 + 2 + 1 + 67)
    return b"text" + bytes(4) + words + b"\0"


def _assembled(profile: bytes, tags: dict[bytes, bytes]) -> bytes:
    place = _HEADER + 4 + 12 * len(tags)
    table, contents = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, place + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    header = (
        bytes(4) + bytes(4) + profile[8:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(4)
        + bytes(4) + bytes(4) + bytes(4) + bytes(8) + profile[64:80] + bytes(48)
    )  # fmt: skip
    whole = header + table + contents
    return struct.pack(">I", len(whole)) + whole[4:]
