"""Synthetic inputs whose outputs a model card records, and their comparison: a wrong load is seen at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.loaded_model import LoadedModel

__all__ = ["GOLDEN_SEEDS", "check_golden", "golden_difference", "golden_input"]

GOLDEN_SEEDS = (1, 2, 3, 4)

_BFLOAT16_TOLERANCE = 0.15  # eight bits of mantissa: on photographs a probability moves by up to 0.13
_BFLOAT16_YEARS = 5.0


def golden_input(seed: int, size: int) -> NDArray[np.uint8]:
    """Return a patterned picture by whole-number arithmetic alone, equal on every machine and version.

    It shows nobody: colour channel c at column x, row y is ``(128 + x(seed + c) // 2 + y(7 - seed) // 3
    + (x - y)²  // (40 + 9 seed)) mod 256``.

    Parameters
    ----------
    seed : number of the pattern, from 1.
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


def golden_difference(model: LoadedModel) -> float:
    """Return the largest difference between what a model gives for the golden inputs and what its card records.

    Parameters
    ----------
    model : the loaded model.

    Returns
    -------
    Difference of probabilities, or of years.
    """
    card = model.card
    pictures = np.stack([golden_input(golden.seed, card.prepared_size) for golden in card.golden])
    expected = np.array([golden.value for golden in card.golden])
    return float(np.abs(model.predict(pictures) - expected).max())


def check_golden(model: LoadedModel) -> None:
    """Refuse a model that does not give its golden outputs.

    Parameters
    ----------
    model : the loaded model.

    Raises
    ------
    ModelError
        A golden output differs by more than the card's tolerance; in bfloat16 by more than 0.15, or 5 years.
    """
    card = model.card
    half = _BFLOAT16_YEARS if card.output_kind == "age_years" else _BFLOAT16_TOLERANCE
    allowed = card.golden_tolerance if model.precision == "float32" else half
    worst = golden_difference(model)
    if not worst <= allowed:
        raise ModelError(
            f"model {card.model_id} does not give its golden outputs on the {model.runtime} runtime in "
            f"{model.precision}: largest difference {worst:.2g}, allowed {allowed:.2g}; do not use these scores"
        )
