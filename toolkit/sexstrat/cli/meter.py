"""Show how far scoring or a training is: a bar with the time to go on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sexstrat.training.told import Step

__all__ = ["Shown", "TrainingShown", "progress_shown", "training_shown"]

Shown = tuple[Callable[[str], None] | None, Callable[[int, int, int], None] | None]
"""What is told in lines, and what in numbers; one of the two is None."""
TrainingShown = tuple[Callable[[str], None], "Callable[[Step], None] | None"]
"""What is told in lines, and what after every batch."""


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


@contextmanager
def training_shown(line: Callable[[str], None], *, terminal: bool | None = None) -> Iterator[TrainingShown]:
    """Give what a training is to tell of its progress, and clear up after it.

    Parameters
    ----------
    line : writes one line for people.
    terminal : whether to draw a bar on stderr; None asks stderr whether it is a terminal.

    Yields
    ------
    ``tell`` and ``meter`` of a training. On a terminal the bar shows the network, epoch, loss, time spent and time to
    go of the fit under way, below the lines.

    Examples
    --------
    >>> with training_shown(print, terminal=False) as (tell, meter):
    ...     tell("mobilenet: training begins")
    mobilenet: training begins
    """
    if not (sys.stderr.isatty() if terminal is None else terminal):
        yield line, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeElapsedColumn(),
        TextColumn("to go"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("preparing", total=None, loss="")

        def meter(step: Step) -> None:
            if step.done < bar.tasks[0].completed:  # the next network's fit
                bar.reset(task)
            told = f"{step.network}, epoch {step.epoch} of {step.epochs}"
            bar.update(task, total=step.total, completed=step.done, description=told, loss=f"loss {step.loss:.3f}")

        def tell(text: str) -> None:
            console.print(text, markup=False, highlight=False)

        yield tell, meter
