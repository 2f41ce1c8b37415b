"""The figures of the page: each takes released rows and returns SVG with a title that states what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.band_chart import Series, band_chart
from sexstrat.reporting.forest import ForestRow, forest_plot, line_label
from sexstrat.reporting.headline import NAIVE, Headline
from sexstrat.reporting.number_format import is_number, quantity
from sexstrat.reporting.rows import Rows, age_label, age_order, has_number, printed
from sexstrat.reporting.texts import SEXES, sentence_case

__all__ = ["Drawn", "audit_figures", "forest_figure", "prevalence_figure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure ready for the page.

    Parameters
    ----------
    title : one sentence that states the finding.
    svg : the figure, or empty text when there was nothing to draw.
    narrow : another drawing of it for narrow windows, or empty text when ``svg`` serves both.
    not_drawn : what has no number, and why, in words.
    """

    title: str
    svg: str
    narrow: str = ""
    not_drawn: str = ""


def forest_figure(estimates: Rows, leads: Sequence[Headline]) -> Drawn:
    """Draw corrected, naive and (where known) true ratios of every condition.

    Examples
    --------
    >>> forest_figure(Rows(()), []).svg
    ''
    """
    lines = [line for lead in leads for line in _forest_rows(estimates, lead)]
    title = _forest_finding(leads)
    words = "; ".join(
        f"{sentence_case(line.condition)}, {line.label}: {' '.join(printed(line.row, 'prevalence_ratio')).strip()}"
        for line in lines
    )
    return Drawn(
        title=title,
        svg=forest_plot(lines, title=title, description=words),
        narrow=forest_plot(lines, title=title, description=words, narrow=True),
    )


def _forest_rows(estimates: Rows, lead: Headline) -> list[ForestRow]:
    here = estimates.where(measure="prevalence_ratio", condition=lead.condition, standard=lead.standard, age_low=None)
    names = [(lead.estimator, "corrected")] if lead.estimator else []
    names += [(name, "also") for name in lead.also] + [(name, name) for name in NAIVE]
    rows = []
    for name, role in names:
        row = here.first(estimator=name, age_high=None)
        if row is not None:
            rows.append(ForestRow(condition=lead.condition, role=role, label=line_label(str(name)), row=row))
    if lead.truth is not None:
        rows.append(ForestRow(condition=lead.condition, role="truth", label=line_label("truth"), row=lead.truth))
    return rows


def _forest_finding(leads: Sequence[Headline]) -> str:
    judged = [lead for lead in leads if lead.covers_truth is not None]
    if judged:
        right = sum(bool(lead.covers_truth) for lead in judged)
        naive = [lead for lead in judged if lead.naive_covers_truth is not None]
        also = sum(bool(lead.naive_covers_truth) for lead in naive)
        if len(judged) == 1:
            hit = {True: "holds", False: "misses"}
            text = f"The corrected interval {hit[bool(right)]} the truth"
            return text + (f"; the naive one {hit[bool(also)]} it" if naive else "")
        text = f"Corrected intervals hold the truth for {right} of {len(judged)} conditions"
        return text + (f"; naive ones for {also} of {len(naive)}" if naive else "")
    apart = [lead for lead in leads if has_number(lead.corrected) and has_number(lead.naive)]
    apart = [lead for lead in apart if min(_ratio(lead.corrected), _ratio(lead.naive)) > 0]
    if not apart:
        return "No corrected ratio can be given" if leads else "No ratio to draw"
    worst = max(apart, key=lambda lead: abs(math.log(_ratio(lead.corrected) / _ratio(lead.naive))))
    numbers = [quantity("prevalence_ratio", _ratio(row)) for row in (worst.corrected, worst.naive)]
    return f"{sentence_case(worst.condition)}: ratio {numbers[0]} after correction, {numbers[1]} from predicted sex"


def _ratio(row: Mapping[str, Any] | None) -> float:
    return float(row["point"]) if row is not None else math.nan


