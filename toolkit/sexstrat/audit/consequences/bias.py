"""The bias of a prevalence ratio by predicted sex, parted into that of equal errors and that of unequal ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.consequences.error_table import ErrorTable
from sexstrat.audit.gap import gap
from sexstrat.audit.interval import normal_quantile, wilson_interval

__all__ = ["LOGARITHMIC", "QUANTITIES", "NaiveBias", "naive_bias"]

Floats = NDArray[np.float64]
Interval = tuple[float, float, float]

# ratios, whose intervals are symmetric in their logarithm; a bias is a ratio less 1
LOGARITHMIC = ("true_prevalence_ratio", "naive_prevalence_ratio")
BIASES = ("relative_bias", "bias_of_equal_errors", "bias_of_unequal_errors", "bias_after_equal_correction")
DIFFERENCES = ("correct_among_men_by_disease", "correct_among_women_by_disease")
QUANTITIES = (*LOGARITHMIC, *BIASES, "attenuation_factor", *DIFFERENCES)

WIDEST = 10.0  # a corrected number so near 0 that its interval spans this factor has no logarithm to speak of
_TINY = 1e-30  # step of the complex-step derivative, exact to rounding: Squire, Trapp, SIAM Review 1998;40:110-112
_HALF = 0.5  # patients added to each cell for the variance: Gart 1966, Biometrika 53:213, after Haldane 1956


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveBias:
    """What measured errors do to one prevalence ratio.

    Parameters
    ----------
    found : point, lower and upper limit by quantity, those of ``QUANTITIES`` that are defined.
    undefined : the reason by quantity, for the others.
    level : confidence level.

    Examples
    --------
    >>> NaiveBias(found={}, undefined={"relative_bias": "nobody"}, level=0.95).undefined["relative_bias"]
    'nobody'
    """

    found: Mapping[str, Interval]
    undefined: Mapping[str, str]
    level: float


def naive_bias(table: ErrorTable, *, level: float = 0.95, min_patients: int = 10) -> NaiveBias:
    """Measure what the errors of predicted sex do to the prevalence ratio of men to women.

    Both ratios are of the same patients of known sex: by predicted and by recorded sex. relative_bias = naive / true -
    1. It is the product of two parts: bias_of_equal_errors, what the errors would do if diseased and well were called
    wrongly equally often (each sex at its rate over both), and bias_of_unequal_errors, the rest.
    bias_after_equal_correction is what a correction that takes the errors as equal would leave behind; where they are
    not, it enlarges the bias. attenuation_factor = positive + negative predictive value - 1 multiplies a true
    difference of prevalences when errors are equal.

    Assumes that patients of known sex, so weighted, stand for all of the group, and patients to be independent.

    Parameters
    ----------
    table : patients of known sex of one disease and age group.
    level : confidence level.
    min_patients : smallest number of diseased men, diseased women, well men and well women that defines anything; at
        least 2.

    Returns
    -------
    Delta-method intervals, in the logarithm for ratios and biases; their variance takes half a patient more in each of
    the eight cells, so that no error found is not taken for no error. The last two quantities, the share called rightly
    among the diseased less that among the well, have Newcombe's intervals.

    References
    ----------
    Greenland S. Basic methods for sensitivity analysis of biases. Int J Epidemiol 1996;25:1107-1116; Brenner H,
    Savitz DA. Am J Epidemiol 1990;132:1181-1192 (unequal errors); Newcombe 1998, Stat Med 17:873.

    Examples
    --------
    Prevalence .2 of 1,000 men and .1 of 1,000 women; one in ten of each sex is called the other, diseased or well:
    naive (180 + 10) / 1000 over (90 + 20) / 1000 = 1.7273, a bias of -13.6 %; PPV + NPV - 1 = .8.

    >>> table = np.array([[[810.0, 90], [80, 720]], [[90, 10], [20, 180]]])
    >>> found = naive_bias(ErrorTable(patients=table, weight=table, squares=table)).found
    >>> [round(found[name][0], 4) for name in ("true_prevalence_ratio", "naive_prevalence_ratio", "relative_bias")]
    [2.0, 1.7273, -0.1364]
    >>> [round(found[name][0], 4) + 0.0 for name in ("bias_of_unequal_errors", "attenuation_factor")]
    [0.0, 0.8]
    """
    few = _too_few(table, min_patients)
    if few:
        return NaiveBias(found={}, undefined=dict.fromkeys(QUANTITIES, few), level=level)
    mean = float(table.squares.sum() / table.weight.sum())
    smoothed, squares = table.weight + _HALF * mean, table.squares + _HALF * mean**2
    points, spread = _measures(table.weight), _measures_gradient(smoothed)
    z = normal_quantile(level)
    found: dict[str, Interval] = {}
    undefined: dict[str, str] = {}
    for name, value in points.items():
        if not np.isfinite(value):
            undefined[name] = _why_undefined(name, tells=points["attenuation_factor"] != 0)
            continue
        reach = z * float(np.sqrt(np.sum(spread[name] ** 2 * squares)))
        if name == "bias_after_equal_correction" and not reach < np.log(WIDEST):
            undefined[name] = f"its interval spans more than {WIDEST:.0f} times either way: the correction is near 0"
            continue
        found[name] = _limits(name, float(np.real(value)), reach)
    for sex, name in enumerate(reversed(DIFFERENCES)):
        found[name] = _by_disease(table, sex, level)
    return NaiveBias(
        found={name: found[name] for name in QUANTITIES if name in found}, undefined=undefined, level=level
    )


def _limits(name: str, value: float, reach: float) -> Interval:
    if name == "attenuation_factor":
        return value, max(-1.0, value - reach), min(1.0, value + reach)
    less = 1.0 if name in BIASES else 0.0
    return float(np.exp(value) - less), float(np.exp(value - reach) - less), float(np.exp(value + reach) - less)


def _measures(weight: NDArray[np.floating] | NDArray[np.complexfloating]) -> dict[str, complex | float]:
    """Return the logarithms of the ratios and biases, and the attenuation factor, as smooth functions of the cells."""
    recorded, called = weight.sum(axis=2), weight.sum(axis=1)  # disease x sex
    of_women, of_men = (weight[:, sex].sum(axis=0) / recorded[:, sex].sum() for sex in (0, 1))  # share called w, m
    expected = recorded[:, :1] * of_women + recorded[:, 1:] * of_men
    youden = of_men[1] - of_women[1]
    both = recorded.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a score that tells nothing of sex corrects nothing
        back = (called[:, 1] - of_women[1] * both) / youden
    corrected = np.stack([both - back, back], axis=1)
    true, naive, equal, left = (_log_ratio(one) for one in (recorded, called, expected, corrected))
    share, male_called = recorded[:, 1].sum() / weight.sum(), called[:, 1].sum() / weight.sum()
    factor = youden * share * (1 - share) / (male_called * (1 - male_called))
    return {
        "true_prevalence_ratio": true,
        "naive_prevalence_ratio": naive,
        "relative_bias": naive - true,
        "bias_of_equal_errors": equal - true,
        "bias_of_unequal_errors": naive - equal,
        "bias_after_equal_correction": left - true,
        "attenuation_factor": factor,
    }


def _log_ratio(counts: NDArray[np.floating] | NDArray[np.complexfloating]) -> complex | float:
    """Return the log ratio of the prevalences of men and women; NaN where one is not above 0."""
    if not np.all(np.real(counts) > 0):
        return float("nan")
    total = counts.sum(axis=0)
    ratio = np.log(counts[1, 1] / total[1]) - np.log(counts[1, 0] / total[0])
    return complex(ratio) if np.iscomplexobj(counts) else float(ratio)


def _measures_gradient(weight: Floats) -> dict[str, Floats]:
    gradient: dict[str, Floats] = {}
    for position in np.ndindex(weight.shape):
        stepped = weight.astype(complex)
        stepped[position] += _TINY * 1j
        for name, value in _measures(stepped).items():
            gradient.setdefault(name, np.zeros(weight.shape))[position] = np.imag(value) / _TINY
    return gradient


def _by_disease(table: ErrorTable, sex: int, level: float) -> Interval:
    """Return the share called rightly among the diseased less that among the well, of one sex."""
    limits: list[float] = []
    for disease in (1, 0):
        weight, squares = table.weight[disease, sex], table.squares[disease, sex]
        share = float(weight[sex] / weight.sum())
        effective = float(weight.sum() ** 2 / squares.sum())
        limits += [share, *wilson_interval(share, effective, level=level)]
    return gap(*limits)


def _too_few(table: ErrorTable, min_patients: int) -> str:
    """Say which group is too small, without its number."""
    names = (("well women", "well men"), ("diseased women", "diseased men"))
    lacking = [names[d][s] for d in (1, 0) for s in (1, 0) if table.recorded[d, s] < min_patients]
    return f"fewer than {min_patients} {' and '.join(lacking)} of known sex with a score" if lacking else ""


def _why_undefined(name: str, *, tells: bool) -> str:
    if name == "bias_after_equal_correction" and not tells:
        return "as many women as men are called men: errors taken as equal cannot be corrected"
    if name == "bias_after_equal_correction":
        return "the correction for equal errors gives a negative number of diseased or well men or women"
    return "by predicted sex one sex has nobody diseased, or nobody well"
