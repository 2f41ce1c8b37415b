"""The figure of a comparison: how often each network is right, over its file's size, and the front of the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sexstrat.models import BACKBONES
from sexstrat.reporting.figure_style import COLOURS, blank_figure, drawing, standalone_svg, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sexstrat.reporting.house_figure import HouseFigure

__all__ = ["comparison_figure", "network_name", "pareto_front", "write_comparison_figure"]

_WIDTH, _HEIGHT = 920.0, 590.0
_MARGINS = (58.0, 124.0, 256.0, 64.0)  # left, right, top (names of the networks), bottom
_BAR, _BAR_APART, _NAME_APART = 9.0, 13.0, 19.0  # pixels
_CHANCE = 0.5


def pareto_front(sizes: Sequence[float], values: Sequence[float]) -> list[int]:
    """Return the places of those that nothing smaller, or equally small, surpasses; smallest first.

    Parameters
    ----------
    sizes : the smaller the better.
    values : the higher the better.

    Examples
    --------
    The second is larger than the first and no better; the third is larger and better.

    >>> pareto_front([1, 2, 3], [0.7, 0.7, 0.8])
    [0, 2]
    """
    front: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda i: (sizes[i], -values[i])):
        if not front or values[place] > values[front[-1]]:
            front.append(place)
    return front


def comparison_figure(table: pd.DataFrame) -> str:
    """Draw accuracy by patient, with intervals, over the size of the published file, and return it as SVG.

    Networks that no smaller one surpasses stand out and are joined; bars of nearly equal sizes stand side by side.

    Parameters
    ----------
    table : the ``comparison`` table.

    Returns
    -------
    An ``<svg>`` element; empty text when no network has a measured accuracy.

    Examples
    --------
    >>> row = {"network": "mobilenet", "backbone": "mobilenet", "start": "random", "phases": "64x2"}
    >>> row |= {"file_bytes": 6_000_000, "n_patients": 100, "n_men": 60, "accuracy_patient": 0.7}
    >>> row |= {"accuracy_patient_low": 0.6, "accuracy_patient_high": 0.78, "input_size": 64, "epochs": 2}
    >>> ">MobileNet<" in comparison_figure(pd.DataFrame([row]))
    True
    """
    shown = _shown(table)
    if shown.empty:
        return ""
    with drawing():
        return to_svg(_drawn(shown), name="comparison", title=_title(shown), description=_description(table, shown))


def write_comparison_figure(table: pd.DataFrame, path: str | Path) -> bool:
    """Write the figure as a file of its own, SVG or PNG as its name ends.

    Parameters
    ----------
    table : the ``comparison`` table.
    path : the file; its folder must be there.

    Returns
    -------
    False when no network has a measured accuracy, and nothing was written.

    Raises
    ------
    ValueError : the name ends in neither .svg nor .png.

    Examples
    --------
    >>> write_comparison_figure(pd.DataFrame(columns=["accuracy_patient", "file_bytes"]), "figure.svg")
    False
    """
    file = Path(path)
    if file.suffix not in {".svg", ".png"}:
        raise ValueError(f"a figure is an .svg or a .png file; found {file.name}")
    svg = comparison_figure(table)
    if not svg:
        return False
    if file.suffix == ".svg":
        file.write_text(standalone_svg(svg) + "\n", encoding="utf-8")
        return True
    with drawing():
        _drawn(_shown(table)).savefig(
            file, format="png", dpi=144, facecolor=COLOURS["paper"], metadata={"Software": None}
        )
    return True


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    measured = table[table["accuracy_patient"].notna()]
    return measured.sort_values(["file_bytes", "accuracy_patient"], ascending=[True, False]).reset_index(drop=True)


def _drawn(shown: pd.DataFrame) -> HouseFigure:
    figure, axes = blank_figure(_WIDTH, _HEIGHT, _MARGINS)
    across = _WIDTH - _MARGINS[0] - _MARGINS[1]
    sizes = shown["file_bytes"].to_numpy(dtype=float) / 1e6
    first, last = math.log10(sizes.min() / 1.12), math.log10(sizes.max() * 1.12)
    exact = (np.log10(sizes) - first) / (last - first) * across
    bars, names = _spread(exact, _BAR_APART, across), _spread(exact, _NAME_APART, across)
    low, high = _limits(shown)
    _scales(axes, (first, last), (low, high), across)
    front = pareto_front(sizes.tolist(), shown["accuracy_patient"].tolist())
    _draw_front(axes, bars, shown["accuracy_patient"].to_numpy(dtype=float), front, across)
    for place, (_, row) in enumerate(shown.iterrows()):
        _draw_bar(axes, float(bars[place]), row, place in front)
        _draw_label(axes, (float(bars[place]), float(names[place])), row, place in front, high)
    commoner = max(_share_of_men(shown), 1 - _share_of_men(shown))
    axes.axhline(commoner, color=COLOURS["ink"], linewidth=1.0, linestyle=(0, (1, 2)), zorder=4)
    axes.annotate(
        f"{100 * commoner:.1f}%: always\nthe commoner sex", (across, commoner), (6, 0), textcoords="offset points",
        ha="left", va="center", fontsize=11, color=COLOURS["ink"], annotation_clip=False,
    )  # fmt: skip
    texts = [(_title(shown), 232, 14.5, "ink")]
    texts += [(line, 210 - 16 * place, 11.5, "quiet") for place, line in enumerate(_subtitle(shown))]
    for text, up, size, colour in texts:
        axes.annotate(
            text, (0, 1), (-_MARGINS[0] + 10, up), xycoords="axes fraction", textcoords="offset points",
            color=COLOURS[colour], fontsize=size, annotation_clip=False, parse_math=False,
        )  # fmt: skip
    return figure


def _draw_bar(axes: Axes, x: float, row: pd.Series, best: bool) -> None:
    """Draw a bar from chance to the value, its interval, and a dot: a diamond where given weights were the start."""
    value, colour = float(row["accuracy_patient"]), COLOURS["corrected" if best else "complete_case"]
    axes.bar([x], [value - _CHANCE], width=_BAR, bottom=_CHANCE, color=colour, alpha=0.30, linewidth=0, zorder=2)
    limits = [float(row["accuracy_patient_low"]), float(row["accuracy_patient_high"])]
    axes.plot([x, x], limits, color=colour, linewidth=2.0, zorder=5)
    axes.plot(
        [x], [value], marker="o" if row["start"] == "random" else "D", markersize=8, color=colour,
        markeredgewidth=1.4, markeredgecolor=COLOURS["paper"], linestyle="none", zorder=7,
    )  # fmt: skip


def _draw_label(axes: Axes, places: tuple[float, float], row: pd.Series, best: bool, top: float) -> None:
    """Write the network's name above the axes, with a fine line from its bar."""
    transform = axes.get_xaxis_transform()
    down = _HEIGHT - _MARGINS[2] - _MARGINS[3]
    up = 1 + 22 / down
    share = (float(row["accuracy_patient_high"]) - axes.get_ylim()[0]) / (top - axes.get_ylim()[0])
    axes.plot(
        [places[0], places[0], places[1]], [share + 4 / down, 1 + 4 / down, up], transform=transform, clip_on=False,
        color=COLOURS["line"], linewidth=0.9, zorder=1,
    )  # fmt: skip
    axes.annotate(
        network_name(row), (places[1], up), (0, 4), xycoords=transform, textcoords="offset points", rotation=90,
        ha="center", va="bottom", fontsize=11.5, color=COLOURS["corrected" if best else "ink"], annotation_clip=False,
        parse_math=False,
    )  # fmt: skip


