"""The figure of an explanation: the photograph as the network saw it, and beside it where the output comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import StudyError
from sexstrat.reporting.figure_style import COLOURS, drawing, standalone_svg, to_svg

if TYPE_CHECKING:
    from sexstrat.reporting.house_figure import HouseFigure

__all__ = ["ExplanationChart", "explanation_figure", "figure_suffix", "write_explanation_figure"]

_WIDTH, _HEIGHT = 860.0, 556.0
_SIDE, _LEFT, _BETWEEN, _TOP = 372.0, 20.0, 16.0, 78.0  # CSS pixels
_BAR = 12.0
_COVER = 0.78  # how much of the photograph the brightest place hides; what lies beneath is to be seen
_FAINTEST, _FULL = 0.15, 0.55  # shares of the largest importance at which the cover begins, and is whole
_BLUR = 1 / 64  # of the side: only smooths the steps between squares, which are no part of the finding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExplanationChart:
    """What an explanation figure shows.

    Parameters
    ----------
    pixels : the photograph as the network saw it, shape (size, size, 3), uint8.
    importance : share of the largest importance, 0 to 1, shape (size, size).
    flat : whether there is nothing to see; no map is drawn then.
    title : what is shown, in one sentence.
    under : model and method, one line under the title.
    bar : what the colours stand for.
    caveat : what the map does not say; drawn beneath.
    """

    pixels: NDArray[np.uint8]
    importance: NDArray[np.float64]
    flat: bool
    title: str
    under: str
    bar: str
    caveat: str


def figure_suffix(path: str | Path) -> str:
    """Return ``.svg`` or ``.png``, or raise StudyError.

    Parameters
    ----------
    path : the figure's file.

    Examples
    --------
    >>> figure_suffix("map.PNG")
    '.png'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in {".svg", ".png"}:
        raise StudyError(f"{path}: a figure is an .svg or a .png file")
    return suffix


def explanation_figure(chart: ExplanationChart) -> str:
    """Draw an explanation and return it as SVG; the pictures lie inside.

    Parameters
    ----------
    chart : what to show.

    Returns
    -------
    An ``<svg>`` element.

    Examples
    --------
    >>> grey, spot = np.full((8, 8, 3), 90, np.uint8), np.eye(8)
    >>> chart = ExplanationChart(
    ...     pixels=grey, importance=spot, flat=False, title="Where", under="m", bar="share", caveat="No more than this."
    ... )
    >>> svg = explanation_figure(chart)
    >>> ">Where<" in svg and ">No more than this.<" in svg and svg.count("data:image/png") >= 3
    True
    """
    with drawing():
        return to_svg(
            _drawn(chart), name="explanation", title=chart.title, description=f"{chart.under}. {chart.caveat}"
        )


