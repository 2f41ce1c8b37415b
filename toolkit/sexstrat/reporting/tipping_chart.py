"""A chart of a ratio along a supposed error: where its interval comes to include, or to exclude, 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sexstrat.reporting.figure_style import COLOURS, blank_figure, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curve", "tipping_chart"]

_WIDTH, _HEIGHT = 420.0, 300.0
_MARGINS = (46.0, 20.0, 30.0, 44.0)
_FURTHEST = 5.0  # ratios further than this factor from the one at 0 are cut off: they say only that they are large


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A ratio along the size of an error.

    Parameters
    ----------
    sizes : rising sizes.
    points, lows, highs : ratio and limits at each; NaN where there is none.
    tipping : size at which the conclusion changes, or None.
    percent : sizes are shares, printed as percentages.

    Examples
    --------
    >>> Curve(sizes=(0.0, 1.0), points=(1.5, 1.2), lows=(1.2, 0.9), highs=(1.9, 1.6), tipping=0.7).percent
    False
    """

    sizes: tuple[float, ...]
    points: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    tipping: float | None
    percent: bool = False


def tipping_chart(curve: Curve, *, name: str, axis: str, title: str, description: str) -> str:
    """Draw a ratio along a supposed error and return it as SVG.

    Parameters
    ----------
    curve : what to draw.
    name : unique in the page.
    axis : name of the horizontal axis: which error, and its unit.
    title, description : text for people who do not see the figure.

    Returns
    -------
    An ``<svg>`` element; empty text when fewer than two sizes have a ratio.

    Examples
    --------
    >>> curve = Curve(sizes=(0.0, 1.0), points=(1.5, 1.2), lows=(1.2, 0.9), highs=(1.9, 1.6), tipping=0.7)
    >>> svg = tipping_chart(curve, name="t", axis="Shift", title="It tips at 0.7", description="")
    >>> ">Shift<" in svg and ">0.70<" in svg
    True
    """
    if sum(math.isfinite(value) for value in curve.points) < 2:
        return ""
    with drawing():
        figure, axes = blank_figure(_WIDTH, _HEIGHT, _MARGINS)
        axes.set_yscale("log")
        low, high = _limits(curve)
        axes.set_ylim(low, high)
        axes.set_xlim(min(curve.sizes), max(curve.sizes))
        axes.axhline(1.0, color=COLOURS["ink"], linewidth=1.0, zorder=1)
        axes.fill_between(
            curve.sizes, curve.lows, curve.highs, color=COLOURS["also"], alpha=0.25, linewidth=0, zorder=2
        )
        axes.plot(curve.sizes, curve.points, color=COLOURS["male"], linewidth=1.8, zorder=3)
        _mark(axes, curve)
        _ticks(axes, curve, low, high, axis)
        return to_svg(figure, name=name, title=title, description=description)


def _limits(curve: Curve) -> tuple[float, float]:
    """Return limits that hold 1, the ratio at no error with its interval, and the rest unless it is far away."""
    start = min(range(len(curve.sizes)), key=lambda k: (not math.isfinite(curve.points[k]), abs(curve.sizes[k])))
    centre = curve.points[start]
    kept = [1.0, centre, *(end for end in (curve.lows[start], curve.highs[start]) if math.isfinite(end))]
    rest = [v for values in (curve.points, curve.lows, curve.highs) for v in values if math.isfinite(v) and v > 0]
    inside = [value for value in rest if centre / _FURTHEST <= value <= centre * _FURTHEST]
    return min([*kept, *inside]) / 1.06, max([*kept, *inside]) * 1.06


def _mark(axes: Axes, curve: Curve) -> None:
    """Mark no error, and the size at which the conclusion changes."""
    if min(curve.sizes) < 0 < max(curve.sizes):
        axes.axvline(0.0, color=COLOURS["quiet"], linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    if curve.tipping is None:
        return
    axes.axvline(curve.tipping, color=COLOURS["female"], linewidth=1.4, zorder=4)
    axes.plot([curve.tipping], [1.0], marker="s", markersize=6, color=COLOURS["female"], markeredgewidth=0, zorder=5)
    first, last = min(curve.sizes), max(curve.sizes)
    room = 0.14 * (last - first)  # the number stands on the side away from no error, unless the axis ends there
    left = curve.tipping > last - room if curve.tipping >= 0 else curve.tipping > first + room
    axes.annotate(
        _size(curve, curve.tipping), (curve.tipping, 1), (-6 if left else 6, -12),
        xycoords=axes.get_xaxis_transform(), textcoords="offset points", ha="right" if left else "left", fontsize=12,
    )  # fmt: skip


def _size(curve: Curve, value: float) -> str:
    text = f"{100 * value:.2g}%" if curve.percent else f"{value:.2f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _ticks(axes: Axes, curve: Curve, low: float, high: float, axis: str) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    def printed(value: float, _: int) -> str:
        text = f"{100 * value:.3g}%" if curve.percent else f"{value:.3g}"
        return "0" if abs(value) < 1e-9 else text.replace("-", "\N{MINUS SIGN}")

    axes.yaxis.set_major_locator(FixedLocator(_ratios(low, high)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(printed))
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(axis)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.annotate(
        "Prevalence ratio, men to women (log scale)", (0, 1), (-_MARGINS[0] + 6, 12), xycoords="axes fraction",
        textcoords="offset points", color=COLOURS["quiet"], fontsize=11.5, annotation_clip=False,
    )  # fmt: skip


def _ratios(low: float, high: float) -> Sequence[float]:
    """Return round ratios between two limits, 1 among them, at least a sixteenth of the axis apart."""
    step = math.log(high / low) / 16
    chosen: list[float] = []
    for tick in (1.0, 2.0, 0.5, 5.0, 0.2, 10.0, 0.1, 3.0, 1.5, 0.7, 1.2, 0.8, 1.1, 0.9, 20.0, 0.05, 7.0, 4.0, 1.3, 1.7):
        if low <= tick <= high and all(abs(math.log(tick / other)) >= step for other in chosen):
            chosen.append(tick)
    return sorted(chosen)
