"""The performance rows of a model card as one table: who down, what across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sexstrat.reporting.number_format import count, is_number
from sexstrat.reporting.rows import age_order
from sexstrat.reporting.table_view import Cell, Group, TableView, estimate_cell, table_view
from sexstrat.reporting.texts import METRICS, sentence_case

__all__ = ["card_performance"]

_NEEDED = frozenset({"metric", "group", "level", "point"})


def card_performance(rows: Any) -> TableView | None:
    """Return the performance of a model as a table, or None when the card holds it in another form.

    Parameters
    ----------
    rows : mappings with data, unit, group, level, metric, point, low, high and n_patients.

    Examples
    --------
    >>> row = {
    ...     "data": "test part",
    ...     "unit": "patient",
    ...     "group": "overall",
    ...     "level": "all",
    ...     "metric": "auc",
    ...     "point": 0.7,
    ...     "low": 0.65,
    ...     "high": 0.75,
    ...     "n_patients": 563,
    ... }
    >>> table = card_performance([row])
    >>> table.columns, table.groups[0].heading, table.groups[0].rows[0][2].text
    (('', 'Patients', 'Area under the ROC curve'), 'Test part, by patient', '0.700')
    >>> card_performance({"auc": 0.7}) is None
    True
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        return None
    if not all(isinstance(row, Mapping) and set(row) >= _NEEDED for row in rows):
        return None
    metrics = list(dict.fromkeys(str(row["metric"]) for row in rows))
    parts = dict.fromkeys((str(row.get("data", "")), str(row.get("unit", ""))) for row in rows)
    groups = []
    for data, unit in parts:
        mine = [row for row in rows if (str(row.get("data", "")), str(row.get("unit", ""))) == (data, unit)]
        heading = sentence_case(data) + (f", by {unit}" if unit else "")
        groups.append(Group(heading=heading, rows=tuple(_lines(mine, metrics))))
    columns = ["", "Patients", *(METRICS.get(name, sentence_case(name)) for name in metrics)]
    return table_view("Performance of the model where sex is recorded", columns, groups, file="model-performance.csv",
                      rows=rows)  # fmt: skip


def _lines(rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> list[tuple[Cell, ...]]:
    order = {name: place for place, name in enumerate(dict.fromkeys(str(row["group"]) for row in rows))}
    keys = dict.fromkeys((str(row["group"]), str(row["level"])) for row in rows)
    lines = []
    for group, level in sorted(keys, key=lambda key: (order[key[0]], age_order(key[1]))):
        here = {str(row["metric"]): row for row in rows if (str(row["group"]), str(row["level"])) == (group, level)}
        people = [float(row["n_patients"]) for row in here.values() if is_number(row.get("n_patients"))]
        patients = count(max(people)) if people else "missing"
        cells = [_cell(here.get(name), name) for name in metrics]
        lines.append((Cell(text=_who(group, level), kind="head"), Cell(text=patients), *cells))
    return lines


def _who(group: str, level: str) -> str:
    if group == "overall":
        return "All"
    if group == "age_band":
        return "Age " + level.replace("-", "\N{EN DASH}")
    return f"{sentence_case(group)}: {level.replace('_', ' ')}"


def _cell(row: Mapping[str, Any] | None, metric: str) -> Cell:
    if row is None:
        return Cell(text="\N{EM DASH}", kind="word")
    state = str(row.get("state") or "measured")
    return estimate_cell({"low": None, "high": None, **row, "state": state}, metric)
