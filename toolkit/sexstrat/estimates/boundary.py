"""The interval of a proportion of exactly 0 or 1, where the log odds have no variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.composition import Margin
from sexstrat.estimates.numbers.proportions import wilson

__all__ = ["boundary_interval"]

Array = NDArray[np.float64]


def _uncertain(margin: Margin) -> NDArray[np.bool_]:
    """Tell in which cells the share of men is estimated: somebody's sex is neither recorded nor taken as known."""
    return (margin.n > 0) & (margin.n_patients > margin.n_validated) & (not margin.counted)


def _validated(margin: Margin) -> Array:
    """Return the validated patients that a cell's own share rests on: at most its own number and the Kish number."""
    return np.minimum(margin.n_validated, margin.effective_validated)


def _effective_people(margin: Margin, share: Array, weights: Array) -> float:
    """Return the number of people a weighted prevalence is worth: 1 / sum(w^2 / n), n the Kish number of a band."""
    rows = weights > 0
    n, squares = margin.n[rows], margin.n_variance[rows]
    kish = np.divide(n, squares, out=np.zeros(n.shape), where=squares > 0)
    people = np.sum(np.where(n > 0, n * share[rows] * kish, 0.0), axis=1)
    return float(1 / np.sum(weights[rows] ** 2 / people)) if (people > 0).all() else 0.0


def _share_limits(margin: Margin, value: float, weights: Array, level: float) -> tuple[float, float] | None:
    """Return the interval of a share of men that is 0 or 1 in every cell."""
    rows = weights > 0
    uncertain = _uncertain(margin)[rows]
    if uncertain.any():
        n = float(_validated(margin)[rows].sum())
    elif not margin.sampled:
        return value, value
    else:
        n = float(margin.n[rows].sum() ** 2 / margin.n_variance[rows].sum())
    return wilson(value * n, n, level=level) if n > 0 else None


def boundary_interval(
    margin: Margin, *, sex: str | None, value: float, weights: Array, level: float
) -> tuple[float, float] | None:
    """Return the interval of a prevalence, or of the share of men, that is exactly 0 or 1.

    Nobody of a sex is diseased for one of two reasons. Nobody at all is: the disease is observed for everybody, so that
    Wilson at the (Kish) number of people of that sex holds, or the value itself for the very cohort. Or all the
    diseased are estimated to be of the other sex: then the share of men is what is not known, its Wilson limit at the
    effective number of validated patients of that cell is carried to the prevalence, and the wider of the two is used.

    Parameters
    ----------
    margin : the composition at this place.
    sex : male or female for a prevalence in one sex; None for the share of men.
    value : 0 or 1.
    weights : one per band of the margin; bands with weight 0 are not looked at.
    level : confidence level.

    Returns
    -------
    The limits, or None when no validated patient tells the share.

    References
    ----------
    Wilson EB. JASA 1927;22:209-212. Kish L. Survey Sampling. Wiley 1965, section 8.2.

    Examples
    --------
    All 9 validated of 90 diseased are men, 100 of the 200 well are women: at most z^2 / (9 + z^2) = 29.9 % of the 90
    are women, 26.9 of 126.9.

    >>> one = np.array([[200.0, 90.0]])
    >>> margin = Margin(
    ...     n=one,
    ...     n_variance=one,
    ...     n_patients=one,
    ...     n_validated=one / 10,
    ...     effective_validated=one / 10,
    ...     pi=np.array([[0.5, 1.0]]),
    ...     covariance=np.zeros((2, 2)),
    ... )
    >>> limits = boundary_interval(margin, sex="female", value=0.0, weights=np.ones(1), level=0.95)
    >>> round(limits[1], 4), round(90 * 0.29915 / (90 * 0.29915 + 100), 4)
    (0.2121, 0.2121)
    """
    if sex is None:
        return _share_limits(margin, value, weights, level)
    rows, none = weights > 0, 1 if value == 0 else 0  # the disease state that nobody of this sex has
    men = np.where(margin.n > 0, margin.pi, 0.5)
    share = men if sex == "male" else 1 - men
    people = _effective_people(margin, share, weights)
    if people <= 0:
        return None
    widest = float(wilson(0, people, level=level)[1]) if margin.sampled else 0.0
    limit = 0.0
    for band in np.flatnonzero(rows & _uncertain(margin)[:, none]):
        n = float(_validated(margin)[band, none])
        if n <= 0:
            return None
        hidden = margin.n[band, none] * wilson(0, n, level=level)[1]
        limit += float(weights[band] * hidden / (hidden + margin.n[band, 1 - none] * share[band, 1 - none]))
    widest = max(widest, limit)
    return (0.0, widest) if value == 0 else (1 - widest, 1.0)
