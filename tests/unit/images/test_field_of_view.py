"""The field of view is found to within a pixel or two, whatever was done to the circle."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sexstrat.errors import ImageError
from sexstrat.images import find_field_of_view


def fundus(
    *, width: int = 400, height: int = 300, x: float = 200, y: float = 150, radius: float = 140, light: float = 1.0
) -> NDArray[np.uint8]:
    """Draw a shaded disc with a little noise on near-black ground."""
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y) / radius
    color = np.array([180.0, 90.0, 40.0]) * light
    picture = np.where(distance[:, :, None] <= 1, color * (1.1 - 0.5 * distance[:, :, None] ** 2), 2.0)
    noise = np.random.default_rng(3).normal(0, 1.2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def assert_circle(pixels: NDArray[np.uint8], x: float, y: float, radius: float, within: float = 2.0) -> None:
    found = find_field_of_view(pixels)
    assert found.method == "circle"
    assert found.center_x == pytest.approx(x, abs=within)
    assert found.center_y == pytest.approx(y, abs=within)
    assert found.radius == pytest.approx(radius, abs=within)


def test_a_whole_circle() -> None:
    """A whole circle off the middle is found and covered."""
    pixels = fundus(x=180, y=145)
    assert_circle(pixels, 180, 145, 140)
    assert find_field_of_view(pixels).coverage > 0.97


def test_a_circle_cut_off_at_top_and_bottom() -> None:
    """The radius is that of the circle, not of what is left of it."""
    assert_circle(fundus(height=220, y=110, radius=150), 200, 110, 150)


def test_a_circle_cut_off_on_one_side() -> None:
    """A circle whose right third lies beyond the frame keeps its centre."""
    assert_circle(fundus(width=300, x=200, radius=140), 200, 150, 140, within=3)


def test_a_dark_picture() -> None:
    """A picture at a sixth of the light gives the same circle."""
    assert_circle(fundus(light=0.18), 200, 150, 140, within=3)


def test_a_notch_and_a_label_have_no_pull() -> None:
    """A tab at the border and text in a corner leave the circle where it is."""
    pixels = fundus()
    pixels[140:160, 335:352] = (170, 80, 40)
    pixels[5:20, 5:60] = 230
    assert_circle(pixels, 200, 150, 140)


def test_a_large_picture_is_measured_in_its_own_pixels() -> None:
    """The result is in pixels of the photograph, not of the reduced copy."""
    pixels = fundus().repeat(4, axis=0).repeat(4, axis=1)
    assert_circle(pixels, 800, 600, 560, within=8)


def test_a_retina_up_to_the_corners_fills_the_frame() -> None:
    """Without black corners the inscribed circle is used, and it says so."""
    found = find_field_of_view(fundus(radius=400))
    assert (found.method, found.radius, found.coverage) == ("full_frame", 150, 1.0)


def test_a_square_region_falls_back_to_its_box() -> None:
    """A bright region that is no circle is still cut out, marked as a box."""
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[40:160, 60:240] = (150, 70, 30)
    found = find_field_of_view(pixels)
    assert found.method == "box"
    assert (found.center_x, found.center_y) == (pytest.approx(150, abs=1), pytest.approx(100, abs=1))


@pytest.mark.parametrize("level", [0, 5])
def test_a_black_picture_has_no_field_of_view(level: int) -> None:
    """A black picture is refused with its own status."""
    with pytest.raises(ImageError, match="no_field_of_view"):
        find_field_of_view(np.full((100, 120, 3), level, np.uint8))


def test_a_flat_picture_has_no_field_of_view() -> None:
    """A picture of one colour is refused."""
    with pytest.raises(ImageError, match="no_field_of_view"):
        find_field_of_view(np.full((100, 120, 3), 200, np.uint8))


def test_the_same_picture_gives_the_same_circle() -> None:
    """The random sample is seeded: two calls agree to the last digit."""
    pixels = fundus(height=220, y=110, radius=150)
    assert find_field_of_view(pixels) == find_field_of_view(pixels)
