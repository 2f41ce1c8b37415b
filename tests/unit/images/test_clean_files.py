"""Stripping takes every identifier out of JPEG, PNG, TIFF and JPEG 2000 and leaves the coded pixels bit for bit."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from sexstrat.errors import ImageError
from sexstrat.images import (
    burned_in_sign,
    clean_jpeg,
    clean_jpeg2000,
    clean_photograph,
    clean_png,
    clean_tiff,
    decode_image,
)

NAME = "Morikawa"
KEY = b"k" * 32


@pytest.fixture(scope="module")
def picture(synthetic: ModuleType) -> Image.Image:
    """Return a photograph of nobody."""
    found: Image.Image = synthetic.draw_fundus(1, width=160, height=120)
    return found


def exif_with_everything(orientation: int = 1) -> Image.Exif:
    """Return EXIF with names in its main part, its further parts, the place and a comment."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    for tag in (ExifTags.Base.Artist, ExifTags.Base.ImageDescription, ExifTags.Base.Copyright, 0x9C9D):
        exif[tag] = NAME if tag != 0x9C9D else NAME.encode("utf-16-le")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0" + NAME.encode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = NAME.encode()
    return exif


def named_profile() -> bytes:
    """Return a colour profile that holds a name in its description."""
    whole = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    found = whole.find("sRGB".encode("utf-16-be"))
    assert found > 0
    whole[found : found + 16] = NAME.encode("utf-16-be")
    return bytes(whole)


def jpeg_with_everything(picture: Image.Image, orientation: int = 1, **options: object) -> bytes:
    """Return a JPEG with a name in every place that a JPEG has for one, thumbnail and trailing bytes among them."""
    buffer = io.BytesIO()
    exif = exif_with_everything(orientation)
    xmp = f"<x:xmpmeta><rdf:li>{NAME}</rdf:li></x:xmpmeta>".encode()
    picture.save(buffer, "JPEG", quality=93, exif=exif, xmp=xmp, comment=NAME, icc_profile=named_profile(), **options)
    data = buffer.getvalue()
    iptc = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(NAME)) + NAME.encode()
    thumbnail = b"JFXX\0\x10" + jpeg(picture.resize((32, 24)), comment=NAME)
    extra = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
        for marker, body in ((0xED, iptc), (0xE0, thumbnail), (0xE7, NAME.encode()), (0xEF, NAME.encode()))
    )
    return data[:2] + data[2:20] + extra + data[20:] + jpeg(picture.resize((64, 64)), comment=NAME)


