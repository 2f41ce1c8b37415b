"""One row per estimate, in the columns of the ``estimate`` contract; what is not defined carries no number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtri, stdtrit

from sexstrat.estimates.boundary import boundary_interval
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.measures import Smooth
from sexstrat.values.shown import Shown
from sexstrat.values.tables import table_schema

__all__ = ["Estimates", "Place", "contrast_row", "estimates_frame", "share_row"]

_INTEGERS = ("age_low", "age_high", "n_patients", "n_diseased", "n_validated", "n_validated_diseased")
_NUMBERS = ("point", "se", "low", "high", "level", "df", "fmi")
UNINFORMED = "too few validated patients tell the sexes of the patients here: any share of men would fit"
UNBOUNDED = "too little is known here for an interval with two limits"
NO_VARIANCE = 1e-24  # of a log odds, a log ratio or a difference: what rounding leaves of nothing
NO_SPREAD = "too few people differ here for a variance, so that a sample's number would have no interval"
LARGEST_EXPONENT = 700.0  # e^710 is no number any more
LARGE_DF = 1e6  # beyond it the t interval is the normal one


@dataclass(frozen=True, slots=True)
class Estimates(Shown):
    """Rows of the ``estimate`` contract.

    Parameters
    ----------
    rows : one mapping per estimate.
    assumptions, warnings : of the composition that they come from, for whoever sees the rows alone.

    Examples
    --------
    >>> Estimates(()).to_frame().empty
    True
    """

    rows: tuple[dict[str, Any], ...]
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a table in the columns of the contract."""
        return estimates_frame(self.rows)


def estimates_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return estimate rows as a table: nullable integers, floats, and text that may be missing.

    Examples
    --------
    >>> estimates_frame([]).columns.tolist() == table_schema("estimate").columns
    True
    """
    frame = pd.DataFrame(list(rows), columns=table_schema("estimate").columns)
    for name in _INTEGERS:
        frame[name] = frame[name].astype("Int64")
    for name in _NUMBERS:
        frame[name] = frame[name].astype(float)
    return frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a composition an estimate lives.

    Parameters
    ----------
    source : composition whose numbers are used.
    margin : its margin.
    weights : weight of each of the margin's bands.
    band : index of the band, or None for all ages.
    standard : name of the standard population, or crude.
    state : state of a number found here.
    note : what the reader must know.
    """

    source: Composition
    margin: Margin
    weights: NDArray[np.float64]
    band: int | None
    standard: str
    state: str
    note: str = ""


def _base(place: Place, measure: str, sex: str | None) -> dict[str, Any]:
    """Return the row without its numbers: what, about whom, and how many."""
    one, band = place.source, place.band
    patients, validated = (
        table.sum(axis=0) if band is None else table[band] for table in (one.n_patients, one.n_validated)
    )
    return {
        "measure": measure,
        "estimator": one.estimator,
        "condition": one.condition,
        "sex": sex,
        "age_low": None if band is None else one.bands.lows[band],
        "age_high": None if band is None else one.bands.highs[band],
        "standard": place.standard,
        "level": one.level,
        "n_patients": round(patients[0] + patients[1]),
        "n_diseased": round(patients[1]),
        "n_validated": round(validated[0] + validated[1]),
        "n_validated_diseased": round(validated[1]),
        "state": place.state,
        "note": place.note or None,
    }


def _joined(*parts: str | None) -> str | None:
    return "; ".join(part for part in parts if part) or None


def _without_number(row: dict[str, Any], place: Place, reason: str) -> dict[str, Any]:
    """Return the row as refused, where no estimator can defend a number, or as undefined, where there is none."""
    if place.source.state == "refused":
        return {**row, "state": "refused", "note": place.source.why}
    state = "refused" if place.state == "refused" else "undefined"
    return {**row, "state": state, "note": _joined(reason, place.note)}


