"""The share of men by maximum likelihood under label shift (expectation maximisation), both samples resampled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.numbers.label_shift_bootstrap import checked_samples, resample
from sexstrat.estimates.numbers.label_shift_likelihood import emq_point
from sexstrat.estimates.numbers.quantification import LABEL_SHIFT
from sexstrat.estimates.numbers.score_counts import Scores
from sexstrat.estimates.numbers.share_of_men import ShareOfMen, share_of_men

__all__ = ["emq", "emq_of"]

Array = NDArray[np.float64]


def emq_of(share: float, drawn: Array, sizes: tuple[int, int, int], recalibrate: bool, level: float) -> ShareOfMen:
    """Return the estimate with the percentile interval of its draws.

    Parameters
    ----------
    share : the estimate.
    drawn : the same in bootstrap samples.
    sizes : patients of the target sample, labelled men, labelled women.
    recalibrate : whether the score was recalibrated, for the assumptions.
    level : confidence level.

    Examples
    --------
    >>> one = emq_of(0.5, np.linspace(0.4, 0.6, 201), (900, 50, 50), True, 0.95)
    >>> round(one.low, 4), round(one.high, 4)
    (0.405, 0.595)
    """
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    calibrated = (
        "recalibrated on the labelled patients, the log odds of being male are linear in the score's log odds"
        if recalibrate
        else "the score is calibrated for the labelled patients"
    )
    return share_of_men(
        estimator="EMQ",
        raw=share,
        se=float(drawn.std(ddof=1)),
        limits=(float(low), float(high)),
        level=level,
        n=sizes,
        assumptions=(*LABEL_SHIFT, calibrated),
    )


def emq(
    target: Scores,
    *,
    men: Scores,
    women: Scores,
    recalibrate: bool = True,
    draws: int = 1_000,
    seed: int = 0,
    level: float = 0.95,
) -> ShareOfMen:
    """Return the share of men that maximises the likelihood of the target's scores under label shift.

    With p = P(male | score) among labelled patients, of whom a share q are men, the share pi solves
    pi = mean over the target of (pi / q) p / {(pi / q) p + ((1 - pi) / (1 - q)) (1 - p)}.

    Parameters
    ----------
    target : P(male) of the patients whose share of men is wanted, or ``score_counts(values, counts)``.
    men, women : the same for labelled men and women, a random sample of their source.
    recalibrate : fit intercept and slope of the score's logit on the labelled patients first; without it the score
        must be calibrated for them, as in the paper.
    draws, seed : bootstrap samples of BOTH the target and the labelled patients, and the seed.
    level : confidence level.

    Returns
    -------
    The share with the percentile interval of the bootstrap, which covers the errors of both samples.

    Raises
    ------
    EstimationError : labelled men and women do not differ, fewer than 100 draws, no variation.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41. Alexandari A, Kundaje A, Shrikumar A. Maximum
    likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation. ICML 2020.

    Examples
    --------
    A calibrated score of .8 or .2, equally many labelled men and women, a third of the target high: with
    .8 pi + .2 (1 - pi) = 1/3 high, pi = 2/9.

    >>> from sexstrat.estimates.numbers.score_counts import score_counts
    >>> men, women = score_counts([0.2, 0.8], [200, 800]), score_counts([0.2, 0.8], [800, 200])
    >>> one = emq(score_counts([0.2, 0.8], [2_000, 1_000]), men=men, women=women)
    >>> round(one.point, 4), round(2 / 9, 4), one.low < one.point < one.high
    (0.2222, 0.2222, True)
    """
    t, m, w = checked_samples(target, men, women, draws, level)
    drawn = resample(t, m, w, recalibrate=recalibrate, draws=draws, seed=seed).emq
    return emq_of(emq_point(t, m, w, recalibrate), drawn, (t.n, m.n, w.n), recalibrate, level)
