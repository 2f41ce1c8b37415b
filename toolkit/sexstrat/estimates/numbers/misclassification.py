"""The share of men behind the share called men, when sensitivity and specificity are known or estimated."""

from __future__ import annotations

import numpy as np

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.proportions import wilson
from sexstrat.estimates.numbers.share_of_men import ShareOfMen, normal_quantile, share_of_men

__all__ = [
    "SMALLEST_YOUDEN",
    "check_informative",
    "lang_reiczigel",
    "rogan_gladen",
    "rogan_gladen_delta",
    "rogan_gladen_known",
]

SMALLEST_YOUDEN = 0.05  # below it every error is multiplied by more than 20

_TRANSPORT = "sensitivity and specificity are the same in the target sample as where they were measured"
_SEPARATE = "the labelled patients are independent of the target sample"
_KNOWN = "sensitivity and specificity are known without error"


def rogan_gladen(apparent: float, sensitivity: float, specificity: float) -> float:
    """Return the proportion behind an apparent one: (apparent + specificity - 1) / (sensitivity + specificity - 1).

    Parameters
    ----------
    apparent : share classified positive, 0 to 1.
    sensitivity, specificity : of the classifier; their sum must exceed 1.05.

    Returns
    -------
    The corrected share; it may leave 0 to 1, which says that the three do not fit together.

    Raises
    ------
    EstimationError : a value outside 0 to 1, or a classifier hardly better than chance.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76.

    Examples
    --------
    Half are men; sensitivity .9 and specificity .8 make .45 + .10 = .55 look male.

    >>> round(rogan_gladen(0.55, 0.9, 0.8), 6)
    0.5
    """
    values = {"apparent": apparent, "sensitivity": sensitivity, "specificity": specificity}
    if bad := [name for name, value in values.items() if not 0 <= value <= 1]:
        raise EstimationError(f"{', '.join(bad)} must lie between 0 and 1; found {values}")
    check_informative(sensitivity + specificity - 1)
    return (apparent + specificity - 1) / (sensitivity + specificity - 1)


def check_informative(youden: float, margin: float = 0.0) -> None:
    """Refuse a class that hardly depends on sex, where the correction would divide by almost nothing.

    Parameters
    ----------
    youden : sensitivity + specificity - 1.
    margin : half the width of its interval; 0 when known.

    Raises
    ------
    EstimationError : ``youden`` is at most 0.05, or not above its margin of error.

    Examples
    --------
    >>> check_informative(0.1, 0.02)
    >>> check_informative(0.1, 0.12)
    Traceback (most recent call last):
    sexstrat.errors.EstimationError: sensitivity + specificity - 1 is 0.1 with a margin of error of 0.12; ...
    """
    if youden <= max(SMALLEST_YOUDEN, margin):
        swapped = ". It is below 0: the classes are probably swapped" if youden < -max(SMALLEST_YOUDEN, margin) else ""
        raise EstimationError(
            f"sensitivity + specificity - 1 is {youden:.4g} with a margin of error of {margin:.4g}; it must exceed "
            f"{SMALLEST_YOUDEN} and that margin, or the predicted sex says too little for a correction{swapped}"
        )


def _apparent(called_men: float, n: float) -> float:
    if not (np.isfinite(n) and n > 0 and 0 <= called_men <= n):
        raise EstimationError(f"need 0 <= called_men <= n and n > 0; found called_men = {called_men}, n = {n}")
    return called_men / n


def _delta_se(called_men: float, n: float, accuracy: ClassAccuracy) -> tuple[float, float]:
    """Return the Rogan-Gladen share and its delta standard error."""
    q = _apparent(called_men, n)
    share = rogan_gladen(q, accuracy.sensitivity, accuracy.specificity)
    variance = q * (1 - q) / n
    variance += share**2 * accuracy.sensitivity_variance + (1 - share) ** 2 * accuracy.specificity_variance
    return share, float(np.sqrt(variance)) / accuracy.youden


def rogan_gladen_known(
    called_men: float, n: float, *, sensitivity: float, specificity: float, level: float = 0.95
) -> ShareOfMen:
    """Return the Rogan-Gladen share with Wilson's limits of the apparent share carried through the same formula.

    Sensitivity and specificity are taken as known: the interval is too narrow whenever they were estimated.

    Parameters
    ----------
    called_men, n : patients of the target sample called men, and all of them.
    sensitivity, specificity : share of men called men, share of women called women.
    level : confidence level.

    Raises
    ------
    EstimationError : counts or values out of range, a class hardly better than chance, an interval outside 0 to 1.

    References
    ----------
    Reiczigel J, Foldi J, Ozsvari L. Epidemiol Infect 2010;138:1674-1678.

    Examples
    --------
    Of 200, 110 are called men, Wilson limits .4808 and .6173: (.4808 - .2) / .7 and (.6173 - .2) / .7.

    >>> one = rogan_gladen_known(110, 200, sensitivity=0.9, specificity=0.8)
    >>> round(one.point, 4), round(one.low, 4), round(one.high, 4)
    (0.5, 0.4011, 0.5962)
    """
    normal_quantile(level)
    q = _apparent(called_men, n)
    raw = rogan_gladen(q, sensitivity, specificity)
    youden = sensitivity + specificity - 1
    low, high = ((limit + specificity - 1) / youden for limit in wilson(called_men, n, level=level))
    centre = (called_men + 0.5) / (n + 1)  # so that the standard error is not 0 when nobody or everybody is called male
    se = float(np.sqrt((q * (1 - q) or centre * (1 - centre)) / n)) / youden
    return share_of_men(
        estimator="Rogan-Gladen, known accuracy",
        raw=raw,
        se=se,
        limits=(low, high),
        level=level,
        n=(n, 0, 0),
        assumptions=(_KNOWN, _TRANSPORT),
    )


