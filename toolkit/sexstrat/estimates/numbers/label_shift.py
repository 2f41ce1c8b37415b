"""Does label shift hold? Two estimators that agree under it and part without it, on the same bootstrap samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.emq import emq_of
from sexstrat.estimates.numbers.label_shift_bootstrap import checked_samples, resample
from sexstrat.estimates.numbers.label_shift_likelihood import emq_point
from sexstrat.estimates.numbers.quantification import pacc
from sexstrat.estimates.numbers.score_counts import Scores
from sexstrat.estimates.numbers.share_of_men import ShareOfMen, normal_quantile

__all__ = ["LabelShiftCheck", "label_shift_check"]

LARGEST_UNDEFINED_SHARE = 0.01  # of the bootstrap samples
NEVER_APART = 1e-4  # standard error of the difference, against that of either estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShiftCheck:
    """PACC and EMQ side by side.

    Parameters
    ----------
    pacc, emq : the two estimates of the share of men.
    difference, se, low, high : PACC (uncut) minus EMQ, its bootstrap standard error and normal interval.
    z, p_value : the difference over its standard error, and the two-sided p value; None when undefined.
    level : confidence level.
    state : ``agree``, ``disagree``, or ``undefined`` where the two never differ in any sample (a perfect score).
    draws, undefined_draws : bootstrap samples, and those left out because labelled men did not score above women.
    note : what the verdict does and does not say.
    """

    pacc: ShareOfMen
    emq: ShareOfMen
    difference: float
    se: float
    low: float | None
    high: float | None
    z: float | None
    p_value: float | None
    level: float
    state: str
    draws: int
    undefined_draws: int
    note: str


_NOTE = {
    "agree": "no sign against label shift; a shift that moves both estimators alike cannot be seen",
    "disagree": "label shift, or the recalibration of the score, fails: neither estimate can be trusted",
    "undefined": "the two estimators agree in every bootstrap sample, so that there is nothing to test",
}


def label_shift_check(
    target: Scores,
    *,
    men: Scores,
    women: Scores,
    recalibrate: bool = True,
    draws: int = 1_000,
    seed: int = 0,
    level: float = 0.95,
) -> LabelShiftCheck:
    """Return PACC and EMQ, their difference and its standard error on the same bootstrap samples.

    Both estimate the share of men when scores are distributed alike among men, and among women, in the two samples.
    PACC uses mean scores, EMQ the whole distribution: another camera, age or disease moves them apart. With few
    labelled patients the bootstrap overstates the standard error, so that the check speaks more rarely than its level
    says: in simulations where label shift held, at 95 % and with a recalibrated score, in 0.5 % with 200 labelled
    patients and in 3 % with 1,000.

    Parameters
    ----------
    target : P(male) of the patients whose share of men is wanted, or ``score_counts(values, counts)``.
    men, women : the same for labelled men and women, a random sample of their source.
    recalibrate : fit intercept and slope of the score's logit on the labelled patients first. Without it a
        miscalibrated score alone makes the two disagree.
    draws, seed : bootstrap samples of both the target and the labelled patients, and the seed.
    level : confidence level of the estimates; the two disagree when ``|z|`` exceeds its normal quantile.

    Raises
    ------
    EstimationError : as for :func:`pacc` and :func:`emq`, or too many samples without an estimate.

    References
    ----------
    Lipton ZC, Wang YX, Smola A. Detecting and correcting for label shift with black box predictors. ICML 2018.

    Examples
    --------
    A score with two values leaves the two estimators the same data, whatever the shift: nothing to test.

    >>> from sexstrat.estimates.numbers.score_counts import score_counts
    >>> men, women = score_counts([0.2, 0.8], [20, 80]), score_counts([0.2, 0.8], [80, 20])
    >>> one = label_shift_check(score_counts([0.2, 0.8], [600, 400]), men=men, women=women)
    >>> one.state, round(one.pacc.point, 4), round(one.emq.point, 4)
    ('undefined', 0.3333, 0.3333)
    """
    z_level = normal_quantile(level)
    t, m, w = checked_samples(target, men, women, draws, level)
    both = resample(t, m, w, recalibrate=recalibrate, draws=draws, seed=seed)
    kept = np.isfinite(both.pacc)
    undefined = int((~kept).sum())
    if undefined > LARGEST_UNDEFINED_SHARE * draws:
        raise EstimationError(
            f"in {undefined} of {draws} bootstrap samples labelled men do not score above women; at most "
            f"{LARGEST_UNDEFINED_SHARE:.0%} may. Label more patients"
        )
    first = pacc(t, men=m, women=w, level=level)
    second = emq_of(emq_point(t, m, w, recalibrate), both.emq, (t.n, m.n, w.n), recalibrate, level)
    difference = first.raw - second.raw
    se = float(np.std(both.pacc[kept] - both.emq[kept], ddof=1))
    if se < NEVER_APART * min(first.se, second.se):
        state, z = "undefined", None
    else:
        z = difference / se
        state = "disagree" if abs(z) > z_level else "agree"
    return LabelShiftCheck(
        pacc=first,
        emq=second,
        difference=difference,
        se=se,
        low=None if z is None else difference - z_level * se,
        high=None if z is None else difference + z_level * se,
        z=z,
        p_value=None if z is None else float(2 * norm.sf(abs(z))),
        level=level,
        state=state,
        draws=draws,
        undefined_draws=undefined,
        note=_NOTE[state],
    )
