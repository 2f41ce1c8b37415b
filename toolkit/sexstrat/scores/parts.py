"""Gather scored batches to parts, and write each part before the next is begun."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pandas as pd

from sexstrat.scores.checkpoints import Checkpoints, typed_rows

__all__ = ["PART_ROWS", "kept_parts"]

PART_ROWS = 256
"""Images between two checkpoints: what a run that is killed loses at most."""

_PART_SECONDS = 60.0  # a slow model writes its part after this time, however few rows it holds


def kept_parts(batches: Iterator[pd.DataFrame], checkpoints: Checkpoints | None) -> Iterator[pd.DataFrame]:
    """Give the rows of batches in parts, each of which is on disk by then.

    Parameters
    ----------
    batches : scored rows, in the order in which they are done.
    checkpoints : where parts are kept; None keeps none.

    Yields
    ------
    Rows of a part, with the types of the score contract.

    Examples
    --------
    >>> batch = pd.DataFrame({"key": ["a", "b"], "status": ["ok", "ok"]})
    >>> [len(part) for part in kept_parts(iter([batch] * 3), None)]
    [6]
    """
    waiting: list[pd.DataFrame] = []
    started = time.monotonic()
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= PART_ROWS or time.monotonic() - started > _PART_SECONDS:
            yield _kept(waiting, checkpoints)
            waiting, started = [], time.monotonic()
    if waiting:
        yield _kept(waiting, checkpoints)


def _kept(batches: list[pd.DataFrame], checkpoints: Checkpoints | None) -> pd.DataFrame:
    rows = pd.concat([typed_rows(batch) for batch in batches], ignore_index=True)
    if checkpoints is not None:
        checkpoints.add(rows)
    return rows
