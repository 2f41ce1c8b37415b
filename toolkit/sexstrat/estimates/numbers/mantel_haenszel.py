"""Mantel-Haenszel odds ratio, prevalence ratio and prevalence difference from tables with recorded sex."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.stats import norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.stratified_tables import StratifiedTables

__all__ = ["MANTEL_HAENSZEL", "MantelHaenszel", "mantel_haenszel"]

ASSUMPTIONS = (
    "The measure is the same in every stratum, or the estimate is its weighted mean over them; patients are "
    "independent; recorded sex is right.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MantelHaenszel:
    """One Mantel-Haenszel estimate, men compared with women.

    Parameters
    ----------
    measure : odds_ratio, ratio or difference.
    point, se, low, high : the estimate, its standard error (of the logarithm for ratios) and interval; None where
        there is none, and ``reason`` says why.
    level : confidence level.
    n, n_cases : people and cases in the strata used.
    n_strata, n_used : strata given, and those with both sexes.
    state : recorded (a number from recorded sex) or undefined (no number, even with all inputs).
    reason : why a number or an interval is not there, or "".
    assumptions : sentences for the report.
    """

    measure: str
    point: float | None
    se: float | None
    low: float | None
    high: float | None
    level: float
    n: float
    n_cases: float
    n_strata: int
    n_used: int
    state: str
    reason: str = ""
    assumptions: tuple[str, ...] = ASSUMPTIONS


Parts = tuple[float, float, float]  # numerator, denominator, variance on the scale of the interval


def _odds_ratio(t: StratifiedTables) -> Parts:
    """Robins, Breslow and Greenland: sum P R / 2 R+^2 + sum (P S + Q R) / 2 R+ S+ + sum Q S / 2 S+^2."""
    agree = (t.male_cases + t.female_well) / t.people
    differ = (t.male_well + t.female_cases) / t.people
    r = t.male_cases * t.female_well / t.people
    s = t.male_well * t.female_cases / t.people
    top, bottom = float(r.sum()), float(s.sum())
    if top <= 0 or bottom <= 0:
        return top, bottom, 0.0
    mixed = float(np.sum(agree * s + differ * r))
    variance = float(agree @ r) / (2 * top**2) + mixed / (2 * top * bottom) + float(differ @ s) / (2 * bottom**2)
    return top, bottom, variance


def _ratio(t: StratifiedTables) -> Parts:
    """Greenland and Robins: sum (m n1 n0 - a c T) / T^2, over R+ S+."""
    r = t.male_cases * t.female_people / t.people
    s = t.female_cases * t.male_people / t.people
    top, bottom = float(r.sum()), float(s.sum())
    if top <= 0 or bottom <= 0:
        return top, bottom, 0.0
    shared = t.cases * t.male_people * t.female_people - t.male_cases * t.female_cases * t.people
    return top, bottom, float(np.sum(shared / t.people**2)) / (top * bottom)


def _difference(t: StratifiedTables) -> Parts:
    """Sato, Greenland and Robins: (RD sum P + sum Q) / (sum n1 n0 / T)^2."""
    n1, n0, total = t.male_people, t.female_people, t.people
    top = float(np.sum((t.male_cases * n0 - t.female_cases * n1) / total))
    bottom = float(np.sum(n1 * n0 / total))
    p = (n1**2 * t.female_cases - n0**2 * t.male_cases + n1 * n0 * (n0 - n1) / 2) / total**2
    q = (t.male_cases * t.female_well + t.female_cases * t.male_well) / (2 * total)
    return top, bottom, float(top / bottom * p.sum() + q.sum()) / bottom**2


# measure: its formula, whether the interval is on the log scale
MANTEL_HAENSZEL: Mapping[str, tuple[Callable[[StratifiedTables], Parts], bool]] = MappingProxyType(
    {"odds_ratio": (_odds_ratio, True), "ratio": (_ratio, True), "difference": (_difference, False)}
)


def _why_undefined(kind: str, top: float, bottom: float) -> str:
    """Say which sex has nobody to compare."""
    sex, other = ("men", "women") if top <= 0 else ("women", "men")
    if top <= 0 and bottom <= 0:
        nobody = "nobody with the disease" if kind == "ratio" else "nobody, or everybody, with the disease"
        return f"{nobody} in any stratum with both sexes, so no ratio can be formed"
    if kind == "ratio":
        return f"no diseased {sex} in any stratum with both sexes, so the ratio has no finite logarithm"
    return f"no stratum has diseased {sex} beside well {other}, so the odds ratio has no finite logarithm"


def mantel_haenszel(tables: StratifiedTables, kind: str, *, level: float = 0.95) -> MantelHaenszel:
    """Return the Mantel-Haenszel estimate over strata, men compared with women.

    With a diseased and b well men, c diseased and d well women, n1 men, n0 women and T people per stratum: odds ratio
    sum(ad/T) / sum(bc/T); prevalence ratio sum(a n0/T) / sum(c n1/T); prevalence difference
    sum((a n0 - c n1)/T) / sum(n1 n0/T). All three variances hold both for few large and for many small strata.
    Strata with one sex only are counted and left out, as their weight is 0.

    Parameters
    ----------
    tables : cases and people by sex and stratum.
    kind : odds_ratio, ratio or difference.
    level : confidence level, 0.5 to 0.999.

    Returns
    -------
    The estimate with its normal interval (on the log scale for the ratios), which covers the common value; or the
    state undefined and the reason, never a NaN.

    Raises
    ------
    EstimationError : unknown measure, or a level out of range.

    References
    ----------
    Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748.
    Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323 (odds ratio).
    Greenland S, Robins JM. Biometrics 1985;41:55-68 (ratio, equation 13).
    Sato T. Biometrics 1989;45:1323-1324 (difference).

    Examples
    --------
    One stratum, 4 of 10 men and 2 of 10 women: odds ratio 4 x 8 / (6 x 2), with the variance 1/4 + 1/6 + 1/2 + 1/8 of
    a single table; difference .4 - .2.

    >>> from sexstrat.estimates.numbers.stratified_tables import stratified_tables
    >>> one = stratified_tables(male_cases=[4], male_people=[10], female_cases=[2], female_people=[10])
    >>> found = mantel_haenszel(one, "odds_ratio")
    >>> round(found.point, 4), round(found.se**2, 4)
    (2.6667, 1.0417)
    >>> round(mantel_haenszel(one, "difference").point, 4)
    0.2
    """
    if kind not in MANTEL_HAENSZEL:
        raise EstimationError(f"no Mantel-Haenszel measure {kind!r}; there are {', '.join(MANTEL_HAENSZEL)}")
    if not 0.5 <= level <= 0.999:
        raise EstimationError(f"the confidence level must lie between 0.5 and 0.999; found {level}")
    used = tables.strata(tables.comparable)
    formula, on_log = MANTEL_HAENSZEL[kind]

    def result(state: str, reason: str = "", **numbers: float) -> MantelHaenszel:
        found: dict[str, float | None] = {"point": None, "se": None, "low": None, "high": None, **numbers}
        return MantelHaenszel(
            measure=kind,
            **found,  # type: ignore[arg-type]
            level=level,
            n=float(used.people.sum()),
            n_cases=float(used.cases.sum()),
            n_strata=tables.people.size,
            n_used=used.people.size,
            state=state,
            reason=reason,
        )

    if used.people.size == 0:
        return result("undefined", "no stratum has both men and women")
    top, bottom, variance = formula(used)
    if on_log and (top <= 0 or bottom <= 0):
        return result("undefined", _why_undefined(kind, top, bottom))
    point = top / bottom
    if not variance > 1e-12 * point**2:  # rounding leaves a trace of a variance that is 0
        why = "no interval: the estimate of the variance is not above 0, as where all patients of a sex are alike"
        return result("recorded", why, point=point)
    width, centre = float(norm.isf((1 - level) / 2)) * variance**0.5, np.log(point) if on_log else point
    low, high = (float(np.exp(x) if on_log else x) for x in (centre - width, centre + width))
    return result("recorded", point=point, se=variance**0.5, low=low, high=high)
