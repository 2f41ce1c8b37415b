"""A reduced decode shows the same retina in the same place, and a full one is Pillow's to the last bit."""

from __future__ import annotations

import io
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from sexstrat.images import DECODES, ImageArray, decode_image, decode_jpeg, jpeg_reduction, prepare, turn_upright


def jpeg(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **{"quality": 90} | options)
    return buffer.getvalue()


def oriented(picture: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return jpeg(picture, exif=exif)


@pytest.fixture(scope="module")
def fundus(synthetic: ModuleType) -> Image.Image:
    """Draw one large photograph whose sides are no multiple of eight."""
    picture: Image.Image = synthetic.draw_fundus(3, width=2701, height=1803)
    return picture


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 35}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_pixel_is_that_of_pillow(
    synthetic: ModuleType, mode: str, subsampling: int, options: dict[str, object]
) -> None:
    """Whatever the chroma, progression and quality, ``decode_jpeg`` at full size equals Pillow bit by bit."""
    data = jpeg(synthetic.draw_fundus(5, width=333, height=217).convert(mode), subsampling=subsampling, **options)
    with Image.open(io.BytesIO(data)) as picture:
        expected = np.asarray(picture.convert("RGB"))
    found = decode_jpeg(data, 333, 217, 1)
    assert found is not None
    assert (found == expected).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientations_are_applied_as_pillow_does(fundus: Image.Image, orientation: int) -> None:
    """``turn_upright`` agrees with Pillow for all eight orientations, and the size told is that upright."""
    data = oriented(fundus, orientation)
    with Image.open(io.BytesIO(data)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
        lying = np.asarray(picture)
    assert (turn_upright(lying, orientation) == expected).all()
    whole = decode_image(data)
    assert (whole.pixels == expected).all()
    assert (whole.height, whole.width, whole.reduction) == (*expected.shape[:2], 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("least_side", "reduction"), [(901, 2), (450, 4), (225, 8)])
def test_the_circle_is_told_in_pixels_of_the_original(
    fundus: Image.Image, orientation: int, least_side: float, reduction: int
) -> None:
    """Reduced by 2, 4 or 8 and turned any way, a pixel's place in the photograph is known to half a reduced pixel."""
    found = decode_image(oriented(fundus, orientation), least_side=least_side)
    assert found.reduction == reduction
    whole = decode_image(oriented(fundus, orientation)).pixels.astype(float)
    y, x = np.indices(found.pixels.shape[:2])
    top = found.top + found.reduction * y
    left = found.left + found.reduction * x
    inner = (top >= 0) & (left >= 0) & (top + 8 <= len(whole)) & (left + 8 <= whole.shape[1])
    sums = np.pad(whole.cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    t, b, low, high = top[inner], top[inner] + found.reduction, left[inner], left[inner] + found.reduction
    means = (sums[b, high] - sums[t, high] - sums[b, low] + sums[t, low]) / found.reduction**2
    assert np.abs(means - found.pixels[inner]).mean() < 1.0


@pytest.mark.parametrize(
    ("size", "decode", "reduction"),
    [
        (202, "fast", 8),
        (207, "fast", 4),
        (202, "safe", 4),
        (203, "safe", 2),
        (406, "safe", 1),
        (406, "fast", 2),
        (64, "exact", 1),
    ],
)
def test_the_field_of_view_keeps_its_pixels(
    fundus: Image.Image, monkeypatch: pytest.MonkeyPatch, size: int, decode: str, reduction: int
) -> None:
    """A circle of 1659 pixels keeps at least twice the crop's (safe) or as many (fast), by the least work."""
    used = []

    def noted(data: bytes, *, least_side: float | None = None, **options: Any) -> ImageArray:
        used.append(decode_image(data, least_side=least_side, **options))
        return used[-1]

    monkeypatch.setattr(import_module("sexstrat.images.prepare"), "decode_image", noted)
    ready = prepare(jpeg(fundus), size, decode=decode)
    assert used[-1].reduction == reduction
    assert 2 * ready.field_of_view.radius == pytest.approx(1662, abs=5)
    needed = DECODES[decode]
    if needed is not None and reduction > 1:
        assert 2 * ready.field_of_view.radius / reduction >= needed * size


def test_a_small_field_of_view_is_decoded_again_more_finely(synthetic: ModuleType) -> None:
    """A circle much smaller than the frame does not lose its pixels to a guess made from the frame."""
    ground = Image.new("RGB", (1300, 1000))
    ground.paste(synthetic.draw_fundus(2, width=1000, height=800), (150, 100))
    exact, fast = (prepare(jpeg(ground), 224, decode=decode) for decode in ("exact", "fast"))
    assert 2 * fast.field_of_view.radius == pytest.approx(736, abs=4)
    assert np.abs(exact.pixels.astype(int) - fast.pixels).mean() < 1.0


@pytest.mark.parametrize(("decode", "most"), [("safe", 0.35), ("fast", 1.0)])
def test_reduced_crops_differ_little(fundus: Image.Image, decode: str, most: float) -> None:
    """The mean difference of crops from those of a full decode stays below a third of a grey level, or one."""
    exact = prepare(jpeg(fundus), 224, decode="exact")
    found = prepare(jpeg(fundus), 224, decode=decode)
    assert np.abs(exact.pixels.astype(int) - found.pixels).mean() <= most
    assert found.field_of_view.radius == pytest.approx(exact.field_of_view.radius, abs=3)
    assert found.field_of_view.center_x == pytest.approx(exact.field_of_view.center_x, abs=3)
    assert (found.width, found.height) == (2701, 1803)


def test_only_jpeg_is_reduced(synthetic: ModuleType) -> None:
    """PNG crops are the same whatever the decode."""
    buffer = io.BytesIO()
    synthetic.draw_fundus(1, width=1500, height=1000).save(buffer, "PNG")
    exact, fast = (prepare(buffer.getvalue(), 64, decode=decode) for decode in ("exact", "fast"))
    assert (exact.pixels == fast.pixels).all()


def test_a_jpeg_with_a_flaw_is_read_by_the_patient_decoder(fundus: Image.Image) -> None:
    """Bytes after a marker that do not belong there cost speed and not the photograph."""
    data = jpeg(fundus)
    flawed = data[:-2] + b"\x00\x01\x02" * 20 + data[-2:]
    assert decode_jpeg(flawed, 2701, 1803, 8) is None
    found = decode_image(flawed, least_side=100)
    assert found.reduction == 1
    assert (found.pixels == decode_image(data).pixels).all()


def test_a_header_that_lies_about_the_size_is_not_believed(fundus: Image.Image) -> None:
    """Pixels of another size than the header's are not taken."""
    assert decode_jpeg(jpeg(fundus), 2700, 1803, 1) is None


def test_an_unknown_decode_is_named(fundus: Image.Image) -> None:
    """A decode that does not exist is refused with those that do."""
    with pytest.raises(ValueError, match="unknown decode 'quick'; allowed: exact, safe, fast"):
        prepare(jpeg(fundus), 64, decode="quick")


def test_a_long_panorama_keeps_the_pixels_to_find_its_circle() -> None:
    """The longer side never falls below the 320 pixels on which the circle is looked for."""
    assert [jpeg_reduction(side, side, 10) for side in (319, 640, 1279, 1280, 2560)] == [1, 2, 2, 4, 8]