def rogan_gladen_delta(called_men: float, n: float, *, accuracy: ClassAccuracy, level: float = 0.95) -> ShareOfMen:
    """Return the Rogan-Gladen share with the delta interval for estimated sensitivity and specificity.

    Variance {q (1 - q) / N + pi^2 Se (1 - Se) / n1 + (1 - pi)^2 Sp (1 - Sp) / n0} / (Se + Sp - 1)^2, q the share
    called men. A normal interval: poor near 0 and 1 and with few labelled patients, where :func:`lang_reiczigel` holds.

    Parameters
    ----------
    called_men, n : patients of the target sample called men, and all of them.
    accuracy : labelled men and women, and how many of them are classified correctly.
    level : confidence level.

    Raises
    ------
    EstimationError : counts out of range, a class hardly better than chance, an interval outside 0 to 1 or without
        width.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76.

    Examples
    --------
    q = .55: sqrt(.2475/200 + .25 x .09/100 + .25 x .16/100) / .7.

    >>> accuracy = ClassAccuracy(correct_men=90, n_men=100, correct_women=80, n_women=100)
    >>> one = rogan_gladen_delta(110, 200, accuracy=accuracy)
    >>> round(one.point, 4), round(one.se, 4)
    (0.5, 0.0617)
    """
    z = normal_quantile(level)
    check_informative(accuracy.youden, z * accuracy.youden_se)
    raw, se = _delta_se(called_men, n, accuracy)
    return share_of_men(
        estimator="Rogan-Gladen, delta",
        raw=raw,
        se=se,
        limits=(raw - z * se, raw + z * se),
        level=level,
        n=(n, accuracy.n_men, accuracy.n_women),
        assumptions=(_TRANSPORT, _SEPARATE),
    )


def lang_reiczigel(called_men: float, n: float, *, accuracy: ClassAccuracy, level: float = 0.95) -> ShareOfMen:
    """Return the Rogan-Gladen share with the interval of Lang and Reiczigel.

    Sensitivity and specificity with one success and one failure added, the apparent share with z^2 / 2 of each, give
    pi' by the Rogan-Gladen formula; the interval is pi' + d -+ z se', where
    d = 2 z^2 {pi' Se' (1 - Se') / n1' - (1 - pi') Sp' (1 - Sp') / n0'} and se' is the delta one at these values.

    Parameters
    ----------
    called_men, n : patients of the target sample called men, and all of them.
    accuracy : labelled men and women, and how many of them are classified correctly.
    level : confidence level; the method was studied at 0.90 to 0.99.

    Returns
    -------
    The point is the plain Rogan-Gladen share; ``se`` is the one of the interval, so that it is never 0.

    Raises
    ------
    EstimationError : counts out of range, a class hardly better than chance, an interval outside 0 to 1.

    References
    ----------
    Lang Z, Reiczigel J. Prev Vet Med 2014;113:13-22, equations 6, 7, 16 and 17. Equation 4 is used with (1 - pi)^2
    where (1 + pi)^2 is printed, as the derivation asks.

    Examples
    --------
    No error among 98 men and 98 women, 50 of 100 called men: Se' = Sp' = .99 and pi' = .5, so the interval is
    symmetric.

    >>> accuracy = ClassAccuracy(correct_men=98, n_men=98, correct_women=98, n_women=98)
    >>> one = lang_reiczigel(50, 100, accuracy=accuracy)
    >>> round(one.point, 4), round(one.low + one.high, 6), round(one.se, 4)
    (0.5, 1.0, 0.0506)
    """
    z = normal_quantile(level)
    check_informative(accuracy.youden, z * accuracy.youden_se)
    raw = rogan_gladen(_apparent(called_men, n), accuracy.sensitivity, accuracy.specificity)
    more = ClassAccuracy(
        correct_men=accuracy.correct_men + 1,
        n_men=accuracy.n_men + 2,
        correct_women=accuracy.correct_women + 1,
        n_women=accuracy.n_women + 2,
    )
    check_informative(more.youden)
    centre, se = _delta_se(called_men + z**2 / 2, n + z**2, more)
    shift = 2 * z**2 * (centre * more.sensitivity_variance - (1 - centre) * more.specificity_variance)
    return share_of_men(
        estimator="Rogan-Gladen, Lang-Reiczigel",
        raw=raw,
        se=se,
        limits=(centre + shift - z * se, centre + shift + z * se),
        level=level,
        n=(n, accuracy.n_men, accuracy.n_women),
        assumptions=(_TRANSPORT, _SEPARATE),
    )
