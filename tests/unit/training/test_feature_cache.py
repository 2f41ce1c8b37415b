"""Lower features: the network is cut where it can be, each window is the one it should be, nothing runs twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import views_of
from sexstrat.training.feature_cache import FeatureCache, cache_features, split_network


class Halves:
    """A lower network whose features are the mean of the left and of the right half of the picture."""

    def __init__(self, stop_after: int = 10**6) -> None:
        self.calls, self.stop_after = 0, stop_after

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0], 1, 2, 1)

    def predict_on_batch(self, pixels: np.ndarray) -> np.ndarray:
        self.calls += 1
        if self.calls > self.stop_after:
            raise KeyboardInterrupt
        middle = pixels.shape[2] // 2
        halves = [pixels[:, :, :middle].mean(axis=(1, 2, 3)), pixels[:, :, middle:].mean(axis=(1, 2, 3))]
        return np.stack(halves, axis=1)[:, None, :, None]


def cached(path: Path, lower: Any, *, number: int = 3, photographs: str = "these") -> FeatureCache:
    """Cache pictures whose left half is 10 and whose right half is 200: of a left, a right and an unknown eye."""
    pixels = np.full((number, 40, 40, 3), 10, np.uint8)
    pixels[:, :, 20:] = 200
    eyes = (["L", "R", None] * number)[:number]
    return cache_features(
        lower, pixels, path, views=views_of("as_left_eye", eyes), windows=3, size=32, scaling="raw", seed=1,
        photographs=photographs,
    )  # fmt: skip


def test_the_first_windows_are_the_views(tmp_path: Path) -> None:
    """A right eye is mirrored; an unknown one has its mirror image in the second window; the third is varied."""
    found = cached(tmp_path / "f.npy", Halves())
    assert found.values.shape == (3, 3, 1, 2, 1)
    assert (found.windows, found.both.tolist()) == (3, [False, False, True])
    assert found.values[:, 0, 0, :, 0].tolist() == [[10, 200], [200, 10], [10, 200]]
    assert found.values[2, 1, 0, :, 0].tolist() == [200, 10]
    left, right, _ = found.values[:, 2, 0, :, 0]
    assert left[0] < left[1]
    assert right[0] > right[1]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    """A second call computes nothing; another list of photographs is computed anew."""
    first = np.array(cached(tmp_path / "f.npy", Halves()).values)
    idle = Halves(stop_after=0)
    assert (cached(tmp_path / "f.npy", idle).values == first).all()
    assert idle.calls == 0
    busy = Halves()
    cached(tmp_path / "f.npy", busy, photographs="others")
    assert busy.calls == 3


def test_an_interrupted_computation_ends_whole(tmp_path: Path) -> None:
    """Stopped in its 17th chunk, it goes on after the 16 that were noted, and all rows are as in an unbroken one."""
    number = 17 * 32
    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path / "f.npy", Halves(stop_after=16 * 3 + 1), number=number)
    rest = Halves()
    resumed = cached(tmp_path / "f.npy", rest, number=number)
    assert rest.calls == 3
    assert (resumed.values == cached(tmp_path / "g.npy", Halves(), number=number).values).all()


def network(shortcut: bool) -> Any:
    import keras

    inputs = keras.Input((4,))
    middle = keras.layers.Dense(3, name="middle")(inputs)
    top = keras.layers.Dense(2, name="top")(middle)
    if shortcut:
        top = keras.layers.Concatenate(name="joined")([top, inputs])
    return keras.Model(inputs, top)


def test_two_parts_in_a_row_are_the_whole() -> None:
    """What the lower part gives, the upper part turns into what the whole network gives, and they share weights."""
    whole = network(shortcut=False)
    lower, upper = split_network(whole, "middle")
    whole.get_layer("top").set_weights([np.arange(6, dtype=np.float32).reshape(3, 2), np.ones(2, np.float32)])
    pixels = np.array([[1.0, -2.0, 3.0, 0.5]], np.float32)
    features = np.asarray(lower.predict_on_batch(pixels))
    assert features.shape == (1, 3)
    assert np.asarray(upper.predict_on_batch(features)) == pytest.approx(np.asarray(whole.predict_on_batch(pixels)))


def test_a_shortcut_past_the_border_is_refused() -> None:
    """Where a path leads past the layer, features of it alone do not decide the output."""
    with pytest.raises(ModelError, match="cannot be cut after 'middle': a shortcut passes it by"):
        split_network(network(shortcut=True), "middle")
    with pytest.raises(ModelError, match=r"no layer 'nowhere' to cut after; allowed: .*middle"):
        split_network(network(shortcut=False), "nowhere")
