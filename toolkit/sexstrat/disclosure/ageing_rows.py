"""Suppression in the curves over age and in the tests beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import numbers, suppress_rows, withhold_cells

__all__ = ["CURVE_EMPTIED", "TREND_EMPTIED", "protect_curves", "protect_trends"]

COUNTS = ("n_patients", "n_patients_numerator", "n_patients_complement")
LIMITS = ("point", "se", "low", "high")
CURVE_EMPTIED = (*LIMITS, "low_simultaneous", "high_simultaneous", *COUNTS)
TREND_EMPTIED = (*LIMITS, "statistic", "df", "df_denominator", "p_value", *COUNTS)
SIDES = ("correct_among_men", "correct_among_women")

Mask = NDArray[np.bool_]


def protect_curves(curves: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the curves that rest on few patients, and every curve at ages where few stand behind one of them.

    A curve is hidden whole where its patients, those called rightly or those called wrongly are too few, or where the
    audit hides the overall figure of its metric. At an age, all curves are hidden where the patients of one of them in
    the five years around it are too few to be shown. The number near an age is withheld everywhere: the numbers of
    neighbouring ages, or of these five years and of the audit's bands, could be subtracted from each other.

    Parameters
    ----------
    curves : rows of the ``age_curve`` contract with the column ``withheld``.
    audit : the audit after :func:`protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> rows = pd.DataFrame(
    ...     {
    ...         "metric": "accuracy",
    ...         "age_years": [50, 88],
    ...         "point": 0.9,
    ...         "level": 0.95,
    ...         "n_patients": 400,
    ...         "n_patients_numerator": 360,
    ...         "n_patients_complement": 60,
    ...         "n_near": [40, 3],
    ...         "state": "measured",
    ...     }
    ... )
    >>> none = releasable_frame(pd.DataFrame(), "audit")
    >>> protect_curves(releasable_frame(rows, "age_curve"), none, PROFILES["uk-5"])["state"].tolist()
    ['measured', 'suppressed']
    """
    if curves.empty:
        return curves
    hidden = _few(curves, profile) | np.isin(curves["metric"], _hidden_overall(audit))
    ages = numbers(curves, "age_years")
    hidden |= np.isin(ages, ages[profile.hides(numbers(curves, "n_near"))])
    near = withhold_cells(curves, np.isfinite(numbers(curves, "n_near")), ["n_near"])
    return suppress_rows(near, hidden, CURVE_EMPTIED, profile)


def protect_trends(trends: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the tests over age whose patients are too few, or whose metric the audit hides overall.

    Parameters
    ----------
    trends : rows of the ``age_trend`` contract with the column ``withheld``.
    audit : the audit after :func:`protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"metric": "accuracy", "quantity": "any_trend", "level": 0.95, "p_value": 0.2, "state": "measured"}
    >>> row |= {"n_patients": 400, "n_patients_numerator": 398, "n_patients_complement": 3}
    >>> none = releasable_frame(pd.DataFrame(), "audit")
    >>> protect_trends(releasable_frame(pd.DataFrame([row]), "age_trend"), none, PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if trends.empty:
        return trends
    gone = _hidden_overall(audit)
    hidden = _few(trends, profile) | np.isin(trends["metric"], gone)
    few = trends.loc[_few(trends, profile), "metric"]
    if set(SIDES) & {*gone, *few}:  # men less women would give the hidden one away
        hidden |= (trends["metric"] == "men_minus_women").to_numpy(dtype=bool)
    return suppress_rows(trends, hidden, TREND_EMPTIED, profile)


def _few(frame: pd.DataFrame, profile: Profile) -> Mask:
    hidden = np.zeros(len(frame), dtype=bool)
    for name in COUNTS:
        hidden |= profile.hides(numbers(frame, name))
    n = numbers(frame, "n_patients")
    for name in COUNTS[1:]:
        hidden |= profile.is_small(n - numbers(frame, name))
    return hidden


def _hidden_overall(audit: pd.DataFrame) -> list[str]:
    gone = audit.loc[(audit["group"] == "overall") & (audit["state"] == "suppressed"), "metric"]
    return [str(metric) for metric in gone]
