"""The look of every figure, and the way from a matplotlib figure to SVG that lives inside a page.

Text stays text (the reader's own fonts draw it, so no script is ever without glyphs); ink, paper and series colours are
CSS variables with a fallback, so that a figure follows the page into dark mode and still looks right alone.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from io import StringIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sexstrat.reporting.house_figure import HouseFigure

__all__ = ["COLOURS", "MARKERS", "Svg", "blank_figure", "drawing", "standalone_svg", "to_svg"]

# Okabe and Ito's palette, safe for colour-blind readers; each colour is paired with a shape, never used alone.
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "male": "#0072b2",
        "female": "#d55e00",
        "corrected": "#009e73",
        "also": "#56b4e9",
        "naive_threshold": "#cc79a7",
        "naive_weighted": "#e69f00",
        "complete_case": "#8a8a8b",
        "truth": "#1a1a1b",
        "ink": "#1a1a1c",
        "quiet": "#5f6368",
        "line": "#d0d3d8",
        "paper": "#fffffe",
    }
)

MARKERS: Mapping[str, str] = MappingProxyType(
    {
        "male": "o",
        "female": "s",
        "corrected": "s",
        "also": "D",
        "naive_threshold": "o",
        "naive_weighted": "^",
        "complete_case": "v",
        "truth": "d",
    }
)

_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "svg.hashsalt": "sexstrat",
        "svg.fonttype": "none",
        "font.family": "DejaVu Sans",  # only measures text here; the page's fonts draw it
        "font.size": 12.0,
        "axes.labelsize": 12.0,
        "xtick.labelsize": 11.5,
        "ytick.labelsize": 11.5,
        "axes.edgecolor": COLOURS["quiet"],
        "axes.labelcolor": COLOURS["ink"],
        "axes.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "grid.color": COLOURS["line"],
        "grid.linewidth": 0.6,
        "grid.linestyle": "-",
        "text.color": COLOURS["ink"],
        "xtick.color": COLOURS["quiet"],
        "ytick.color": COLOURS["quiet"],
        "xtick.labelcolor": COLOURS["ink"],
        "ytick.labelcolor": COLOURS["ink"],
        "xtick.bottom": True,
        "ytick.left": False,
        "xtick.major.size": 3.5,
        "xtick.major.width": 0.8,
        "xtick.minor.bottom": False,
        "lines.solid_capstyle": "round",
        "axes.unicode_minus": True,
        "path.simplify": False,
    }
)


class Svg(str):
    """An SVG element that still knows the figure it was written from.

    Examples
    --------
    >>> Svg("<svg></svg>").figure is None
    True
    """

    figure: HouseFigure | None = None


@contextmanager
def drawing() -> Iterator[None]:
    """Hold the house style while a figure is drawn; nothing global is left changed.

    Examples
    --------
    >>> import matplotlib
    >>> before = matplotlib.rcParams["font.size"]
    >>> with drawing():
    ...     inside = matplotlib.rcParams["font.size"]
    >>> inside, matplotlib.rcParams["font.size"] == before
    (12.0, True)
    """
    import matplotlib as mpl
    import seaborn as sns

    with warnings.catch_warnings(), mpl.rc_context(rc=sns.axes_style("white")):
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        mpl.rcParams.update(dict(_SETTINGS))  # type: ignore[arg-type]  # the stubs list every key by name
        yield


def blank_figure(width: float, height: float, margins: tuple[float, float, float, float]) -> tuple[HouseFigure, Axes]:
    """Return an empty figure with one pair of axes.

    Parameters
    ----------
    width, height : size in CSS pixels.
    margins : left, right, top and bottom margins in CSS pixels.

    Examples
    --------
    >>> figure, axes = blank_figure(400, 200, (40, 10, 10, 40))
    >>> [round(float(value), 3) for value in axes.get_position().bounds]
    [0.1, 0.2, 0.875, 0.75]
    """
    from sexstrat.reporting.house_figure import HouseFigure

    figure = HouseFigure(figsize=(width / 72, height / 72), dpi=72)
    left, right, top, bottom = margins
    box = (left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height)
    return figure, figure.add_axes(box)


def to_svg(figure: HouseFigure, *, name: str, title: str, description: str) -> Svg:
    r"""Return a figure as an SVG element that is deterministic, accessible and safe inside a page.

    Parameters
    ----------
    figure : from :func:`blank_figure`, drawn inside :func:`drawing`.
    name : unique in the page; it prefixes every id.
    title, description : text for people who do not see the figure.

    Returns
    -------
    One ``<svg>`` element: no XML prologue, no metadata, no style sheet, no id but those referred to. It keeps the
    figure, so that a notebook can show the very figure that the page holds.

    Examples
    --------
    >>> with drawing():
    ...     figure, axes = blank_figure(100, 80, (10, 10, 10, 10))
    ...     svg = to_svg(figure, name="f", title="A < B", description="")
    >>> svg.startswith('<svg role="img"'), '<title id="f-title">A &lt; B</title>' in svg, "metadata" in svg
    (True, True, False)
    """
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    box = re.search(r'viewBox="([^"]*)"', text)
    size = (box.group(1) if box else "0 0 1 1").split()
    labelled = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    head = (
        f'<svg role="img" aria-labelledby="{name}-title" aria-describedby="{name}-desc" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{" ".join(size)}" width="{size[2]}" height="{size[3]}" '
        f'style="stroke-linejoin:round;stroke-linecap:butt">'
    )
    svg = Svg(head + labelled + _clean(body, name) + "</svg>")
    svg.figure, figure.title, figure.description = figure, title, description
    return svg


def standalone_svg(svg: str) -> str:
    """Return an SVG element that brings along what a page would give it: its paper and its letters.

    Examples
    --------
    >>> standalone_svg('<svg style="x:y">')
    '<svg style="background:#fffffe;font-family:system-ui,sans-serif;x:y">'
    """
    return svg.replace('style="', f'style="background:{COLOURS["paper"]};font-family:system-ui,sans-serif;', 1)


def _clean(body: str, name: str) -> str:
    """Drop what a page must not inherit, keep only ids that are used, and turn colours into CSS variables."""
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*</defs>\s*", "", body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", body)
    body = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s+", " ", path.group()).strip(), body)
    used = set(re.findall(r'(?:href="#|url\(#)([\w.-]+)', body))
    body = re.sub(r' id="([\w.-]+)"', lambda m: f' id="{name}-{m.group(1)}"' if m.group(1) in used else "", body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    for role, colour in COLOURS.items():
        body = body.replace(f": {colour}", f": var(--{role.replace('_', '-')}, {colour})")
    return body
