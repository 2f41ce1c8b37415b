"""One contrast over many draws of a composition at once, with its derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.contrasts import CONTRASTS

__all__ = ["ContrastDraws", "contrast_draws"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastDraws:
    """A contrast on the scale of its interval (log for ratios), one value a draw.

    Parameters
    ----------
    value : shape (draws,); NaN where it is not defined.
    by_pi, by_n : derivatives with respect to the shares of men and the counts, shape (draws, bands, 2).
    """

    value: Array
    by_pi: Array
    by_n: Array


def _prevalence(n: Array, share: Array, weights: Array, sign: float) -> tuple[Array, Array, Array]:
    people = n * share
    total = people.sum(axis=-1)
    value = (people[..., 1] / total) @ weights
    by_people = np.stack([-people[..., 1], people[..., 0]], axis=-1) * (weights / total**2)[..., None]
    return value, sign * n * by_people, share * by_people


def contrast_draws(pi: Array, n: Array, weights: Array, kind: str) -> ContrastDraws:
    """Return men compared with women for every draw of the shares of men.

    Parameters
    ----------
    pi : share of men, shape (draws, bands, 2).
    n : patients by band and disease, shape (bands, 2), all positive.
    weights : one per band, all positive, sum 1.
    kind : ratio, difference or odds_ratio.

    Raises
    ------
    EstimationError : unknown kind.

    Examples
    --------
    Of 60 men 20 are diseased, of 40 women 10: a ratio of (1/3) / (1/4).

    >>> pi = np.array([[[40 / 70, 20 / 30]]])
    >>> found = contrast_draws(pi, np.array([[70.0, 30.0]]), np.ones(1), "ratio")
    >>> np.exp(found.value).round(6).tolist()
    [1.333333]
    """
    if kind not in CONTRASTS:
        raise EstimationError(f"no contrast {kind!r}; there are {', '.join(CONTRASTS)}")
    with np.errstate(divide="ignore", invalid="ignore"):
        male, female = _prevalence(n, pi, weights, 1.0), _prevalence(n, 1 - pi, weights, -1.0)
        sides = []
        for p, by_pi, by_n in (male, female):
            if kind == "difference":
                theta, slope = p, np.ones_like(p)
            elif kind == "ratio":
                theta, slope = np.log(p), 1 / p
            else:
                theta, slope = np.log(p / (1 - p)), 1 / (p * (1 - p))
            sides.append((theta, slope[:, None, None] * by_pi, slope[:, None, None] * by_n))
        value, by_pi, by_n = (first - second for first, second in zip(*sides, strict=True))
    return ContrastDraws(value=np.where(np.isfinite(value), value, np.nan), by_pi=by_pi, by_n=by_n)
