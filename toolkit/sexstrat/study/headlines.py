"""Pick the released rows that a terminal shows first: truth, corrected and naive, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["headline_rows"]

_NAMES = {
    "truth": "truth (hidden from the analysis)",
    "recorded": "recorded sex",
    "E1": "E1 doubly robust",
    "E2": "E2 multiple imputation",
    "naive_threshold": "naive: predicted sex as if it were recorded",
    "naive_weighted": "naive: weighted by the score",
    "complete_case": "complete cases only",
}


def headline_rows(document: Mapping[str, Any]) -> list[list[str]]:
    """Return the crude prevalence ratios as rows of text.

    Parameters
    ----------
    document : the released results as written to ``tables/results.json``.

    Returns
    -------
    Rows of condition, estimate, ratio with interval, state; the headline estimator is marked with ``*``.

    Examples
    --------
    >>> row = dict(
    ...     measure="prevalence_ratio",
    ...     estimator="E1",
    ...     condition="d",
    ...     age_low=None,
    ...     age_high=None,
    ...     standard="crude",
    ...     point=1.4,
    ...     low=1.2,
    ...     high=1.6,
    ...     state="corrected",
    ... )
    >>> headline_rows({"tables": {"estimates": {"rows": [row]}}, "choices": [{"condition": "d", "estimator": "E1"}]})
    [['d', '* E1 doubly robust', '1.40 (1.20 to 1.60)', 'corrected']]
    """
    headline = {choice["condition"]: choice["estimator"] for choice in document["choices"]}
    rows = []
    for condition, chosen in headline.items():
        for name, label in _NAMES.items():
            for row in document["tables"]["estimates"]["rows"]:
                if _is_crude_ratio(row) and row["condition"] == condition and row["estimator"] == name:
                    mark = "* " if chosen == name else "  "
                    rows.append([condition, mark + label, _interval(row), row["state"]])
    return rows


def _is_crude_ratio(row: Mapping[str, Any]) -> bool:
    whole = row["age_low"] is None and row["age_high"] is None
    return bool(row["measure"] == "prevalence_ratio" and row["standard"] == "crude" and whole)


def _interval(row: Mapping[str, Any]) -> str:
    numbers: Sequence[float | None] = [row["point"], row["low"], row["high"]]
    if numbers[0] is None:
        return "not shown"
    if numbers[1] is None or numbers[2] is None:
        return f"{numbers[0]:.2f}"
    return f"{numbers[0]:.2f} ({numbers[1]:.2f} to {numbers[2]:.2f})"