def prevalence_figure(estimates: Rows, lead: Headline, name: str) -> Drawn:
    """Draw the corrected prevalence of one condition by age and sex, naive and true values beside it.

    Parameters
    ----------
    estimates : released rows.
    lead : the condition and its estimator.
    name : unique in the page.

    Examples
    --------
    >>> prevalence_figure(Rows(()), Headline(condition="a", standard="crude", estimator="E1"), "p").svg
    ''
    """
    rows = estimates.where(measure="prevalence", condition=lead.condition)
    bands = rows.bands()
    labels = [age_label(*band) for band in bands]
    series, absent, words = [], [], []
    for sex, label in SEXES.items():
        found = [
            rows.first(estimator=lead.band_estimator(index), sex=sex, age_low=low, age_high=high)
            for index, (low, high) in enumerate(bands)
        ]
        series.append(_series(label, sex, found))
        series += _beside(rows, sex, bands)
        pairs = list(zip(labels, found, strict=True))
        absent += [
            f"{label.lower()} {age} ({printed(row, 'prevalence')[0]})" for age, row in pairs if not has_number(row)
        ]
        words.append(f"{label}: " + "; ".join(f"{age} {' '.join(printed(row, 'prevalence'))}" for age, row in pairs))
    series = sorted(_named_once(series), key=lambda line: bool(line.style in {"line", "open"}))
    title = _age_finding(lead.condition, series[0], series[1], labels) if len(series) > 1 else lead.condition
    svg = band_chart(
        labels, series, name=name, measure="prevalence", axis="Prevalence, %", title=title, description=". ".join(words)
    )  # fmt: skip
    return Drawn(title=title, svg=svg, not_drawn=", ".join(absent))


def _beside(rows: Rows, sex: str, bands: Sequence[tuple[int | None, int | None]]) -> list[Series]:
    """Return the naive and the true values of one sex, where there are any."""
    beside = []
    for style, wanted in (("line", {"estimator": "naive_threshold"}), ("open", {"state": "truth"})):
        found = [rows.first(sex=sex, age_low=band[0], age_high=band[1], **wanted) for band in bands]
        if any(has_number(row) for row in found):
            line = _series("naive" if style == "line" else "truth", sex, found)
            beside.append(Series(label=line.label, role=sex, points=line.points, style=style))
    return beside


def _named_once(series: Sequence[Series]) -> list[Series]:
    """Leave one legend entry for the dotted and one for the open series."""
    seen: set[str] = set()
    kept = []
    for line in series:
        label = "" if line.label in seen else line.label
        seen.add(line.label)
        kept.append(
            Series(
                label=label, role=line.role, points=line.points, lows=line.lows, highs=line.highs, style=line.style
            )
        )  # fmt: skip
    return kept


def _series(label: str, role: str, rows: Sequence[Mapping[str, Any] | None], style: str = "band") -> Series:
    def column(name: str) -> tuple[float, ...]:
        return tuple(
            float(row[name]) if row is not None and has_number(row) and is_number(row[name]) else math.nan
            for row in rows
        )  # fmt: skip

    return Series(label=label, role=role, points=column("point"), lows=column("low"), highs=column("high"), style=style)


def _age_finding(condition: str, men: Series, women: Series, labels: Sequence[str]) -> str:
    both = [i for i in range(len(labels)) if math.isfinite(men.points[i]) and math.isfinite(women.points[i])]
    if not both:
        return f"{sentence_case(condition)}: no age band with a number for both sexes"
    last = both[-1]
    first = both[0]
    ends = [quantity("prevalence", line.points[index]) for line in (men, women) for index in (first, last)]
    if first == last:
        return f"{sentence_case(condition)}, age {labels[first]}: {ends[0]} of men, {ends[2]} of women"
    return (
        f"{sentence_case(condition)}, from age {labels[first]} to {labels[last]}: "
        f"{ends[0]} to {ends[1]} of men, {ends[2]} to {ends[3]} of women"
    )


