"""Count the rows that are done, and tell about it from time to time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pandas as pd

from sexstrat.scores.scoring import Meter, Progress

__all__ = ["Tally"]

_PROGRESS_SECONDS = 5.0


class Tally:
    """Count rows that are done.

    Parameters
    ----------
    total : rows that the run is to make, those of all members of an ensemble.
    progress : told every few seconds in a line; None is not told.
    meter : told after every batch in numbers; None is not told.

    Examples
    --------
    >>> tally = Tally(total=5, meter=lambda done, total, reused: print(done, total, reused))
    >>> tally.found(2)
    2 5 2
    >>> _ = list(tally.counting(iter([pd.DataFrame({"key": ["a"]})])))
    3 5 2
    """

    def __init__(self, *, total: int, progress: Progress | None = None, meter: Meter | None = None) -> None:
        self.total, self.progress, self.meter = total, progress, meter
        self.done = self.reused = 0
        self._told = time.monotonic()

    def found(self, number: int) -> None:
        """Add rows that an earlier run has made."""
        self.done += number
        self.reused += number
        if self.progress is not None and number:
            self.progress(f"{number:,} of {self.total:,} images were scored before")
        if self.meter is not None:
            self.meter(self.done, self.total, self.reused)

    def counting(self, batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Give the same batches on, and count their rows."""
        for batch in batches:
            self.done += len(batch)
            if self.meter is not None:
                self.meter(self.done, self.total, self.reused)
            if self.progress is not None and time.monotonic() - self._told >= _PROGRESS_SECONDS:
                self.progress(f"{self.done:,} of {self.total:,} images done")
                self._told = time.monotonic()
            yield batch
