"""How often the model is right over continuous age: the curves of men and women, and what was tested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.band_chart import Series, band_chart
from sexstrat.reporting.figures import Drawn, series
from sexstrat.reporting.number_format import is_number, quantity
from sexstrat.reporting.rows import Rows, has_number, printed
from sexstrat.reporting.table_view import Cell, Group, TableView, estimate_cell, table_view
from sexstrat.reporting.texts import METRICS, STATE_WORDS

__all__ = ["AgeingView", "ageing_view"]

SIDES = (("correct_among_men", "Men", "male"), ("correct_among_women", "Women", "female"))
METRIC_NAMES: Mapping[str, str] = {**METRICS, "men_minus_women": "Men against women"}
QUANTITIES: Mapping[str, str] = {
    "any_trend": "Any trend with age (read first)",
    "linear_trend": "Odds of being right, ratio per decade",
    "nonlinear_trend": "Departure from a straight line",
    "band_trend": "Over age bands, change per decade",
    "sex_difference": "Any difference of the curves (read first)",
    "sex_by_age": "Difference changes with age",
    "crossing_age": "Age at which the curves cross",
}
_NOTE = (
    "Splines of the log odds with patients as clusters; p values are not adjusted for each other. A linear, curved or "
    "interaction line is read only where the line marked to be read first shows something. The interval of a crossing "
    "holds the ages at which men and women are not told apart, which does not show them to be alike."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingView:
    """What the page shows of the audit over continuous age.

    Parameters
    ----------
    figure : the curves; None where no curve has a number.
    sentences : what the tests say, in words.
    trends : the tests.
    curves : the curves in numbers; None without a figure.
    """

    figure: Drawn | None
    sentences: tuple[str, ...]
    trends: TableView
    curves: TableView | None


def ageing_view(curves: Rows, trends: Rows) -> AgeingView | None:
    """Return the curves over age and their tests, or None where the audit did not look at continuous age.

    Parameters
    ----------
    curves, trends : released rows.

    Examples
    --------
    >>> ageing_view(Rows(()), Rows(())) is None
    True
    """
    if not trends.rows:
        return None
    figure = _figure(curves)
    return AgeingView(
        figure=figure,
        sentences=_sentences(trends),
        trends=_trend_table(trends),
        curves=_curve_table(curves) if figure else None,
    )


def _figure(curves: Rows) -> Drawn | None:
    ages = sorted({float(row["age_years"]) for row in curves.rows if is_number(row["age_years"])})
    lines = [_line(curves, ages, *side) for side in SIDES]
    if not any(map(_any, lines)):
        return None
    title = _finding(curves)
    words = "; ".join(
        f"{label.lower()} aged {age:.0f}: {' '.join(printed(curves.first(metric=metric, age_years=age), metric))}"
        for metric, label, _ in SIDES
        for age in ages
        if age % 10 == 0
    )
    words += ". Shaded: interval for one age; dashed lines: interval for all ages at once."
    svg = band_chart(
        [], lines, name="audit-curve", measure="correct_among_men", axis="Correct, %", title=title, description=words,
        reference=0.5, ages=ages,
    )  # fmt: skip
    gone = [label.lower() for line, (_, label, _) in zip(lines, SIDES, strict=True) if not _any(line)]
    absent = f"{' and '.join(gone)} ({_why(curves, gone)})" if gone else ""
    return Drawn(title=title, svg=svg, words=words, not_drawn=absent)


def _any(line: Series) -> bool:
    return any(math.isfinite(point) for point in line.points)


def _why(curves: Rows, gone: Sequence[str]) -> str:
    metric = next(metric for metric, label, _ in SIDES if label.lower() in gone)
    row = curves.first(metric=metric)
    return STATE_WORDS.get(str((row or {}).get("state")), STATE_WORDS["missing"])


def _line(curves: Rows, ages: Sequence[float], metric: str, label: str, role: str) -> Series:
    rows = [curves.first(metric=metric, age_years=age) for age in ages]
    one = series(label, role, rows, "curve")
    outer = [
        tuple(
            float(row[name]) if row is not None and has_number(row) and is_number(row[name]) else math.nan
            for row in rows
        )
        for name in ("low_simultaneous", "high_simultaneous")
    ]
    return Series(
        label=label, role=role, points=one.points, lows=one.lows, highs=one.highs, style="curve", outer_lows=outer[0],
        outer_highs=outer[1],
    )  # fmt: skip


def _finding(curves: Rows) -> str:
    """State where each curve starts and ends."""
    parts = []
    for metric, label, _ in SIDES:
        shown = [row for row in curves.where(metric=metric).rows if has_number(row)]
        if shown:
            first, last = min(shown, key=_age), max(shown, key=_age)
            ends = [quantity(metric, float(row["point"])) for row in (first, last)]
            parts.append(f"{ends[0]} of {label.lower()} at {_age(first):.0f}, {ends[1]} at {_age(last):.0f}")
    return f"Called rightly over age: {'; '.join(parts)}"


def _age(row: Mapping[str, Any]) -> float:
    return float(row["age_years"])


def _sentences(trends: Rows) -> tuple[str, ...]:
    """Say what the two joint tests and the crossing tell, and no more."""
    found = []
    for metric, label in (("correct_among_men", "men"), ("correct_among_women", "women")):
        row = trends.first(metric=metric, quantity="any_trend")
        if row is not None and is_number(row["p_value"]):
            seen = float(row["p_value"]) <= 1 - float(row["level"])
            verb = f"changes with the age of {label}" if seen else f"is not shown to change with the age of {label}"
            found.append(f"How often the model is right {verb} (p {_p(row['p_value'])}).")
    joint = trends.first(metric="men_minus_women", quantity="sex_difference")
    if joint is not None and is_number(joint["p_value"]):
        seen = float(joint["p_value"]) <= 1 - float(joint["level"])
        verb = "differ" if seen else "are not shown to differ"
        found.append(f"The curves of men and women {verb} (p {_p(joint['p_value'])}).")
        crossings = trends.where(quantity="crossing_age").rows if seen else ()  # curves that are alike cross anywhere
        found += [text for row in crossings if (text := _crossing(row))]
    return tuple(found)


def _crossing(row: Mapping[str, Any]) -> str:
    state, limits = str(row["state"]), [row["low"], row["high"]]
    ages = f"{float(limits[0]):.0f} to {float(limits[1]):.0f}" if all(map(is_number, limits)) else ""
    if state == "measured":
        return f"They cross at age {float(row['point']):.0f}; from {ages} they are not told apart."
    if state == "absent":
        return f"They do not cross within the ages shown; from {ages} the data do not exclude it." if ages else (
            "They do not cross within the ages shown."
        )  # fmt: skip
    return ""


def _p(value: Any) -> str:
    number = float(value)
    return "< 0.001" if number < 0.001 else f"= {number:.3f}" if number < 0.1 else f"= {number:.2f}"


def _trend_table(trends: Rows) -> TableView:
    groups = []
    for metric in map(str, trends.values("metric")):
        lines = tuple(_trend(row) for row in trends.where(metric=metric).rows)
        groups.append(Group(heading=METRIC_NAMES.get(metric, metric), rows=lines))
    columns = ("", "Estimate", "Statistic", "p value")
    return table_view(
        "Tests over age", columns, groups, note=_NOTE, file="age-trends.csv", rows=trends.rows
    )  # fmt: skip


def _trend(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    name = str(row["quantity"])
    head = Cell(text=QUANTITIES.get(name, name), note=str(row["note"] or ""), kind="head")
    if str(row["state"]) in STATE_WORDS:
        limits = [row["low"], row["high"]]
        note = (
            f"(not excluded: {float(limits[0]):.0f} to {float(limits[1]):.0f})" if all(map(is_number, limits)) else ""
        )
        return head, Cell(text=STATE_WORDS[str(row["state"])], note=note, kind="word"), Cell(text=""), Cell(text="")
    estimate = estimate_cell(row, name) if is_number(row["point"]) else Cell(text="")
    if not is_number(row["p_value"]):
        return head, estimate, Cell(text=""), Cell(text="")
    below = row["df_denominator"]
    law = f"F({int(row['df'])}, {int(below):,})" if is_number(below) else "z"
    statistic = Cell(text=f"{law} = {float(row['statistic']):.2f}".replace("-", "\N{MINUS SIGN}"))
    return head, estimate, statistic, Cell(text=_p(row["p_value"]).removeprefix("= "))


def _at(row: Mapping[str, Any] | None, metric: str) -> Cell:
    """Print a curve at an age; where its patients do not reach that age, say so."""
    return Cell(text="beyond its ages", kind="word") if row is None else estimate_cell(row, metric)


def _curve_table(curves: Rows) -> TableView:
    """Return the curves at every fifth year; the CSV holds every year."""
    ages = sorted({float(row["age_years"]) for row in curves.rows if is_number(row["age_years"])})
    metrics = [metric for metric in (*(side[0] for side in SIDES), "accuracy") if curves.where(metric=metric).rows]
    lines = tuple(
        (
            Cell(text=f"{age:.0f}", kind="head"),
            *(_at(curves.first(metric=metric, age_years=age), metric) for metric in metrics),
        )
        for age in ages
        if age % 5 == 0
    )
    columns = ["Age, years", *(METRICS[metric] for metric in metrics)]
    return table_view(
        "Called rightly over age, every fifth year", columns, [Group(heading="", rows=lines)], file="age-curves.csv",
        rows=curves.rows,
    )  # fmt: skip