def jpeg(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def scans(data: bytes) -> bytes:
    """Return everything from the first scan to the end of the picture."""
    start = data.index(b"\xff\xda")
    return data[start : data.index(b"\xff\xd9", start)]


def holds(data: bytes, text: str) -> bool:
    """Tell whether bytes hold a text in any of the codings that metadata have, packed or not."""
    codings = {text.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")}
    return any(coded.lower() in data.lower() for coded in codings)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_a_jpeg_keeps_its_coded_pixels_and_nothing_else(picture: Image.Image, options: dict[str, object]) -> None:
    """The scans are the same bytes, baseline, progressive or with restarts; the name stands nowhere any more."""
    dirty = jpeg_with_everything(picture, **options)
    assert holds(dirty, NAME)
    cleaned, removed = clean_jpeg(dirty)
    assert not holds(cleaned, NAME)
    plain = scans(jpeg(picture, quality=93, **options))
    assert scans(cleaned) == plain
    assert plain in dirty
    assert cleaned.endswith(b"\xff\xd9")
    wanted = {"EXIF", "XMP", "IPTC", "comment", "thumbnail", "texts of the colour profile", "data after the picture"}
    assert wanted <= set(removed)
    again, nothing = clean_jpeg(cleaned)
    assert (again, nothing) == (cleaned, [])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_up_stays_up(picture: Image.Image, orientation: int) -> None:
    """The orientation survives in EXIF data that hold nothing else; the picture that is decoded is the same."""
    dirty = jpeg_with_everything(picture, orientation)
    cleaned = clean_photograph(dirty, KEY).data
    with Image.open(io.BytesIO(cleaned)) as opened:
        assert dict(opened.getexif()) == ({} if orientation == 1 else {274: orientation})
    assert (decode_image(cleaned).pixels == decode_image(dirty).pixels).all()


def test_an_orientation_that_only_xmp_states_is_kept(picture: Image.Image) -> None:
    """Decoding turns by XMP where EXIF is silent: without XMP the number has to move."""
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    dirty = jpeg(picture, xmp=xmp)
    assert (clean_photograph(dirty, KEY).data.count(b"Exif\0\0")) == (
        1 if Image.open(io.BytesIO(dirty)).getexif().get(274, 1) == 6 else 0
    )
    assert (decode_image(clean_photograph(dirty, KEY).data).pixels == decode_image(dirty).pixels).all()


def test_colours_stay_with_the_profile(picture: Image.Image) -> None:
    """A profile keeps its numbers: colours converted by it are the same before and after."""
    dirty = jpeg_with_everything(picture)
    cleaned, _ = clean_jpeg(dirty)
    target = ImageCms.createProfile("LAB")
    converted = []
    for data in (dirty, cleaned):
        with Image.open(io.BytesIO(data)) as opened:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(opened.info["icc_profile"]))
            converted.append(np.asarray(ImageCms.profileToProfile(opened, profile, target, outputMode="LAB")))
    assert (converted[0] == converted[1]).all()
    assert not holds(Image.open(io.BytesIO(cleaned)).info["icc_profile"], NAME)


def test_colour_transforms_stay(picture: Image.Image) -> None:
    """A JPEG of CMYK depends on Adobe's segment, which stays without the rest of it."""
    dirty = jpeg(picture.convert("CMYK"), comment=NAME)
    found = clean_photograph(dirty, KEY)
    assert b"Adobe" in found.data
    assert (decode_image(found.data).pixels == decode_image(dirty).pixels).all()


def png_with_everything(picture: Image.Image) -> bytes:
    """Return a PNG with a name in text, packed text, international text, EXIF, profile, time, and behind pixels."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Name", NAME)
    texts.add_text("Packed", NAME * 20, zip=True)
    texts.add_itxt("International", NAME)
    texts.add_itxt("XML:com.adobe.xmp", f"<x>{NAME}</x>")
    texts.add(b"prVt", NAME.encode())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=texts, exif=exif_with_everything(6), icc_profile=named_profile())
    return buffer.getvalue() + NAME.encode()


def idat(data: bytes) -> bytes:
    found, at = b"", 8
    while at < len(data) - 8:
        length, name = struct.unpack_from(">I4s", data, at)
        found += data[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    return found


def test_a_png_keeps_its_packed_pixels_and_nothing_else(picture: Image.Image) -> None:
    """The pixel chunks are the same bytes; no text chunk, packed or not, is left; up stays up."""
    dirty = png_with_everything(picture)
    found = clean_photograph(dirty, KEY)
    assert idat(found.data) == idat(dirty)
    assert not holds(found.data, NAME)
    for chunk in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"prVt"):
        assert chunk not in found.data
    with Image.open(io.BytesIO(found.data)) as opened:
        assert dict(opened.getexif()) == {274: 6}
        assert not holds(opened.info["icc_profile"], NAME)
    assert (decode_image(found.data).pixels == decode_image(dirty).pixels).all()


def test_bytes_behind_a_pngs_packed_pixels_go(picture: Image.Image) -> None:
    """What follows the end of the compressed data within a pixel chunk is seen by no decoder, and goes."""
    plain = png_with_everything(picture)
    start = plain.index(b"IDAT")
    (length,) = struct.unpack_from(">I", plain, start - 4)
    body = plain[start + 4 : start + 4 + length] + NAME.encode()
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    dirty = plain[: start - 4] + chunk + plain[start + 8 + length :]
    cleaned, removed = clean_png(dirty)
    assert "data after the pixels" in removed
    assert not holds(cleaned, NAME)


@pytest.mark.parametrize("coding", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_keeps_its_pixels_and_nothing_else(picture: Image.Image, coding: str, order: str) -> None:
    """Strips stay, whatever their coding; texts, GPS, private tags and a second page with a name go."""
    from PIL import TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II" if order == "<" else b"MM")
    tags[274] = 6
    for tag in (270, 305, 306, 315, 316, 33432):
        tags[tag] = NAME
    tags[65000] = NAME
    tags.tagtype[65000] = 2
    buffer = io.BytesIO()
    second = Image.new("RGB", (80, 80))
    picture.save(
        buffer, "TIFF", compression=coding, tiffinfo=tags, save_all=True, append_images=[second],
        icc_profile=named_profile(),
    )  # fmt: skip
    dirty = buffer.getvalue() + NAME.encode()
    found = clean_photograph(dirty, KEY)
    assert not holds(found.data, NAME)
    assert {"description", "artist", "further pages"} <= set(found.removed)
    with Image.open(io.BytesIO(found.data)) as opened:
        assert opened.n_frames == 1
        assert opened.tag_v2[274] == 6
    assert (decode_image(found.data).pixels == decode_image(dirty).pixels).all()


def test_a_tiff_of_sixteen_bits_keeps_each_of_them(picture: Image.Image) -> None:
    """Deep grey is not brought to eight bits by cleaning."""
    deep = np.asarray(picture.convert("L")).astype(np.uint16) * 16 + 3
    buffer = io.BytesIO()
    Image.fromarray(deep).save(buffer, "TIFF", description=NAME)
    cleaned, _ = clean_tiff(buffer.getvalue())
    with Image.open(io.BytesIO(cleaned)) as opened:
        assert (np.asarray(opened) == deep).all()


def test_a_tiff_that_cannot_be_cleaned_is_refused() -> None:
    """BigTIFF and codings that are not read are named."""
    with pytest.raises(ImageError, match="BigTIFF"):
        clean_tiff(b"II+\0" + bytes(40))
    entry = struct.pack("<HHII", 259, 3, 1, 50001)
    with pytest.raises(ImageError, match="compression 50001 is not cleaned; allowed: Deflate, JPEG, LZW"):
        clean_tiff(b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4))


@pytest.mark.parametrize("box", [True, False])
def test_jpeg_2000_keeps_every_byte_of_its_picture(picture: Image.Image, box: bool) -> None:
    """Comments are blanked where they stand: length and pixels are the same."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG2000", no_jp2=not box, comment=NAME, tile_size=(64, 64))
    dirty = buffer.getvalue()
    if box:
        extra = b"xml " + NAME.encode()
        dirty += struct.pack(">I", len(extra) + 4) + extra
    assert holds(dirty, NAME)
    cleaned, _ = clean_jpeg2000(dirty)
    assert not holds(cleaned, NAME)
    assert len(cleaned) == len(dirty)
    pixels = [np.asarray(Image.open(io.BytesIO(data))) for data in (dirty, cleaned)]
    assert (pixels[0] == pixels[1]).all()


