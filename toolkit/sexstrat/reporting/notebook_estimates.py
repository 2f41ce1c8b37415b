"""What a notebook shows of estimates: a row an age band, and figures of prevalence, ratios and differences by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sexstrat.estimates import Composition, Estimates
from sexstrat.reporting.absent import absent_words
from sexstrat.reporting.band_chart import band_chart
from sexstrat.reporting.figures import Drawn, prevalence_figures, series
from sexstrat.reporting.forest import ForestRow, forest_plot, line_label
from sexstrat.reporting.headline import NAIVE, Headline
from sexstrat.reporting.notebook_view import NotebookView, view_of
from sexstrat.reporting.rows import Rows, age_label, has_number, printed
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, estimate_cell, table_view
from sexstrat.reporting.texts import MEASURES, SEXES, STANDARDS, sentence_case

__all__ = ["estimates_table_view", "ratio_forest"]

Row = Mapping[str, Any]

_COUNTS = {
    "n_patients": "Patients",
    "n_diseased": "With the condition",
    "n_validated": "Sex recorded",
    "n_validated_diseased": "With the condition and sex recorded",
}
_AXES = {
    "prevalence_ratio": "Prevalence ratio, men to women (log scale)",
    "prevalence_odds_ratio": "Prevalence odds ratio, men to women (log scale)",
}
_SUPPOSED = frozenset({"bias_analysis", "check", "companion", "naive"})  # never drawn as a corrected number is


def _place(row: Row) -> str:
    if row["age_low"] is not None or row["age_high"] is not None:
        return f"age {age_label(row['age_low'], row['age_high'])}"
    standard = str(row["standard"])
    return "all ages" if standard == "crude" else f"all ages, {STANDARDS.get(standard, standard)}"


def _line_name(row: Row) -> str:
    standard = str(row["standard"])
    return sentence_case(_place(row) if standard == "crude" else STANDARDS.get(standard, standard))


def _level(rows: Sequence[Row]) -> str:
    levels = {row["level"] for row in rows if row["level"] is not None}
    return f"{100 * levels.pop():g}% interval" if len(levels) == 1 else "interval"


def estimates_table_view(rows: Rows, caption: str) -> TableView:
    """Return estimate rows as a table: measure by measure, a line an age band and sex, with people, state and note.

    Parameters
    ----------
    rows : rows of the ``estimate`` contract.
    caption : what the table shows.

    Examples
    --------
    >>> estimates_table_view(Rows(()), "Nothing").columns[:2]
    ('', 'Estimate, interval')
    """
    groups = []
    for measure in map(str, rows.values("measure")):
        lines = []
        for row in rows.where(measure=measure).rows:
            who = f"{SEXES[str(row['sex'])]}, {_place(row)}" if row["sex"] else sentence_case(_place(row))
            counts = [count_cell(row, name) for name in _COUNTS]
            texts = [line_label(str(row["estimator"])), sentence_case(str(row["state"])), str(row["note"] or "")]
            cells = [Cell(text=text, kind="text") for text in texts]
            lines.append((Cell(text=who, kind="head"), estimate_cell(row, measure), *counts, *cells))
        groups.append(Group(heading=sentence_case(MEASURES.get(measure, measure)), rows=tuple(lines)))
    columns = ("", f"Estimate, {_level(rows.rows)}", *_COUNTS.values(), "Estimator", "State", "Remark")
    return table_view(caption, columns, groups)


def _role(row: Row, lead: bool) -> str:
    name = str(row["estimator"])
    if name in NAIVE:
        return name
    if row["state"] == "truth":
        return "truth"
    return "corrected" if lead and row["state"] not in _SUPPOSED else "also"


def _kind(rows: Rows) -> str:
    """Say, where the numbers are not corrected ones, what they are."""
    shown = next((row for row in rows.rows if has_number(row)), None)
    if shown is None or shown["state"] in {"corrected", "truth", "recorded"}:
        return ""
    name = str(shown["estimator"])
    return f" ({line_label(name).lower() if name in NAIVE else str(shown['state']).replace('_', '-')})"


def _named(rows: Rows) -> str:
    return sentence_case(str(next(iter(rows.values("condition")), ""))) or "All patients"


def _finding(rows: Rows, measure: str) -> str:
    """State the first number in one sentence."""
    name, words = _named(rows) + _kind(rows), MEASURES.get(measure, measure).split(",")
    shown = next((row for row in rows.rows if has_number(row)), None)
    if shown is None:
        return f"{name}: no {words[0]}"
    text = " ".join(part for part in (words[0], *printed(shown, measure)) if part)
    return f"{name}: {', '.join([text, *(word.strip() for word in words[1:]), _place(shown)])}"


def _words(rows: Rows, measure: str) -> str:
    return "; ".join(f"{_place(row)} {' '.join(printed(row, measure)).strip()}" for row in rows.rows)


def ratio_forest(rows: Rows, measure: str, title: str = "") -> Drawn:
    """Draw a ratio of all ages and of each age band as a forest plot.

    Parameters
    ----------
    rows : rows of one measure and condition.
    measure : a ratio.
    title : what was found; empty for the first number.

    Examples
    --------
    >>> ratio_forest(Rows(()), "prevalence_ratio").svg
    ''
    """
    lines = [
        ForestRow(
            condition=str(row["condition"] or ""),
            role=_role(row, row["age_low"] is None and row["age_high"] is None),
            label=_line_name(row),
            row=row,
        )
        for row in rows.rows
    ]
    title, words = title or _finding(rows, measure), _words(rows, measure)
    svg = forest_plot(lines, title=title, description=words, axis=_AXES[measure]) if _any(rows) else ""
    return Drawn(title=title, svg=svg, words=words)


def _any(rows: Rows) -> bool:
    return any(map(has_number, rows.rows))


def _by_age(rows: Rows, measure: str, axis: str, reference: float | None) -> Drawn:
    """Draw one figure of each age band with its interval; where there is no band, that of all ages."""
    crude = [row for row in rows.rows if row["standard"] == "crude"]
    found = [row for row in crude if row["age_low"] is not None or row["age_high"] is not None] or crude
    labels = [age_label(row["age_low"], row["age_high"]) for row in found]
    title, words = _finding(rows, measure), _words(rows, measure)
    svg = band_chart(
        labels, [series("", "ink", found, "bars")], name=measure.replace("_", "-"), measure=measure, axis=axis,
        title=title, description=words, reference=reference,
    )  # fmt: skip
    gone = absent_words(("", label, printed(row, measure)[0]) for label, row in zip(labels, found, strict=True)
                        if not has_number(row))  # fmt: skip
    return Drawn(title=title, svg=svg, words=words, not_drawn=gone.strip())


def _prevalence(rows: Rows) -> Drawn | None:
    """Draw prevalence by age and sex as the report does, each band by the estimator that reports it."""
    bands = rows.bands()
    named = [rows.first(age_low=low, age_high=high) or {} for low, high in bands]
    lead = Headline(
        condition=str(next(iter(rows.values("condition")), "")),
        standard="crude",
        estimator=next(iter(rows.values("estimator")), None),
        choice={"band_estimators": [str(row.get("estimator")) for row in named]},
    )
    drawn = next(iter(prevalence_figures(rows, lead, "prevalence")), None)
    return None if drawn is None else replace(drawn, title=drawn.title + _kind(rows))


def _figure(rows: Rows, measure: str) -> Drawn | None:
    if measure == "prevalence":
        return _prevalence(rows)
    if measure in _AXES:
        return ratio_forest(rows, measure)
    if measure == "male_share":
        return _by_age(rows, measure, "Men, %", None)
    return _by_age(rows, measure, "Difference, men minus women, points", 0.0)


def _figures(rows: Rows) -> dict[str, partial[Drawn | None]]:
    drawn = {*_AXES, "prevalence", "male_share", "prevalence_difference"}
    names = [str(name) for name in rows.values("measure") if name in drawn]
    return {name: partial(_figure, rows.where(measure=name), name) for name in names}


@view_of.register
def _(result: Estimates) -> NotebookView:
    rows = Rows.of(result.to_frame(), "estimate")
    return NotebookView(
        tables=(estimates_table_view(rows, f"{_named(rows)}: estimates"),),
        assumptions=result.assumptions,
        warnings=result.warnings,
        figures=_figures(rows),
        why="; ".join(map(str, rows.values("note"))),
    )


@view_of.register
def _(result: Composition) -> NotebookView:
    rows = Rows.of(result.to_frame(), "estimate")
    named = line_label(result.estimator)
    figures = _figures(rows)
    order = sorted(figures, key=lambda name: name != "prevalence")
    what_if = () if result.what_if is None else result.what_if.statements
    return NotebookView(
        tables=(estimates_table_view(rows, f"{sentence_case(result.condition)}: by sex and age"),),
        sentences=(f"{named}: {sentence_case(result.state).replace('_', ' ').lower()}. {result.why}", *what_if),
        assumptions=result.assumptions,
        warnings=result.warnings,
        figures={name: figures[name] for name in order},
        why=result.why,
    )
