"""Rounding of counts, and of the shares from which unrounded counts could be computed back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.error_rows import is_error_share
from sexstrat.disclosure.implied_counts import is_exact
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import numbers, withhold_cells
from sexstrat.values.tables import table_schema

__all__ = ["round_table"]

SHARES = (
    "correct_among_men",
    "correct_among_women",
    "accuracy",
    "balanced_accuracy",
    "correct_among_called_men",
    "correct_among_called_women",
    "f1",
    "predicted_male_share",
    "predicted_minus_observed_male_share",
    "observed_male_share",
    "ungradable",
    "below_declared_quality",
    "age_band_agreement",
)
COUNTED_RATIOS = ("predicted_sex_ratio", "log_predicted_observed_ratio")
# an eye-level share moves on the grid of patients, which is the coarser one
COUNTED_SHARES = ("prevalence", "male_share", "prevalence_difference", "eye_prevalence", "eye_prevalence_difference")


SPREAD = {
    "estimate": ("se",),
    "audit": ("se", "design_effect"),
    "gap": ("detectable_below", "detectable_above"),
    "audit_test": ("statistic", "tau2", "i2", "mean", "prediction_low", "prediction_high"),
    "audit_shrunken": ("weight", "probability_worst"),
}
"""What tells the variance, and so the counts, of a share that is coarsened."""


def round_table(frame: pd.DataFrame, table: str, profile: Profile) -> pd.DataFrame:
    """Round the counts of a table to the profile's base, and coarsen the shares of counted people to match.

    A share of n people moves to the grid base/n (to the middles of that grid, where counts are rounded to midpoints:
    the rounded numerator over the rounded denominator), its lower limit down and its upper limit up, and its standard
    error and design effect are withheld: so the rounded count is all that it tells. Ratios of counted people, and what
    errors do to them, keep two decimals. Estimates by a model, curves over age among them, are not counts and stay.

    Parameters
    ----------
    frame : protected rows of the table.
    table : name of the contract.
    profile : with its rounding base; without one nothing changes.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> flow = pd.DataFrame({"step": [1], "name": ["listed"], "n_patients": [1003], "state": "counted"})
    >>> round_table(releasable_frame(flow, "flow"), "flow", PROFILES["opensafely"])["n_patients"].tolist()
    [1005]
    """
    base = profile.rounding
    if base is None or frame.empty:
        return frame
    rounded = frame.copy()
    counts = [
        field.name
        for field in table_schema(table).fields
        if field.name.startswith("n_") or field.name.endswith("_lost")
    ]
    for name in counts:
        rounded[name] = profile.rounded(numbers(frame, name))
        rounded[name] = rounded[name].astype("Int64")
    if table == "audit":
        listed = frame["metric"].isin(("n_images", "n_patients")).to_numpy(dtype=bool)
        rounded["point"] = np.where(listed, profile.rounded(numbers(frame, "point")), numbers(frame, "point"))
    if table == "flow":
        return rounded
    if table == "imputation":
        return _of_complete_cases(rounded)
    if table == "diagnostic":
        effective = (frame["statistic"] == "effective_validated").to_numpy(dtype=bool)
        rounded["point"] = np.where(effective, profile.rounded(numbers(frame, "point")), numbers(frame, "point"))
    shares, people = _shares(frame, rounded, table)
    grid = base / np.where(shares, np.maximum(people, base), np.nan)
    rounded = _coarsened(rounded, shares, grid, profile)
    ratios = _ratios(frame, table, shares)
    for name in ("point", "low", "high") if ratios.any() else ():
        rounded[name] = np.where(ratios, np.round(numbers(frame, name), 2), numbers(rounded, name))
    shares = shares | ratios
    if table in {"gap", "audit_test"}:
        for name in ("p_value", "p_adjusted"):  # with all digits it would tell the counts
            rounded[name] = np.round(numbers(rounded, name), 2)
        shares = shares | (table == "audit_test")
    spread: Sequence[str] = SPREAD.get(table, ())
    for name in spread:
        rounded = withhold_cells(rounded, shares & np.isfinite(numbers(rounded, name)), [name])
    return rounded


def _ratios(frame: pd.DataFrame, table: str, shares: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose the rows that are ratios of counted people."""
    if table in {"gap", "audit_parity"}:
        return (frame["scale"] == "ratio").to_numpy(dtype=bool)
    if table == "audit_test":
        return frame["test"].isin(("eye_odds_ratio", "eye_agreement")).to_numpy(dtype=bool)
    if table in {"estimate", "sensitivity"}:
        return np.asarray(is_exact(frame) & ~shares, dtype=bool)
    return np.full(len(frame), table == "consequence")


def _of_complete_cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Round the ratios of complete cases, which are counts of people, and withhold what tells their variance."""
    chosen = (frame["method"] == "complete_case").to_numpy(dtype=bool)
    for name in ("point", "low", "high"):
        frame[name] = np.where(chosen, np.round(numbers(frame, name), 2), numbers(frame, name))
    for name in ("se", "within"):
        frame = withhold_cells(frame, chosen & np.isfinite(numbers(frame, name)), [name])
    return frame


def _shares(frame: pd.DataFrame, rounded: pd.DataFrame, table: str) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Choose the rows that are shares of counted people, with the rounded number of those people."""
    if table == "audit_parity":
        people = np.fmin(numbers(rounded, "n_patients_lowest"), numbers(rounded, "n_patients_highest"))
        return (frame["scale"] == "difference").to_numpy(dtype=bool), people
    people = numbers(rounded, "n_patients")
    if table in {"age_curve", "age_trend", "consequence", "audit_test", "audit_rule"}:
        return np.zeros(len(frame), dtype=bool), people
    if table == "missingness":
        return (frame["method"] != "weighted").to_numpy(dtype=bool), people
    if table == "diagnostic":
        return is_error_share(frame), numbers(rounded, "n_validated")
    if table in {"estimate", "sensitivity"}:
        exact = is_exact(frame) & frame["measure"].isin(COUNTED_SHARES)
        validated = numbers(rounded, "n_validated")
        complete = (frame["estimator"] == "complete_case").to_numpy(dtype=bool) & np.isfinite(validated)
        return np.asarray(exact, dtype=bool), np.where(complete, validated, people)
    if table == "gap":
        people = np.fmin(people, numbers(rounded, "n_patients_reference"))
        return (frame["metric"].isin(SHARES) & (frame["scale"] != "ratio")).to_numpy(dtype=bool), people
    return frame["metric"].isin(SHARES).to_numpy(dtype=bool), people


COARSENED: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    **{name: lambda value: np.round(value) for name in ("point", "unweighted", "raw", "chance", "excess")},
    **{name: lambda value: np.floor(value) for name in ("low", "simultaneous_low")},
    **{name: lambda value: np.ceil(value) for name in ("high", "simultaneous_high")},
}


def _coarsened(
    frame: pd.DataFrame, shares: NDArray[np.bool_], grid: NDArray[np.float64], profile: Profile
) -> pd.DataFrame:
    for name, towards in COARSENED.items():
        if name not in frame:
            continue
        value = numbers(frame, name)
        steps = towards(value / grid)
        if profile.midpoint and name in {"point", "unweighted", "raw"}:
            steps = np.sign(value) * (np.ceil(np.abs(value) / grid) - 0.5 * (value != 0))
        moved = np.clip(steps * grid, np.where(value < 0, -1.0, 0.0), 1.0)
        frame[name] = np.where(shares & np.isfinite(grid), moved, value)
    return frame
