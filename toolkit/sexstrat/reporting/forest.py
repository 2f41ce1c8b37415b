"""The forest plot: for every condition the corrected ratio beside the naive ones, on a log scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from sexstrat.reporting.figure_style import COLOURS, MARKERS, blank_figure, drawing, to_svg
from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.rows import printed
from sexstrat.reporting.texts import ESTIMATORS, sentence_case

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ForestRow", "forest_plot", "text_width"]

_STEP, _GAP, _HEAD, _INDENT = 24.0, 12.0, 24.0, 14.0  # pixels a row, between conditions, for a name, of a label
_AXIS = "Prevalence ratio, men to women (log scale)"
_NO_NUMBER = frozenset({"suppressed", "missing", "undefined", "refused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One line of a forest plot.

    Parameters
    ----------
    condition : the disease; lines of one condition stand together under its name.
    role : ``corrected``, ``also``, ``naive_threshold``, ``naive_weighted``, ``complete_case`` or ``truth``.
    label : what the line is called.
    row : the released row, or None where there is none.
    """

    condition: str
    role: str
    label: str
    row: Mapping[str, Any] | None


def text_width(text: str, size: float = 12.0) -> float:
    """Guess the width of a text in pixels, for any script.

    Examples
    --------
    >>> text_width("緑内障", 10.0), round(text_width("abc", 10), 1)
    (30.0, 17.4)
    """
    return sum(size if east_asian_width(character) in "WF" else 0.58 * size for character in text)


def forest_plot(
    rows: Sequence[ForestRow], *, title: str, description: str, narrow: bool = False, axis: str = _AXIS
) -> str:
    """Draw a forest plot of ratios of men to women and return it as SVG.

    Parameters
    ----------
    rows : the lines, in order; rows without a number are named and say why.
    title : what the figure shows, in one sentence.
    description : the same as text for people who do not see it.
    narrow : leave out the column of numbers (they stand in the table), for windows under 600 pixels.
    axis : which ratio it is, under the axis; a narrow one has its own.

    Returns
    -------
    An ``<svg>`` element; empty text when there is no row.

    Examples
    --------
    >>> row = {"point": 1.4, "low": 1.2, "high": 1.6, "state": "corrected"}
    >>> line = ForestRow(condition="glaucoma", role="corrected", label="Corrected", row=row)
    >>> svg = forest_plot([line], title="Glaucoma is commoner in men", description="1.40 (1.20 to 1.60)")
    >>> "Glaucoma" in svg and "1.40 (1.20 to 1.60)" in svg
    True
    """
    if not rows:
        return ""
    width = 400.0 if narrow else 830.0
    left = (
        _INDENT
        + 14
        + min(
            max(text_width(line.label, 13.5 if line.role == "corrected" else 12.5) for line in rows),
            160.0 if narrow else 240.0,
        )
    )
    heights, total = _positions(rows)
    numbers = max(text_width(_number(line), 12.5) for line in rows)
    margins = (left, 14.0 if narrow else max(162.0, 24 + numbers), 4.0, 44.0)
    with drawing():
        figure, axes = blank_figure(width, total + margins[2] + margins[3], margins)
        axes.set_xscale("log")
        axes.set_xlim(*_limits(rows))
        axes.set_ylim(total, 0)
        axes.axvline(1.0, color=COLOURS["ink"], linewidth=1.0, zorder=1)
        _draw_names(axes, rows, heights, left)
        _draw_truth(axes, rows, heights)
        for line, height in zip(rows, heights, strict=True):
            _draw_line(axes, line, height, left - _INDENT - 2, narrow=narrow)
        _finish(axes, "Ratio, men : women (log scale)" if narrow else axis)
        return to_svg(figure, name="forest-narrow" if narrow else "forest", title=title, description=description)


def _positions(rows: Sequence[ForestRow]) -> tuple[list[float], float]:
    heights, at, before = [], 0.0, None
    for line in rows:
        if line.condition != before:
            at += (_GAP if before is not None else 0.0) + _HEAD
            before = line.condition
        heights.append(at + _STEP / 2)
        at += _STEP
    return heights, at + 6.0


def _limits(rows: Sequence[ForestRow]) -> tuple[float, float]:
    """Return axis limits that hold every estimate and the interval ends that are not absurdly far away."""
    shown = [line.row for line in rows if line.row is not None and str(line.row["state"]) not in _NO_NUMBER]
    points = [float(row["point"]) for row in shown if is_number(row["point"]) and float(row["point"]) > 0]
    ends = [float(row[end]) for row in shown for end in ("low", "high") if is_number(row[end])]
    inside = [end for end in ends if 0 < end < math.inf]
    low = max(min([0.8, *points, *inside]), min([0.8, *points]) / 4)
    high = min(max([1.25, *points, *inside]), max([1.25, *points]) * 4)
    return low / 1.08, high * 1.08


