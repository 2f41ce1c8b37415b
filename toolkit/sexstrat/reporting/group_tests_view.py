"""What the audit tests between groups and what its declared rules say, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.table_view import Cell, Group, TableView, estimate_cell, table_view
from sexstrat.reporting.texts import METRICS, STATE_WORDS, sentence_case

__all__ = ["group_test_table", "rule_table"]

TESTS: Mapping[str, str] = {
    "permutation": "Permutation of patients",
    "wald": "Wald, patients as clusters",
    "cochran_q": "Spread between groups (Cochran's Q)",
    "mcnemar": "Eyes of the same patients (McNemar, exact)",
    "eye_odds_ratio": "Odds ratio, right eye to left, patients as clusters",
    "eye_agreement": "Agreement of the two eyes beyond chance (kappa)",
}
_TEST_NOTE = (
    "Each test asks whether the groups, or the two eyes, are all alike. A large p value does not show that they are. "
    "Adjusted: for the "
    "declared family of tests, whose size stands beside it."
)
_RULE_NOTE = "Cannot tell: the interval holds values that keep the rule and values that break it. It is not a pass."


def rule_table(rules: Rows) -> TableView | None:
    """Return each declared rule with what the data say about it, or None where no rule was declared.

    Parameters
    ----------
    rules : released rows.

    Examples
    --------
    >>> rule_table(Rows(())) is None
    True
    """
    if not rules.rows:
        return None
    lines = tuple(
        (
            Cell(text=str(row["rule"]), note=str(row["name"] or ""), kind="head"),
            Cell(text=str(row["outcome"] or STATE_WORDS["suppressed"]), kind="text"),
            estimate_cell(row, _measure(row)),
            Cell(text=str(row["note"] or ""), kind="text"),
        )
        for row in rules.rows
    )
    columns = ("Rule", "Outcome", "Found", "Why")
    return table_view(
        "Declared rules", columns, [Group(heading="", rows=lines)], note=_RULE_NOTE, file="audit-rules.csv",
        rows=rules.rows,
    )  # fmt: skip


def _measure(row: Mapping[str, Any]) -> str:
    """Print a difference of shares in points, a ratio as a ratio, and a metric as itself."""
    comparison = str(row["comparison"])
    if comparison == "ratio_at_least":
        return "statistic"
    return str(row["metric"]) if comparison in {"at_least", "at_most"} else "band_trend"


def group_test_table(tests: Rows) -> TableView | None:
    """Return the tests that groups are alike, or None where none was made.

    Parameters
    ----------
    tests : released rows.

    Examples
    --------
    >>> group_test_table(Rows(())) is None
    True
    """
    if not tests.rows:
        return None
    groups = []
    for name in map(str, tests.values("group")):
        rows = tests.where(group=name).rows
        heading = "Age" if name == "age_band" else sentence_case(name)
        groups.append(Group(heading=heading, rows=tuple(_line(row) for row in rows)))
    columns = ("Metric", "Test", "Found", "p value", "Adjusted", "Tests in the family")
    return table_view(
        "Are the groups alike?", columns, groups, note=_TEST_NOTE, file="audit-tests.csv", rows=tests.rows
    )  # fmt: skip


def _line(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    metric, test = str(row["metric"]), str(row["test"])
    head = Cell(text=METRICS.get(metric, sentence_case(metric)), kind="head")
    word = STATE_WORDS.get(str(row["state"]), "")
    found = estimate_cell(row, "statistic") if is_number(row["point"]) else Cell(text="")
    cells = [found, *(_p(row[name], word) for name in ("p_value", "p_adjusted"))]
    size = Cell(text=f"{int(row['family_size'])}" if is_number(row["family_size"]) else "")
    return head, Cell(text=TESTS.get(test, test), kind="text"), *cells, size


def _p(value: Any, word: str) -> Cell:
    if not is_number(value):
        return Cell(text=word, kind="word" if word else "number")
    return Cell(text="< 0.001" if float(value) < 0.001 else f"{float(value):.3f}")