def write_explanation_figure(chart: ExplanationChart, path: str | Path) -> None:
    """Write an explanation as a file of its own, SVG or PNG as its name ends.

    Parameters
    ----------
    chart : what to show.
    path : the file; its folder is made if need be.

    Raises
    ------
    StudyError
        The name ends in neither .svg nor .png, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> chart = ExplanationChart(
    ...     pixels=np.zeros((8, 8, 3), np.uint8),
    ...     importance=np.zeros((8, 8)),
    ...     flat=True,
    ...     title="t",
    ...     under="u",
    ...     bar="b",
    ...     caveat="c",
    ... )
    >>> file = Path(tempfile.mkdtemp()) / "map.svg"
    >>> write_explanation_figure(chart, file)
    >>> file.read_text(encoding="utf-8").startswith("<svg")
    True
    """
    file, suffix = Path(path), figure_suffix(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".svg":
            file.write_text(standalone_svg(explanation_figure(chart)) + "\n", encoding="utf-8")
            return
        with drawing():
            _drawn(chart).savefig(file, format="png", dpi=144, facecolor=COLOURS["paper"], metadata={"Software": None})
    except OSError as err:
        raise StudyError(f"{path}: the figure cannot be written: {err.strerror or err}") from err


def _drawn(chart: ExplanationChart) -> HouseFigure:
    from sexstrat.reporting.house_figure import HouseFigure

    figure = HouseFigure(figsize=(_WIDTH / 72, _HEIGHT / 72), dpi=72)
    grey = np.repeat(np.rint(chart.pixels @ np.array([0.299, 0.587, 0.114]))[:, :, None], 3, axis=2).astype(np.uint8)
    left, right = _LEFT, _LEFT + _SIDE + _BETWEEN
    _panel(figure, left, chart.pixels, "As the network saw it")
    axes = _panel(figure, right, chart.pixels if chart.flat else grey, "What the output depends on")
    if chart.flat:
        axes.text(
            0.5, 0.5, "No place changes the output", transform=axes.transAxes, ha="center", va="center",
            fontsize=12.5, color=COLOURS["ink"],
            bbox={"boxstyle": "round,pad=0.5", "facecolor": COLOURS["paper"], "edgecolor": "none"},
        )  # fmt: skip
    else:
        _overlay(figure, axes, chart, right + _SIDE + 14)
    _words(figure, chart)
    return figure


def _panel(figure: HouseFigure, left: float, pixels: NDArray[np.uint8], label: str) -> Any:
    axes = figure.add_axes(_box(left, _TOP, _SIDE, _SIDE))
    axes.imshow(pixels, interpolation="lanczos", aspect="auto")
    axes.set_axis_off()
    figure.text(
        left / _WIDTH, 1 - (_TOP - 8) / _HEIGHT, label, fontsize=11.5, color=COLOURS["quiet"], va="bottom"
    )  # fmt: skip
    return axes


def _overlay(figure: HouseFigure, axes: Any, chart: ExplanationChart, left: float) -> None:
    smooth = _smoothed(chart.importance)
    axes.imshow(_coloured(smooth), interpolation="bilinear", aspect="auto")
    axes.contour(smooth, levels=[0.5], colors=[COLOURS["paper"]], linewidths=[1.4])
    bar = figure.add_axes(_box(left, _TOP, _BAR, _SIDE))
    scale = _coloured(np.linspace(1, 0, 256))[:, None, :]
    bar.imshow(np.full((256, 1, 3), 0.42), aspect="auto", extent=(0, 1, 0, 1))
    bar.imshow(scale, aspect="auto", extent=(0, 1, 0, 1), interpolation="bilinear")
    bar.axhline(0.5, color=COLOURS["paper"], linewidth=1.3)
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.set_yticks([0, 0.5, 1], ["0", "half", "largest"])
    bar.tick_params(axis="y", length=0, pad=5)
    bar.grid(visible=False)
    for spine in bar.spines.values():
        spine.set_visible(False)


def _smoothed(importance: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    smooth: NDArray[np.float64] = gaussian_filter(importance, len(importance) * _BLUR)
    return smooth / float(smooth.max())


def _coloured(importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return colours with their cover; faint places let the photograph through."""
    import matplotlib as mpl

    shown = np.asarray(mpl.colormaps["inferno"](0.25 + 0.75 * importance))
    shown[..., 3] = _COVER * np.clip((importance - _FAINTEST) / (_FULL - _FAINTEST), 0.0, 1.0)
    return shown


def _words(figure: HouseFigure, chart: ExplanationChart) -> None:
    at = _LEFT / _WIDTH
    for text, down, size, tone in ((chart.title, 26.0, 14.0, "ink"), (chart.under, 45.0, 11.5, "quiet")):
        figure.text(at, 1 - down / _HEIGHT, text, fontsize=size, color=COLOURS[tone], parse_math=False)
    down = _TOP + _SIDE + 24
    for text, tone in ((chart.bar, "ink"), (chart.caveat, "quiet")):
        for line in wrap(text, 122):
            figure.text(at, 1 - down / _HEIGHT, line, fontsize=11.0, parse_math=False, color=COLOURS[tone])
            down += 16
        down += 6


def _box(left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    return left / _WIDTH, 1 - (top + height) / _HEIGHT, width / _WIDTH, height / _HEIGHT
