"""Is the odds ratio the same in all strata: Breslow and Day's test with Tarone's correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sexstrat.estimates.numbers.mantel_haenszel import mantel_haenszel
from sexstrat.estimates.numbers.stratified_tables import StratifiedTables

__all__ = ["Homogeneity", "breslow_day"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Homogeneity:
    """A test that a measure is the same in all strata.

    Parameters
    ----------
    statistic, df, p_value : chi-square, its degrees of freedom and p; None where there is no test.
    uncorrected : the statistic without Tarone's correction, or None.
    n_strata, n_used : strata given, and those used.
    state : recorded, or that of the composition whose bands are compared; undefined or refused without a test.
    reason : why there is no test, or a warning about it, or "".
    """

    statistic: float | None
    df: float | None
    p_value: float | None
    uncorrected: float | None
    n_strata: int
    n_used: int
    state: str
    reason: str = ""


def _expected_male_cases(t: StratifiedTables, odds_ratio: float) -> Array:
    """Return the diseased men that give each stratum this odds ratio with its own margins.

    A solves A (n0 - m + A) = psi (n1 - A)(m - A), in the form of the quadratic's root that does not cancel.
    """
    n1, n0, m = t.male_people, t.female_people, t.cases
    square, line, constant = 1 - odds_ratio, n0 - m + odds_ratio * (n1 + m), -odds_ratio * n1 * m
    root = np.sqrt(line**2 - 4 * square * constant)
    negative = (root - line) / (2 * square if square != 0 else 1.0)  # line < 0 only where the odds ratio is below 1
    return np.where(line >= 0, -2 * constant / np.maximum(line + root, 1e-300), negative)


def breslow_day(tables: StratifiedTables) -> Homogeneity:
    """Test whether the odds ratio is the same in all strata.

    sum (a - A)^2 / V - (sum a - sum A)^2 / sum V, with A the diseased men expected under the Mantel-Haenszel odds
    ratio given each stratum's margins, and 1/V the sum of the reciprocals of the four expected cells; the second term
    is Tarone's correction. Chi-square on (strata used - 1) degrees of freedom. Strata with an empty margin are left
    out: they carry no information on the odds ratio. Assumes large strata.

    Parameters
    ----------
    tables : cases and people by sex and stratum, with recorded sex.

    Returns
    -------
    The test, or the state undefined and the reason.

    References
    ----------
    Breslow NE, Day NE. Statistical Methods in Cancer Research I. IARC 1980, equation 4.30.
    Tarone RE. Biometrika 1985;72:91-95. Breslow NE. Stat Med 1996;15:17-28.

    Examples
    --------
    Odds ratios 4 and 1/4 in two mirrored strata: the common one is 1, so that 5 of 10 are expected where 20/3 and
    10/3 are found, V = 1.25, and the statistic is 2 (5/3)^2 / 1.25.

    >>> from sexstrat.estimates.numbers.stratified_tables import stratified_tables
    >>> a, c = [20 / 3, 10 / 3], [10 / 3, 20 / 3]
    >>> two = stratified_tables(male_cases=a, male_people=[10, 10], female_cases=c, female_people=[10, 10])
    >>> found = breslow_day(two)
    >>> round(found.statistic, 4), found.df
    (4.4444, 1.0)
    """
    used = tables.strata(tables.informative)
    sizes = {"n_strata": tables.people.size, "n_used": used.people.size}

    def untested(reason: str) -> Homogeneity:
        return Homogeneity(
            statistic=None, df=None, p_value=None, uncorrected=None, state="undefined", reason=reason, **sizes
        )

    if used.people.size < 2:
        return untested(
            f"{used.people.size} strata have men, women, diseased and well people; two are needed to compare"
        )
    common = mantel_haenszel(used, "odds_ratio")
    if common.point is None:
        return untested(common.reason)
    a = _expected_male_cases(used, common.point)
    cells = np.stack([a, used.male_people - a, used.cases - a, used.female_people - used.cases + a])
    variance = 1 / np.sum(1 / cells, axis=0)
    apart = used.male_cases - a
    plain = float(np.sum(apart**2 / variance))
    statistic = max(plain - float(apart.sum() ** 2 / variance.sum()), 0.0)
    df = float(used.people.size - 1)
    small = "" if cells.min() >= 1 else "an expected cell is below 1, so that the chi-square is rough"
    return Homogeneity(
        statistic=statistic,
        df=df,
        p_value=float(chi2.sf(statistic, df)),
        uncorrected=plain,
        state="recorded",
        reason=small,
        **sizes,
    )
