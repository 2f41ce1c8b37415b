"""How numbers are printed: one rule a quantity, and a word wherever there is no number."""

from __future__ import annotations

import math
from typing import Any

from sexstrat.reporting.texts import STATE_WORDS

__all__ = ["count", "interval", "is_number", "plain", "quantity", "share"]

MINUS = "\N{MINUS SIGN}"
_RATIOS = frozenset(
    {
        *("prevalence_ratio", "prevalence_odds_ratio", "eye_prevalence_ratio", "eye_prevalence_odds_ratio"),
        *("mantel_haenszel_prevalence_ratio", "mantel_haenszel_odds_ratio"),
        *("regression_prevalence_ratio", "regression_odds_ratio"),
        *("odds_ratio_per_decade", "prevalence_ratio_per_decade"),
        *("ratio_of_odds_ratios_per_decade", "ratio_of_prevalence_ratios_per_decade"),
        *("e_value", "statistic", "attenuation_factor", "linear_trend"),
        *("true_prevalence_ratio", "naive_prevalence_ratio"),
    }
)
_POINTS = frozenset(
    {
        *("prevalence_difference", "eye_prevalence_difference", "mantel_haenszel_prevalence_difference"),
        *("predicted_minus_observed_male_share", "band_trend"),
        *("correct_among_men_by_disease", "correct_among_women_by_disease"),
    }
)
# biases of ratios, in percent and with a sign
_BIASES = frozenset({"relative_bias", "bias_of_equal_errors", "bias_of_unequal_errors", "bias_after_equal_correction"})
_YEARS = frozenset({"crossing_age"})
_THREE_DECIMALS = frozenset(
    {"auc", "brier", "scaled_brier", "log_loss", "ici", "e50", "e90", "ece", "ece_if_calibrated"}
)
_TWO_DECIMALS = frozenset({"age_absolute_error", "calibration_slope", "predicted_sex_ratio"})
_LOGITS = frozenset(
    {"age_bias", "log_predicted_observed_ratio", "calibration_in_the_large", "auc_difference", "shift_of_logit"}
)


def is_number(value: Any) -> bool:
    """Tell whether a table cell holds a number at all (not None, NaN, NA or text).

    Examples
    --------
    >>> is_number(0.0), is_number(float("nan")), is_number(None), is_number("3")
    (True, False, False, False)
    """
    if value is None or isinstance(value, (str, bytes, bool)):
        return False
    try:
        return not math.isnan(float(value))
    except (TypeError, ValueError):
        return False


def count(value: Any, state: str = "") -> str:
    """Print a count with thousands separators, or the word that says why there is none.

    Parameters
    ----------
    value : the count, or an empty cell.
    state : state of the row, which decides the word for an empty cell.

    Examples
    --------
    >>> count(20000), count(0), count(None, "suppressed"), count(float("nan"), "measured")
    ('20,000', '0', 'suppressed', 'missing')
    """
    if is_number(value):
        return f"{round(float(value)):,}".replace("-", MINUS)
    return STATE_WORDS.get(state, STATE_WORDS["missing"])


def share(value: float, *, decimals: int = 1) -> str:
    """Print a share as a percentage; a share above zero never prints as zero.

    Examples
    --------
    >>> share(0.1234), share(0.0), share(0.0002), share(-0.021)
    ('12.3%', '0%', '<0.1%', '−2.1%')
    """
    return f"{_fixed(100 * value, decimals)}%"


def quantity(measure: str, value: float) -> str:
    """Print one value of a measure with its unit.

    Ratios have two decimals; shares and prevalences are percentages with one; differences are percentage points with
    a sign; an area under the curve has three decimals.

    Parameters
    ----------
    measure : a measure of the ``estimate`` table or a metric of the ``audit`` table.
    value : the number; infinity is allowed.

    Examples
    --------
    >>> quantity("prevalence_ratio", 1.4142), quantity("prevalence", 0.0831), quantity("prevalence_difference", -0.021)
    ('1.41', '8.3%', '−2.1 points')
    >>> quantity("relative_bias", -0.136), quantity("crossing_age", 57.31)
    ('−14%', '57')
    """
    unit = {"points": " points", "percent": "%", "bias": "%"}.get(_scale(measure), "")
    return plain(measure, value) + unit


def plain(measure: str, value: float) -> str:
    """Print one value of a measure without its unit (as :func:`quantity` otherwise).

    Examples
    --------
    >>> plain("prevalence", 0.0831), plain("prevalence_difference", 0.021), plain("auc", 0.67149)
    ('8.3', '+2.1', '0.671')
    """
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    scale = _scale(measure)
    if scale == "points":
        return _signed(100 * value, 1)
    if scale == "bias":
        return _signed(100 * value, 0)
    if scale == "years":
        return f"{value:.0f}"
    if scale == "percent":
        return _fixed(100 * value, 1)
    if scale == "logit":
        return _signed(value, 3 if measure == "auc_difference" else 2)
    if scale == "count":
        return count(value)
    return _fixed(value, 3 if measure in _THREE_DECIMALS else 2)


def interval(measure: str, point: Any, low: Any, high: Any, state: str) -> tuple[str, str]:
    """Print an estimate and its interval as two texts, or a word and nothing.

    Parameters
    ----------
    measure : what is estimated.
    point, low, high : the estimate and its limits; any may be empty.
    state : state of the row; a state without a number wins over any number that came with it.

    Returns
    -------
    The estimate with its unit (or ``0``, ``suppressed``, ``missing``, ``not defined``, ``refused``) and the interval
    in parentheses, empty when there is none.

    Examples
    --------
    >>> interval("prevalence_ratio", 1.41, 1.2, 1.654, "corrected")
    ('1.41', '(1.20 to 1.65)')
    >>> interval("prevalence", 0.0, 0.0, 0.012, "naive")
    ('0', '(0 to 1.2%)')
    >>> interval("prevalence", 0.2, 0.1, 0.3, "suppressed"), interval("prevalence", None, None, None, "undefined")
    (('suppressed', ''), ('not defined', ''))
    """
    if state in STATE_WORDS:
        return STATE_WORDS[state], ""
    if not is_number(point):
        return STATE_WORDS["missing"], ""
    shown = "0" if float(point) == 0 else quantity(measure, float(point))
    if not (is_number(low) and is_number(high)):
        return shown, ""
    upper = quantity(measure, float(high)) if shown == "0" else plain(measure, float(high))  # a bare 0 has no unit
    return shown, f"({plain(measure, float(low))} to {upper})"


def _scale(measure: str) -> str:
    if measure in _POINTS:
        return "points"
    if measure in _BIASES:
        return "bias"
    if measure in _YEARS:
        return "years"
    if measure in _LOGITS:
        return "logit"
    if measure in _RATIOS or measure in _THREE_DECIMALS or measure in _TWO_DECIMALS:
        return "ratio"
    return "count" if measure in {"n_images", "n_patients"} else "percent"


def _fixed(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    smallest = 10.0**-decimals
    if abs(value) < smallest / 2:
        return f"<{smallest:.{decimals}f}" if value > 0 else f"{MINUS}<{smallest:.{decimals}f}"
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def _signed(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    text = _fixed(value, decimals)
    if text.lstrip(MINUS).startswith("<"):
        return f"{0:.{decimals}f}"
    return text if value < 0 else f"+{text}"
