"""Preparing a photograph gives its crop, its circle and its quality by one path."""

from __future__ import annotations

import io
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from sexstrat.images import grade_quality, prepare


def test_path_and_bytes_give_the_same(tmp_path: Path, synthetic: ModuleType) -> None:
    """A file and its bytes are prepared alike."""
    path = tmp_path / "a.png"
    synthetic.draw_fundus(1).save(path)
    from_path, from_bytes = prepare(path, 128), prepare(path.read_bytes(), 128)
    assert (from_path.pixels == from_bytes.pixels).all()
    assert from_path.quality == from_bytes.quality
    assert from_path.field_of_view == from_bytes.field_of_view


def test_quality_falls_with_blur_and_darkness(synthetic: ModuleType) -> None:
    """A sharp, bright retina grades near 1; a blurred or nearly black one grades low."""
    sharp = synthetic.draw_fundus(2, width=600, height=600)

    def grade(picture: Image.Image) -> float:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return prepare(buffer.getvalue(), 256).quality

    assert grade(sharp) > 0.9
    assert grade(sharp.filter(ImageFilter.GaussianBlur(25))) < 0.5
    assert grade(sharp.point(lambda value: value // 9)) < 0.5


def test_a_burnt_out_field_is_of_no_quality() -> None:
    """A white disc shows nothing."""
    assert grade_quality(np.full((256, 256, 3), 255, np.uint8)) == 0.0


def test_the_real_originals_are_prepared(shared_data: Path) -> None:
    """Ten full-size photographs of five kinds of camera all give a circle of plausible size."""
    listed = pd.read_csv(shared_data / "originals" / "originals.csv")
    for name in listed.iloc[:, 0]:
        ready = prepare(shared_data / "originals" / name, 256)
        assert ready.field_of_view.method == "circle", name
        assert 0.5 < ready.relative_diameter < 1.7, name
        assert ready.quality > 0.5, name


def test_an_original_and_its_reduced_copy_have_the_same_circle(shared_data: Path) -> None:
    """The 2196-pixel HEI-MED photograph and its 384-pixel copy give circles that agree within 1 %."""
    large = prepare(shared_data / "originals" / "heimed_00003.jpg", 256)
    small = prepare(shared_data / "heimed" / "images" / "00003.jpg", 256)
    assert large.relative_diameter == pytest.approx(small.relative_diameter, rel=0.01)
    assert np.abs(large.pixels.astype(int) - small.pixels).mean() < 4
