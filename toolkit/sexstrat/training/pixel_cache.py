"""Prepare every photograph once: crops in one memory map, status and quality of each in a table."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import ImageError
from sexstrat.images.prepare import prepare

__all__ = ["PixelCache", "cache_pixels"]

_logger = logging.getLogger(__name__)
_CHUNK = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelCache:
    """Prepared photographs.

    Parameters
    ----------
    pixels : uint8 memory map of shape (n, size, size, 3); black where a photograph was refused.
    table : one row a photograph: path, status, reason, quality, field_of_view.
    """

    pixels: NDArray[np.uint8]
    table: pd.DataFrame

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which photographs were prepared."""
        return np.asarray(self.table["status"] == "ok", dtype=np.bool_)


def cache_pixels(paths: Sequence[str], folder: Path, size: int, *, threads: int = 2) -> PixelCache:
    """Prepare photographs, or take what an earlier call with the same list and size has left.

    Parameters
    ----------
    paths : files, in the order of the rows.
    folder : where ``pixels_<size>.npy`` and ``pixels_<size>.csv`` are kept; outside the project, since
        photographs are personal data.
    size : side of the crops in pixels.
    threads : photographs decoded at a time.

    Returns
    -------
    The crops and what became of each photograph; a refused one has a status and a reason, and stays in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place, note = folder / f"pixels_{size}.npy", folder / f"pixels_{size}.csv"
    if place.is_file() and note.is_file():
        table = pd.read_csv(note, keep_default_na=False, na_values={"quality": "", "field_of_view": ""})
        if table["path"].tolist() == list(paths):
            return PixelCache(pixels=np.load(place, mmap_mode="r"), table=table)
    pixels = np.lib.format.open_memmap(place, mode="w+", dtype=np.uint8, shape=(len(paths), size, size, 3))
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(paths), _CHUNK):
            chunk = paths[start : start + _CHUNK]
            for offset, (crop, row) in enumerate(pool.map(lambda path: _prepared(path, size), chunk)):
                pixels[start + offset] = 0 if crop is None else crop
                rows.append(row)
            _logger.info("prepared %d of %d photographs", len(rows), len(paths))
    pixels.flush()
    table = pd.DataFrame(rows, columns=["path", "status", "reason", "quality", "field_of_view"])
    table.to_csv(note, index=False)
    return PixelCache(pixels=np.load(place, mmap_mode="r"), table=table)


def _prepared(path: str, size: int) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
    try:
        ready = prepare(path, size, decode="exact")
    except ImageError as err:
        return None, {"path": path, "status": err.status, "reason": err.reason}
    row = {"path": path, "status": "ok", "reason": "", "quality": round(ready.quality, 4)}
    return ready.pixels, row | {"field_of_view": round(ready.relative_diameter, 4)}