def _interval(row: dict[str, Any], place: Place, theta: Smooth, back: Callable[[float], float]) -> dict[str, Any]:
    """Add the interval theta +- t se, carried back to the measure's own scale."""
    found = place.margin.uncertainty(theta.by_pi, theta.by_n)
    if found.variance <= NO_VARIANCE:
        reason = "counted, not estimated: no interval" if place.margin.counted else "no interval: the variance is 0"
        reason = found.reason or reason
        if place.margin.sampled:  # a sample's number has an interval, or is none
            bare = {name: cell for name, cell in row.items() if name != "point"}
            return _without_number(bare, place, found.reason or NO_SPREAD)
        return {**row, "note": _joined(place.note, reason)}
    tail = 1 - (1 - place.source.level) / 2
    normal = found.df >= LARGE_DF
    width = float(ndtri(tail) if normal else stdtrit(found.df, tail)) * found.variance**0.5
    if not abs(theta.value) + width < LARGEST_EXPONENT:
        bare = {name: cell for name, cell in row.items() if name != "point"}
        return _without_number(bare, replace(place, state="refused"), UNBOUNDED)
    return {
        **row,
        "se": found.variance**0.5,
        "low": back(theta.value - width),
        "high": back(theta.value + width),
        "df": None if normal else found.df,
        "fmi": found.fmi,
    }


def _boundary_row(row: dict[str, Any], place: Place, sex: str | None, value: float) -> dict[str, Any]:
    """Add the interval of a proportion of 0 or 1."""
    level = place.source.level
    limits = boundary_interval(place.margin, sex=sex, value=value, weights=place.weights, level=level)
    if limits is None:
        bare = {name: cell for name, cell in row.items() if name != "point"}
        return _without_number(bare, replace(place, state="refused"), UNINFORMED)
    low, high = limits
    reason = "counted in this cohort" if low == high else "no case on one side: Wilson interval"
    return {**row, "low": low, "high": high, "note": _joined(place.note, reason)}


def share_row(place: Place, measure: str, sex: str | None, share: Smooth, logit: Smooth) -> dict[str, Any]:
    """Return the row of a proportion, with its interval on the logit scale (``boundary_interval`` at 0 and 1).

    Parameters
    ----------
    place : where it lives.
    measure, sex : as in the contract.
    share, logit : the proportion and its log odds, with derivatives.

    Examples
    --------
    100 of 500 women have the disease.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.measures import logit_of, prevalence_of
    >>> from sexstrat.estimates.places import crude_place
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> place = crude_place(compose(worked_cells(), bands=worked_bands(), design="random"))
    >>> share = prevalence_of(place.margin, "female", place.weights)
    >>> row = share_row(place, "prevalence", "female", share, logit_of(share))
    >>> row["n_patients"], round(float(row["point"]), 4), bool(row["low"] < 0.2 < row["high"])
    (1100, 0.2, True)
    """
    row = _base(place, measure, sex)
    if place.state == "refused":
        return _without_number(row, place, UNINFORMED)
    if np.isnan(share.value):
        return _without_number(row, place, f"nobody {sex or ''} here".replace("  ", " "))
    row["point"] = share.value
    if np.isnan(logit.value):
        return _boundary_row(row, place, sex, share.value)
    return _interval(row, place, logit, lambda value: float(expit(value)))


def contrast_row(place: Place, measure: str, theta: Smooth, *, on_log: bool) -> dict[str, Any]:
    """Return the row of a contrast, men compared with women.

    Parameters
    ----------
    place : where it lives.
    measure : as in the contract.
    theta : the contrast on the scale of its interval, with derivatives.
    on_log : that scale is the logarithm.

    Examples
    --------
    A ratio of 5/3; and one that is not defined, which carries no number.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.measures import log_ratio, prevalence_of
    >>> from sexstrat.estimates.places import crude_place
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> place = crude_place(compose(worked_cells(), bands=worked_bands(), design="random"))
    >>> ratio = log_ratio(*(prevalence_of(place.margin, sex, place.weights) for sex in ("male", "female")))
    >>> round(float(contrast_row(place, "prevalence_ratio", ratio, on_log=True)["point"]), 4)
    1.6667
    >>> row = contrast_row(place, "prevalence_ratio", ratio.mapped(np.nan, 0.0), on_log=True)
    >>> row["state"], "point" in row
    ('undefined', False)
    """
    row = _base(place, measure, None)
    if place.state == "refused":
        return _without_number(row, place, UNINFORMED)
    if np.isnan(theta.value):
        return _without_number(row, place, "no case in one sex, or nobody of it, so men and women cannot be compared")
    back: Callable[[float], float] = (lambda value: float(np.exp(value))) if on_log else float
    return _interval({**row, "point": back(theta.value)}, place, theta, back)
