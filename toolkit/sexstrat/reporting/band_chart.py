"""A chart over age: points with intervals or curves with bands, one series a sex, gaps where there is no number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sexstrat.reporting.figure_style import COLOURS, MARKERS, blank_figure, drawing, to_svg
from sexstrat.reporting.forest import text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Series", "band_chart"]

_NAN = math.nan
_WIDTH, _HEIGHT = 420.0, 300.0
_MARGINS = (46.0, 12.0, 58.0, 40.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of a band chart.

    Parameters
    ----------
    label : name in the legend; a series without one is not in the legend.
    role : colour and shape, a key of the house palette.
    points, lows, highs : one value a band; NaN where there is no number.
    style : ``band`` (line, points, shaded interval), ``bars`` (points with interval bars), ``line`` (dotted line only),
        ``mark`` (a short bar a band, for truth) or ``curve`` (line and shaded interval, a shape now and then).
    outer_lows, outer_highs : limits of a wider band of a curve, drawn as thin lines.

    Examples
    --------
    >>> Series(label="Men", role="male", points=(0.1, 0.2), lows=(0.05, 0.1), highs=(0.2, 0.3)).style
    'band'
    """

    label: str
    role: str
    points: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    style: str = "band"
    outer_lows: tuple[float, ...] = ()
    outer_highs: tuple[float, ...] = ()


def band_chart(
    bands: Sequence[str], series: Sequence[Series], *, name: str, measure: str, axis: str, title: str,
    description: str, reference: float | None = None, top: float | None = None, ages: Sequence[float] = (),
) -> str:  # fmt: skip
    """Draw series over age bands, or over single years of age, and return SVG.

    Parameters
    ----------
    bands : labels of the age bands, in order; empty for single years of age.
    series : what to draw; a series without any number draws nothing.
    name : unique in the page.
    measure : decides how the axis prints its numbers.
    axis : name of the vertical axis.
    title, description : text for people who do not see the figure.
    reference : a value to mark with a line (0.5 for chance), or None.
    top : highest value the axis must hold, so that charts can share a scale; None for what is drawn.
    ages : where the points lie, in years, when they are not bands.

    Returns
    -------
    An ``<svg>`` element; empty text when no series has a number.

    Examples
    --------
    >>> men = Series(label="Men", role="male", points=(0.1, 0.2), lows=(0.05, 0.1), highs=(0.2, 0.3))
    >>> svg = band_chart(
    ...     ["40-49", "50+"],
    ...     [men],
    ...     name="p",
    ...     measure="prevalence",
    ...     axis="Prevalence, %",
    ...     title="Prevalence rises with age",
    ...     description="10% then 20%",
    ... )
    >>> ">Men<" in svg and ">40-49<" in svg
    True
    """
    if not any(not math.isnan(value) for line in series for value in line.points):
        return ""
    with drawing():
        figure, axes = blank_figure(_WIDTH, _HEIGHT, _MARGINS)
        if reference is not None:
            axes.axhline(reference, color=COLOURS["quiet"], linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        shifts = _shifts(series)
        for line, shift in zip(series, shifts, strict=True):
            _draw(axes, line, list(ages) or [index + shift for index in range(len(line.points))])
        _scale(axes, series, measure, reference, top)
        if ages:
            _label_years(axes, ages)
        else:
            _label_bands(axes, bands)
        _legend(axes, series)
        axes.annotate(
            axis, (0, 1), (-_MARGINS[0] + 6, 12), xycoords="axes fraction", textcoords="offset points",
            color=COLOURS["quiet"], fontsize=11.5, annotation_clip=False,
        )  # fmt: skip
        return to_svg(figure, name=name, title=title, description=description)


def _shifts(series: Sequence[Series]) -> list[float]:
    """Move interval bars of different series a little apart; everything else stays on its band."""
    bars = [line for line in series if line.style == "bars"]
    spread = 0.14 if len(bars) > 1 else 0.0
    return [spread * (bars.index(line) - (len(bars) - 1) / 2) if line in bars else 0.0 for line in series]


def _draw(axes: Axes, line: Series, at: Sequence[float]) -> None:
    colour, marker = COLOURS[line.role], MARKERS.get(line.role, "o")
    if line.style == "line":
        axes.plot(at, line.points, color=colour, linewidth=1.6, linestyle=(0, (1, 1.6)), zorder=2)
        return
    if line.style == "mark":
        axes.plot(at, line.points, color=COLOURS["truth"], marker="_", markersize=17, linestyle="none",
                  markeredgewidth=2.0, zorder=5)  # fmt: skip
        return
    if line.style in {"band", "curve"} and line.lows:
        axes.fill_between(at, line.lows, line.highs, color=colour, alpha=0.16, linewidth=0, zorder=1)
    for edge in (line.outer_lows, line.outer_highs):
        axes.plot(at[: len(edge)], edge, color=colour, linewidth=0.9, linestyle=(0, (4, 2)), zorder=2)
    if line.style == "curve":
        every = [index for index, age in enumerate(at) if age % 10 == 0]
        axes.plot(at, line.points, color=colour, marker=marker, markersize=6, markevery=every, linewidth=1.8, zorder=3,
                  markeredgewidth=0)  # fmt: skip
        return
    if line.style == "bars":
        for x, low, high in zip(at, line.lows, line.highs, strict=True):
            axes.plot([x, x], [low, high], color=colour, linewidth=1.8, zorder=2)
    width = 1.8 if line.style == "band" else 0.9
    axes.plot(at, line.points, color=colour, marker=marker, markersize=6, linewidth=width, zorder=3, clip_on=False,
              markeredgewidth=0)  # fmt: skip


def _scale(axes: Axes, series: Sequence[Series], measure: str, reference: float | None, top: float | None) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    drawn = [(*line.points, *line.lows, *line.highs, *line.outer_lows, *line.outer_highs) for line in series]
    values = [value for each in drawn for value in each if math.isfinite(value)]
    values += [value for value in (reference, top) if value is not None]
    low, high = min(values), max(values)
    if measure == "ungradable":
        high = max(high, 0.01)
    room = 0.06 * ((high - low) or 0.1)
    from_zero = measure in {"prevalence", "ungradable"}
    axes.set_ylim(0.0 if from_zero else low - room, high + room if from_zero else min(high + room, 1.02))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(measure, value)))
    axes.grid(visible=False, axis="x")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def _tick(measure: str, value: float) -> str:
    """Print an axis number with as many digits as it needs; zero without a sign or decimals."""
    if abs(value) < 1e-9:
        return "0"
    if measure == "auc":
        return f"{value:.3g}"
    sign = "+" if value > 0 and measure.endswith("male_share") and measure.startswith("predicted") else ""
    return sign + f"{100 * value:.3g}".replace("-", "\N{MINUS SIGN}")


