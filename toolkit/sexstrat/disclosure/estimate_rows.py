"""Suppression in the table of estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.implied_counts import implied_counts, is_exact
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers, suppress_rows, withhold_cells, withhold_further

__all__ = ["EMPTIED", "protect_estimates"]

COUNTS = ("n_patients", "n_diseased", "n_validated", "n_validated_diseased")
BAND = ("age_low", "age_high")
BY_ESTIMATOR = ("condition", "estimator")
EMPTIED = ("point", "se", "low", "high", "df", "fmi", *COUNTS)
VALIDATED = ("n_validated", "n_validated_diseased", "df")  # the degrees of freedom follow the validated counts
OF_VALIDATED = ("complete_case", "recorded")  # estimators that are about the validated patients alone

Mask = NDArray[np.bool_]
Counts = NDArray[np.float64]


def protect_estimates(
    frame: pd.DataFrame, profile: Profile, further: Mapping[int, Set[str]] | None = None
) -> pd.DataFrame:
    """Suppress every estimate that rests on, or gives away, a count that may not be shown.

    A row goes when the patients, the diseased or the healthy it is about are too few; with it every estimate of that
    condition and age band. When only the validated among them are too few, their counts and the degrees of freedom are
    withheld, and the estimates from validated patients alone go. Estimates from counts by sex also go when the
    numbers by sex that they imply are too small, both sexes and their contrasts together. Where one age band is
    hidden and the total is shown, the next smallest band is hidden too.

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
    everyone = np.ones(len(frame), dtype=bool)
    of_validated = frame["estimator"].isin(OF_VALIDATED).to_numpy(dtype=bool)
    n, d, v, vd = (numbers(frame, name) for name in COUNTS)
    about = np.column_stack([n, d, n - d])
    primary = profile.hides(about).any(axis=1)
    by_sex = implied_counts(frame)
    implied = profile.hides(by_sex).any(axis=1)
    hidden = _spread(frame, primary & ~of_validated, ~of_validated, about, profile, ["condition"])
    hidden = _same(frame, hidden, ["condition"])
    of_recorded = np.where(of_validated[:, None], by_sex, np.nan)
    validated = np.column_stack([v, vd, v - vd, n - v, d - vd, (n - d) - (v - vd)])
    few = profile.is_small(validated).any(axis=1) | (of_validated & (primary | implied))
    amounts = np.column_stack([validated, of_recorded])
    uncounted = _spread(frame, few | hidden, everyone, amounts, profile, ["condition"])
    hidden |= uncounted & of_validated
    amounts = np.column_stack([about, by_sex])
    hidden |= _spread(frame, hidden | (implied & ~of_validated), is_exact(frame), amounts, profile, BY_ESTIMATOR)
    more = further or {}
    hidden |= np.array(["point" in more.get(place, ()) for place in range(len(frame))], dtype=bool)
    hidden |= _over_hidden_bands(frame, hidden)
    of_more = np.array(["n_validated" in more.get(place, ()) for place in range(len(frame))], dtype=bool)
    emptied = withhold_cells(frame, (uncounted | of_more) & ~hidden, VALIDATED)
    for name in VALIDATED[:2]:
        emptied = withhold_cells(emptied, profile.hides(numbers(emptied, name)), [name])
    if profile.withholds:
        emptied = _uncounted_beside(emptied)
    return withhold_further(suppress_rows(emptied, hidden, EMPTIED, profile), _cells(more), EMPTIED, profile)


def _cells(further: Mapping[int, Set[str]]) -> dict[int, Set[str]]:
    return {place: names - {"point"} for place, names in further.items()}


def _over_hidden_bands(frame: pd.DataFrame, hidden: Mask) -> Mask:
    """Choose what an estimator of counted people makes of several bands, at least one of which is hidden."""
    counted = is_exact(frame) | (frame["estimator"] == "naive_weighted").to_numpy(dtype=bool)
    band = frame["age_low"].notna().to_numpy(dtype=bool)
    own = group_numbers(frame, BY_ESTIMATOR)
    summed = (frame["standard"] == "crude").to_numpy(dtype=bool) & ~frame["measure"].str.contains(
        "per_decade"
    ).to_numpy(dtype=bool)
    return np.asarray(counted & ~band & ~summed & np.isin(own, own[hidden & counted & band]))


def _uncounted_beside(frame: pd.DataFrame) -> pd.DataFrame:
    """Withhold the counts of a regression, and those of the diseased where a row is about no disease."""
    regression = frame["measure"].str.startswith("regression").to_numpy(dtype=bool)
    frame = withhold_cells(frame, regression & frame["n_patients"].notna().to_numpy(dtype=bool), COUNTS)
    whole = frame["condition"].isna() & frame["n_diseased"].notna()
    return withhold_cells(frame, whole.to_numpy(dtype=bool), ["n_diseased", "n_validated_diseased"])


def _same(frame: pd.DataFrame, chosen: Mask, keys: Sequence[str]) -> Mask:
    """Choose every row that shares keys and age band with a chosen one."""
    band = group_numbers(frame, [*keys, *BAND])
    return np.isin(band, band[chosen])


def _spread(
    frame: pd.DataFrame, hidden: Mask, family: Mask, amounts: Counts, profile: Profile, keys: Sequence[str]
) -> Mask:
    """Spread suppression over the rows of the same band, then to further bands where a total is shown."""
    result = _same(frame, hidden, keys) & family
    number, table = group_numbers(frame, [*keys, *BAND]), group_numbers(frame, keys)
    total = (frame["age_low"].isna() & frame["age_high"].isna()).to_numpy(dtype=bool)
    for one in np.unique(table[result]):
        members = np.flatnonzero((table == one) & family & ~total)
        totals = np.flatnonzero((table == one) & family & total)
        if not result[members].any() or len(totals) == 0 or result[totals].all():
            continue
        bands, first = np.unique(number[members], return_index=True)
        largest = np.vstack([_largest(amounts[members[number[members] == band]]) for band in bands])
        extended = extend_hidden(result[members[first]], largest[:, 0], largest, profile)
        result[members] = np.isin(number[members], bands[extended])
    return result


def _largest(amounts: Counts) -> Counts:
    """Return the largest of each count over the rows of a band, which may not all carry every count."""
    return np.asarray(np.nan_to_num(amounts, nan=0.0).max(axis=0), dtype=np.float64)
