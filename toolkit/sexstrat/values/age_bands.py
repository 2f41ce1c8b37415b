"""Age bands: declared once, half-open, never merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["AgeBands"]


@dataclass(frozen=True, slots=True)
class AgeBands:
    """Half-open age bands [low, high) in completed years; the last may be open.

    Parameters
    ----------
    lows : first year of each band, rising.
    end : first year after the last band, or None for an open last band.

    Raises
    ------
    ValueError : the edges do not rise, or there is no band.

    Examples
    --------
    >>> bands = AgeBands((40, 50, 60), end=None)
    >>> bands.labels
    ('40-49', '50-59', '60+')
    >>> bands.index([39, 40, 59, 93]).tolist()
    [-1, 0, 1, 2]
    """

    lows: tuple[int, ...]
    end: int | None = None

    def __post_init__(self) -> None:
        edges = [*self.lows, *([] if self.end is None else [self.end])]
        if not self.lows or any(b <= a for a, b in pairwise(edges)):
            raise ValueError(f"age band edges must rise and not be empty; found {edges}")

    def __len__(self) -> int:
        return len(self.lows)

    @property
    def highs(self) -> tuple[int | None, ...]:
        """First year after each band; None for an open last band."""
        return (*self.lows[1:], self.end)

    @property
    def labels(self) -> tuple[str, ...]:
        """Name each band as epidemiologists print it, both ends inclusive."""
        return tuple(
            f"{low}+" if high is None else f"{low}-{high - 1}" for low, high in zip(self.lows, self.highs, strict=True)
        )

    def index(self, age_years: Sequence[float] | NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the band of each age, -1 where it lies in none (or is not a number)."""
        ages = np.asarray(age_years, dtype=float)
        position = np.searchsorted(np.asarray(self.lows, dtype=float), ages, side="right") - 1
        beyond = np.zeros(ages.shape, dtype=bool) if self.end is None else ages >= self.end
        return np.where(np.isnan(ages) | beyond, -1, position).astype(np.int64)