def _draw_front(axes: Axes, bars: np.ndarray, values: np.ndarray, front: list[int], across: float) -> None:
    """Draw the steps of the front: what is the most that a file up to this size got right."""
    xs, ys = [*bars[front], across], [*values[front], values[front[-1]]]
    axes.step(xs, ys, where="post", color=COLOURS["corrected"], linewidth=1.4, linestyle=(0, (5, 2)), zorder=4)


def _scales(axes: Axes, ends: tuple[float, float], limits: tuple[float, float], across: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator

    axes.set_xlim(0, across)
    axes.set_ylim(*limits)
    ticks = [size for size in (2, 5, 10, 20, 50, 100, 200, 500) if ends[0] <= math.log10(size) <= ends[1]]
    places = [(math.log10(size) - ends[0]) / (ends[1] - ends[0]) * across for size in ticks]
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.set_xticklabels([f"{size} MB" for size in ticks])
    axes.set_xlabel("Size of the published weights file, half precision (logarithmic)", labelpad=10)
    axes.yaxis.set_major_locator(MultipleLocator(0.05 if limits[1] - limits[0] < 0.4 else 0.1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    axes.grid(visible=False, axis="x")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def _limits(shown: pd.DataFrame) -> tuple[float, float]:
    low = min(_CHANCE - 0.02, float(shown["accuracy_patient_low"].min()) - 0.01)
    return max(0.0, low), min(1.0, float(shown["accuracy_patient_high"].max()) + 0.01)


def _spread(places: np.ndarray, apart: float, across: float) -> np.ndarray:
    """Move rising places as little as need be until neighbours are ``apart`` pixels away, all within the axes."""
    moved = places.astype(float).copy()
    for _ in range(400):
        gaps = np.diff(moved)
        short = np.maximum(apart - gaps, 0.0) / 2
        if short.max(initial=0.0) < 0.05:
            break
        moved[:-1] -= short
        moved[1:] += short
        moved = np.clip(moved, apart / 2, across - apart / 2)
    return moved


def network_name(row: pd.Series) -> str:
    """Name a network of the ``comparison`` table as its maker does, and say where it started from given weights.

    Examples
    --------
    >>> network_name(pd.Series({"backbone": "mobilenet", "start": "given"}))
    'MobileNet (pretrained)'
    """
    plain = BACKBONES[row["backbone"]].builder if row["backbone"] in BACKBONES else str(row["backbone"])
    return plain if row["start"] == "random" else f"{plain} (pretrained)"


def _share_of_men(shown: pd.DataFrame) -> float:
    return float(shown["n_men"].iloc[0] / shown["n_patients"].iloc[0])


def _title(shown: pd.DataFrame) -> str:
    best = shown.iloc[int(np.argmax(shown["accuracy_patient"].to_numpy(dtype=float)))]
    number = "One network" if len(shown) == 1 else f"{len(shown)} networks"
    share = _share_of_men(shown)
    if (shown["accuracy_patient_low"] <= max(share, 1 - share)).all():
        found = "none is shown to beat always naming the commoner sex"
    else:
        found = f"{network_name(best)} is right most often"
    return f"{number} on the same {int(best['n_patients']):,} unseen people: {found}"


def _subtitle(shown: pd.DataFrame) -> tuple[str, str]:
    trained = " or ".join(sorted({_budget(row) for _, row in shown.iterrows()}))
    return (
        f"Share of people whose recorded sex is predicted, 95% intervals; trained for {trained}.",
        "Green: no network of a smaller file is right more often. Diamond: started from given weights.",
    )


def _budget(row: pd.Series) -> str:
    return f"{row['epochs']} epoch{'s' if row['epochs'] != 1 else ''} at {row['input_size']} pixels"


def _description(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    told = [
        f"{network_name(row)}: {100 * row['accuracy_patient']:.1f}% ({100 * row['accuracy_patient_low']:.1f} to "
        f"{100 * row['accuracy_patient_high']:.1f}), {row['file_bytes'] / 1e6:.1f} MB"
        for _, row in shown.iterrows()
    ]
    absent = sorted(set(table["network"]) - set(shown["network"]))
    return "; ".join(told) + (f". Without a measured accuracy: {', '.join(absent)}." if absent else ".")