def audit_figures(audit: Rows, group: str = "age_band") -> tuple[Drawn, ...]:
    """Draw how often the model is right by age: among men and women, as AUC, and as bias of the male share.

    Examples
    --------
    >>> audit_figures(Rows(()))
    ()
    """
    rows = audit.where(group=group)
    labels = sorted(map(str, rows.values("level_name")), key=age_order)
    if not labels:
        return ()
    men, women, auc, bias = (
        [rows.first(metric=metric, level_name=label) for label in labels]
        for metric in ("correct_among_men", "correct_among_women", "auc", "predicted_minus_observed_male_share")
    )
    panels = [
        ("correct", "correct_among_men", "Correct, %", 0.5, [("Men", "male", men), ("Women", "female", women)]),
        ("auc", "auc", "Area under the ROC curve", 0.5, [("", "ink", auc)]),
        ("bias", "predicted_minus_observed_male_share", "Predicted minus observed male share, points", 0.0, [("", "ink", bias)]),
    ]  # fmt: skip
    titles = (_correct_finding(labels, men, women), _auc_finding(labels, auc), _bias_finding(labels, bias))
    drawn = []
    for (name, measure, axis, reference, lines), title in zip(panels, titles, strict=True):
        series = [_series(label, role, found, "bars") for label, role, found in lines]
        words = [
            f"{label} {age} {' '.join(printed(row, measure))}".strip()
            for label, _, found in lines
            for age, row in zip(labels, found, strict=True)
        ]
        absent = [
            f"{label.lower()} {age} ({printed(row, measure)[0]})".strip()
            for label, _, found in lines
            for age, row in zip(labels, found, strict=True)
            if not has_number(row)
        ]
        svg = band_chart(
            labels, series, name=f"audit-{name}", measure=measure, axis=axis, title=title,
            description="; ".join(words), reference=reference,
        )  # fmt: skip
        if svg:
            drawn.append(Drawn(title=title, svg=svg, not_drawn=", ".join(absent)))
    return tuple(drawn)


def _extremes(
    labels: Sequence[str], rows: Sequence[Mapping[str, Any] | None]
) -> tuple[tuple[str, float], tuple[str, float]] | None:  # fmt: skip
    shown = [(label, float(row["point"])) for label, row in zip(labels, rows, strict=True) if row and has_number(row)]
    return (min(shown, key=lambda pair: pair[1]), max(shown, key=lambda pair: pair[1])) if shown else None


def _correct_finding(labels: Sequence[str], men: Sequence[Any], women: Sequence[Any]) -> str:
    parts = []
    for name, rows in (("men", men), ("women", women)):
        ends = _extremes(labels, rows)
        if ends is not None:
            lowest, highest = ends
            parts.append(
                f"{quantity('accuracy', lowest[1])} ({lowest[0]}) to {quantity('accuracy', highest[1])} ({highest[0]})"
                f" of {name}"
            )
    return f"Correct: {'; '.join(parts)}" if parts else "Correct: no number can be shown"


def _auc_finding(labels: Sequence[str], rows: Sequence[Any]) -> str:
    ends = _extremes(labels, rows)
    if ends is None:
        return "AUC: no number can be shown"
    (worst, low), (best, high) = ends
    return f"AUC: lowest at {worst} ({quantity('auc', low)}), highest at {best} ({quantity('auc', high)})"


def _bias_finding(labels: Sequence[str], rows: Sequence[Any]) -> str:
    ends = _extremes(labels, rows)
    if ends is None:
        return "Male share: no number can be shown"
    measure = "predicted_minus_observed_male_share"
    (low_age, low), (high_age, high) = ends
    return (
        f"Male share, predicted minus observed: {quantity(measure, low)} at {low_age}, "
        f"{quantity(measure, high)} at {high_age}"
    )
