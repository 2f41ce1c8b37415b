"""Every measure as a smooth function of the expected men and women, with its exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from sexstrat.estimates.composition import Margin

__all__ = ["Smooth", "difference", "log_odds_ratio", "log_ratio", "logit_of", "male_share_of", "prevalence_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """A measure's value and its derivatives with respect to the composition.

    Parameters
    ----------
    value : the measure; NaN when it is not defined.
    by_pi, by_n : derivatives with respect to the shares of men and the counts, shape (A, 2).
    """

    value: float
    by_pi: Array
    by_n: Array

    def mapped(self, value: float, slope: float) -> Smooth:
        """Return f(measure), given f's value and derivative there."""
        return Smooth(value=value, by_pi=slope * self.by_pi, by_n=slope * self.by_n)

    def plus(self, other: Smooth, sign: float = 1.0) -> Smooth:
        """Return measure + sign x other."""
        return Smooth(
            value=self.value + sign * other.value,
            by_pi=self.by_pi + sign * other.by_pi,
            by_n=self.by_n + sign * other.by_n,
        )


def _filled(margin: Margin) -> Array:
    """Return the shares with an arbitrary value in empty cells, where nothing depends on it."""
    return np.where(margin.n > 0, margin.pi, 0.5)


def prevalence_of(margin: Margin, sex: str, weights: Array) -> Smooth:
    """Return prevalence in one sex, weighted over bands: sum_a w_a N_a1 s_a1 / (N_a1 s_a1 + N_a0 s_a0).

    s is the share of men, or of women, in the cell.

    Parameters
    ----------
    margin : the composition by band or of all ages.
    sex : male or female.
    weights : one per band, sum 1; bands with weight 0 are not looked at.

    Examples
    --------
    Of 50 diseased 60 % are men, of 50 well 40 %: 30 / (30 + 20).

    >>> n = np.array([[50.0, 50.0]])
    >>> margin = Margin(
    ...     n=n,
    ...     n_variance=n,
    ...     n_patients=n,
    ...     n_validated=n,
    ...     effective_validated=n,
    ...     pi=np.array([[0.4, 0.6]]),
    ...     covariance=np.eye(2),
    ... )
    >>> prevalence_of(margin, "male", np.ones(1)).value
    0.6
    """
    key = (sex, weights.tobytes())
    if key not in margin.computed:
        margin.computed[key] = _prevalence(margin, sex, weights)
    found: Smooth = margin.computed[key]
    return found


def _prevalence(margin: Margin, sex: str, weights: Array) -> Smooth:
    pi = _filled(margin)
    sign = 1.0 if sex == "male" else -1.0
    share = pi if sex == "male" else 1 - pi
    people = margin.n * share
    total = people.sum(axis=1)
    used = weights > 0
    if not bool((total[used] > 0).all()):  # NaN compares false: refused shares end here too
        return Smooth(value=np.nan, by_pi=np.zeros_like(pi), by_n=np.zeros_like(pi))
    safe = np.where(total > 0, total, 1.0)
    value = float(np.sum(weights[used] * people[used, 1] / total[used]))
    by_people = np.column_stack([-people[:, 1], people[:, 0]]) * (np.where(used, weights, 0.0) / safe**2)[:, None]
    by_people = np.where(used[:, None], by_people, 0.0)
    return Smooth(value=value, by_pi=sign * margin.n * by_people, by_n=np.where(used[:, None], share, 0.0) * by_people)


def male_share_of(margin: Margin, band: int | None = None) -> Smooth:
    """Return the share of men: sum N pi / sum N, over all cells or those of one band.

    Examples
    --------
    >>> n = np.array([[75.0, 25.0]])
    >>> margin = Margin(
    ...     n=n,
    ...     n_variance=n,
    ...     n_patients=n,
    ...     n_validated=n,
    ...     effective_validated=n,
    ...     pi=np.array([[0.4, 0.8]]),
    ...     covariance=np.eye(2),
    ... )
    >>> male_share_of(margin).value
    0.5
    """
    n = margin.n if band is None else np.where(np.arange(margin.n.shape[0])[:, None] == band, margin.n, 0.0)
    pi = _filled(margin)
    total = float(n.sum())
    if total <= 0:
        return Smooth(value=np.nan, by_pi=np.zeros_like(pi), by_n=np.zeros_like(pi))
    value = float(np.sum(np.where(n > 0, n * pi, 0.0)) / total)
    used = np.ones_like(n) if band is None else (n > 0).astype(float)
    by_n = np.where(used > 0, (pi - value) / total, 0.0)
    return Smooth(value=value, by_pi=n / total, by_n=by_n)


def logit_of(share: Smooth) -> Smooth:
    """Return the log odds of a share strictly between 0 and 1; NaN otherwise."""
    p = share.value
    if not 0 < p < 1:
        return share.mapped(np.nan, 0.0)
    return share.mapped(float(logit(p)), 1 / (p * (1 - p)))


def difference(male: Smooth, female: Smooth) -> Smooth:
    """Return prevalence in men minus prevalence in women."""
    return male.plus(female, -1.0)


def log_ratio(male: Smooth, female: Smooth) -> Smooth:
    """Return the log of prevalence in men over prevalence in women; NaN when either is 0."""
    if not (male.value > 0 and female.value > 0):
        return male.mapped(np.nan, 0.0)
    logs = (one.mapped(float(np.log(one.value)), 1 / one.value) for one in (male, female))
    return difference(*logs)


def log_odds_ratio(male: Smooth, female: Smooth) -> Smooth:
    """Return the log odds ratio, men over women; NaN when either prevalence is 0 or 1."""
    return difference(logit_of(male), logit_of(female))
