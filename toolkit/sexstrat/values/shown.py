"""How a result shows itself: by asking the top level, which knows the stage that draws."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Shown"]


class Shown:
    """A result that draws itself, and that a notebook shows as a table.

    The stages that make results import no drawing library: a result asks ``sexstrat.plot`` and ``sexstrat.table_html``,
    whose home is the reporting stage, so that a figure in a notebook is drawn by the code that draws the report's.

    Nothing shown so has passed the disclosure gate: it may hold small counts and is for the place where the data are
    kept. No row about a single patient is ever shown.
    """

    __slots__ = ()

    def plot(self, which: str | None = None) -> Any:
        """Return one of the result's figures as a matplotlib figure, its title stating what was found.

        Not through disclosure control.

        Parameters
        ----------
        which : name of the figure; None for the first. An unknown name lists those there are.

        Raises
        ------
        EstimationError : no such figure, or no number to draw; the message says why.
        """
        return import_module("sexstrat").plot(self, which)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: every number with its interval, people, state and what it assumes."""
        return str(import_module("sexstrat").table_html(self))
