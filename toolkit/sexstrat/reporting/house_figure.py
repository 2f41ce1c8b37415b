"""A matplotlib figure in the house style that can stand alone: with its title, its note and its description."""

from __future__ import annotations

from hashlib import sha256
from textwrap import wrap
from typing import Any

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from sexstrat.reporting.figure_style import COLOURS, drawing, standalone_svg, to_svg

__all__ = ["HouseFigure"]

_TITLE, _NOTE = 13.5, 11.5  # sizes of letters
_LETTER = 0.58  # width of a letter over its size, as elsewhere in the house's figures
_DOTS = 144  # an inch, when it is saved as pixels


class HouseFigure(Figure):
    """A figure of the report; a notebook shows it as SVG.

    Parameters
    ----------
    parts : what matplotlib's own figure takes.

    Examples
    --------
    >>> from sexstrat.reporting.figure_style import blank_figure
    >>> with drawing():
    ...     figure, axes = blank_figure(400, 200, (40, 10, 10, 40))
    ...     svg = to_svg(figure, name="f", title="It rises", description="10% then 20%")
    >>> svg.figure is figure, figure.title
    (True, 'It rises')
    >>> figure.stand_alone()
    >>> ">It rises<" in figure._repr_svg_()
    True
    """

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        FigureCanvasSVG(self)
        self.title = ""
        self.description = ""

    def stand_alone(self, *, note: str = "", titled: bool = False) -> None:
        """Give the figure its paper, its title above and a note below: alone it has no page that holds them.

        Parameters
        ----------
        note : what is not drawn, and why; empty for nothing.
        titled : the title is drawn already.
        """
        self.set_facecolor(COLOURS["paper"])
        width, height = (72 * float(inches) for inches in self.get_size_inches())
        above = [] if titled else wrap(self.title, int((width - 16) / (_LETTER * _TITLE)))
        below = wrap(note, int((width - 16) / (_LETTER * _NOTE)))
        room, foot = 19.0 * len(above) + (10.0 if above else 0.0), 15.0 * len(below) + (6.0 if below else 0.0)
        total = height + room + foot
        boxes = [axes.get_position() for axes in self.axes]
        self.set_size_inches(width / 72, total / 72)
        for axes, box in zip(self.axes, boxes, strict=True):
            axes.set_position((box.x0, (foot + box.y0 * height) / total, box.width, box.height * height / total))
        for lines, start, size, step, role in (
            (above, total - 20.0, _TITLE, 19.0, "ink"),
            (below, foot - 12.0, _NOTE, 15.0, "quiet"),
        ):
            for place, line in enumerate(lines):
                up = (start - step * place) / total
                self.text(8 / width, up, line, fontsize=size, color=COLOURS[role], parse_math=False)

    def savefig(self, fname: Any, **settings: Any) -> None:
        """Write the figure as matplotlib does, in the house style, and finely where it is made of pixels."""
        with drawing():
            super().savefig(fname, **{"dpi": _DOTS, **settings})

    def _repr_svg_(self) -> str:
        """Return what a notebook shows."""
        name = "figure-" + sha256((self.title + self.description).encode()).hexdigest()[:8]
        with drawing():
            return standalone_svg(to_svg(self, name=name, title=self.title, description=self.description))
