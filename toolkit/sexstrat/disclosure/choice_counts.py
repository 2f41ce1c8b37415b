"""Counts in the choice of an estimator: a count that the table of estimates withholds is told there neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.texts import CHOICE_KEYS, without_counted_people, without_small_values
from sexstrat.disclosure.withhold import numbers

__all__ = ["protect_choice"]

COUNTS = ("n_patients", "n_diseased", "n_validated", "n_validated_diseased")
ERRORS = ("attenuation_threshold", "attenuation_weighted")  # computed of the numbers called rightly and wrongly
WITHHELD = "suppressed"

Tables = Mapping[str, pd.DataFrame]


def protect_choice(choice: Mapping[str, Any], tables: Tables, released: Tables, profile: Profile) -> dict[str, Any]:
    """Return a choice with the counts that the released estimates show, and without those they do not.

    A count is shown where a row over all ages of the same disease shows it in the column of its name, and rounded as
    there. An effective number of validated people that is their number follows it, and what errors of the score do
    to the estimates follows the shares of men and women called rightly. Sentences lose other counts.

    Parameters
    ----------
    choice : what was chosen for a disease and why.
    tables : the tables before anything was withheld.
    released : the same after all protection.
    profile : the rule for small counts.

    Examples
    --------
    Of 15 validated patients with the disease the estimates tell nothing.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"condition": "d", "n_patients": 400, "n_validated_diseased": 15, "level": 0.95, "state": "corrected"}
    >>> before = {"estimate": releasable_frame(pd.DataFrame([row]), "estimate")}
    >>> before["diagnostic"] = releasable_frame(pd.DataFrame(), "diagnostic")
    >>> after = before | {"estimate": before["estimate"].assign(n_validated_diseased=pd.NA)}
    >>> choice = {"condition": "d", "diagnostics": {"n_patients": 400, "n_validated_diseased": 15}}
    >>> choice["why"] = "Only 15 validated patients with the disease."
    >>> found = protect_choice(choice, before, after, PROFILES["uk-5"])
    >>> found["diagnostics"], found["why"]
    ({'n_patients': 400, 'n_validated_diseased': 'suppressed'}, 'Only >=5 validated patients with the disease.')
    """
    passed = {key: value for key, value in choice.items() if key in CHOICE_KEYS}
    if not profile.withholds:
        return passed
    told = dict(passed.get("diagnostics") or {})
    counts = {
        name: _shown(name, float(told[name]), choice["condition"], tables, released)
        for name in COUNTS
        if isinstance(told.get(name), (int, float))
    }
    effective, validated = told.get("effective_validated"), told.get("n_validated")
    told |= {name: WITHHELD if count is None else count for name, count in counts.items()}
    if effective is not None and validated is not None and round(effective) == validated:
        same = counts.get("n_validated") == validated
        told["effective_validated"] = effective if same else WITHHELD
    if profile.rounding is not None or not _errors_shown(choice["condition"], released["diagnostic"]):
        told |= dict.fromkeys((name for name in ERRORS if name in told), WITHHELD)
    exact = frozenset(count for count in counts.values() if count is not None and profile.rounding is None)
    if "diagnostics" in passed:
        passed["diagnostics"] = told
    return {key: _without(without_small_values(value, profile, key), profile, exact) for key, value in passed.items()}


def _shown(name: str, count: float, condition: str, tables: Tables, released: Tables) -> int | None:
    """Return a count as the estimates over all ages show it, None where they do not."""
    before, after = tables["estimate"], released["estimate"]
    whole = (before["condition"] == condition) & before["age_low"].isna() & before["age_high"].isna()
    told = numbers(after, name)[whole.to_numpy(dtype=bool) & (numbers(before, name) == count)]
    told = told[np.isfinite(told)]
    return int(told[0]) if told.size else None


def _errors_shown(condition: str, diagnostics: pd.DataFrame) -> bool:
    """Tell whether the shares of men and of women called rightly, of all ages and whatever the disease, are shown."""
    own = (diagnostics["condition"] == condition) & (diagnostics["group"] == "all") & diagnostics["point"].notna()
    return {"sensitivity", "specificity"} <= set(diagnostics.loc[own, "statistic"])


def _without(value: Any, profile: Profile, shown: frozenset[int]) -> Any:
    """Return a value whose sentences lost the counts that are not shown."""
    if isinstance(value, str):
        return without_counted_people(value, profile, shown)
    if isinstance(value, (list, tuple)):
        return type(value)(_without(one, profile, shown) for one in value)
    return value
