"""Rows of the ``sensitivity`` contract: what answers become under errors that the data cannot check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from sexstrat.estimates.sensitivity.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.sensitivity.noisy_recorded_sex import NoisyRecordedSex
from sexstrat.estimates.sensitivity.tipping_point import TippingPoint
from sexstrat.estimates.what_if import WhatIf
from sexstrat.values.tables import table_schema

__all__ = ["sensitivity_frame", "typed_frame"]

RATIO = "prevalence_ratio"
UNKNOWN_BANDS = "at this shift the share of men is not known in age bands that hold more than 5 % of the weight"

Row = dict[str, Any]


def typed_frame(rows: Sequence[Row], table: str) -> pd.DataFrame:
    """Return rows as a table in the columns and types of a contract; what a row lacks is empty.

    Parameters
    ----------
    rows : one mapping a row.
    table : name of the contract.

    Examples
    --------
    >>> frame = typed_frame([{"condition": "d", "n_patients": 3}], "imputation")
    >>> str(frame["n_patients"].dtype), str(frame["point"].dtype)
    ('Int64', 'float64')
    """
    fields = table_schema(table).fields
    frame = pd.DataFrame(list(rows), columns=[field.name for field in fields])
    kinds = {"integer": "Int64", "number": "float64", "string": "object"}
    frame = frame.astype({field.name: kinds[field.type] for field in fields})
    texts = [field.name for field in fields if field.type == "string"]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame


def _of_bias(bias: BiasAnalysis, base: Row, scenario: str) -> Iterator[Row]:
    """Yield each contrast with and without random error."""
    for measure in bias.measures:
        row = measure.row()
        fixed = {key: row[key] for key in ("measure", "age_low", "age_high", "standard", "level", "note")}
        fixed |= {key: row[key] for key in ("n_patients", "n_diseased", "state", "share_impossible", "draws")}
        common = {**base, **fixed, "analysis": "bias_analysis", "scenario": scenario, "estimator": "matrix_method"}
        common["n_validated"] = None
        parts = {"estimate": ("median", "low", "high")}
        if row["state"] == "bias_analysis":
            parts["systematic"] = ("systematic_median", "systematic_low", "systematic_high")
        for statistic, names in parts.items():
            numbers = zip(("point", "low", "high"), (row.get(name) for name in names), strict=True)
            yield {**common, "statistic": statistic, **dict(numbers)}


def _is_told(row: Row) -> bool:
    """Tell whether a ratio along a shift is one that the shift implies, in every age band that counts."""
    return pd.notna(row["point"]) and row["state"] in {"bias_analysis", "assumption"}


def _step(curve: list[Row]) -> float:
    return float(curve[1]["shift"] - curve[0]["shift"])


def _of_tipping(found: TippingPoint, base: Row) -> Iterator[Row]:
    """Yield the curve, and the shift at which the conclusion changes."""
    about_score = found.estimator.startswith("shifted_")
    analysis = "shift_of_score" if about_score else "shift_of_recording"
    analysis = "shift_between_cohorts" if found.estimator == "E5" else analysis
    common = {**base, "analysis": analysis, "scenario": found.pattern, "estimator": found.estimator}
    common |= {"standard": found.standard, "level": found.level}
    curve: list[Row] = [{str(key): row[key] for key in row} for row in found.to_frame().to_dict("records")]
    for row in curve:
        state, note = "bias_analysis", row["note"]
        numbers = {name: row[name] if pd.notna(row[name]) else None for name in ("point", "low", "high")}
        if not _is_told(row):
            state = "undefined" if row["state"] in {None, "undefined"} else "refused"
            note = note if row["state"] in {"refused", "undefined"} else UNKNOWN_BANDS
            numbers = {}
        yield {**common, "statistic": "estimate", "value": row["shift"], "measure": RATIO, **numbers,
               "state": state, "note": note}  # fmt: skip
    state = found.state if found.state == "refused" else "bias_analysis" if found.tipping is not None else "undefined"
    near = [row for row in curve if found.tipping is not None and abs(row["shift"] - found.tipping) < _step(curve)]
    if not all(_is_told(row) for row in near):
        yield {**common, "statistic": "tipping", "measure": "tipping_value", "state": "undefined",
               "note": UNKNOWN_BANDS}  # fmt: skip
        return
    yield {**common, "statistic": "tipping", "measure": "tipping_value", "point": found.tipping, "state": state,
           "note": found.statement}  # fmt: skip


def _of_noisy(found: NoisyRecordedSex, base: Row, stated: float | None) -> Iterator[Row]:
    """Yield the ratio along the rates, every measure at the stated one, and the rate that changes the conclusion."""
    common = {**base, "analysis": "error_of_recorded_sex", "scenario": found.whose, "level": found.level}
    for rate, rows in zip(found.rates, found.rows, strict=True):
        for row in rows:
            if row["measure"] != RATIO and rate != stated:
                continue
            keys = ("measure", "sex", "estimator", "standard", "point", "low", "high", "note")
            state = "bias_analysis" if row.get("point") is not None else row["state"]
            state = state if state in {"bias_analysis", "undefined"} else "refused"
            note = "the stated error rate" if rate == stated else None
            note = "; ".join(part for part in (note, row.get("note")) if part) or None
            yield {**common, **{key: row.get(key) for key in keys}, "statistic": "estimate", "value": rate,
                   "state": state, "note": note}  # fmt: skip
    first = found.rows[0][0]
    state = found.state if found.state == "refused" else "bias_analysis" if found.tipping is not None else "undefined"
    yield {**common, "statistic": "tipping", "measure": "tipping_value", "point": found.tipping, "state": state,
           "estimator": first["estimator"], "standard": first["standard"], "note": found.statement}  # fmt: skip


def _rows(one: WhatIf) -> Iterator[Row]:
    base: Row = {
        "condition": one.condition,
        "n_patients": one.n_patients,
        "n_diseased": one.n_diseased,
        "n_validated": one.n_validated,
    }
    if one.bias is not None:
        yield from _of_bias(one.bias, base, one.beliefs_of)
    elif one.no_bias:
        yield {**base, "analysis": "bias_analysis", "scenario": "nothing stated", "statistic": "estimate",
               "measure": RATIO, "estimator": "matrix_method", "standard": "crude", "state": "missing",
               "note": one.no_bias}  # fmt: skip
    for found in one.tipping:
        yield from _of_tipping(found, base)
    if one.noisy is not None:
        yield from _of_noisy(one.noisy, base, one.recorded_sex_error)
    for standard, value in one.e_values:
        common = {**base, "analysis": "e_value", "scenario": "confounding", "measure": "e_value"}
        common |= {"estimator": one.estimator, "standard": standard, "state": "companion", "note": value.why}
        yield {**common, "statistic": "estimate", "point": value.point}
        yield {**common, "statistic": "limit", "point": value.limit}


def sensitivity_frame(found: Sequence[WhatIf]) -> pd.DataFrame:
    """Return what-if results as rows of the ``sensitivity`` contract.

    Parameters
    ----------
    found : one a condition.

    Returns
    -------
    One row a number; tipping rows carry the size of the error at which the conclusion about the ratio changes, or the
    state ``undefined`` and the sentence that none was found.

    Examples
    --------
    >>> sensitivity_frame([]).columns.tolist() == table_schema("sensitivity").columns
    True
    """
    return typed_frame([row for one in found for row in _rows(one)], "sensitivity")
