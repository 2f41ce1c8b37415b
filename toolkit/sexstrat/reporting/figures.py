"""The figures of the page: each takes released rows and returns SVG with a title that states what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.absent import absent_words
from sexstrat.reporting.band_chart import Series, band_chart
from sexstrat.reporting.forest import ForestRow, forest_plot, line_label
from sexstrat.reporting.headline import NAIVE, Headline
from sexstrat.reporting.number_format import is_number, quantity
from sexstrat.reporting.rows import Rows, age_label, has_number, printed
from sexstrat.reporting.texts import SEXES, sentence_case

__all__ = ["Drawn", "forest_figure", "prevalence_figures", "series"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure ready for the page.

    Parameters
    ----------
    title : one sentence that states the finding.
    svg : the figure, or empty text when there was nothing to draw.
    words : the figure told in words, for people who do not see it.
    narrow : another drawing of it for narrow windows, or empty text when ``svg`` serves both.
    not_drawn : what has no number, and why, in words.
    """

    title: str
    svg: str
    words: str = ""
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
        words=words,
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
    kinds = " or ".join(dict.fromkeys(lead.kind for lead in leads))
    if judged:
        right = sum(bool(lead.covers_truth) for lead in judged)
        naive = [lead for lead in judged if lead.naive_covers_truth is not None]
        also = sum(bool(lead.naive_covers_truth) for lead in naive)
        if len(judged) == 1:
            hit = {True: "holds", False: "misses"}
            text = f"The {judged[0].kind} interval {hit[bool(right)]} the truth"
            return text + (f"; the naive one {hit[bool(also)]} it" if naive else "")
        text = f"{kinds.capitalize()} intervals hold the truth for {right} of {len(judged)} conditions"
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


def prevalence_figures(estimates: Rows, lead: Headline, name: str) -> tuple[Drawn, ...]:
    """Draw the prevalence of one condition by age and sex: corrected, and from predicted sex beside it.

    Truth, where it is known, is a bar in both, and both have the same scale.

    Parameters
    ----------
    estimates : released rows.
    lead : the condition and its estimator.
    name : unique in the page.

    Returns
    -------
    One figure, or two when there are naive estimates by age; none when no band has a number.

    Examples
    --------
    >>> prevalence_figures(Rows(()), Headline(condition="a", standard="crude", estimator="E1"), "p")
    ()
    """
    rows = estimates.where(measure="prevalence", condition=lead.condition)
    bands = rows.bands()
    corrected = {sex: [_band_row(rows, lead, sex, index, band) for index, band in enumerate(bands)] for sex in SEXES}
    naive = {sex: _banded(rows, bands, sex=sex, estimator="naive_threshold") for sex in SEXES}
    truth = {sex: _banded(rows, bands, sex=sex, state="truth") for sex in SEXES}
    labels = [age_label(*band) for band in bands]
    men, women = (series(SEXES[sex], sex, corrected[sex]) for sex in SEXES)
    name_of = sentence_case(lead.condition)
    panels = [(corrected, "", _age_finding(name_of, men, women, labels))]
    if any(has_number(row) for found in naive.values() for row in found):
        men, women = (series("", sex, naive[sex]) for sex in SEXES)
        panels.append((naive, "-naive", _age_finding(f"{name_of} by predicted sex (naive)", men, women, labels)))
    marks = _truth_bars(truth)
    lines = [[*(series(SEXES[sex], sex, panel[sex]) for sex in SEXES), *marks] for panel, _, _ in panels]
    top = max(
        (v for some in lines for line in some for v in (*line.points, *line.highs) if math.isfinite(v)), default=0
    )
    drawn = []
    for (panel, suffix, title), some in zip(panels, lines, strict=True):
        if not any(has_number(row) for rows_of_sex in panel.values() for row in rows_of_sex):
            continue  # truth alone would look like a result; the table says why there is none
        words = _words(panel, labels)
        svg = band_chart(
            labels, some, name=name + suffix, measure="prevalence", axis="Prevalence, %", title=title,
            description=words, top=top,
        )  # fmt: skip
        absent = _absent(panel, labels)
        drawn += [Drawn(title=title, svg=svg, words=words, not_drawn=absent)] if svg else []
    return tuple(drawn)


def _band_row(
    rows: Rows, lead: Headline, sex: str, index: int, band: tuple[int | None, int | None]
) -> Mapping[str, Any] | None:
    return rows.first(estimator=lead.band_estimator(index), sex=sex, age_low=band[0], age_high=band[1])


def _banded(
    rows: Rows, bands: Sequence[tuple[int | None, int | None]], **wanted: str
) -> list[Mapping[str, Any] | None]:
    return [rows.first(age_low=low, age_high=high, **wanted) for low, high in bands]


def _truth_bars(truth: Mapping[str, Sequence[Mapping[str, Any] | None]]) -> list[Series]:
    if not any(has_number(row) for rows in truth.values() for row in rows):
        return []
    bars = [series("Truth", sex, rows, "mark") for sex, rows in truth.items()]
    return [bars[0], *(Series(label="", role=bar.role, points=bar.points, style="mark") for bar in bars[1:])]


def _words(panel: Mapping[str, Sequence[Mapping[str, Any] | None]], labels: Sequence[str]) -> str:
    """Tell the figure in words, for people who do not see it."""
    return ". ".join(
        f"{SEXES[sex]}: "
        + "; ".join(
            f"{label} {' '.join(printed(row, 'prevalence')).strip()}" for label, row in zip(labels, rows, strict=True)
        )
        for sex, rows in panel.items()
    )


def _absent(panel: Mapping[str, Sequence[Mapping[str, Any] | None]], labels: Sequence[str]) -> str:
    """Name what has no number, and why."""
    return absent_words(
        (SEXES[sex].lower(), label, printed(row, "prevalence")[0])
        for sex, rows in panel.items()
        for label, row in zip(labels, rows, strict=True)
        if not has_number(row)
    )


def series(label: str, role: str, rows: Sequence[Mapping[str, Any] | None], style: str = "band") -> Series:
    """Return released rows as one series of a band chart; rows without a number are gaps.

    Examples
    --------
    >>> series("Men", "male", [{"point": 0.1, "low": None, "high": None, "state": "naive"}, None]).points
    (0.1, nan)
    """

    def column(name: str) -> tuple[float, ...]:
        return tuple(
            float(row[name]) if row is not None and has_number(row) and is_number(row[name]) else math.nan
            for row in rows
        )  # fmt: skip

    return Series(label=label, role=role, points=column("point"), lows=column("low"), highs=column("high"), style=style)


def _age_finding(condition: str, men: Series, women: Series, labels: Sequence[str]) -> str:
    both = [i for i in range(len(labels)) if math.isfinite(men.points[i]) and math.isfinite(women.points[i])]
    if not both:
        return f"{condition}: no age band with a number for both sexes"
    last = both[-1]
    first = both[0]
    ends = [quantity("prevalence", line.points[index]) for line in (men, women) for index in (first, last)]
    if first == last:
        return f"{condition}, age {labels[first]}: {ends[0]} of men, {ends[2]} of women"
    return (
        f"{condition}, from age {labels[first]} to {labels[last]}: "
        f"{ends[0]} to {ends[1]} of men, {ends[2]} to {ends[3]} of women"
    )
