"""What each site says by itself, how much sites differ, and what the answer is without each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.errors import EstimationError
from sexstrat.values.random_effects import FEWEST_SITES, RandomEffects, random_effects
from sexstrat.values.tables import table_schema

__all__ = ["KEY", "heterogeneity_frame", "heterogeneity_rows"]

Array = NDArray[np.float64]
KEY = ("measure", "condition", "sex", "age_low", "age_high", "standard")
LOG = ("prevalence_ratio", "prevalence_odds_ratio")
LOGIT = ("prevalence", "male_share")


def heterogeneity_rows(sites: Mapping[str, pd.DataFrame], *, level: float = 0.95) -> list[dict[str, Any]]:
    """Return how much sites differ in every measure that at least three of them give with an interval.

    Estimates are compared on the scale of their intervals: log for ratios, logit for shares, as they are for
    differences; the standard errors of the contract are on that scale already.

    Parameters
    ----------
    sites : headline rows of the ``estimate`` contract of each site.
    level : confidence level of the mean's and the prediction interval.

    Returns
    -------
    Rows of the ``heterogeneity`` contract; ``state`` is measured, or undefined with the reason.

    Examples
    --------
    >>> row = {
    ...     "measure": "prevalence_difference",
    ...     "condition": "amd",
    ...     "standard": "crude",
    ...     "se": 0.1,
    ...     "state": "corrected",
    ... }
    >>> frames = {name: pd.DataFrame([{**row, "point": point}]) for name, point in zip("abc", (0.4, 0.5, 0.6))}
    >>> found = heterogeneity_rows(frames)
    >>> found[0]["n_sites"], round(found[0]["point"], 6), found[0]["state"]
    (3, 0.5, 'measured')
    """
    keyed = [frame.reindex(columns=[*KEY, "point", "se", "state"]).assign(site=name) for name, frame in sites.items()]
    if not keyed:
        return []
    together = pd.concat(keyed, ignore_index=True).astype({"point": float, "se": float})
    groups = together.groupby(list(KEY), dropna=False, sort=False)
    return [_row(dict(zip(KEY, key, strict=True)), group, level) for key, group in groups]


def heterogeneity_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a table in the columns and types of the ``heterogeneity`` contract.

    Examples
    --------
    >>> heterogeneity_frame([]).columns.tolist() == table_schema("heterogeneity").columns
    True
    """
    types = {"integer": "Int64", "number": "float64", "string": "str"}
    schema = table_schema("heterogeneity")
    frame = pd.DataFrame(list(rows), columns=schema.columns)
    return frame.astype({field.name: types[field.type] for field in schema.fields})


def _scaled(measure: str, point: Array) -> Array:
    """Return estimates on the scale on which they are nearly normal, which is that of their standard errors."""
    if measure in LOG:
        return np.log(point)
    return np.asarray(logit(point)) if measure in LOGIT else point


def _back(measure: str, value: float) -> float:
    if measure in LOG:
        return float(np.exp(value))
    return float(expit(value)) if measure in LOGIT else value


def _row(key: dict[str, Any], group: pd.DataFrame, level: float) -> dict[str, Any]:
    measure = str(key["measure"])
    point, se = group["point"].to_numpy(dtype=float), group["se"].to_numpy(dtype=float)
    inside = np.isfinite(point) & (se > 0)
    if measure in LOG:
        inside &= point > 0
    if measure in LOGIT:
        inside &= (point > 0) & (point < 1)
    base = {name: None if pd.isna(value) else value for name, value in key.items()}
    left_out = [str(name) for name in group["site"].to_numpy()[~inside]]
    note = f"without a number to compare: {', '.join(left_out)}" if left_out else ""
    base |= {"n_sites": int(inside.sum()), "level": level, "note": note}
    if inside.sum() < FEWEST_SITES:
        reason = f"fewer than {FEWEST_SITES} sites give this with an interval"
        return {**base, "state": "undefined", "note": "; ".join(part for part in (reason, note) if part)}
    try:
        found = random_effects(_scaled(measure, point[inside]).tolist(), (se[inside] ** 2).tolist(), level=level)
    except EstimationError as err:
        return {**base, "state": "undefined", "note": str(err)}
    return {**base, **_numbers(measure, found), "state": "measured"}


def _numbers(measure: str, found: RandomEffects) -> dict[str, float]:
    scaled = {
        "point": found.mean,
        "low": found.low,
        "high": found.high,
        "prediction_low": found.prediction_low,
        "prediction_high": found.prediction_high,
    }
    plain = {"tau2": found.tau2, "i2": found.i2, "q": found.q, "p_value": found.p_value}
    return {name: _back(measure, value) for name, value in scaled.items()} | plain
