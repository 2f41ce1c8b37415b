"""What each knob of a setting allows, and the check that says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sexstrat.errors import StudyError

__all__ = ["Range", "allowed_ranges", "check_ranges"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The values a knob allows.

    Parameters
    ----------
    low, high : bounds.
    low_open, high_open : the bound itself is not allowed.
    whole : only whole numbers.

    Examples
    --------
    >>> Range(low=0, high=1, low_open=True).words
    'above 0 and at most 1'
    >>> Range(low=2, high=9).allows(9), Range(low=2, high=9).allows(float("nan"))
    (True, False)
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    def allows(self, value: float) -> bool:
        """Tell whether a value is allowed."""
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return math.isfinite(value) and above and below and (not self.whole or float(value).is_integer())

    @property
    def words(self) -> str:
        """Say what is allowed."""
        lower = f"{'above' if self.low_open else 'at least'} {self.low:g}"
        upper = f"{'below' if self.high_open else 'at most'} {self.high:,g}"
        return f"{'a whole number ' if self.whole else ''}{lower} and {upper}"


_LOG_ODDS = Range(low=-5, high=5)
_SHIFT = Range(low=-5, high=5)
_SHARE = Range(low=0, high=1)
_PART = Range(low=0, high=1, low_open=True, high_open=True)
_SPREAD = Range(low=0, high=3)
_RANGES: Mapping[str, Range] = {
    "patients": Range(low=1, high=100_000_000, whole=True),
    "mean_age": Range(low=20, high=95),
    "prevalence": _PART,
    "male_share": _PART,
    "male_by_age": _LOG_ODDS,
    "disease_by_male": _LOG_ODDS,
    "disease_by_age": _LOG_ODDS,
    "disease_by_male_age": _LOG_ODDS,
    "auc": _PART,
    "eye_correlation": _SHARE,
    "trained_male_share": _PART,
    "slope": Range(low=0, high=20, low_open=True),
    "intercept": Range(low=-20, high=20),
    "shift_men": _SHIFT,
    "shift_women": _SHIFT,
    "shift_by_age": _SHIFT,
    "separation_by_age": Range(low=-1, high=1),
    "one_eye": _SHARE,
    "one_eye_diseased": _SHARE,
    "no_image": _SHARE,
    "validated": _SHARE,
    "recorded_by_age": _LOG_ODDS,
    "recorded_by_disease": _LOG_ODDS,
    "recorded_by_male": _LOG_ODDS,
    "recorded_by_score": _LOG_ODDS,
    "recorded_wrong": Range(low=0, high=0.5, high_open=True),
    "number": Range(low=2, high=100_000, whole=True),
    "size_sd": _SPREAD,
    "prevalence_sd": _SPREAD,
    "male_sd": _SPREAD,
    "score_sd": _SPREAD,
    "population": _PART,
    "sampled": _PART,
    "disease": _LOG_ODDS,
    "male": _LOG_ODDS,
    "response_by_age": _LOG_ODDS,
    "both": _PART,
    "both_by_male": _LOG_ODDS,
}


def allowed_ranges() -> Mapping[str, Range]:
    """Return the range of every knob by its name.

    Examples
    --------
    >>> allowed_ranges()["validated"].words
    'at least 0 and at most 1'
    """
    return _RANGES


def check_ranges(part: Any, where: str) -> None:
    """Refuse a value outside its knob's range, and strata whose lists do not fit together.

    Parameters
    ----------
    part : a frozen value whose fields are knobs.
    where : what the part is called in the message.

    Raises
    ------
    StudyError : a value is not allowed; the message gives the knob, the value and what is allowed.

    Examples
    --------
    >>> from sexstrat.simulation.parts import EyeDisease
    >>> EyeDisease(both=1.5)
    Traceback (most recent call last):
    sexstrat.errors.StudyError: eye disease: both is 1.5; allowed: above 0 and below 1
    """
    for knob in fields(part):
        value = getattr(part, knob.name)
        if knob.name not in _RANGES or value is None:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, bool) or not isinstance(one, int | float) or not _RANGES[knob.name].allows(one):
                raise StudyError(f"{where}: {knob.name} is {one!r}; allowed: {_RANGES[knob.name].words}")
    lists = {knob.name: value for knob in fields(part) if isinstance(value := getattr(part, knob.name), tuple)}
    if len({len(value) for value in lists.values()}) > 1:
        sizes = ", ".join(f"{name} has {len(value)}" for name, value in lists.items())
        raise StudyError(f"{where}: every stratum needs one value in each list; {sizes}")
    for name in ("population", "sampled"):
        if name in lists and abs(sum(lists[name]) - 1) > 1e-9:
            raise StudyError(f"{where}: {name} adds up to {sum(lists[name]):g}; the shares must add up to 1")
