"""Crops keep geometry and hide what is not retina."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.images import FieldOfView, center_crop, crop_and_resize


def view(x: float, y: float, radius: float) -> FieldOfView:
    return FieldOfView(center_x=x, center_y=y, radius=radius, method="circle", coverage=1.0)


def test_what_lies_beyond_the_photograph_is_black() -> None:
    """A circle that reaches over the frame is padded with black, not squeezed."""
    crop = crop_and_resize(np.full((100, 200, 3), 120, np.uint8), view(100, 50, 80), 160)
    assert crop[80, 80].tolist() == [120, 120, 120]
    assert crop[:25].max() == 0
    assert crop[-25:].max() == 0


def test_what_lies_outside_the_circle_is_black() -> None:
    """Labels in the corners do not reach the model."""
    pixels = np.full((200, 200, 3), 90, np.uint8)
    pixels[:20, :20] = 255
    crop = crop_and_resize(pixels, view(100, 100, 100), 64)
    assert crop[0, 0].max() == 0
    assert crop.max() == 90


def test_reducing_averages_instead_of_picking() -> None:
    """A one-pixel checkerboard reduced eightfold becomes grey: the resize is antialiased."""
    board = (np.indices((512, 512)).sum(axis=0) % 2 * 200).astype(np.uint8)
    crop = crop_and_resize(np.repeat(board[:, :, None], 3, axis=2), view(256, 256, 256), 64)
    assert abs(int(crop[32, 32, 0]) - 100) <= 2


def test_a_photograph_and_its_enlarged_copy_give_the_same_crop() -> None:
    """The crop depends on the retina and hardly on the number of pixels it was stored with."""
    y, x = np.mgrid[:128, :128]
    small = np.stack([x + 20, y + 60, (x + y) // 2], axis=2).astype(np.uint8)
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    a = crop_and_resize(small, view(64, 64, 60), 48).astype(int)
    b = crop_and_resize(large, view(256, 256, 240), 48).astype(int)
    assert np.abs(a - b).max() <= 3


def test_center_crop_refuses_to_enlarge() -> None:
    """A window larger than the picture is an error, not a padded guess."""
    with pytest.raises(ValueError, match="cannot cut 9 pixels from pictures of 8"):
        center_crop(np.zeros((8, 8, 3), np.uint8), 9)
