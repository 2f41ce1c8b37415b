"""Decoding is judged by content, converts every kind of picture, and names each refusal."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sexstrat.errors import ImageError
from sexstrat.images import decode_image


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(source: bytes | Path) -> str:
    with pytest.raises(ImageError) as caught:
        decode_image(source)
    assert caught.value.reason
    return caught.value.status


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    """The content decides the format, not the file's name."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.new("RGB", (70, 64), (9, 8, 7))))
    assert decode_image(path).format == "PNG"


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("LA", (200, 255), (200, 200, 200)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (200, 100, 50, 0), (0, 0, 0)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb(mode: str, color: object, expected: tuple[int, int, int]) -> None:
    """Grey, transparent and palette pictures become the RGB a person would see over black."""
    pixels = decode_image(encoded(Image.new(mode, (64, 64), color))).pixels
    assert pixels.dtype == np.uint8
    assert tuple(pixels[5, 5].tolist()) == expected


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    """A CMYK JPEG decodes to three channels close to its colour."""
    source = Image.new("RGB", (64, 64), (180, 80, 40)).convert("CMYK")
    found = decode_image(encoded(source, "JPEG", quality=95))
    assert found.pixels.shape == (64, 64, 3)
    assert np.abs(found.pixels[9, 9].astype(int) - [180, 80, 40]).max() <= 6
    assert found.note == "converted from CMYK"


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bit_grey_uses_the_depth_in_use(bits: int) -> None:
    """A deep grey picture comes out neither black nor white: its bit depth in use maps to 255."""
    ramp = np.tile(np.linspace(0, 2**bits - 1, 64).astype(np.uint16), (64, 1))
    found = decode_image(encoded(Image.fromarray(ramp), "TIFF"))
    assert found.pixels[0, 0, 0] == 0
    assert found.pixels[0, -1].tolist() == [255, 255, 255]
    assert abs(int(found.pixels[0, 32, 1]) - 130) <= 1
    assert found.note == f"16-bit grey scaled from {bits} bits"


def test_exif_orientation_is_applied() -> None:
    """A photograph stored on its side comes out upright."""
    picture = Image.new("RGB", (100, 64))
    picture.paste((255, 255, 255), (0, 0, 50, 64))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned: the left half belongs at the top
    found = decode_image(encoded(picture, "JPEG", exif=exif))
    assert (found.width, found.height) == (64, 100)
    assert found.pixels[10, 32].min() > 240
    assert found.pixels[90, 32].max() < 15


def test_the_first_of_several_pages_is_read_and_said() -> None:
    """A TIFF of two pages gives the first page and a note."""
    pages = [Image.new("RGB", (64, 64), color) for color in ((1, 2, 3), (200, 0, 0))]
    found = decode_image(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert found.pixels[0, 0].tolist() == [1, 2, 3]
    assert found.note == "first of 2 pages"


def test_each_refusal_has_its_status(tmp_path: Path) -> None:
    """Missing, empty, foreign, damaged, tiny and huge files are told apart."""
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)), "JPEG")
    assert refusal(tmp_path / "none.png") == "missing_file"
    assert refusal(tmp_path) == "unreadable"
    assert refusal(b"") == "empty_file"
    assert refusal(b"dear diary") == "not_an_image"
    assert refusal(encoded(Image.new("RGB", (90, 90)), "GIF")) == "not_an_image"
    assert refusal(whole[: len(whole) // 2]) == "unreadable"
    assert refusal(whole[:20]) == "unreadable"
    assert refusal(encoded(Image.new("RGB", (1, 1)))) == "too_small"
    assert refusal(encoded(Image.new("RGB", (500, 63)))) == "too_small"
    assert refusal(encoded(Image.new("F", (70, 70), 0.5), "TIFF")) == "unreadable"


@pytest.mark.parametrize("size", [(9000, 8900), (20_000, 9_500)])
@pytest.mark.filterwarnings("default")
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    """A small file that unpacks to more than 80 million pixels becomes a row, not a crash."""
    assert refusal(encoded(Image.new("1", size))) == "too_large"


@pytest.mark.parametrize("cut", range(0, 400, 37))
def test_a_png_cut_anywhere_is_refused(cut: int) -> None:
    """No cut-off PNG is read as if it were whole."""
    whole = encoded(Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)))
    assert refusal(whole[: -400 + cut]) in {"unreadable", "not_an_image"}


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_of_a_deep_tiff_are_read(order: str) -> None:
    """A 16-bit grey TIFF written by hand decodes alike in little- and big-endian order."""
    ramp = np.tile(np.linspace(0, 4095, 64).astype(f"{order}u2"), (64, 1))
    tags = [(256, 64), (257, 64), (258, 16), (259, 1), (262, 1), (273, 122), (277, 1), (278, 64), (279, ramp.nbytes)]
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
    found = decode_image(header + entries + struct.pack(f"{order}I", 0) + ramp.tobytes())
    assert found.pixels[0, [0, 32, 63], 0].tolist() == [0, 130, 255]
    assert found.format == "TIFF"
