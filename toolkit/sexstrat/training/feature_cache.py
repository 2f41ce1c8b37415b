"""Run the frozen lower layers once and keep what they give, so that an epoch costs only the upper ones."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.images.crop import center_crop
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import Views
from sexstrat.training.augment import augment

__all__ = ["FeatureCache", "cache_features", "feature_feeder", "split_network"]

_logger = logging.getLogger(__name__)
_CHUNK = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureCache:
    """Lower-layer features of every photograph.

    Parameters
    ----------
    values : float16 memory map of shape (n, windows, height, width, channels). Window 0 is the centre crop the
        way it is first looked at; window 1 is its mirror image where both ways are looked at; all others are
        augmented windows for training alone.
    both : whether a photograph is looked at both ways.
    """

    values: NDArray[np.float16]
    both: NDArray[np.bool_]

    @property
    def windows(self) -> int:
        """Number of windows kept of each photograph."""
        return int(self.values.shape[1])


def split_network(network: Any, last_frozen: str) -> tuple[Any, Any]:
    """Split a network after one layer into a lower and an upper one; the two share its weights.

    Parameters
    ----------
    network : Keras model.
    last_frozen : name of the last layer of the lower part; every path must run through it.

    Returns
    -------
    Lower network (pixels to features) and upper network (features to heads).

    Raises
    ------
    ModelError
        There is no such layer, or the network cannot be cut there.
    """
    import keras

    names = [layer.name for layer in network.layers]
    if last_frozen not in names:
        raise ModelError(f"no layer {last_frozen!r} to cut after; allowed: {', '.join(names)}")
    border = network.get_layer(last_frozen).output
    try:
        return keras.Model(network.input, border), keras.Model(border, network.output)
    except ValueError as err:
        raise ModelError(f"the network cannot be cut after {last_frozen!r}: a shortcut passes it by") from err


def cache_features(
    lower: Any,
    pixels: NDArray[np.uint8],
    path: Path,
    *,
    views: Views,
    windows: int,
    size: int,
    scaling: str,
    seed: int,
    photographs: str,
) -> FeatureCache:
    """Compute the lower-layer features of all photographs, going on where an interrupted run stopped.

    Parameters
    ----------
    lower : the lower network.
    pixels : prepared crops, (n, side, side, 3) uint8.
    path : the ``.npy`` file of the memory map; a note of what is done lies beside it.
    views : how each photograph is looked at.
    windows : windows kept of each photograph, at least 2.
    size : side of the network's input in pixels.
    scaling : as in the backbone's entry.
    seed : of the augmented windows.
    photographs : digest of the list; features of another list, or of other settings, are computed anew.

    Returns
    -------
    The cache.
    """
    shape = (len(pixels), windows, *(int(side) for side in lower.compute_output_shape((1, size, size, 3))[1:]))
    note, done = path.with_suffix(".done.json"), 0
    made_from = {"photographs": photographs, "shape": list(shape), "scaling": scaling, "seed": seed}
    known = json.loads(note.read_text(encoding="utf-8")) if path.is_file() and note.is_file() else {}
    if known.get("made_from") == made_from:
        done = int(known["done"])
        values = np.lib.format.open_memmap(path, mode="r+")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    for start in range(done, len(pixels), _CHUNK):
        rows = range(start, min(start + _CHUNK, len(pixels)))
        for window in range(windows):
            batch = np.stack([_window(pixels[row], views.turn(row), window, size, [seed, row, window]) for row in rows])
            values[start : rows.stop, window] = np.asarray(lower.predict_on_batch(scale_pixels(batch, scaling)))
        if (start // _CHUNK) % 16 == 15 or rows.stop == len(pixels):
            values.flush()
            partial = note.with_suffix(".partial")
            partial.write_text(json.dumps({"made_from": made_from, "done": rows.stop}), encoding="utf-8")
            partial.replace(note)
            _logger.info("lower features of %d of %d photographs", rows.stop, len(pixels))
    return FeatureCache(values=values, both=views.both)


def _window(
    pixels: NDArray[np.uint8], mirrored: bool | None, window: int, size: int, seed: list[int]
) -> NDArray[np.uint8]:
    if window == 0:
        return center_crop(pixels, size)[:, ::-1] if mirrored else center_crop(pixels, size)
    if window == 1 and mirrored is None:
        return center_crop(pixels, size)[:, ::-1]
    return augment(pixels, size, np.random.default_rng(seed), mirrored=mirrored)


def feature_feeder(
    cache: FeatureCache,
    rows: NDArray[np.int64],
    targets: dict[str, NDArray[np.float32]],
    weights: dict[str, NDArray[np.float32]],
    *,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Any:
    """Return one epoch of cached features, each photograph in one window by chance, as a ``PyDataset``.

    Parameters
    ----------
    cache : features of all photographs.
    rows : rows to train on, each used once; an incomplete last batch is left out.
    targets, weights : by head, one row a row of the cache.
    batch_size : photographs a batch.
    seed, epoch : together they decide order and windows.

    Returns
    -------
    The dataset; item i is (features, targets, weights).
    """
    import keras

    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(rows)
    window = rng.integers(0, cache.windows, size=len(order))

    class FeatureFeeder(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return max(1, len(order) // batch_size)

        def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
            part = slice(index * batch_size, (index + 1) * batch_size)
            chosen = order[part]
            features = np.stack([cache.values[row, which] for row, which in zip(chosen, window[part], strict=True)])
            return (
                features.astype(np.float32),
                {name: values[chosen] for name, values in targets.items()},
                {name: values[chosen] for name, values in weights.items()},
            )

    return FeatureFeeder(workers=1, use_multiprocessing=False, max_queue_size=8)