@pytest.mark.parametrize("clean", [clean_jpeg, clean_png, clean_tiff, clean_jpeg2000])
def test_damaged_streams_are_refused_in_words(
    picture: Image.Image, clean: Callable[[bytes], tuple[bytes, list[str]]]
) -> None:
    """Cut or changed at any place, a stream is cleaned or refused: no other error, and never a hang."""
    kinds = {"clean_jpeg": "JPEG", "clean_png": "PNG", "clean_tiff": "TIFF", "clean_jpeg2000": "JPEG2000"}
    buffer, rng = io.BytesIO(), np.random.default_rng(4)
    picture.save(buffer, kinds[clean.__name__], **({"no_jp2": True} if clean is clean_jpeg2000 else {}))
    whole = buffer.getvalue()
    refused = 0
    for _ in range(150):
        data = bytearray(whole[: int(rng.integers(0, len(whole)))] if rng.random() < 0.5 else whole)
        for place in rng.integers(0, max(1, min(len(data), 400)), 3):
            if place < len(data):
                data[place] = int(rng.integers(0, 256))
        try:
            clean(bytes(data))
        except ImageError:
            refused += 1
    assert refused > 20


def written(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import ImageDraw

    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text((2, 2), "MORI H 17", fill=(255, 255, 255))
    return np.asarray(image)


def test_text_around_the_retina_is_told_and_left(picture: Image.Image) -> None:
    """A name in the corner is suspected, a clean corner is not, and a picture without ground cannot be checked."""
    pixels = np.asarray(picture)
    assert burned_in_sign(pixels) == "none_seen"
    assert burned_in_sign(written(pixels)) == "suspected"
    assert burned_in_sign(pixels[40:80, 50:110]) == "not_checked"
    noisy = jpeg(Image.fromarray(pixels), quality=60)
    assert burned_in_sign(decode_image(noisy).pixels) == "none_seen"
    marked = jpeg(Image.fromarray(written(pixels)), quality=95)
    found = clean_photograph(marked, KEY)
    assert found.burned_in == "suspected"
    assert scans(found.data) == scans(marked)
