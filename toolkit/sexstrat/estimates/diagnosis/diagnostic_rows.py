"""One row per diagnostic figure; what is not defined, or rests on too few people, carries no number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople

__all__ = ["COLUMNS", "FEWEST", "DiagnosticRow", "diagnostics_frame", "normal_row", "too_few"]

COLUMNS = (
    "diagnostic",
    "group",
    "level",
    "statistic",
    "point",
    "low",
    "high",
    "confidence",
    "p_value",
    "n_patients",
    "n_validated",
    "state",
    "note",
)
FEWEST = 10  # validated people of a kind (diseased, men, ...) below which a figure is not given


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticRow:
    """One figure.

    Parameters
    ----------
    diagnostic, statistic : what is looked at, and which figure of it.
    group, level : kind of group (all, age_band, disease, site, ...) and which of them.
    point : the figure, None when the state is not ok.
    low, high, confidence : interval and its confidence level, None where there is none.
    p_value : of its test, None where nothing is tested.
    n_patients, n_validated : people the figure is about, and those with known sex among them.
    state : ok, too_few, undefined or not_applicable.
    note : what the reader must know.

    Examples
    --------
    >>> DiagnosticRow(diagnostic="calibration", statistic="brier", point=0.1).state
    'ok'
    """

    diagnostic: str
    statistic: str
    group: str = "all"
    level: str = "all"
    point: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    p_value: float | None = None
    n_patients: int | None = None
    n_validated: int | None = None
    state: str = "ok"
    note: str | None = None


def diagnostics_frame(rows: Sequence[DiagnosticRow]) -> pd.DataFrame:
    """Return rows as a tidy table.

    Parameters
    ----------
    rows : the rows, in order.

    Examples
    --------
    >>> frame = diagnostics_frame([DiagnosticRow(diagnostic="calibration", statistic="brier", point=0.1)])
    >>> frame.columns.tolist() == list(COLUMNS), frame["point"].tolist()
    (True, [0.1])
    """
    frame = pd.DataFrame([{name: getattr(row, name) for name in COLUMNS} for row in rows], columns=list(COLUMNS))
    numbers = dict.fromkeys(("point", "low", "high", "confidence", "p_value"), "float64")
    return frame.astype({**numbers, "n_patients": "Int64", "n_validated": "Int64"})


def normal_row(
    diagnostic: str, statistic: str, point: float, se: float, *, confidence: float = 0.95, **fields: Any
) -> DiagnosticRow:
    """Return a figure with a normal interval and the test that it is 0; undefined where the variance is 0.

    Parameters
    ----------
    diagnostic, statistic : as in :class:`DiagnosticRow`.
    point, se : the figure and its standard error.
    confidence : level of the interval.
    fields : further fields.

    Returns
    -------
    The row, with point +- z se.

    Examples
    --------
    >>> row = normal_row("calibration", "slope", 1.0, 0.5)
    >>> round(row.low, 2), round(row.high, 2), round(row.p_value, 4)
    (0.02, 1.98, 0.0455)
    """
    common: dict[str, Any] = {"diagnostic": diagnostic, "statistic": statistic, **fields}
    if not (np.isfinite(point) and np.isfinite(se) and se > 0):
        return DiagnosticRow(**{**common, "state": "undefined", "note": "these people do not vary enough to tell"})
    z = float(norm.isf((1 - confidence) / 2))
    limits: dict[str, Any] = {"low": float(point - z * se), "high": float(point + z * se), "confidence": confidence}
    return DiagnosticRow(**{"p_value": float(2 * norm.sf(abs(point) / se)), **common, "point": float(point), **limits})


def too_few(people: ValidatedPeople, kinds: Sequence[str] = ("men", "women")) -> str | None:
    """Return what there are too few of among validated people with a score, or None.

    Parameters
    ----------
    people : the people.
    kinds : of men, women, diseased, well; each needs 10.

    Examples
    --------
    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> people = validated_people(worked_arrays())
    >>> too_few(people) is None, too_few(people.of(people.male))
    (True, 'fewer than 10 validated women with a score')
    """
    counts = {
        "men": people.n[people.male].sum(),
        "women": people.n[~people.male].sum(),
        "diseased": people.n[people.diseased > 0].sum(),
        "well": people.n[people.diseased == 0].sum(),
    }
    names = {"men": "men", "women": "women", "diseased": "diseased patients", "well": "patients without the disease"}
    lacking = [names[kind] for kind in kinds if counts[kind] < FEWEST]
    return f"fewer than {FEWEST} validated {' and '.join(lacking)} with a score" if lacking else None
