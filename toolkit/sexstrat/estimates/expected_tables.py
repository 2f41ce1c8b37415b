"""Mantel-Haenszel over age bands when sex is partly predicted: from the expected cells of a composition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.all_bands import all_bands_place
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.estimate_rows import Estimates, Place, contrast_row
from sexstrat.estimates.measures import Smooth

__all__ = [
    "ADJUSTED",
    "mantel_haenszel_at",
    "mantel_haenszel_difference",
    "mantel_haenszel_log_odds_ratio",
    "mantel_haenszel_log_ratio",
    "mantel_haenszel_rows",
]

Array = NDArray[np.float64]

# Which of (diseased men, well men, diseased women, well women) each part of a product counts.
_MALE_CASES, _MALE_WELL, _FEMALE_CASES, _FEMALE_WELL = np.eye(4)
_MEN, _WOMEN = _MALE_CASES + _MALE_WELL, _FEMALE_CASES + _FEMALE_WELL

NOTE = "strata are the age bands"


def _expected_cells(margin: Margin) -> Array:
    """Return expected diseased men, well men, diseased women, well women by band, shape (4, A)."""
    pi = np.where(margin.n > 0, margin.pi, 0.5)
    men, women = margin.n * pi, margin.n * (1 - pi)
    return np.stack([men[:, 1], men[:, 0], women[:, 1], women[:, 0]])


def _by_composition(margin: Margin, value: float, slopes: Array) -> Smooth:
    """Carry derivatives by the four expected cells, shape (4, A), to shares of men and counts."""
    pi = np.where(margin.n > 0, margin.pi, 0.5)
    by_men, by_women = slopes[[1, 0]].T, slopes[[3, 2]].T
    return Smooth(value=value, by_pi=margin.n * (by_men - by_women), by_n=pi * by_men + (1 - pi) * by_women)


def _product(margin: Margin, first: Array, second: Array) -> Smooth:
    """Return sum over bands of u v / T, u and v each counting some of a band's four cells and T all of them."""
    cells = _expected_cells(margin)
    u, v, total = first @ cells, second @ cells, cells.sum(axis=0)
    inverse = np.divide(1.0, total, out=np.zeros_like(total), where=margin.n.sum(axis=1) > 0)
    slopes = (np.outer(first, v) + np.outer(second, u) - u * v * inverse) * inverse
    return _by_composition(margin, float(np.sum(u * v * inverse)), slopes)


def _log_of_quotient(top: Smooth, bottom: Smooth) -> Smooth:
    if not (top.value > 0 and bottom.value > 0):  # NaN compares false: refused shares end here too
        return top.mapped(np.nan, 0.0)
    logs = (one.mapped(float(np.log(one.value)), 1 / one.value) for one in (top, bottom))
    return next(logs).plus(next(logs), -1.0)


def mantel_haenszel_log_odds_ratio(margin: Margin) -> Smooth:
    """Return the log of sum(A D / T) over sum(B C / T), the strata being the bands of the composition.

    Expected cells of a band: A = N_1 pi_1 diseased men, B = N_0 pi_0 well men, C = N_1 (1 - pi_1) diseased women,
    D = N_0 (1 - pi_0) well women, T their sum. Empty bands add nothing.

    Parameters
    ----------
    margin : the composition by band.

    Returns
    -------
    Value with its derivatives; NaN where either sum is 0 or a share is not known.

    References
    ----------
    Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748.

    Examples
    --------
    In each of two bands 100 of 300 men and 50 of 250 women: 100 x 200 over 200 x 50, an odds ratio of 2.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> round(float(np.exp(mantel_haenszel_log_odds_ratio(one.by_band).value)), 6)
    2.0
    """
    return _log_of_quotient(_product(margin, _MALE_CASES, _FEMALE_WELL), _product(margin, _MALE_WELL, _FEMALE_CASES))


