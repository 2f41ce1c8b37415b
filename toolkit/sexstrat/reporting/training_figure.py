"""The figure of a training log: validation AUC and loss by epoch, the kept epoch marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sexstrat.reporting.figure_style import COLOURS, blank_figure, drawing, standalone_svg, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sexstrat.reporting.house_figure import HouseFigure

__all__ = ["training_figure", "write_training_figure"]

_WIDTH, _HEIGHT = 640.0, 430.0
_ROLES = ("corrected", "also", "naive_weighted", "naive_threshold", "complete_case")

Log = Sequence[Mapping[str, Any]]


def training_figure(log: Log, kept_epoch: int) -> str:
    """Draw patient-level validation AUC above and training loss below, by epoch, and return it as SVG.

    Parameters
    ----------
    log : one row an epoch: epoch, loss, validation_auc, and member where several runs were averaged.
    kept_epoch : the epoch whose weights are kept, from 1; 0 when the average of several runs was.

    Returns
    -------
    An ``<svg>`` element; empty text when no epoch was run.

    Examples
    --------
    >>> rows = [{"epoch": 1, "loss": 0.9, "validation_auc": 0.6}, {"epoch": 2, "loss": 0.8, "validation_auc": 0.7}]
    >>> ">Epoch 2 is kept: validation AUC 0.700<" in training_figure(rows, 2)
    True
    """
    runs = _runs(log)
    if not runs:
        return ""
    with drawing():
        return to_svg(
            _drawn(runs, log, kept_epoch), name="training", title=_title(log, kept_epoch), description=_told(log)
        )


def write_training_figure(log: Log, kept_epoch: int, path: str | Path) -> bool:
    """Write the figure as an SVG file.

    Parameters
    ----------
    log, kept_epoch : as in :func:`training_figure`.
    path : the file; its folder must be there.

    Returns
    -------
    False when no epoch was run, and nothing was written.

    Examples
    --------
    >>> write_training_figure([], 0, "log.svg")
    False
    """
    svg = training_figure(log, kept_epoch)
    if not svg:
        return False
    Path(path).write_text(standalone_svg(svg) + "\n", encoding="utf-8")
    return True


def _runs(log: Log) -> list[list[Mapping[str, Any]]]:
    members: dict[int, list[Mapping[str, Any]]] = {}
    for row in log:
        if row.get("member", 0) >= 0:
            members.setdefault(row.get("member", 0), []).append(row)
    return list(members.values())


def _drawn(runs: list[list[Mapping[str, Any]]], log: Log, kept_epoch: int) -> HouseFigure:
    figure, upper = blank_figure(_WIDTH, _HEIGHT, (56, 20, 62, 184))
    lower = figure.add_axes((56 / _WIDTH, 44 / _HEIGHT, 1 - 76 / _WIDTH, 112 / _HEIGHT))
    for axes, column, name in ((upper, "validation_auc", "AUC of validation patients"), (lower, "loss", "Loss")):
        for place, run in enumerate(runs):
            _line(axes, run, column, COLOURS[_ROLES[place % len(_ROLES)]])
        _plain(axes, name, max(int(row["epoch"]) for row in log))
    lower.set_xlabel("Epoch")
    upper.tick_params(labelbottom=False)
    kept = _kept(log, kept_epoch)
    if kept is not None and kept_epoch > 0:
        upper.plot(
            [kept_epoch], [kept], marker="o", markersize=11, markerfacecolor="none", color=COLOURS["ink"],
            markeredgewidth=1.6, linestyle="none", zorder=6,
        )  # fmt: skip
    elif kept is not None:
        upper.axhline(kept, color=COLOURS["ink"], linewidth=1.2, linestyle=(0, (5, 2)), zorder=4)
    upper.annotate(
        _title(log, kept_epoch), (0, 1), (-46, 38), xycoords="axes fraction", textcoords="offset points", fontsize=13.5,
        annotation_clip=False, parse_math=False,
    )  # fmt: skip
    return figure


def _line(axes: Axes, run: Sequence[Mapping[str, Any]], column: str, colour: str) -> None:
    points = [(row["epoch"], row[column]) for row in run if math.isfinite(row.get(column, math.nan))]
    if points:
        xs, ys = zip(*points, strict=True)
        axes.plot(xs, ys, color=colour, linewidth=1.8, marker="o", markersize=4.5, zorder=3)


def _plain(axes: Axes, name: str, epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5, epochs + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.grid(visible=False, axis="x")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.annotate(
        name, (0, 1), (-46, 10), xycoords="axes fraction", textcoords="offset points", fontsize=11.5,
        color=COLOURS["quiet"], annotation_clip=False,
    )  # fmt: skip


def _kept(log: Log, kept_epoch: int) -> float | None:
    """Return the validation AUC of what is kept: of the average of several runs, or the best run at that epoch."""
    if kept_epoch == 0:
        values = [row["validation_auc"] for row in log if row.get("member") == -1]
    else:
        values = [row["validation_auc"] for row in log if row["epoch"] == kept_epoch and row.get("member", 0) >= 0]
    known = [float(value) for value in values if math.isfinite(value)]
    return max(known) if known else None


def _title(log: Log, kept_epoch: int) -> str:
    value = _kept(log, kept_epoch)
    what = f"Epoch {kept_epoch}" if kept_epoch else "The average of all runs"
    return f"{what} is kept: " + ("no validation patients" if value is None else f"validation AUC {value:.3f}")


def _told(log: Log) -> str:
    return "; ".join(
        f"epoch {row['epoch']}: loss {row['loss']:.3f}, AUC {row['validation_auc']:.3f}"
        for row in log
        if "loss" in row and math.isfinite(row["validation_auc"])
    )
