"""Batches: every photograph at most once an epoch, with its own labels, in an order that seed and epoch decide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sexstrat.models import views_of
from sexstrat.training.feature_cache import FeatureCache, feature_feeder
from sexstrat.training.feeder import epoch_feeder

ROWS = np.array([1, 2, 4, 5, 6])
TARGETS = {"sex": np.arange(8, dtype=np.float32)[:, None]}
WEIGHTS = {"sex": np.arange(8, dtype=np.float32) / 8}


def pixel_batches(epoch: int, *, batch_size: int = 2, seed: int = 1) -> list[Any]:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 40, 40, 3), dtype=np.uint8)
    feeder = epoch_feeder(
        pixels, ROWS, TARGETS, WEIGHTS, views=views_of("as_left_eye", ["L", "R"] * 4), size=32, batch_size=batch_size,
        scaling="tf", seed=seed, epoch=epoch,
    )  # fmt: skip
    return [feeder[i] for i in range(len(feeder))]


def feature_batches(epoch: int, *, batch_size: int = 2, seed: int = 1) -> list[Any]:
    """Features say where they come from: 10 x row + window."""
    values = (10 * np.arange(8)[:, None] + np.arange(4)).astype(np.float16).reshape(8, 4, 1, 1, 1)
    cache = FeatureCache(values=values, both=np.zeros(8, dtype=bool))
    feeder = feature_feeder(cache, ROWS, TARGETS, WEIGHTS, batch_size=batch_size, seed=seed, epoch=epoch)
    return [feeder[i] for i in range(len(feeder))]


def served(batches: list[Any]) -> list[int]:
    return [int(value) for _, targets, _ in batches for value in targets["sex"].ravel()]


@pytest.mark.parametrize("made", [pixel_batches, feature_batches])
def test_rows_come_once_and_a_short_last_batch_is_left_out(made: Any) -> None:
    """Of five rows two full batches are served, no row twice and none that is not to be learned from."""
    batches = made(0)
    rows = served(batches)
    assert [len(batch[0]) for batch in batches] == [2, 2]
    assert len(set(rows)) == 4
    assert set(rows) <= set(ROWS.tolist())
    for _, targets, weights in batches:
        assert (weights["sex"] * 8 == targets["sex"].ravel()).all()


@pytest.mark.parametrize("made", [pixel_batches, feature_batches])
def test_fewer_rows_than_a_batch_make_one_batch(made: Any) -> None:
    """A small study is not skipped: all rows come together."""
    (only,) = made(0, batch_size=64)
    assert sorted(served([only])) == ROWS.tolist()


@pytest.mark.parametrize("made", [pixel_batches, feature_batches])
def test_seed_and_epoch_decide_everything(made: Any) -> None:
    """The same epoch is the same to the last value; another epoch or seed has another order."""
    first, again = made(0), made(0)
    assert all((one[0] == other[0]).all() for one, other in zip(first, again, strict=True))
    orders = {tuple(served(made(epoch, batch_size=5))) for epoch in range(6)}
    assert len(orders) > 1
    assert len({tuple(served(made(0, batch_size=5, seed=seed))) for seed in range(6)}) > 1


def test_photographs_are_scaled_windows() -> None:
    """Values of the network's scaling, from -1 to 1, in single precision, at the size asked for."""
    for pixels, _, _ in pixel_batches(0):
        assert (pixels.shape, pixels.dtype) == ((2, 32, 32, 3), np.float32)
        assert pixels.min() < -0.5
        assert -1 <= pixels.min() <= pixels.max() <= 1


def test_features_are_those_of_the_labels_row_and_windows_change() -> None:
    """Each feature belongs to the person whose label comes with it; over the epochs several windows are seen."""
    windows = set()
    for epoch in range(8):
        for features, targets, _ in feature_batches(epoch):
            found = features.ravel().astype(int)
            assert (found // 10 == targets["sex"].ravel()).all()
            windows |= set((found % 10).tolist())
    assert windows == {0, 1, 2, 3}