def mantel_haenszel_log_ratio(margin: Margin) -> Smooth:
    """Return the log of sum(A n0 / T) over sum(C n1 / T), n1 = A + B men and n0 = C + D women.

    Parameters
    ----------
    margin : the composition by band.

    Returns
    -------
    Value with its derivatives; NaN where either sum is 0 or a share is not known.

    References
    ----------
    Rothman KJ, Greenland S, Lash TL. Modern Epidemiology, 3rd edition, 2008, chapter 15.

    Examples
    --------
    1/3 of the men and 1/5 of the women in every band.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> round(float(np.exp(mantel_haenszel_log_ratio(one.by_band).value)), 6)
    1.666667
    """
    return _log_of_quotient(_product(margin, _MALE_CASES, _WOMEN), _product(margin, _FEMALE_CASES, _MEN))


def mantel_haenszel_difference(margin: Margin) -> Smooth:
    """Return sum((A n0 - C n1) / T) over sum(n1 n0 / T).

    Parameters
    ----------
    margin : the composition by band.

    Returns
    -------
    Value with its derivatives; NaN where no band has men and women, or a share is not known.

    References
    ----------
    Greenland S, Robins JM. Biometrics 1985;41:55-68.

    Examples
    --------
    1/3 of the men and 1/5 of the women in every band.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> round(mantel_haenszel_difference(one.by_band).value, 6)
    0.133333
    """
    top = _product(margin, _MALE_CASES, _WOMEN).plus(_product(margin, _FEMALE_CASES, _MEN), -1.0)
    bottom = _product(margin, _MEN, _WOMEN)
    if not bottom.value > 0:
        return top.mapped(np.nan, 0.0)
    value = top.value / bottom.value
    return top.plus(bottom, -value).mapped(value, 1 / bottom.value)


# kind: measure of the contract, formula, whether its interval is on the log scale
ADJUSTED: Mapping[str, tuple[str, Callable[[Margin], Smooth], bool]] = MappingProxyType(
    {
        "odds_ratio": ("mantel_haenszel_odds_ratio", mantel_haenszel_log_odds_ratio, True),
        "ratio": ("mantel_haenszel_prevalence_ratio", mantel_haenszel_log_ratio, True),
        "difference": ("mantel_haenszel_prevalence_difference", mantel_haenszel_difference, False),
    }
)


def mantel_haenszel_at(place: Place, kind: str) -> dict[str, Any]:
    """Return the row of one Mantel-Haenszel measure at a place that holds all bands.

    Parameters
    ----------
    place : all bands, from ``all_bands_place``.
    kind : one of ``ADJUSTED``.

    Raises
    ------
    EstimationError : unknown kind.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> place = all_bands_place(compose(worked_cells(), bands=worked_bands(), design="random"), "mantel_haenszel")
    >>> row = mantel_haenszel_at(place, "odds_ratio")
    >>> row["measure"], round(row["point"], 4), bool(row["low"] < 2 < row["high"])
    ('mantel_haenszel_odds_ratio', 2.0, True)
    """
    if kind not in ADJUSTED:
        raise EstimationError(f"no Mantel-Haenszel measure {kind!r}; there are {', '.join(ADJUSTED)}")
    measure, formula, on_log = ADJUSTED[kind]
    return contrast_row(place, measure, formula(place.margin), on_log=on_log)


def mantel_haenszel_rows(one: Composition) -> Estimates:
    """Return the Mantel-Haenszel odds ratio, prevalence ratio and difference over the age bands.

    The point is the classical one at the expected cells; its variance comes from the composition, so that it holds the
    uncertainty of sex as well as of the sample, and does not rest on a common value over the bands.

    Parameters
    ----------
    one : the composition.

    Returns
    -------
    Three rows of all ages, standard ``mantel_haenszel``; where more than 5 % of the patients are in bands too thin for
    the estimator they come from its fallback. With few patients in every band the interval is rough: the classical
    variances also hold for many small strata, this one does not.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> mantel_haenszel_rows(one).to_frame()["point"].round(4).tolist()
    [2.0, 1.6667, 0.1333]
    """
    place = all_bands_place(one, "mantel_haenszel", note=NOTE)
    return Estimates(tuple(mantel_haenszel_at(place, kind) for kind in ADJUSTED))
