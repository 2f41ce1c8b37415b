"""Write the released tables beside the page: CSV for people and programs, JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd

from sexstrat.reporting.csv_text import csv_text
from sexstrat.reporting.estimates_tables import COMPARED
from sexstrat.reporting.forest import line_label
from sexstrat.reporting.gate import must_be_released
from sexstrat.reporting.rows import Rows, age_label, printed
from sexstrat.reporting.texts import SEXES, STANDARDS, sentence_case
from sexstrat.scores.replacing import replace_file
from sexstrat.values.tables import table_schema

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["CONTRACTS", "estimates_table", "write_tables"]

RESULTS_VERSION = 1
CONTRACTS = {
    "estimates": "estimate",
    "audit": "audit",
    "gaps": "gap",
    "flow": "flow",
    "diagnostics": "diagnostic",
    "sensitivity": "sensitivity",
    "imputation": "imputation",
    "age_curves": "age_curve",
    "age_trends": "age_trend",
    "missingness": "missingness",
    "consequences": "consequence",
    "group_tests": "audit_test",
    "shrunken": "audit_shrunken",
    "parity": "audit_parity",
    "rules": "audit_rule",
}


def write_tables(released: Released, folder: str | Path) -> tuple[Path, ...]:
    """Write a CSV for each released table (``estimates.csv``, ``diagnostics.csv``, ...) and ``results.json``.

    Every row says in ``value_state`` what its first number is: ``shown``, ``zero``, ``suppressed``, ``missing`` or
    ``undefined``; an empty cell alone never has to be interpreted.

    Parameters
    ----------
    released : what the disclosure gate let through.
    folder : where to write; made when it is not there.

    Returns
    -------
    The files written, in this order.

    Raises
    ------
    DisclosureError : the results did not pass the disclosure gate.
    """
    must_be_released(released)
    target = Path(folder)
    written, tables = [], {}
    for name, contract in CONTRACTS.items():
        rows = _with_state(Rows.of(getattr(released, name), contract), contract)
        columns = [*table_schema(contract).columns, "withheld", "value_state"]
        text = csv_text(rows) or ",".join(columns) + "\n"
        written.append(_write(target / f"{name}.csv", text))
        tables[name] = {"contract": contract, "schema_version": table_schema(contract).version, "rows": rows}
    document = {"schema_version": RESULTS_VERSION, "title": released.title, "notices": released.notices}
    document |= {"tables": tables, "choices": released.choices}
    document["disclosure"] = {
        "profile": released.profile.name,
        "reason": released.reason,
        "suppressed_rows": released.suppressed_counts,
        "protection": released.protection,
        "left_out": released.left_out,
    }
    document |= {"settings": released.settings, "provenance": released.provenance, "model_card": released.model_card}
    text = json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1)
    return (*written, _write(target / "results.json", text + "\n"))


def _write(path: Path, text: str) -> Path:
    replace_file(path, lambda target: target.write_text(text, encoding="utf-8", newline="\n"))
    return path


def _with_state(rows: Rows, contract: str) -> list[dict[str, Any]]:
    from sexstrat.disclosure import cell_state

    column = "n_patients" if contract == "flow" else "point"
    return [{**row, "value_state": str(cell_state(row, _first_number(row, contract, column)))} for row in rows.rows]


def _first_number(row: Mapping[str, Any], contract: str, column: str) -> str:
    """Return the column whose state is told: a test that estimates nothing has its p value in place of a point."""
    is_test = contract == "age_trend" and row["quantity"] != "crossing_age" and row[column] is None
    return "p_value" if is_test else column


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: paths as file names, infinity as a word, no number as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    item = value.item() if hasattr(value, "item") else value
    if isinstance(item, float) and not math.isfinite(item):
        return None if math.isnan(item) else ("infinity" if item > 0 else "-infinity")
    return item if item is None or isinstance(item, (str, int, float, bool)) else str(item)


def estimates_table(released: Released) -> pd.DataFrame:
    """Return the estimates as people read them: one row an estimator, texts instead of numbers.

    Parameters
    ----------
    released : what the disclosure gate let through.

    Returns
    -------
    Columns condition, age, standard, estimator, men, women, ratio, difference; each estimate with its interval, or the
    word that says why there is none.

    Raises
    ------
    DisclosureError : the results did not pass the disclosure gate.
    """
    must_be_released(released)
    rows = Rows.of(released.estimates, "estimate")
    keys = ("condition", "age_low", "age_high", "standard", "estimator")
    combinations = dict.fromkeys(tuple(row[key] for key in keys) for row in rows.rows if row["measure"] in COMPARED)
    lines = []
    for values in combinations:
        here = rows.where(**dict(zip(keys, values, strict=True)))
        condition, low, high, standard, estimator = values
        line = {"condition": sentence_case(str(condition)), "age": age_label(low, high)}
        line |= {"standard": STANDARDS.get(str(standard), str(standard)), "estimator": line_label(str(estimator))}
        for sex, label in SEXES.items():
            line[label.lower()] = _text(here.first(measure="prevalence", sex=sex), "prevalence")
        line["ratio"] = _text(here.first(measure="prevalence_ratio"), "prevalence_ratio")
        line["difference"] = _text(here.first(measure="prevalence_difference"), "prevalence_difference")
        lines.append(line)
    columns = ["condition", "age", "standard", "estimator", "men", "women", "ratio", "difference"]
    return pd.DataFrame(lines, columns=columns)


def _text(row: Mapping[str, Any] | None, measure: str) -> str:
    return "" if row is None else " ".join(printed(row, measure)).strip()
