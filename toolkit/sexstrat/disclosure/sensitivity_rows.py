"""Suppression in the tables of what-if analyses and of imputation compared, which follow that of the estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withheld_places import places_of, suppressed_places, withheld_places
from sexstrat.disclosure.withhold import numbers, suppress_rows, withhold_cells

__all__ = ["EMPTIED", "IMPUTATION_EMPTIED", "protect_imputation", "protect_sensitivity"]

Mask = NDArray[np.bool_]

EMPTIED = ("point", "low", "high", "share_impossible", "draws", "n_patients", "n_diseased", "n_validated")
IMPUTATION_EMPTIED = (
    *("point", "low", "high", "se", "within", "between", "df", "fmi", "relative_efficiency", "monte_carlo_se"),
    *("monte_carlo_share", "imputations_needed", "n_patients", "n_validated"),
)


def protect_sensitivity(frame: pd.DataFrame, estimates: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress what-if rows about too few patients, and those that vary an estimate which is suppressed itself.

    A bias analysis corrects the numbers of patients called men and women, so that sharp beliefs give these numbers
    away: it goes where the analysis of predicted sex by a threshold went. Errors of recorded sex and E-values go with
    the estimate they start from; shifts of a model with the model's.

    Parameters
    ----------
    frame : rows of the ``sensitivity`` contract with the column ``withheld``.
    estimates : the estimates after their own protection.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"condition": "d", "analysis": "shift_of_score", "statistic": "tipping", "point": 0.8, "n_diseased": 3}
    >>> row |= {"n_patients": 900, "state": "bias_analysis", "estimator": "shifted_em"}
    >>> table = releasable_frame(pd.DataFrame([row]), "sensitivity")
    >>> protect_sensitivity(table, pd.DataFrame(), PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if frame.empty:
        return frame
    n, diseased = numbers(frame, "n_patients"), numbers(frame, "n_diseased")
    hidden = np.asarray(profile.hides(np.column_stack([n, diseased, n - diseased])).any(axis=1))
    places = places_of(frame)
    analysis, estimator = frame["analysis"].to_numpy(dtype=object), frame["estimator"].to_numpy(dtype=object)
    own = np.isin(analysis, ("error_of_recorded_sex", "e_value"))
    sources = np.where(analysis == "bias_analysis", "naive_threshold", np.where(own, estimator, ""))
    for source in dict.fromkeys(sources.tolist()):
        gone = suppressed_places(estimates, {source} if source else None)
        hidden |= (sources == source) & np.array([place in gone for place in places], dtype=bool)
    uncounted = withheld_places(estimates, "n_validated")
    without = np.array([place in uncounted for place in places], dtype=bool)
    emptied = withhold_cells(frame, (without & ~hidden) | profile.hides(numbers(frame, "n_validated")), ["n_validated"])
    return suppress_rows(emptied, hidden, EMPTIED, profile)


def protect_imputation(frame: pd.DataFrame, estimates: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the rows of imputation compared whose estimate is suppressed in the table of estimates.

    Parameters
    ----------
    frame : rows of the ``imputation`` contract with the column ``withheld``.
    estimates : the estimates after their own protection.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"condition": "d", "method": "complete_case", "point": 1.2, "n_validated": 3, "state": "naive"}
    >>> table = releasable_frame(pd.DataFrame([row]), "imputation")
    >>> protect_imputation(table, pd.DataFrame(), PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if frame.empty:
        return frame
    counted = (frame["method"] == "complete_case").to_numpy(dtype=bool)
    conditions = frame["condition"].astype(str)
    hidden = profile.hides(numbers(frame, "n_patients")) | (counted & profile.hides(numbers(frame, "n_validated")))
    for chosen, names in ((counted, {"complete_case"}), (~counted, None)):
        gone = {place[0] for place in suppressed_places(estimates, names) if place[1:] == (None, None)}
        hidden |= chosen & conditions.isin(gone).to_numpy(dtype=bool)
    uncounted = {place[0] for place in withheld_places(estimates, "n_validated") if place[1:] == (None, None)}
    without = conditions.isin(uncounted).to_numpy(dtype=bool) | profile.hides(numbers(frame, "n_validated"))
    return suppress_rows(
        withhold_cells(frame, without & ~hidden, ["n_validated", "df"]), hidden, IMPUTATION_EMPTIED, profile
    )
