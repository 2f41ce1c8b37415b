"""Change of prevalence with age in men and in women, and whether the two differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from sexstrat.errors import EstimationError
from sexstrat.estimates.all_bands import all_bands_place
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.estimate_rows import Estimates, Place, contrast_row
from sexstrat.estimates.measures import Smooth
from sexstrat.estimates.numbers.mean_model import MeanModel, fit_mean_model
from sexstrat.values.age_bands import AgeBands

__all__ = ["TRENDS", "AgeTrend", "age_trend", "band_ages", "log_ratio_per_decade", "mean_ages"]

Array = NDArray[np.float64]

# link: measure of one sex, measure of the difference between the sexes
TRENDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "logistic": ("odds_ratio_per_decade", "ratio_of_odds_ratios_per_decade"),
        "poisson": ("prevalence_ratio_per_decade", "ratio_of_prevalence_ratios_per_decade"),
    }
)
ASSUMPTIONS = (
    "Within a sex the log odds (logistic) or the log of prevalence (poisson) is a straight line in age; where it is "
    "not, the slope is the average one that the working model gives for the ages of this cohort.",
)
OPEN_BAND = "the open last band stands at the age it would have if it were as wide as the one before"
NO_TREND = "the cases of one sex lie so that no finite slope fits them, or there are fewer than two ages to compare"
ABOVE_ONE = "the log-linear model fits a prevalence above 1 at some age: read the odds ratio instead"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeTrend:
    """Trends with age by sex, and their comparison.

    Parameters
    ----------
    link : logistic or poisson.
    ages : age that stands for each band, years.
    estimates : three rows: ratio per decade among men, among women, and the one over the other (the interaction of sex
        and age).
    statistic, df, p_value : Wald test of no interaction: (difference of slopes / its SE)^2, referred to F on 1 and df
        (infinite: chi-square); None where there is none.
    state : state of the interaction's row.
    reason : why there is no test, or "".
    assumptions : sentences for the report.
    """

    link: str
    ages: tuple[float, ...]
    estimates: Estimates
    statistic: float | None
    df: float | None
    p_value: float | None
    state: str
    reason: str
    assumptions: tuple[str, ...] = ASSUMPTIONS


def band_ages(bands: AgeBands) -> tuple[float, ...]:
    """Return the middle of each band; an open last band is taken as wide as the one before (a sole one: 10 years).

    Parameters
    ----------
    bands : the age bands.

    Examples
    --------
    >>> band_ages(AgeBands((40, 50, 65))), band_ages(AgeBands((40, 50), end=60))
    ((45.0, 57.5, 72.5), (45.0, 55.0))
    """
    lows = bands.lows
    last = lows[-1] + (lows[-1] - lows[-2] if len(lows) > 1 else 10)
    return tuple((low + (last if high is None else high)) / 2 for low, high in zip(lows, bands.highs, strict=True))


def mean_ages(arrays: CellArrays) -> tuple[float, ...]:
    """Return the weighted mean age of the patients of each band, for bands that are wide or open.

    Parameters
    ----------
    arrays : the cells.

    Returns
    -------
    Years; NaN in an empty band, which takes no part in a trend.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> mean_ages(worked_arrays())
    (45.0, 65.0)
    """
    total = arrays.total(arrays.w).sum(axis=1)
    ages = arrays.total(arrays.w * arrays.age_years).sum(axis=1)
    return tuple(float(age / n) if n > 0 else float("nan") for age, n in zip(ages, total, strict=True))


def _fit(margin: Margin, sex: str, ages: Array, link: str) -> tuple[MeanModel, Array, Array] | None:
    """Return the working model of one sex on its expected cells, its covariates, and the shares of that sex."""
    pi = np.where(margin.n > 0, margin.pi, 0.5)
    share = pi if sex == "male" else 1 - pi
    people = margin.n * share
    if not np.isfinite(people).all():
        return None
    total = people.sum(axis=1)
    middle = ages[total > 0].mean() if (total > 0).any() else 0.0
    x = np.column_stack([np.ones(ages.size), np.where(total > 0, ages - middle, 0.0) / 10])
    fit = fit_mean_model(x, people[:, 1], total, link)
    return None if fit is None else (fit, x, share)


def log_ratio_per_decade(margin: Margin, sex: str, ages: Sequence[float], link: str = "logistic") -> Smooth:
    """Return the slope of log odds (logistic) or log prevalence (poisson) on age in one sex, per decade.

    The slope b solves sum over bands of x (Y - T mean(x'b)) = 0, Y = N_1 s_1 expected cases and T = N_1 s_1 + N_0 s_0
    expected people of that sex. By implicit differentiation it moves with Y as I^-1 x and with T as -I^-1 x mean, I the
    derivative of the equation, so that with all sex recorded its variance is the robust (HC0) one.

    Parameters
    ----------
    margin : the composition by band.
    sex : male or female.
    ages : age that stands for each band, years.
    link : logistic or poisson.

    Returns
    -------
    Value with its derivatives; NaN where no finite slope fits.

    References
    ----------
    White H. Econometrica 1982;50:1-25 (variance under a model that need not be true).

    Examples
    --------
    Odds 0.5 at 45, and 0.5 at 65: no change with age.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> abs(log_ratio_per_decade(one.by_band, "male", (45.0, 65.0)).value) < 1e-9
    True
    """
    found = _fit(margin, sex, np.asarray(ages, dtype=float), link)
    if found is None:
        return Smooth(value=np.nan, by_pi=np.zeros_like(margin.n), by_n=np.zeros_like(margin.n))
    fit, x, share = found
    pull = np.linalg.solve(fit.information, x.T)[1]
    by_people = np.column_stack([-pull * fit.fitted, pull * (1 - fit.fitted)])
    sign = 1.0 if sex == "male" else -1.0
    return Smooth(value=float(fit.beta[1]), by_pi=sign * margin.n * by_people, by_n=share * by_people)


def _rows(place: Place, ages: Array, link: str) -> tuple[list[dict[str, Any]], Smooth]:
    """Return the rows of men, women and their ratio, and the difference of the slopes."""
    men, women = (log_ratio_per_decade(place.margin, sex, ages.tolist(), link) for sex in ("male", "female"))
    apart, (one_sex, both) = men.plus(women, -1.0), TRENDS[link]
    if link == "poisson":
        fits = [_fit(place.margin, sex, ages, link) for sex in ("male", "female")]
        if any(fit is not None and (fit[0].fitted > 1).any() for fit in fits):
            place = replace(place, note="; ".join(part for part in (place.note, ABOVE_ONE) if part))
    rows = [
        {**contrast_row(place, one_sex, men, on_log=True), "sex": "male"},
        {**contrast_row(place, one_sex, women, on_log=True), "sex": "female"},
        contrast_row(place, both, apart, on_log=True),
    ]
    undefined = "; ".join(part for part in (NO_TREND, place.note) if part)
    return [{**row, "note": undefined} if row["state"] == "undefined" else row for row in rows], apart


def age_trend(one: Composition, *, link: str = "logistic", ages: Sequence[float] | None = None) -> AgeTrend:
    """Return the change of prevalence per decade of age among men and among women, and the ratio of the two.

    A working logistic or log-linear model of each sex is fitted to the expected cells of the composition; variances
    come from the composition's own covariance, men and women together, since a patient who is less surely a man is
    more surely a woman.

    Parameters
    ----------
    one : the composition.
    link : logistic (odds ratio per decade) or poisson (prevalence ratio per decade, log link).
    ages : age that stands for each band, years; None takes the middle of each band. ``mean_ages`` gives better ones.

    Returns
    -------
    Three rows and the Wald test of the sex by age interaction; what is not defined carries no number and says why.

    Raises
    ------
    EstimationError : unknown link, or ages that do not fit the bands.

    References
    ----------
    Zou G. Am J Epidemiol 2004;159:702-706. White H. Econometrica 1982;50:1-25.

    Examples
    --------
    The worked example has the same prevalence at both ages.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> found = age_trend(compose(worked_cells(), bands=worked_bands(), design="random"), ages=(45.0, 65.0))
    >>> found.estimates.to_frame()["point"].round(6).tolist(), round(found.p_value, 3)
    ([1.0, 1.0, 1.0], 1.0)
    """
    if link not in TRENDS:
        raise EstimationError(f"no link {link!r}; there are {', '.join(TRENDS)}")
    years = np.asarray(band_ages(one.bands) if ages is None else ages, dtype=float)
    occupied = one.by_band.n.sum(axis=1) > 0
    if years.shape != (len(one.bands),) or not np.isfinite(years[occupied]).all():
        raise EstimationError(
            f"ages must give one age in years for each of the {len(one.bands)} bands; found {years.tolist()}"
        )
    note = OPEN_BAND if ages is None and one.bands.end is None else ""
    place = all_bands_place(one, "crude", note=note)
    rows, apart = _rows(place, years, link)
    last, statistic, df, p = rows[-1], None, None, None
    if last.get("se") is not None:
        uncertainty = place.margin.uncertainty(apart.by_pi, apart.by_n)
        statistic, df = apart.value**2 / uncertainty.variance, uncertainty.df
        p = float(2 * student.sf(statistic**0.5, df))
    return AgeTrend(
        link=link,
        ages=tuple(years.tolist()),
        estimates=Estimates(tuple(rows)),
        statistic=statistic,
        df=df,
        p_value=p,
        state=last["state"],
        reason="" if statistic is not None else str(last.get("note") or ""),
    )
