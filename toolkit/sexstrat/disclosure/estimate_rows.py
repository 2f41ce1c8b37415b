"""Suppression in the table of estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.implied_counts import implied_small, is_exact
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers, suppress_rows, withhold_cells

__all__ = ["EMPTIED", "protect_estimates"]

COUNTS = ("n_patients", "n_diseased", "n_validated", "n_validated_diseased")
BAND = ("age_low", "age_high")
EMPTIED = ("point", "se", "low", "high", "df", "fmi", *COUNTS)

Mask = NDArray[np.bool_]


def protect_estimates(frame: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress every estimate that rests on, or gives away, a count that may not be shown.

    Primary: the patients, the diseased, the validated, the validated diseased, and what is left when one is taken
    from another. For estimates from counts by sex also the numbers by sex that they imply; then both sexes and their
    contrasts go together. Complementary: where one age band is hidden and the total is shown, the next smallest band
    is hidden too, in every estimate that shares the counts.

    Parameters
    ----------
    frame : rows of the ``estimate`` contract with the column ``withheld``.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {
    ...     "measure": "prevalence",
    ...     "estimator": "E1",
    ...     "condition": "d",
    ...     "sex": "male",
    ...     "standard": "crude",
    ...     "point": 0.03,
    ...     "level": 0.95,
    ...     "n_patients": 100,
    ...     "n_diseased": 3,
    ...     "state": "corrected",
    ... }
    >>> protect_estimates(releasable_frame(pd.DataFrame([row]), "estimate"), PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if frame.empty:
        return frame
    exact, amounts = is_exact(frame), _amounts(frame)
    primary = profile.hides(amounts[:, :3]).any(axis=1) | profile.is_small(amounts[:, 3:]).any(axis=1)
    shared = _with_totals_protected(frame, primary & ~exact, ~exact, amounts, profile, ["condition"])
    own = primary | implied_small(frame, profile) | _same(frame, shared, ["condition"])
    by_estimator = ["condition", "estimator"]
    hidden = shared | _with_totals_protected(frame, own & exact, exact, amounts, profile, by_estimator)
    emptied = suppress_rows(frame, hidden, EMPTIED, profile)
    for name in ("n_validated", "n_validated_diseased"):
        emptied = withhold_cells(emptied, profile.hides(numbers(emptied, name)), [name])
    return emptied


def _amounts(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the counts shown or derivable, a column each; the first three fall under the zero rule as well."""
    n, d, v, vd = (numbers(frame, name) for name in COUNTS)
    return np.column_stack([n, d, n - d, v, vd, v - vd, n - v, d - vd, (n - d) - (v - vd)])


def _same(frame: pd.DataFrame, chosen: Mask, keys: list[str]) -> Mask:
    """Choose every row that shares keys and age band with a chosen one."""
    band = group_numbers(frame, [*keys, *BAND])
    return np.isin(band, band[chosen])


def _with_totals_protected(
    frame: pd.DataFrame,
    hidden: Mask,
    family: Mask,
    amounts: NDArray[np.float64],
    profile: Profile,
    keys: list[str],
) -> Mask:
    """Spread suppression over the rows of the same band, then to further bands where a total is shown."""
    result = _same(frame, hidden, keys) & family
    number, table = group_numbers(frame, [*keys, *BAND]), group_numbers(frame, keys)
    total = (frame["age_low"].isna() & frame["age_high"].isna()).to_numpy(dtype=bool)
    for one in np.unique(table):
        members = np.flatnonzero((table == one) & family & ~total)
        totals = np.flatnonzero((table == one) & family & total)
        if not result[members].any() or len(totals) == 0 or result[totals].all():
            continue
        bands, first = np.unique(number[members], return_index=True)
        largest = np.vstack([_largest(amounts[members[number[members] == band]]) for band in bands])
        taken = np.array([result[members[position]] for position in first])
        extended = extend_hidden(taken, largest[:, 0], largest, profile)
        result[members] = np.isin(number[members], bands[extended])
    return result


def _largest(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest of each count over the rows of a band, which may not all carry every count."""
    return np.asarray(np.nan_to_num(amounts, nan=0.0).max(axis=0), dtype=np.float64)
