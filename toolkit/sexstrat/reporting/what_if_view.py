"""What could change an answer: bias analysis, tipping points, wrong records, confounding; words, table, figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.figures import Drawn
from sexstrat.reporting.headline import Headline
from sexstrat.reporting.number_format import interval, is_number, share
from sexstrat.reporting.rows import Rows, age_label, has_number, printed
from sexstrat.reporting.table_view import Cell, Group, TableView, table_view
from sexstrat.reporting.texts import MEASURES, SEXES, STANDARDS, STATE_WORDS, sentence_case
from sexstrat.reporting.tipping_chart import Curve, tipping_chart

__all__ = ["WhatIfView", "what_if_view"]

Row = Mapping[str, Any]

# analysis and scenario: heading, name of the axis, what tips, what does not where nothing tips
_CURVES: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ("shift_of_score", "diseased"): (
        "If the disease itself moves the score",
        "Shift of the score\N{RIGHT SINGLE QUOTATION MARK}s logit in the diseased",
        "the disease shifts the score by",
        "no shift of the score by the disease within",
    ),
    ("shift_between_cohorts", "diseased"): (
        "If the disease moves the score, which the other cohort cannot show",
        "Shift of the score\N{RIGHT SINGLE QUOTATION MARK}s logit in the diseased",
        "the disease shifts the score by",
        "no shift of the score by the disease within",
    ),
    ("shift_of_recording", "common"): (
        "If patients without recorded sex are men more or less often than they seem",
        "Shift of their log odds of being male",
        "the log odds of being male of all unrecorded patients are shifted by",
        "no shift of the log odds of being male of all unrecorded patients within",
    ),
    ("shift_of_recording", "diseased"): (
        "The same, in the diseased alone",
        "Shift of their log odds of being male",
        "the log odds of being male of the unrecorded diseased are shifted by",
        "no shift of the log odds of being male of the unrecorded diseased within",
    ),
    ("error_of_recorded_sex", "both"): (
        "If recorded sex is wrong",
        "Share of wrong records, men and women alike",
        "the share of wrong records reaches",
        "no share of wrong records up to",
    ),
}
_MEASURES = ("prevalence_ratio", "prevalence_difference", "prevalence_odds_ratio")
NEVER = "None of these is a corrected estimate: each holds only if the supposed error is the true one."
PRINTED_RATES = (0.0, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfView:
    """What could change the answer for one condition.

    Parameters
    ----------
    condition : the disease, as printed.
    advice : what would help where there is no answer.
    sentences : what the analyses found, in words.
    assumptions : what each of them assumes.
    table : the numbers.
    figures : curves, one a supposed error.
    curves : the points behind the figures, as a table.
    """

    condition: str
    advice: tuple[str, ...]
    sentences: tuple[str, ...]
    assumptions: tuple[str, ...]
    table: TableView | None
    figures: tuple[Drawn, ...]
    curves: TableView | None


def _word(row: Row) -> Cell:
    return Cell(text=STATE_WORDS.get(str(row["state"]), STATE_WORDS["missing"]), kind="word")


def _estimate(row: Row | None, measure: str) -> Cell:
    if row is None:
        return Cell(text="")
    if not has_number(row):
        return _word(row)
    text, note = printed(row, measure)
    return Cell(text=text, note=note)


def _place(row: Row) -> str:
    if row["age_low"] is not None or row["age_high"] is not None:
        return f"age {age_label(row['age_low'], row['age_high'])}"
    standard = str(row["standard"])
    return "crude" if standard == "crude" else STANDARDS.get(standard, standard)


def _bias_group(rows: Rows) -> Group | None:
    """Return the bias analysis: every contrast crude and standardised, the ratio also by age."""
    here = rows.where(analysis="bias_analysis", statistic="estimate").rows
    here = tuple(row for row in here if row["age_low"] is None or row["measure"] == "prevalence_ratio")
    if not here:
        return None
    lines = []
    for row in here:
        measure = str(row["measure"])
        keys = {name: row[name] for name in ("measure", "age_low", "age_high", "standard")}
        alone = rows.first(analysis="bias_analysis", statistic="systematic", **keys)
        name = Cell(text=sentence_case(MEASURES[measure]), note=sentence_case(_place(row)), kind="head")
        impossible = row["share_impossible"]
        told = is_number(impossible) and float(impossible) > 0
        remark = f"{share(float(impossible))} of the draws impossible" if told else ""
        remark = str(row["note"] or "") if not has_number(row) else remark
        lines.append((name, _estimate(row, measure), _estimate(alone, measure), Cell(text=remark, kind="text")))
    beliefs = str(here[0]["scenario"])
    return Group(heading=f"If predicted sex errs as believed ({beliefs})", rows=tuple(lines))


def _size(row: Row, value: Any) -> str:
    if str(row["analysis"]) == "error_of_recorded_sex":
        return share(float(value), decimals=1)
    text = "0" if float(value) == 0 else f"{float(value):+.2f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _curve_group(rows: Rows, key: tuple[str, str]) -> Group | None:
    here = rows.where(analysis=key[0], scenario=key[1])
    tipping = here.first(statistic="tipping")
    if tipping is None:
        return None
    lines = []
    if key[0] == "error_of_recorded_sex":
        for row in here.where(statistic="estimate").rows:
            stated = "stated" in str(row["note"] or "")
            if not stated and not any(
                is_number(row["value"]) and abs(row["value"] - at) < 1e-9 for at in PRINTED_RATES
            ):
                continue
            measure = str(row["measure"])
            who = f", {SEXES[str(row['sex'])].lower()}" if row["sex"] else ""
            name = Cell(
                text=sentence_case(MEASURES[measure] + who), note=f"{_size(row, row['value'])} wrong", kind="head"
            )
            remark = Cell(text=str(row["note"] or ""), kind="text")
            lines.append((name, _estimate(row, measure), Cell(text=""), remark))
    number = Cell(text=_size(tipping, tipping["point"])) if has_number(tipping) else _word(tipping)
    if str(tipping["state"]) == "undefined":
        number = Cell(text="none found", kind="word")
    head = Cell(text="Where the conclusion changes", note=sentence_case(_place(tipping)), kind="head")
    lines.append((head, number, Cell(text=""), Cell(text=str(tipping["note"] or ""), kind="text")))
    return Group(heading=_CURVES[key][0], rows=tuple(lines))


def _e_value_group(rows: Rows) -> Group | None:
    here = rows.where(analysis="e_value", statistic="estimate").rows
    if not here:
        return None
    lines = []
    for row in here:
        limit = rows.first(analysis="e_value", statistic="limit", standard=row["standard"])
        name = Cell(text="E-value", note=sentence_case(_place(row)), kind="head")
        number = interval("e_value", row["point"], None, None, str(row["state"]))[0]
        of_limit = "" if limit is None else interval("e_value", limit["point"], None, None, str(limit["state"]))[0]
        remark = "second number: of the limit nearest 1" if of_limit else ""
        lines.append((name, Cell(text=number), Cell(text=of_limit), Cell(text=remark, kind="text")))
    return Group(heading="Confounding, which is another matter than misclassified sex", rows=tuple(lines))


def _curve(rows: Rows, key: tuple[str, str]) -> list[Row]:
    """Return the points of a curve, by rising size."""
    here = rows.where(analysis=key[0], scenario=key[1], statistic="estimate", measure="prevalence_ratio").rows
    return sorted((row for row in here if is_number(row["value"])), key=lambda row: float(row["value"]))


def _finding(rows: Rows, key: tuple[str, str]) -> str:
    """State in one sentence what a curve shows; empty where there is no curve."""
    curve, tipping = _curve(rows, key), rows.first(analysis=key[0], scenario=key[1], statistic="tipping")
    told = [row for row in curve if has_number(row) and is_number(row["low"]) and is_number(row["high"])]
    if tipping is None or len(told) < 2 or str(tipping["state"]) in {"refused", "suppressed"}:
        return ""
    start = min(told, key=lambda row: abs(float(row["value"])))
    other = "exclude" if start["low"] <= 1 <= start["high"] else "include"
    _, _, tips, never = _CURVES[key]
    if has_number(tipping):
        return f"the interval of the ratio comes to {other} 1 once {tips} {_size(tipping, tipping['point'])}"
    largest = max(abs(float(row["value"])) for row in told)
    reach = share(largest, decimals=0) if key[0] == "error_of_recorded_sex" else f"\N{PLUS-MINUS SIGN}{largest:g}"
    return f"{never} {reach} makes the interval of the ratio {other} 1"


def _figure(rows: Rows, condition: str, key: tuple[str, str], name: str) -> Drawn | None:
    curve, tipping = _curve(rows, key), rows.first(analysis=key[0], scenario=key[1], statistic="tipping")
    finding = _finding(rows, key)
    if tipping is None or not finding:
        return None

    def column(which: str) -> tuple[float, ...]:
        return tuple(float(row[which]) if has_number(row) and is_number(row[which]) else math.nan for row in curve)

    drawn = Curve(
        sizes=tuple(float(row["value"]) for row in curve),
        points=column("point"),
        lows=column("low"),
        highs=column("high"),
        tipping=float(tipping["point"]) if has_number(tipping) else None,
        percent=key[0] == "error_of_recorded_sex",
    )
    title = f"{condition}: {finding}"
    words = "; ".join(
        f"at {_size(row, row['value'])} {' '.join(printed(row, 'prevalence_ratio')).strip()}" for row in curve
    )
    svg = tipping_chart(
        drawn, name=f"whatif-{name}-{key[0]}-{key[1]}".replace("_", "-"), axis=_CURVES[key][1], title=title,
        description=words,
    )  # fmt: skip
    gone = [row for row in curve if not has_number(row)]
    absent = f"{len(gone)} of {len(curve)} sizes, at which there is no ratio" if gone else ""
    return Drawn(title=title, svg=svg, words=words, not_drawn=absent) if svg else None


def _curves_table(rows: Rows, condition: str, keys: Sequence[tuple[str, str]], file: str) -> TableView | None:
    groups, used = [], []
    for key in keys:
        here = _curve(rows, key)
        if len(here) < 2:
            continue
        lines = []
        for row in here:
            number = _estimate(row, "prevalence_ratio")
            size = Cell(text=_size(row, row["value"]), kind="head")
            lines.append((size, Cell(text=number.text, kind=number.kind), Cell(text=number.note.strip("()"))))
        groups.append(Group(heading=_CURVES[key][1], rows=tuple(lines)))
        used += here
    if not groups:
        return None
    caption = f"{condition}: the prevalence ratio along each supposed error"
    return table_view(caption, ("Size", "Ratio, men to women", "Interval"), groups, file=file, rows=used)


def _sentences(rows: Rows) -> tuple[str, ...]:
    """Say what was found, foremost that no bias analysis is an estimate."""
    told = []
    bias = rows.where(analysis="bias_analysis", statistic="estimate", measure="prevalence_ratio")
    lead = [row for row in bias.rows if row["age_low"] is None and has_number(row)]
    if lead:
        row = lead[-1]
        text, note = printed(row, "prevalence_ratio")
        told.append(
            f"If predicted sex errs as believed ({row['scenario']}), the prevalence ratio of men to women "
            f"({_place(row)}) would lie at {text} {note}."
        )
    told += [text[:1].upper() + text[1:] + "." for key in _CURVES if (text := _finding(rows, key))]
    return (*told, NEVER) if told else ()


def what_if_view(sensitivity: Rows, lead: Headline, file: str) -> WhatIfView | None:
    """Return what could change the answer for one condition, or None where nothing was looked at.

    Parameters
    ----------
    sensitivity : released rows.
    lead : the condition.
    file : stem of names of files and figures.

    Examples
    --------
    >>> what_if_view(Rows(()), Headline(condition="a", standard="crude", estimator=None), "a-1") is None
    True
    """
    rows, choice = sensitivity.where(condition=lead.condition), lead.choice or {}
    if not rows.rows:
        return None
    name = sentence_case(lead.condition)
    keys = list(_CURVES)
    found = [_bias_group(rows), *(_curve_group(rows, key) for key in keys), _e_value_group(rows)]
    groups = [group for group in found if group is not None and group.rows]
    columns = ("", "With random error", "Beliefs alone", "Remark")
    figures = tuple(drawn for key in keys if (drawn := _figure(rows, name, key, file)) is not None)
    return WhatIfView(
        condition=name,
        advice=tuple(str(text) for text in choice.get("advice") or ()),
        sentences=_sentences(rows),
        assumptions=tuple(str(text) for text in choice.get("what_if_assumptions") or ()),
        table=table_view(f"{name}: what if", columns, groups, note=NEVER, file=f"what-if-{file}.csv", rows=rows.rows),
        figures=figures,
        curves=_curves_table(rows, name, keys, f"curves-{file}.csv"),
    )