def _draw_names(axes: Axes, rows: Sequence[ForestRow], heights: Sequence[float], left: float) -> None:
    before = None
    for line, height in zip(rows, heights, strict=True):
        if line.condition != before:
            name = sentence_case(line.condition)
            _annotate(axes, name, height - _STEP / 2 - 9, -left + 2, "left", weight="bold", size=13.0)
            before = line.condition


def _draw_truth(axes: Axes, rows: Sequence[ForestRow], heights: Sequence[float]) -> None:
    """Draw the truth of each condition as a dotted line through its rows, so that misses are seen at once."""
    for name in dict.fromkeys(line.condition for line in rows):
        mine = [(line, height) for line, height in zip(rows, heights, strict=True) if line.condition == name]
        known = [line.row for line, _ in mine if line.role == "truth" and line.row is not None]
        if known and is_number(known[0]["point"]) and str(known[0]["state"]) not in _NO_NUMBER:
            at, ends = float(known[0]["point"]), [mine[0][1] - _STEP / 2, mine[-1][1]]
            axes.plot([at, at], ends, color=COLOURS["truth"], linewidth=1.1, linestyle=(0, (1, 2)), zorder=2)


def _number(line: ForestRow) -> str:
    return " ".join(printed(line.row, "prevalence_ratio")).strip()


def _draw_line(axes: Axes, line: ForestRow, height: float, left: float, *, narrow: bool) -> None:
    colour = COLOURS[line.role]
    bold = "bold" if line.role == "corrected" else "normal"
    _annotate(axes, line.label, height, -left, "left", weight=bold)
    if not narrow:
        _annotate(axes, _number(line), height, 14, "left", weight=bold, edge=1.0)
    if line.row is None or str(line.row["state"]) in _NO_NUMBER or not is_number(line.row["point"]):
        if narrow:
            word = printed(line.row, "prevalence_ratio")[0]
            axes.annotate(word, (1.0, height), (6, 0), textcoords="offset points", va="center", color=COLOURS["quiet"])
        return
    point, (edge_low, edge_high) = float(line.row["point"]), axes.get_xlim()
    if is_number(line.row["low"]) and is_number(line.row["high"]):
        low, high = max(float(line.row["low"]), edge_low), min(float(line.row["high"]), edge_high)
        axes.plot([low, high], [height, height], color=colour, linewidth=2.0, zorder=3)
        for end, edge, shape in ((line.row["low"], edge_low, "<"), (line.row["high"], edge_high, ">")):
            if float(end) < edge if shape == "<" else float(end) > edge:  # the interval goes on beyond the axis
                axes.plot([edge], [height], marker=shape, markersize=7.0, color=colour, linestyle="none", zorder=4,
                          clip_on=False, markeredgewidth=0)  # fmt: skip
    face = colour if line.role in {"corrected", "truth"} else COLOURS["paper"]
    size = 8.0 if line.role in {"corrected", "truth"} else 7.0
    axes.plot(
        [point], [height], marker=MARKERS[line.role], markersize=size, color=colour, markerfacecolor=face,
        markeredgewidth=1.6, linestyle="none", zorder=4, clip_on=False,
    )  # fmt: skip


def _annotate(
    axes: Axes, text: str, height: float, shift: float, align: str, *,
    weight: str = "normal", size: float = 12.5, edge: float = 0.0,
) -> None:  # fmt: skip
    axes.annotate(
        text, (edge, height), (shift, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
        ha=align, va="center_baseline", fontsize=size, fontweight=weight, annotation_clip=False, parse_math=False,
    )  # fmt: skip


def _finish(axes: Axes, label: str) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = axes.get_xlim()
    ladder = (0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0)
    fine = [tick for tick in ladder if low <= tick <= high]
    coarse = [tick for tick in fine if tick in {0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0}]
    axes.xaxis.set_major_locator(FixedLocator(fine if len(fine) <= 8 else coarse))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(NullLocator())
    axes.grid(visible=False, axis="y")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(label)


def line_label(estimator: str) -> str:
    """Name an estimator as the page does.

    Examples
    --------
    >>> line_label("complete_case"), line_label("my_own")
    ('Recorded sex only', 'My own')
    """
    return ESTIMATORS.get(estimator, sentence_case(estimator))
