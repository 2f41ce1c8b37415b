"""Free text and nested values at the gate: small counts of people are taken out of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Any

import pandas as pd

from sexstrat.disclosure.profiles import Profile

__all__ = ["CHOICE_KEYS", "without_counted_people", "without_small_counts", "without_small_values"]

CHOICE_KEYS = (
    "condition",
    "estimator",
    "band_estimators",
    "standard_estimators",
    "adjusted_estimators",
    "advice",
    "what_if_assumptions",
    "state",
    "why",
    "assumptions",
    "warnings",
    "diagnostics",
    "target",
    "design",
    "sex_ratio",
    "counts",
)  # what a choice may carry through the gate; anything else is left out, and the release says so
PEOPLE = (
    r"(?:patients?|persons?|people|men|man|women|woman|males?|females?|diseased|healthy|validated|cases?|controls?|"
    r"images?|photographs?|eyes?|individuals?|clusters?|rows?)"
)
_LIMIT = r"(?<!at least )(?<!fewer than )(?<!less than )(?<!at most )(?<!below )(?<!under )(?<!minimum )(?<!needs )"
_BEFORE = re.compile(_LIMIT + r"(?<![\w.,<≥≤-])(\d+)(?=(?:\s+[\w-]+){0,2}?\s+" + PEOPLE + r"\b)", re.IGNORECASE)
_AFTER = re.compile(
    r"\b((?:n(?:_\w+)?|" + PEOPLE + r")\s*(?:=|:|is|are|was|were)\s*)(\d+)(?!\d|[.,]\d|\s?%)", re.IGNORECASE
)
_OF = re.compile(r"(?<![\w.,-])(\d+)(?=\s+(?:of|out of)\s+(?:the\s+)?\d)")
_MANY = re.compile(_LIMIT + r"(?<![\w.,<≥≤=-])([\d,]*\d)(?=(?:\s+[\w-]+){0,2}?\s+" + PEOPLE + r"\b)", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:only|who remain,|the eye of|for) (?=[\d,]*\d )[^;.]*", re.IGNORECASE)
_COUNT_KEY = re.compile(
    r"(?:^|_)(?:n|count|counts|patients|people|images|men|women|male|female|diseased|validated|cases|clusters|rows|lost)"
    r"(?:_|$)"
)
_SHARE_KEY = re.compile(r"share|rate|prevalence|probab|fraction|ratio|auc|level|p_value|mean|sd|se$|shift")


def without_small_counts(text: str, profile: Profile) -> str:
    """Replace counts of people that may not be shown by "<minimum" in a sentence.

    Parameters
    ----------
    text : a sentence made from data (a note, a reason, a warning).
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> without_small_counts("only 3 validated diseased patients; at least 20 are needed", PROFILES["uk-5"])
    'only <5 validated diseased patients; at least 20 are needed'
    """

    def masked(found: re.Match[str], group: int) -> str:
        number = found.group(group)
        if not bool(profile.hides(int(number))):
            return found.group(0)
        return found.group(0)[: found.start(group) - found.start(0)] + f"<{profile.minimum}"

    text = _BEFORE.sub(lambda found: masked(found, 1), text)
    text = _OF.sub(lambda found: masked(found, 1), text)
    return _AFTER.sub(lambda found: masked(found, 2), text)


def without_counted_people(text: str, profile: Profile, shown: Set[int] = frozenset()) -> str:
    """Replace what a sentence counts by ">=minimum", but for numbers that a table shows.

    Of numbers in sentences the linear program over all tables knows nothing, and rounding does not reach them.
    Small ones are left to :func:`without_small_counts`.

    Parameters
    ----------
    text : a sentence made from data: "only 12 validated patients", "of those who remain, 30 patients".
    profile : the rule for small counts.
    shown : counts that a released table shows of the same people.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> without_counted_people("only 9 diseased men, 6 diseased women are validated; 10 are needed", PROFILES["uk-5"])
    'only >=5 diseased men, >=5 diseased women are validated; 10 are needed'
    >>> without_counted_people("Only 15 validated patients (E1 needs 20)", PROFILES["uk-5"], {15})
    'Only 15 validated patients (E1 needs 20)'
    """
    if not profile.withholds:
        return text

    def masked(found: re.Match[str]) -> str:
        number = int(found.group(1).replace(",", ""))
        return found.group(0) if number in shown or bool(profile.hides(number)) else f">={profile.minimum}"

    return _COUNTED.sub(lambda clause: _MANY.sub(masked, clause.group(0)), text)


def without_small_values(value: Any, profile: Profile, key: str = "") -> Any:
    """Return nested plain values with the small counts of people in them replaced by "suppressed".

    A number is a count of people when its key says so (n_validated, effective_validated, ...). Texts are cleaned as by
    :func:`without_small_counts`.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> without_small_values({"n_validated": 3, "auc": 0.9, "n_patients": 900}, PROFILES["uk-5"])
    {'n_validated': 'suppressed', 'auc': 0.9, 'n_patients': 900}
    """
    if isinstance(value, str):
        return without_small_counts(value, profile)
    if isinstance(value, Mapping):
        return {name: without_small_values(one, profile, f"{key}_{name}".lower()) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(without_small_values(one, profile, key) for one in value)
    if isinstance(value, bool) or value is None or not isinstance(value, (int, float)) or pd.isna(value):
        return value
    names_people = _COUNT_KEY.search(key) is not None and _SHARE_KEY.search(key) is None
    if names_people and bool(profile.hides(round(value))):  # an effective number of people is close to a count of them
        return "suppressed"
    return value
