"""What can be wrong with the frame an audit is asked to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from sexstrat.errors import Problem
from sexstrat.values.tables import table_schema

__all__ = ["REQUIRED", "input_problems"]

REQUIRED = ("image_id", "patient_id", "prob_male", "status", "age_years", "recorded_sex")
SOURCE = "audit input"


def input_problems(frame: pd.DataFrame, groups: Sequence[str], unit: str = "image") -> list[Problem]:
    """List everything wrong with the input of an audit; an empty list means it can be used.

    Parameters
    ----------
    frame : the frame given.
    groups : columns to group by, besides the age band.
    unit : "image" or "patient".

    Examples
    --------
    >>> print(input_problems(pd.DataFrame({"image_id": []}), ())[0])
    audit input, column patient_id: column is missing
    """
    missing = [name for name in (*REQUIRED, *groups) if name not in frame]
    if missing:
        return [_problem("missing_column", "column is missing", name) for name in missing]
    return [*_value_problems(frame), *_patient_problems(frame, groups, unit)]


def _problem(kind: str, message: str, column: str, bad: pd.Series | None = None, allowed: str = "") -> Problem:
    if bad is None:
        return Problem(kind=kind, message=message, source=SOURCE, column=column, allowed=allowed)
    return Problem(
        kind=kind,
        message=message,
        source=SOURCE,
        column=column,
        value=str(bad.iloc[0]),
        allowed=allowed,
        count=len(bad),
    )


def _value_problems(frame: pd.DataFrame) -> Iterator[Problem]:
    sexes = table_schema("person").column("recorded_sex").enum
    wrong = frame.loc[~frame["recorded_sex"].isin(sexes) & frame["recorded_sex"].notna(), "recorded_sex"]
    if len(wrong):
        yield _problem("not_allowed", "recorded sex is not a declared value", "recorded_sex", wrong, ", ".join(sexes))
    ok = (frame["status"] == "ok").to_numpy(dtype=bool)
    prob = frame["prob_male"].to_numpy(dtype=float, na_value=np.nan)
    outside = frame.loc[ok & ~((prob >= 0) & (prob <= 1)), "prob_male"]
    if len(outside):
        message = "an image with status ok has no probability from 0 to 1"
        yield _problem("out_of_range", message, "prob_male", outside, "a number from 0 to 1")
    named = frame.loc[frame["status"] != "duplicate_id", "image_id"]
    twice = named.loc[named.duplicated()]
    if len(twice):
        yield _problem("duplicate", "the same image is listed twice", "image_id", twice, "one row an image")
    yield from _weight_problems(frame, ok)


def _weight_problems(frame: pd.DataFrame, ok: np.ndarray) -> Iterator[Problem]:
    if "weight" in frame and frame["weight"].notna().any():
        weight = frame["weight"].to_numpy(dtype=float, na_value=np.nan)
        wrong = frame.loc[~(np.isfinite(weight) & (weight > 0)), "weight"]
        if len(wrong):
            yield _problem("out_of_range", "a survey weight is missing or not above 0", "weight", wrong, "above 0")
    if "validation_probability" in frame and frame["validation_probability"].notna().any():
        r = frame["validation_probability"].to_numpy(dtype=float, na_value=np.nan)
        validated = ok & frame["recorded_sex"].isin(("male", "female")).to_numpy(dtype=bool)
        wrong = frame.loc[validated & ~((r > 0) & (r <= 1)), "validation_probability"]
        if len(wrong):
            message = "a validated image has no validation probability above 0 and up to 1"
            yield _problem("out_of_range", message, "validation_probability", wrong, "above 0, up to 1")


def _patient_problems(frame: pd.DataFrame, groups: Sequence[str], unit: str) -> Iterator[Problem]:
    patient = pd.factorize(frame["patient_id"])[0]
    units = [name for name in ("psu", "stratum") if name in frame]
    for name in ("recorded_sex", *units, *(groups if unit == "patient" else ())):
        value, labels = pd.factorize(frame[name], use_na_sentinel=False)
        pairs = pd.unique(patient[patient >= 0].astype(np.int64) * max(len(labels), 1) + value[patient >= 0])
        values_of = np.bincount(pairs // max(len(labels), 1)) if len(pairs) else np.zeros(0, dtype=np.int64)
        if (values_of > 1).any():
            conflicting = frame["patient_id"].iloc[np.flatnonzero(patient == int(np.argmax(values_of > 1)))[:1]]
            message = f"a patient has several values of {name}"
            yield _problem("conflict", message, name, conflicting, "one value a patient")
