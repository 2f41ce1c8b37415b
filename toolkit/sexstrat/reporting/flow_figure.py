"""The figure of a flow: a bar a step, as long as patients remain, split by recorded sex, and who was lost before."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from sexstrat.reporting.figure_style import COLOURS, blank_figure, drawing, to_svg
from sexstrat.reporting.figures import Drawn
from sexstrat.reporting.flow_view import FlowStep, flow_steps
from sexstrat.reporting.rows import Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["flow_figure"]

_WIDTH, _SIDE = 700.0, 10.0
_LETTERS = 104  # that fit across
_ENTER = "these enter the estimates"
_LOST, _NAME, _BAR, _PARTS, _GAP = 17.0, 18.0, 13.0, 18.0, 10.0  # heights, pixels
_ROLES = {"male": "male", "female": "female", "other": "naive_weighted", "unknown": "complete_case"}


def flow_figure(flow: Rows) -> Drawn:
    """Draw who remained at every step of a flow, and who was lost on the way.

    Parameters
    ----------
    flow : rows of the ``flow`` contract.

    Examples
    --------
    >>> row = {"step": 1, "name": "listed", "n_patients": 60, "n_images": 100, "n_male": 25, "n_female": 30}
    >>> row |= {"n_other": 0, "n_unknown": 5, "patients_lost": 0, "images_lost": 0, "state": "counted"}
    >>> import pandas as pd
    >>> drawn = flow_figure(Rows.of(pd.DataFrame([row]), "flow"))
    >>> drawn.title, ">Men 25, women 30, sex not recorded 5<" in drawn.svg
    ('60 patients; listed: 60', True)
    """
    steps = flow_steps(flow)
    sizes = [_number(step.patients) for step in steps]
    if not steps or not sizes[0]:
        return Drawn(title="No flow", svg="")
    title = _finding(steps)
    words = "; ".join(f"{step.name}: {step.patients}" + (f", {step.lost} lost" if step.lost else "") for step in steps)
    height = sum(map(_height, steps))
    with drawing():
        figure, axes = blank_figure(_WIDTH, height, (_SIDE, _SIDE, 0.0, 0.0))
        axes.set_xlim(0, sizes[0])
        axes.set_ylim(height, 0)
        axes.axis("off")
        at = 0.0
        for step, size in zip(steps, sizes, strict=True):
            at = _draw(axes, step, size, at)
        svg = to_svg(figure, name="flow", title=title, description=words)
    return Drawn(title=title, svg=svg, words=words)


def _finding(steps: Sequence[FlowStep]) -> str:
    """Say how many enter the estimates, and how many are left at the last step, who are not the same."""
    inside = [step for step in steps if _ENTER in step.name]
    whole, last = steps[0].patients, steps[-1]
    told = f"{inside[0].patients} of {whole} patients enter the estimates" if inside else f"{whole} patients"
    return f"{told}; {last.name[:1].lower()}{last.name[1:]}: {last.patients}"


def _number(text: str) -> float:
    return float(text.replace(",", "")) if text.replace(",", "").isdigit() else 0.0


def _height(step: FlowStep) -> float:
    return _LOST * len(_lost(step)) + _NAME + (0.0 if step.unchanged else _BAR + _PARTS) + _GAP


def _lost(step: FlowStep) -> list[str]:
    return wrap(f"{step.lost} not counted further: {step.reason}", _LETTERS) if step.lost else []


def _draw(axes: Axes, step: FlowStep, size: float, at: float) -> float:
    """Draw one step below a height, and return the height below it."""
    end = at + _height(step)
    for line in _lost(step):
        _write(axes, line, at + _LOST / 2, 11.0, "quiet")
        at += _LOST
    same = ", the same people" if step.unchanged else ""
    _write(axes, f"{step.name}: {step.patients}{same}", at + _NAME / 2, 12.5, "ink")
    at += _NAME
    if step.unchanged:
        return end
    begin = 0.0
    for part in step.parts:
        wide = size * float(part.percent or 0.0) / 100
        axes.barh([at + _BAR / 2], [wide], left=begin, height=_BAR, color=COLOURS[_ROLES[part.role]], linewidth=0)
        begin += wide
    texts = [f"{part.label} {part.text}" for part in step.parts]
    _write(axes, ", ".join([*texts[:1], *(text[:1].lower() + text[1:] for text in texts[1:])]), end - _GAP - _PARTS / 2,
           11.0, "quiet")  # fmt: skip
    return end


def _write(axes: Axes, text: str, height: float, letters: float, role: str) -> None:
    axes.annotate(
        text, (0, height), xycoords=axes.get_yaxis_transform(), ha="left",
        va="center_baseline", fontsize=letters, color=COLOURS[role], annotation_clip=False, parse_math=False,
    )  # fmt: skip
