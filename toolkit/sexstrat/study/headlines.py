"""What a terminal shows first: for each condition the ratio the page leads with, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.headline import NAIVE, Headline, headlines
from sexstrat.reporting.rows import Rows, printed
from sexstrat.reporting.texts import ESTIMATORS, STANDARDS, sentence_case
from sexstrat.values.tables import table_schema

__all__ = ["Headlines", "headline_tables"]

_KINDS = {"model_based": "model-based", "truth": "hidden from the analysis", "assumption": "assumption-based"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlines:
    """The ratios of one condition.

    Parameters
    ----------
    title : condition and measure.
    scale : standard population, or that there is none.
    rows : estimator (the leading one marked with ``*``), estimate with its interval, and of what kind it is.
    """

    title: str
    scale: str
    rows: tuple[tuple[str, str, str], ...]


def headline_tables(document: Mapping[str, Any]) -> tuple[Headlines, ...]:
    """Return the prevalence ratios as the page leads with them: same standard, same estimator, same numbers.

    Parameters
    ----------
    document : the released results as written to ``tables/results.json``.

    Returns
    -------
    One table a condition, in the order of the study's choices.

    Examples
    --------
    >>> row = dict(measure="prevalence_ratio", estimator="E1", condition="d", standard="crude", state="corrected")
    >>> row |= dict(point=1.4, low=1.2, high=1.6)
    >>> document = {"tables": {"estimates": {"rows": [row]}}, "choices": [{"condition": "d", "estimator": "E1"}]}
    >>> headline_tables(document)[0].rows
    (('* Doubly robust (E1)', '1.40 (1.20 to 1.60)', 'corrected'),)
    """
    columns = table_schema("estimate").columns
    rows = tuple({**dict.fromkeys(columns), **row} for row in document["tables"]["estimates"]["rows"])
    return tuple(_table(Rows(rows), lead) for lead in headlines(Rows(rows), document["choices"]))


def _table(estimates: Rows, lead: Headline) -> Headlines:
    ratios = estimates.where(
        measure="prevalence_ratio", condition=lead.condition, standard=lead.standard, age_low=None, age_high=None
    )
    truth = [str(row["estimator"]) for row in ratios.where(state="truth").rows]
    names = [name for name in (lead.estimator, *lead.also, *NAIVE, *truth) if name is not None]
    lines = []
    for name in dict.fromkeys(names):
        row = ratios.first(estimator=name)
        if row is not None:
            mark = "*" if name == lead.estimator else " "
            kind = _KINDS.get(str(row["state"]), str(row["state"]))
            lines.append(
                (f"{mark} {ESTIMATORS.get(name, name)}", " ".join(printed(row, "prevalence_ratio")).strip(), kind)
            )
    standard = STANDARDS.get(lead.standard, lead.standard)
    scale = "not standardised for age" if lead.standard == "crude" else f"age-standardised to the {standard}"
    return Headlines(
        title=f"{sentence_case(lead.condition)}: prevalence ratio, men to women", scale=scale, rows=tuple(lines)
    )
