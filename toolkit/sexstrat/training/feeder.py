"""Feed batches to Keras, each a function of seed, epoch and place alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import Views
from sexstrat.training.augment import augment
from sexstrat.training.teachers import Teachers

__all__ = ["epoch_feeder"]


def epoch_feeder(
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    targets: dict[str, NDArray[np.float32]],
    weights: dict[str, NDArray[np.float32]],
    *,
    views: Views,
    size: int,
    batch_size: int,
    scaling: str,
    seed: int,
    epoch: int,
    teachers: Teachers | None = None,
    blur: float = 0.0,
) -> Any:
    """Return one epoch of augmented batches as a ``keras.utils.PyDataset``.

    Parameters
    ----------
    pixels : all prepared crops, shape (n, side, side, 3), uint8; may be a memory map.
    rows : rows of ``pixels`` to train on; each is used once, in seeded order; a last batch of fewer
        than ``batch_size`` is left out, as its batch statistics would be poor.
    targets, weights : by head, one row a row of ``pixels``; weight 0 leaves a value out.
    views : how each row of ``pixels`` is turned; a row looked at both ways is mirrored by chance.
    size : side of the network's input in pixels.
    batch_size : photographs a batch.
    scaling : as in the backbone's entry.
    seed, epoch : together they decide order and augmentation.
    teachers : published models that mix their probabilities into the target of sex; None leaves the labels.
    blur : share of the windows that are blurred.

    Returns
    -------
    The dataset; item i is (pixels, targets, weights).
    """
    import keras

    order = np.random.default_rng([seed, epoch]).permutation(rows)

    class EpochFeeder(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return max(1, len(order) // batch_size)

        def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
            chosen = order[index * batch_size : (index + 1) * batch_size]
            windows = [
                augment(
                    pixels[row],
                    size,
                    np.random.default_rng([seed, epoch, int(row)]),
                    mirrored=views.turn(int(row)),
                    blur=blur,
                )
                for row in chosen
            ]
            batch = np.stack(windows)
            wanted = {name: values[chosen] for name, values in targets.items()}
            if teachers is not None:
                wanted["sex"] = teachers.targets(wanted["sex"], batch)
            return (
                scale_pixels(batch, scaling),
                wanted,
                {name: values[chosen] for name, values in weights.items()},
            )

    return EpochFeeder(workers=1, use_multiprocessing=False, max_queue_size=8)
