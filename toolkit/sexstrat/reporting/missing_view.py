"""Photographs without a score: for whom, and what they could do to the audit, as two tables."""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.rows import Rows, age_order
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, estimate_cell, table_view
from sexstrat.reporting.texts import METRICS, sentence_case

__all__ = ["absence_table", "bounds_table"]

KINDS: Mapping[str, str] = {
    "without_score": "Without a score",
    "ungradable": "Photograph ungradable",
    "refused": "File refused",
}
METHODS: Mapping[str, str] = {
    "scored_only": "With a score only",
    "all_wrong": "The others all wrong",
    "all_right": "The others all right",
    "weighted": "Weighted to all",
}
_SHARES = "ungradable"  # printed like this metric: shares
_NOTE = (
    "Whatever the missing scores would have been, the share among all lies between the two bounds. Weighted: by one "
    "over the estimated probability of having a score, which helps only if, at the same age, sex and disease, a "
    "photograph without a score would have been called rightly as often as one with it."
)


def absence_table(missingness: Rows) -> TableView | None:
    """Return the share of photographs without a score by group, or None where it was not measured.

    Parameters
    ----------
    missingness : released rows.

    Examples
    --------
    >>> absence_table(Rows(())) is None
    True
    """
    rows = missingness.where(method="share")
    if not rows.rows:
        return None
    groups = []
    for group in map(str, rows.values("group")):
        levels = sorted(map(str, rows.where(group=group).values("level_name")), key=age_order)
        lines = tuple(_absent(rows.where(group=group, level_name=level), group, level) for level in levels)
        heading = {"overall": "", "age_band": "Age", "recorded_sex": "Recorded sex"}.get(group, sentence_case(group))
        groups.append(Group(heading=heading, rows=lines))
    columns = ("", "Patients", "Photographs", *KINDS.values())
    return table_view(
        "Photographs without a score", columns, groups, file="photographs-without-a-score.csv", rows=rows.rows
    )  # fmt: skip


def _absent(rows: Rows, group: str, level: str) -> tuple[Cell, ...]:
    known = rows.first(quantity="without_score")
    return (
        Cell(text=_label(group, level), kind="head"),
        count_cell(known, "n_patients"),
        count_cell(known, "n_images"),
        *(estimate_cell(rows.first(quantity=kind), _SHARES) for kind in KINDS),
    )


def _label(group: str, level: str) -> str:
    if group == "overall":
        return "All"
    return level.replace("-", "\N{EN DASH}") if group == "age_band" else sentence_case(level)


def bounds_table(missingness: Rows) -> TableView | None:
    """Return each metric with its bounds and weighted, overall and by age; None where every photograph has a score.

    Parameters
    ----------
    missingness : released rows.

    Examples
    --------
    >>> bounds_table(Rows(())) is None
    True
    """
    without = missingness.first(quantity="without_score", group="overall")
    if without is None or (is_number(without["point"]) and float(without["point"]) == 0):
        return None
    groups = []
    for metric in ("correct_among_men", "correct_among_women", "accuracy"):
        rows = missingness.where(quantity=metric)
        places = list(dict.fromkeys((str(row["group"]), str(row["level_name"])) for row in rows.rows))
        lines = tuple(
            (Cell(text=_label(*place), kind="head"),
             *(estimate_cell(rows.first(method=method, group=place[0], level_name=place[1]), metric)
               for method in METHODS))
            for place in places
        )  # fmt: skip
        groups.append(Group(heading=METRICS[metric], rows=lines))
    bounded = tuple(row for row in missingness.rows if row["method"] != "share")
    weighted = missingness.first(method="weighted", quantity="accuracy", group="overall")
    said = str((weighted or {}).get("note") or "")
    note = f"{_NOTE} {said[:1].upper()}{said[1:]}.".strip(" .") + "." if said else _NOTE
    columns = ("Age", *METHODS.values())
    return table_view(
        "What photographs without a score could do", columns, groups, note=note, file="missing-scores.csv",
        rows=bounded,
    )  # fmt: skip
