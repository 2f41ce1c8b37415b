"""Suppression in what the measured errors do to the prevalence ratios."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sexstrat.disclosure.complementary import hidden_beside_total
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import numbers, suppress_rows, withhold_cells

__all__ = ["EMPTIED", "protect_consequences"]

RECORDED = ("n_diseased_men", "n_diseased_women", "n_well_men", "n_well_women")
COUNTS = ("n_patients", *RECORDED)
INNER = ("n_fewest", "n_empty")
EMPTIED = ("point", "low", "high", *COUNTS)
ALL_AGES = "all"


def protect_consequences(frame: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the consequences that rest on, or give away, a count of patients that may not be shown.

    Every line of a disease and age band is hidden where its diseased or well men or women are too few. The lines that
    tell of errors are hidden as well where one of the eight groups by disease, recorded and predicted sex is; and a
    second band where the line over all ages is shown.

    Parameters
    ----------
    frame : rows of the ``consequence`` contract with the column ``withheld``.
    profile : the rule for small counts.

    Examples
    --------
    Three diseased men were called women: the ratio by recorded sex may be shown, its bias not.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"condition": "cataract", "age_band": "all", "point": 1.2, "level": 0.95, "n_patients": 400}
    >>> row |= dict.fromkeys(RECORDED, 100) | {"n_fewest": 3, "n_empty": 0, "repaired_by": "E1", "state": "measured"}
    >>> rows = pd.DataFrame([row | {"quantity": name} for name in ("true_prevalence_ratio", "relative_bias")])
    >>> protect_consequences(releasable_frame(rows, "consequence"), PROFILES["uk-5"])["state"].tolist()
    ['measured', 'suppressed']
    """
    if frame.empty:
        return frame
    hidden = np.zeros(len(frame), dtype=bool)
    for name in COUNTS:
        hidden |= profile.hides(numbers(frame, name))
    errors = (frame["quantity"] != "true_prevalence_ratio").to_numpy(dtype=bool)
    inner = profile.is_small(numbers(frame, "n_fewest"))
    if not profile.zero_allowed:
        inner |= numbers(frame, "n_empty") > 0
    hidden |= errors & inner
    total = (frame["age_band"] == ALL_AGES).to_numpy(dtype=bool)
    hidden = hidden_beside_total(
        frame, hidden, total, within=["condition", "quantity"], split=[], counts=COUNTS, profile=profile
    )
    counted = ~hidden & np.isin(_place(frame), _place(frame)[hidden & ~errors])
    emptied = withhold_cells(frame, counted, COUNTS)
    emptied = withhold_cells(emptied, np.isfinite(numbers(frame, "n_fewest")), INNER)
    return suppress_rows(emptied, hidden, EMPTIED, profile)


def _place(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(frame.groupby(["condition", "age_band"], sort=False).ngroup())