def _label_bands(axes: Axes, bands: Sequence[str]) -> None:
    room = (_WIDTH - _MARGINS[0] - _MARGINS[1]) / max(len(bands), 1)
    every = max(1, math.ceil(max(text_width(band, 11.5) for band in bands) * 1.05 / room))
    axes.set_xlim(-0.5, len(bands) - 0.5)
    axes.set_xticks(range(0, len(bands), every), [bands[index] for index in range(0, len(bands), every)])
    axes.set_xlabel("Age, years")


def _label_years(axes: Axes, ages: Sequence[float]) -> None:
    from matplotlib.ticker import MultipleLocator

    axes.set_xlim(min(ages) - 1, max(ages) + 1)
    axes.xaxis.set_major_locator(MultipleLocator(10))
    axes.set_xlabel("Age, years")


def _legend(axes: Axes, series: Sequence[Series]) -> None:
    """Write the legend as one line above the axes, each name beside its shape."""
    across = axes.get_window_extent().width
    at = -_MARGINS[0] + 12.0
    for line in series:
        if not line.label:
            continue
        colour = COLOURS[line.role]
        kind = {"marker": MARKERS.get(line.role, "o"), "markersize": 6, "markeredgewidth": 0}
        if line.style == "mark":
            colour, kind = COLOURS["truth"], {"marker": "_", "markersize": 14, "markeredgewidth": 2.0}
        dash: object = (0, (1, 1.6)) if line.style == "line" else "none"
        shape = {} if line.style == "line" else kind
        span = [at - 7, at + 7] if line.style == "line" else [at]
        height = 1 + 40 / (_HEIGHT - _MARGINS[2] - _MARGINS[3])
        axes.plot([x / across for x in span], [height] * len(span), transform=axes.transAxes, clip_on=False,
                  color=colour, linewidth=1.6, linestyle=dash, **shape)  # type: ignore[arg-type]  # fmt: skip
        axes.annotate(
            line.label, (at / across, height), (11, 0), xycoords="axes fraction", textcoords="offset points",
            va="center_baseline", fontsize=12, annotation_clip=False,
        )  # fmt: skip
        at += 34 + text_width(line.label, 12)
