"""Where the gate withheld estimates, so that tables made from the same people withhold there too."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from sexstrat.disclosure.implied_counts import EXACT_ESTIMATORS

__all__ = ["Place", "band_label", "places_of", "suppressed_places", "withheld_places"]

Place = tuple[str, Any, Any]


def _end(value: Any) -> Any:
    return None if pd.isna(value) else int(value)


def places_of(frame: pd.DataFrame) -> list[Place]:
    """Return condition and age band of each row, None for an empty end.

    Examples
    --------
    >>> ages = {"age_low": pd.array([40, None], dtype="Int64"), "age_high": pd.array([None, None], dtype="Int64")}
    >>> places_of(pd.DataFrame({"condition": "d", **ages}))
    [('d', 40, None), ('d', None, None)]
    """
    columns = zip(frame["condition"], frame["age_low"], frame["age_high"], strict=True)
    return [(str(condition), _end(low), _end(high)) for condition, low, high in columns]


def band_label(low: Any, high: Any) -> str:
    """Name an age band as diagnostics do; ``all`` for all ages.

    Examples
    --------
    >>> band_label(40, 50), band_label(80, None), band_label(None, None)
    ('40-49', '80+', 'all')
    """
    if low is None:
        return "all"
    return f"{low}+" if high is None else f"{low}-{high - 1}"


def suppressed_places(estimates: pd.DataFrame, estimators: Collection[str] | None = None) -> set[Place]:
    """Return the places at which an estimate of some estimators is suppressed; None for those that count nobody's sex.

    Parameters
    ----------
    estimates : rows of the ``estimate`` contract after :func:`sexstrat.disclosure.estimate_rows.protect_estimates`.
    estimators : their names.

    Examples
    --------
    >>> rows = {"condition": ["d"], "age_low": [None], "age_high": [None], "estimator": ["E1"], "state": ["suppressed"]}
    >>> suppressed_places(pd.DataFrame(rows)), suppressed_places(pd.DataFrame(rows), {"recorded"})
    ({('d', None, None)}, set())
    """
    if estimates.empty:
        return set()
    about = estimates["estimator"]
    chosen = ~about.isin(EXACT_ESTIMATORS) if estimators is None else about.isin(list(estimators))
    return set(places_of(estimates[chosen & (estimates["state"] == "suppressed")]))


def withheld_places(estimates: pd.DataFrame, column: str) -> set[Place]:
    """Return the places at which a count was withheld, alone or with its estimate.

    Examples
    --------
    >>> rows = {"condition": ["d"], "age_low": [40], "age_high": [50], "withheld": ["n_validated df"]}
    >>> withheld_places(pd.DataFrame(rows), "n_validated"), withheld_places(pd.DataFrame(rows), "n_patients")
    ({('d', 40, 50)}, set())
    """
    if estimates.empty:
        return set()
    chosen = [column in str(text).split() for text in estimates["withheld"]]
    return set(places_of(estimates[chosen]))
