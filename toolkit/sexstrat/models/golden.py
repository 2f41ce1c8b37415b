"""Synthetic inputs whose outputs a model card records, so that a wrong load is seen at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["GOLDEN_SEEDS", "golden_input"]

GOLDEN_SEEDS = (1, 2, 3, 4)


def golden_input(seed: int, size: int) -> NDArray[np.uint8]:
    """Return a patterned picture by whole-number arithmetic alone, equal on every machine and version.

    It shows nobody: colour channel c at column x, row y is ``(128 + x(seed + c) // 2 + y(7 - seed) // 3
    + (x - y)²  // (40 + 9 seed)) mod 256``.

    Parameters
    ----------
    seed : number of the pattern, 1 to 6.
    size : side in pixels.

    Returns
    -------
    Picture of shape (size, size, 3), uint8.

    Examples
    --------
    >>> golden_input(1, 3)[:, :, 0].tolist()
    [[128, 128, 129], [130, 130, 131], [132, 132, 133]]
    """
    y, x, c = np.ogrid[:size, :size, :3]
    pattern = 128 + x * (seed + c) // 2 + y * (7 - seed) // 3 + (x - y) ** 2 // (40 + 9 * seed)
    return np.asarray(pattern % 256, dtype=np.uint8)
