"""Show how far scoring is: a bar with rate and time to go on a terminal, a line from time to time elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Shown", "progress_shown"]

Shown = tuple[Callable[[str], None] | None, Callable[[int, int, int], None] | None]
"""What is told in lines, and what in numbers; one of the two is None."""


@contextmanager
def progress_shown(line: Callable[[str], None], *, terminal: bool | None = None) -> Iterator[Shown]:
    """Give what scoring is to tell of its progress, and clear up after it.

    Parameters
    ----------
    line : writes one line for people.
    terminal : whether to draw a bar on stderr; None asks stderr whether it is a terminal.

    Yields
    ------
    ``progress`` and ``meter`` of :func:`sexstrat.score_images`. On a terminal the bar shows images done, images a
    second (without those that an earlier run had scored) and the time to go.

    Examples
    --------
    >>> with progress_shown(print, terminal=False) as (progress, meter):
    ...     progress("2 of 5 images done")
    2 of 5 images done
    """
    if not (sys.stderr.isatty() if terminal is None else terminal):
        yield line, None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("to go"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("scoring", total=None, rate="")

        def meter(done: int, total: int, reused: int) -> None:
            seconds = bar.tasks[0].elapsed or 0.0
            rate = f"{(done - reused) / seconds:,.1f} images/s" if seconds and done > reused else ""
            bar.update(task, total=total, completed=done, rate=rate)

        yield None, meter
