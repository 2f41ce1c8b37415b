"""An estimated share of men with its interval, whichever estimator made it."""

from __future__ import annotations

from dataclasses import dataclass

from sexstrat.errors import EstimationError

__all__ = ["ShareOfMen", "normal_quantile", "share_of_men"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOfMen:
    """The share of men in a target sample.

    Parameters
    ----------
    estimator : name of the estimator.
    point : the share, cut to 0 to 1.
    raw : the same before cutting.
    se : standard error of ``raw``.
    low, high : two-sided interval, cut to 0 to 1; never of zero width.
    level : its confidence level.
    n_target : patients of the target sample.
    n_men, n_women : labelled patients; 0 when sensitivity and specificity were taken as known.
    state : ``estimated``, or ``at_boundary`` when the point is 0 or 1.
    assumptions : what must hold.
    note : what the reader must know besides, or "".
    """

    estimator: str
    point: float
    raw: float
    se: float
    low: float
    high: float
    level: float
    n_target: float
    n_men: float
    n_women: float
    state: str
    assumptions: tuple[str, ...]
    note: str = ""


def normal_quantile(level: float) -> float:
    """Return z such that a standard normal lies within z of 0 with probability ``level``.

    Parameters
    ----------
    level : confidence level, strictly between 0 and 1.

    Raises
    ------
    EstimationError : the level is not between 0 and 1, for instance 95 in place of 0.95.

    Examples
    --------
    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from scipy.stats import norm

    if not 0 < level < 1:
        raise EstimationError(f"the level must lie strictly between 0 and 1, such as 0.95; found {level}")
    return float(norm.isf((1 - level) / 2))


def share_of_men(
    *,
    estimator: str,
    raw: float,
    se: float,
    limits: tuple[float, float],
    level: float,
    n: tuple[float, float, float],
    assumptions: tuple[str, ...],
) -> ShareOfMen:
    """Return an estimate cut to 0 to 1 together with its interval, or refuse one that lies outside altogether.

    Parameters
    ----------
    estimator : name of the estimator.
    raw, se : estimate and standard error.
    limits : interval before cutting.
    level : its confidence level.
    n : patients of the target sample, labelled men, labelled women.
    assumptions : what must hold.

    Raises
    ------
    EstimationError : the whole interval lies outside 0 to 1, or has no width.

    Examples
    --------
    >>> one = share_of_men(
    ...     estimator="PACC", raw=-0.01, se=0.02, limits=(-0.05, 0.03), level=0.95, n=(900, 50, 50), assumptions=()
    ... )
    >>> one.point, one.low, one.high, one.state
    (0.0, 0.0, 0.03, 'at_boundary')
    """
    low, high = limits
    if not (se > 0 and high > low):
        raise EstimationError(
            f"{estimator}: the samples show no variation (standard error {se:.3g}), so no interval can be given. With "
            "a score that never errs use acc, whose interval allows for errors not seen"
        )
    if not (low < 1 and high > 0):
        raise EstimationError(
            f"{estimator}: the interval of the share of men, {low:.4g} to {high:.4g}, lies outside 0 to 1: the target "
            "sample is not a mixture of men and women like the labelled ones. Compare cameras, ages and diseases of "
            "the two samples"
        )
    low, high = max(low, 0.0), min(high, 1.0)
    point = min(max(raw, 0.0), 1.0)
    inside = 0 < point < 1
    return ShareOfMen(  # an interval centred elsewhere (Lang-Reiczigel) is widened to hold the point
        estimator=estimator,
        point=point,
        raw=raw,
        se=se,
        low=min(low, point),
        high=max(high, point),
        level=level,
        n_target=n[0],
        n_men=n[1],
        n_women=n[2],
        state="estimated" if inside else "at_boundary",
        assumptions=assumptions,
        note="" if inside else f"the estimate before it was cut to 0 to 1 is {raw:.4g}",
    )
