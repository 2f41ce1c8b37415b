"""The figure of a design: the width or power to expect against the number validated, one curve a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sexstrat.reporting.figure_style import COLOURS, blank_figure, drawing, standalone_svg, to_svg
from sexstrat.reporting.number_format import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sexstrat.reporting.house_figure import HouseFigure

__all__ = ["DesignChart", "DesignCurve", "design_figure", "write_design_figure"]

_WIDTH, _HEIGHT = 700.0, 400.0
_MARGINS = (48.0, 176.0, 62.0, 46.0)  # left, right (names of the curves), top, bottom
_STYLES: tuple[tuple[str, object], ...] = (
    ("corrected", "-"),
    ("also", (0, (7, 2))),
    ("naive_weighted", (0, (4, 2, 1, 2))),
    ("naive_threshold", (0, (2, 1.5))),
)
_HIGHEST_RATIO = 12.0  # wider intervals say nothing; the axis need not hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignCurve:
    """One curve.

    Parameters
    ----------
    label : what the curve is called.
    numbers : numbers validated.
    values : width or power to expect; NaN where E1 is refused.
    needed : number validated that reaches what is wanted, or None.
    note : a few words under the label.
    naive : the curve is of the validated patients alone.

    Examples
    --------
    >>> DesignCurve(label="AUC 0.90", numbers=(100, 200), values=(2.0, 1.5)).naive
    False
    """

    label: str
    numbers: tuple[int, ...]
    values: tuple[float, ...]
    needed: int | None = None
    note: str = ""
    naive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignChart:
    """What a design figure shows.

    Parameters
    ----------
    title : what was found, in one sentence.
    axis : what the curves are the values of.
    curves : at most four, and that of the validated patients alone.
    scale : ``ratio`` (logarithmic), ``difference`` (percentage points) or ``power``.
    wanted : the level asked for, or None.
    description : the same in words, for people who do not see it.

    Examples
    --------
    >>> DesignChart(title="t", axis="Power", curves=(), scale="power").wanted is None
    True
    """

    title: str
    axis: str
    curves: tuple[DesignCurve, ...]
    scale: str
    wanted: float | None = None
    description: str = ""


def design_figure(chart: DesignChart) -> str:
    """Draw a design figure and return it as SVG.

    Parameters
    ----------
    chart : what to show.

    Returns
    -------
    An ``<svg>`` element; empty text when no curve has a number.

    Examples
    --------
    >>> curve = DesignCurve(label="AUC 0.90", numbers=(100, 200), values=(2.0, 1.5), needed=200)
    >>> svg = design_figure(DesignChart(title="200 will do", axis="Width", curves=(curve,), scale="ratio", wanted=1.5))
    >>> ">AUC 0.90<" in svg and ">200 will do<" in svg
    True
    """
    if not any(math.isfinite(value) for curve in chart.curves for value in curve.values):
        return ""
    with drawing():
        return to_svg(_drawn(chart), name="design", title=chart.title, description=chart.description)


def write_design_figure(chart: DesignChart, path: str | Path) -> bool:
    """Write a design figure as a file of its own, SVG or PNG as its name ends.

    Parameters
    ----------
    chart : what to show.
    path : the file; its folder must be there.

    Returns
    -------
    False when no curve has a number, and nothing was written.

    Raises
    ------
    ValueError : the name ends in neither .svg nor .png.

    Examples
    --------
    >>> import tempfile
    >>> curve = DesignCurve(label="AUC 0.90", numbers=(100, 200), values=(2.0, 1.5))
    >>> chart = DesignChart(title="t", axis="Width", curves=(curve,), scale="ratio")
    >>> file = Path(tempfile.mkdtemp()) / "design.svg"
    >>> write_design_figure(chart, file), file.read_text(encoding="utf-8").startswith("<svg")
    (True, True)
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in {".svg", ".png"}:
        raise ValueError(f"a figure is an .svg or a .png file; found {file.name}")
    svg = design_figure(chart)
    if not svg:
        return False
    if suffix == ".svg":
        file.write_text(standalone_svg(svg) + "\n", encoding="utf-8")
        return True
    with drawing():
        _drawn(chart).savefig(file, format="png", dpi=144, facecolor=COLOURS["paper"], metadata={"Software": None})
    return True


