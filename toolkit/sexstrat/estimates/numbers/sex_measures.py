"""Prevalence by sex and its contrasts from two shares of men: that of the diseased and that of the well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Margin
from sexstrat.estimates.measures import Smooth, difference, log_odds_ratio, log_ratio, logit_of, prevalence_of
from sexstrat.estimates.numbers.share_of_men import normal_quantile

__all__ = ["SexMeasure", "SexMeasures", "sex_measures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SexMeasure:
    """One measure with its interval, or the reason why there is none.

    Parameters
    ----------
    point, low, high : the measure and its two-sided interval; None unless estimated.
    se : standard error on the scale of the interval: log for ratios, logit for prevalence, the measure's own for a
        difference; None unless estimated.
    state : ``estimated``, ``undefined`` (no value even with all inputs) or ``refused``.
    note : the reason, or "".
    """

    point: float | None
    se: float | None
    low: float | None
    high: float | None
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SexMeasures:
    """Prevalence in men and women, and men compared with women.

    Parameters
    ----------
    prevalence_men, prevalence_women : share diseased.
    ratio, difference, odds_ratio : prevalence in men over, minus, and in odds over that in women.
    level : confidence level of every interval.
    """

    prevalence_men: SexMeasure
    prevalence_women: SexMeasure
    ratio: SexMeasure
    difference: SexMeasure
    odds_ratio: SexMeasure
    level: float


def _measure(margin: Margin, smooth: Smooth, z: float, back: Callable[[float], float]) -> SexMeasure:
    if not np.isfinite(smooth.value):
        note = "the measure has no value: the share of men is 0 or 1 among the diseased or among the well"
        return SexMeasure(point=None, se=None, low=None, high=None, state="undefined", note=note)
    se = float(np.sqrt(margin.uncertainty(smooth.by_pi, smooth.by_n).variance))
    if not se > 0:
        note = "nothing varies, so no interval can be given"
        return SexMeasure(point=None, se=None, low=None, high=None, state="undefined", note=note)
    point, low, high = (back(smooth.value + sign * z * se) for sign in (0, -1, 1))
    return SexMeasure(point=point, se=se, low=low, high=high, state="estimated")


def _nothing(note: str, level: float) -> SexMeasures:
    none = SexMeasure(point=None, se=None, low=None, high=None, state="refused", note=note)
    return SexMeasures(
        prevalence_men=none, prevalence_women=none, ratio=none, difference=none, odds_ratio=none, level=level
    )


def sex_measures(
    share_of_men: ArrayLike, covariance: ArrayLike, patients: ArrayLike, *, sampled: bool = True, level: float = 0.95
) -> SexMeasures:
    """Return prevalence by sex and its contrasts from the shares of men among the well and the diseased.

    Prevalence in men N_1 pi_1 / (N_1 pi_1 + N_0 pi_0), in women with 1 - pi; variance J V J' plus that of the counts,
    by the exact derivatives; normal intervals, on the log scale for ratios and the logit scale for prevalences.

    Parameters
    ----------
    share_of_men : pi among the well and the diseased, in this order.
    covariance : of the two, shape (2, 2).
    patients : number of the well and of the diseased.
    sampled : the patients are a sample, so that their numbers vary too; False for these very people.
    level : confidence level.

    Returns
    -------
    Each measure with its interval, or with its state and reason: a share of men outside 0 to 1 refuses all of them.

    Raises
    ------
    EstimationError : shapes that do not fit, nobody well or nobody diseased.

    Examples
    --------
    200 of 300 diseased and 400 of 800 well are men: 200/600 against 100/500.

    >>> one = sex_measures([0.5, 2 / 3], [[1e-4, 0], [0, 1e-4]], [800, 300])
    >>> [round(m.point, 4) for m in (one.prevalence_men, one.prevalence_women, one.ratio, one.odds_ratio)]
    [0.3333, 0.2, 1.6667, 2.0]
    """
    z = normal_quantile(level)
    pi, v, n = (np.asarray(values, dtype=float) for values in (share_of_men, covariance, patients))
    if pi.shape != (2,) or v.shape != (2, 2) or n.shape != (2,) or not bool((n > 0).all() & np.isfinite(n).all()):
        raise EstimationError(
            "need two shares of men, their 2 x 2 covariance and the numbers of well and diseased, both above 0; found "
            f"shapes {pi.shape}, {v.shape} and numbers {n.tolist()}"
        )
    if outside := [float(one) for one in pi if not 0 <= one <= 1]:
        return _nothing(
            f"a corrected share of men is {outside[0]:.4g}, outside 0 to 1: the sensitivity and specificity do not fit "
            "these patients, or too few are labelled",
            level,
        )
    row = n[None]
    margin = _margin(pi[None], v, row, sampled)
    one = np.ones(1)
    men, women = prevalence_of(margin, "male", one), prevalence_of(margin, "female", one)
    return SexMeasures(
        prevalence_men=_measure(margin, logit_of(men), z, lambda x: float(expit(x))),
        prevalence_women=_measure(margin, logit_of(women), z, lambda x: float(expit(x))),
        ratio=_measure(margin, log_ratio(men, women), z, lambda x: float(np.exp(x))),
        difference=_measure(margin, difference(men, women), z, float),
        odds_ratio=_measure(margin, log_odds_ratio(men, women), z, lambda x: float(np.exp(x))),
        level=level,
    )


def _margin(pi: NDArray[np.float64], v: NDArray[np.float64], n: NDArray[np.float64], sampled: bool) -> Margin:
    return Margin(
        n=n,
        n_variance=n,
        n_patients=n,
        n_validated=n,
        effective_validated=n,
        pi=pi,
        covariance=v,
        sampled=sampled,
    )
