"""Augmentation varies what does not matter and is a function of its seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.training import augment


def disc(side: int = 96) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    inside = np.hypot(x - side / 2, y - side / 2) < side / 3
    return (inside[:, :, None] * np.array([160, 90, 50])).astype(np.uint8)


def test_two_seeds_give_two_pictures() -> None:
    """Different chance gives different windows, equal chance equal ones."""
    first, again, other = (augment(disc(), 84, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_black_stays_black_and_the_disc_stays_inside() -> None:
    """Colour changes never light up the ground, and the retina is not shifted out of the window."""
    for seed in range(30):
        window = augment(disc(), 84, np.random.default_rng(seed))
        assert window[0, 0].max() == 0
        share = (window.max(axis=2) > 20).mean() / ((disc().max(axis=2) > 20).sum() / 84**2)
        assert 0.75 < share < 1.3


def test_half_of_the_windows_are_mirrored() -> None:
    """A bright left half ends up on the right about every second time."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :32] = 120
    on_the_left = [
        int(window[:, :28].sum()) > int(window[:, 28:].sum())
        for window in (augment(picture, 56, np.random.default_rng(seed)) for seed in range(200))
    ]
    assert np.mean(on_the_left) == pytest.approx(0.5, abs=0.12)