def _drawn(chart: DesignChart) -> HouseFigure:
    figure, axes = blank_figure(_WIDTH, _HEIGHT, _MARGINS)
    _scales(axes, chart)
    if chart.wanted is not None:
        axes.axhline(chart.wanted, color=COLOURS["ink"], linewidth=1.0, linestyle=(0, (1, 2)), zorder=1)
        axes.annotate(
            f"wanted {_value(chart.scale, chart.wanted)}", (0, chart.wanted), (4, 4),
            xycoords=axes.get_yaxis_transform(), textcoords="offset points", ha="left", fontsize=11.5,
        )  # fmt: skip
    styles = iter(_STYLES)
    row = 0.0
    for curve in chart.curves:
        role, dash = ("complete_case", (0, (1, 1.4))) if curve.naive else next(styles)
        _draw(axes, curve, role, dash, row)
        row += 40.0 if curve.note else 24.0
    for text, up, size, colour in ((chart.title, 38, 13.5, "ink"), (chart.axis, 14, 11.5, "quiet")):
        axes.annotate(
            text, (0, 1), (-_MARGINS[0] + 8, up), xycoords="axes fraction", textcoords="offset points",
            color=COLOURS[colour], fontsize=size, annotation_clip=False, parse_math=False,
        )  # fmt: skip
    return figure


def _draw(axes: Axes, curve: DesignCurve, role: str, dash: object, row: float) -> None:
    colour = COLOURS[role]
    axes.plot(curve.numbers, curve.values, color=colour, linewidth=2.0, linestyle=dash, zorder=3)
    if (needed := curve.needed) is not None:
        at = float(np.interp(math.log(needed), np.log(curve.numbers), curve.values))
        axes.plot(
            [needed], [at], marker="o", markersize=8, color=colour, markeredgewidth=1.8,
            markerfacecolor=COLOURS["paper"], linestyle="none", zorder=5,
        )  # fmt: skip
    across = _WIDTH - _MARGINS[0] - _MARGINS[1]
    down = _HEIGHT - _MARGINS[2] - _MARGINS[3]
    height = 1 - (row + 8) / down
    axes.plot(
        [1 + 16 / across, 1 + 42 / across], [height, height], transform=axes.transAxes, clip_on=False, color=colour,
        linewidth=2.0, linestyle=dash,
    )  # fmt: skip
    for text, drop, tone in ((curve.label, 0.0, "ink"), (curve.note, 16.0, "quiet")):
        if text:
            axes.annotate(
                text, (1, height), (49, -drop), xycoords="axes fraction", textcoords="offset points",
                va="center_baseline", fontsize=12 if tone == "ink" else 11.5, color=COLOURS[tone],
                annotation_clip=False, parse_math=False,
            )  # fmt: skip


def _scales(axes: Axes, chart: DesignChart) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    numbers = [n for curve in chart.curves for n in curve.numbers]
    axes.set_xscale("log")
    axes.set_xlim(min(numbers) / 1.06, max(numbers) * 1.06)
    axes.xaxis.set_major_locator(FixedLocator(_decades(min(numbers), max(numbers))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    axes.set_xlabel("Patients with known sex (validated)")
    values = [value for curve in chart.curves for value in curve.values if math.isfinite(value)]
    values += [] if chart.wanted is None else [chart.wanted]
    low, high = _limits(chart.scale, values, chart.wanted)
    if chart.scale == "ratio":
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(_ratio_ticks(low, high)))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _value(chart.scale, value)))
    axes.grid(visible=False, axis="x")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def _limits(scale: str, values: Sequence[float], wanted: float | None) -> tuple[float, float]:
    if scale == "power":
        return 0.0, 1.02
    if scale == "difference":
        return 0.0, min(max(values), 6 * (wanted or math.inf)) * 1.05
    highest = min(max(values), max(_HIGHEST_RATIO, 1.5 * (wanted or 1.0)))
    return max(1.0, min(values) / 1.05), highest * 1.05


def _ratio_ticks(low: float, high: float) -> list[float]:
    """Return round ratios that stand at least 20 pixels apart on the logarithm."""
    a_pixel = math.log(high / low) / (_HEIGHT - _MARGINS[2] - _MARGINS[3])
    chosen: list[float] = []
    for tick in (2.0, 5.0, 10.0, 1.5, 1.2, 3.0, 1.1, 1.05, 1.02, 1.3, 1.4, 7.0, 1.7):
        if low <= tick <= high and all(abs(math.log(tick / other)) >= 20 * a_pixel for other in chosen):
            chosen.append(tick)
    return sorted(chosen)


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2, 5 times powers of ten between two numbers, the twos and fives left out where they would crowd."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [first * 10.0**power for power in powers for first in (1, 2, 5)]
    inside = [tick for tick in ticks if low <= tick <= high]
    tens = [tick for tick in inside if math.log10(tick) % 1 == 0]
    return inside if len(inside) <= 9 or len(tens) < 2 else tens


def _value(scale: str, value: float) -> str:
    if scale == "ratio":
        return f"{value:.4g}"
    if abs(value) < 1e-12:
        return "0"
    return f"{100 * value:.3g}" + ("%" if scale == "power" else "")
