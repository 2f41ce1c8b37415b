"""Exposure, sharpness and contrast each fall with what spoils them, and only with that."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from sexstrat.images import Quality, circle_mask, measure_quality


@pytest.fixture(scope="module")
def crop(synthetic: ModuleType) -> NDArray[np.uint8]:
    """Return a crop of a retina that fills its circle."""
    picture = np.asarray(synthetic.draw_fundus(2, width=300, height=300))[22:278, 22:278]
    return picture * circle_mask(256)[:, :, None]


def test_black_and_white_have_nothing_to_measure() -> None:
    """Where no pixel is well exposed all four numbers are 0."""
    nothing = Quality(readable=0.0, exposure=0.0, sharpness=0.0, contrast=0.0)
    assert measure_quality(np.zeros((256, 256, 3), np.uint8)) == nothing
    assert measure_quality(np.full((256, 256, 3), 255, np.uint8)) == nothing


def test_exposure_is_a_share_of_the_circle(crop: NDArray[np.uint8]) -> None:
    """With the left half burnt out, half of the circle is well exposed."""
    burnt = crop.copy()
    burnt[:, :128] = 255
    assert measure_quality(crop).exposure == pytest.approx(1.0, abs=0.01)
    assert measure_quality(burnt).exposure == pytest.approx(0.5, abs=0.01)


def test_blur_lowers_sharpness_more_than_contrast(crop: NDArray[np.uint8]) -> None:
    """Each doubling of the blur lowers sharpness; the contrast of large structures stays."""
    grades = [
        measure_quality(np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(b)))) for b in (0, 1, 2, 4)
    ]
    sharpness = [grade.sharpness for grade in grades]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[3] < 0.2 * sharpness[0]
    assert grades[1].contrast > 0.6 * grades[0].contrast


def test_haze_lowers_contrast_and_leaves_sharpness(crop: NDArray[np.uint8]) -> None:
    """A veil that halves every difference halves the contrast, and fine structure keeps its share."""
    mean = crop[circle_mask(256) == 1].mean(axis=0)
    hazy = np.rint(crop / 2 + mean / 2).astype(np.uint8)
    before, after = measure_quality(crop), measure_quality(hazy)
    assert after.contrast == pytest.approx(before.contrast / 2, rel=0.1)
    assert after.sharpness == pytest.approx(before.sharpness, rel=0.1)


def test_contrast_does_not_depend_on_brightness(crop: NDArray[np.uint8]) -> None:
    """Half the light leaves the relative contrast as it is."""
    dim = np.rint(crop * 0.6).astype(np.uint8)
    assert measure_quality(dim).contrast == pytest.approx(measure_quality(crop).contrast, rel=0.05)


def test_a_mirrored_photograph_has_the_same_quality(crop: NDArray[np.uint8]) -> None:
    """Right and left eyes are graded alike."""
    one, other = measure_quality(crop), measure_quality(crop[:, ::-1])
    assert one.exposure == pytest.approx(other.exposure, abs=1e-6)
    assert one.sharpness == pytest.approx(other.sharpness, rel=1e-4)
    assert one.contrast == pytest.approx(other.contrast, rel=1e-4)


def test_size_of_the_crop_changes_little(synthetic: ModuleType) -> None:
    """A crop of 600 pixels is measured at 256, so that models of different sizes grade alike."""
    picture = synthetic.draw_fundus(4, width=700, height=700).crop((50, 50, 650, 650))
    small = picture.resize((256, 256), Image.Resampling.BOX)
    one, other = measure_quality(np.asarray(picture)), measure_quality(np.asarray(small))
    assert one.contrast == pytest.approx(other.contrast, rel=1e-6)
    assert one.sharpness == pytest.approx(other.sharpness, rel=1e-6)
