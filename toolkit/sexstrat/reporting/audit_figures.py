"""The figures of the audit by age: how often the model is right, how well it ranks, how it shifts the male share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sexstrat.reporting.absent import absent_words
from sexstrat.reporting.band_chart import band_chart
from sexstrat.reporting.figures import Drawn, series
from sexstrat.reporting.number_format import quantity
from sexstrat.reporting.rows import Rows, age_order, has_number, printed

__all__ = ["AUDIT_FIGURES", "audit_figure", "audit_figures"]

_SHIFT = "predicted_minus_observed_male_share"
# name, metrics with their legend and colour, name of the axis, line of reference
_PANELS: tuple[tuple[str, tuple[tuple[str, str, str], ...], str, float | None], ...] = (
    ("correct", (("correct_among_men", "Men", "male"), ("correct_among_women", "Women", "female")), "Correct, %", 0.5),
    ("auc", (("auc", "", "ink"),), "Area under the ROC curve", 0.5),
    ("shift", ((_SHIFT, "", "ink"),), "Predicted minus observed male share, points", 0.0),
    ("ungradable", (("ungradable", "", "ink"),), "Without a gradable photograph, %", None),
)

AUDIT_FIGURES = tuple(panel[0] for panel in _PANELS)


def audit_figures(audit: Rows, group: str = "age_band") -> tuple[Drawn, ...]:
    """Draw how often the model is right by age: among men and women, as AUC, as bias of the male share, ungradable.

    Parameters
    ----------
    audit : released rows.
    group : the grouping variable.

    Returns
    -------
    One figure a question; a question without any number has none.

    Examples
    --------
    >>> audit_figures(Rows(()))
    ()
    """
    drawn = [audit_figure(audit, name, group) for name in AUDIT_FIGURES]
    return tuple(figure for figure in drawn if figure is not None)


def audit_figure(audit: Rows, name: str, group: str = "age_band") -> Drawn | None:
    """Draw one question of the audit, or return None where it has no number.

    Parameters
    ----------
    audit : released rows.
    name : one of ``AUDIT_FIGURES``.
    group : the grouping variable.

    Examples
    --------
    >>> AUDIT_FIGURES, audit_figure(Rows(()), "auc") is None
    (('correct', 'auc', 'shift', 'ungradable'), True)
    """
    rows = audit.where(group=group)
    levels = sorted(map(str, rows.values("level_name")), key=age_order)
    panel = next(panel for panel in _PANELS if panel[0] == name)
    drawn = _panel(rows, levels, *panel) if levels else None
    return drawn if drawn is not None and drawn.svg else None


def _panel(
    rows: Rows, levels: Sequence[str], name: str, metrics: Sequence[tuple[str, str, str]], axis: str,
    reference: float | None,
) -> Drawn:  # fmt: skip
    labels = [level.replace("-", "\N{EN DASH}") for level in levels]
    found = {metric: [rows.first(metric=metric, level_name=level) for level in levels] for metric, _, _ in metrics}
    title = _finding(name, labels, found)
    cells = [
        (legend.lower(), label, metric, row)
        for metric, legend, _ in metrics
        for label, row in zip(labels, found[metric], strict=True)
    ]
    words = "; ".join(f"{who} {label} {' '.join(printed(row, metric))}".strip() for who, label, metric, row in cells)
    absent = absent_words(
        (who, label, printed(row, metric)[0]) for who, label, metric, row in cells if not has_number(row)
    )
    lines = [series(legend, role, found[metric], "bars") for metric, legend, role in metrics]
    nobody = name == "ungradable" and not any(point > 0 for point in lines[0].points)
    if nobody:  # the table says so; an empty frame would not say more
        return Drawn(title=title, svg="")
    svg = band_chart(
        labels, lines, name=f"audit-{name}", measure=metrics[0][0], axis=axis, title=title, description=words,
        reference=reference,
    )  # fmt: skip
    return Drawn(title=title, svg=svg, words=words, not_drawn=absent)


def _finding(name: str, labels: Sequence[str], found: Mapping[str, Sequence[Mapping[str, Any] | None]]) -> str:
    """State in one sentence where the metric is lowest and where it is highest."""
    parts = []
    for metric, rows in found.items():
        shown = [
            (label, float(row["point"])) for label, row in zip(labels, rows, strict=True) if row and has_number(row)
        ]
        if not shown:
            continue
        low, high = min(shown, key=lambda pair: pair[1]), max(shown, key=lambda pair: pair[1])
        who = {"correct_among_men": "of men ", "correct_among_women": "of women "}.get(metric, "")
        lowest, highest = quantity(metric, low[1]), quantity(metric, high[1])
        if len(shown) == 1 < len(labels):
            parts.append(f"{lowest} {who}at age {low[0]}, the only one shown")
        elif lowest == highest:
            parts.append(f"{lowest} {who}at every age{'' if len(shown) == len(labels) else ' shown'}")
        else:
            parts.append(f"{lowest} {who}at age {low[0]}, {highest} at {high[0]}")
    start = {"correct": "Called rightly", "auc": "AUC", "shift": "Male share, predicted minus observed",
             "ungradable": "Without a gradable photograph"}[name]  # fmt: skip
    return f"{start}: {'; '.join(parts)}"
