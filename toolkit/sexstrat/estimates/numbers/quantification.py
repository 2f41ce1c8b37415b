"""The share of men in a sample without recorded sex, from labelled patients of another source (label shift)."""

from __future__ import annotations

import numpy as np

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.misclassification import lang_reiczigel, rogan_gladen_delta
from sexstrat.estimates.numbers.score_counts import ScoreCounts, Scores, score_counts
from sexstrat.estimates.numbers.share_of_men import ShareOfMen, normal_quantile, share_of_men

__all__ = ["LABEL_SHIFT", "acc", "check_separation", "pacc"]

LABEL_SHIFT = (
    "label shift: among men, and among women, scores are distributed in the target sample as in the labelled one",
    "the labelled patients are independent of the target sample",
)


def check_separation(men: ScoreCounts, women: ScoreCounts, level: float) -> float:
    """Return the mean score of labelled men minus that of women, refusing one that chance explains.

    Parameters
    ----------
    men, women : scores of labelled patients.
    level : confidence level at which the difference must exceed 0.

    Raises
    ------
    EstimationError : the difference is within its margin of error, or negative.

    Examples
    --------
    >>> round(check_separation(score_counts([0.8, 0.9]), score_counts([0.1, 0.2]), 0.95), 6)
    0.7
    """
    gap = men.mean - women.mean
    margin = normal_quantile(level) * float(np.sqrt(men.variance / men.n + women.variance / women.n))
    if gap < 0 and -gap > margin:
        raise EstimationError(
            f"labelled women score higher than men on average ({women.mean:.4g} against {men.mean:.4g}): the classes "
            "are probably swapped; the score must be P(male)"
        )
    if gap <= margin:
        raise EstimationError(
            f"labelled men and women differ in mean score by {gap:.4g} with a margin of error of {margin:.4g}: the "
            "score, or the labelled sample, says too little about sex. Label more patients or use a better model"
        )
    return gap


def pacc(target: Scores, *, men: Scores, women: Scores, level: float = 0.95) -> ShareOfMen:
    """Return the share of men by probabilistic adjusted count: (m_T - m_0) / (m_1 - m_0).

    m_T, m_1 and m_0 are the mean scores of the target, of labelled men and of labelled women; variance
    {v_T / N + pi^2 v_1 / n_1 + (1 - pi)^2 v_0 / n_0} / (m_1 - m_0)^2. The score need not be calibrated; label shift
    must hold.

    Parameters
    ----------
    target : P(male) of the patients whose share of men is wanted, or ``score_counts(values, counts)``.
    men, women : the same for labelled men and women.
    level : confidence level.

    Returns
    -------
    The share with a normal interval that covers the errors of both samples.

    Raises
    ------
    EstimationError : labelled men and women do not differ, an interval outside 0 to 1 or without width.

    References
    ----------
    Bella A, Ferri C, Hernandez-Orallo J, Ramirez-Quintana MJ. Quantification via probability estimators. ICDM 2010.
    Variance by the delta method.

    Examples
    --------
    Means .8 and .2 among labelled men and women, .5 in the target: (.5 - .2) / (.8 - .2).

    >>> men, women = score_counts([0.7, 0.9], [50, 50]), score_counts([0.1, 0.3], [50, 50])
    >>> one = pacc(score_counts([0.2, 0.8], [500, 500]), men=men, women=women)
    >>> round(one.point, 6), round(one.se, 4)
    (0.5, 0.0198)
    """
    t, m, w = (
        score_counts(one, what=what)
        for one, what in ((target, "target"), (men, "labelled men"), (women, "labelled women"))
    )
    z = normal_quantile(level)
    gap = check_separation(m, w, level)
    raw = (t.mean - w.mean) / gap
    variance = t.variance / t.n + raw**2 * m.variance / m.n + (1 - raw) ** 2 * w.variance / w.n
    se = float(np.sqrt(variance)) / gap
    return share_of_men(
        estimator="PACC",
        raw=raw,
        se=se,
        limits=(raw - z * se, raw + z * se),
        level=level,
        n=(t.n, m.n, w.n),
        assumptions=LABEL_SHIFT,
    )


def acc(
    target: Scores,
    *,
    men: Scores,
    women: Scores,
    threshold: float = 0.5,
    interval: str = "lang_reiczigel",
    level: float = 0.95,
) -> ShareOfMen:
    """Return the share of men by adjusted count: the Rogan-Gladen formula on scores cut at a threshold.

    Parameters
    ----------
    target : P(male) of the patients whose share of men is wanted, or ``score_counts(values, counts)``.
    men, women : the same for labelled men and women.
    threshold : a score of at least this is called male.
    interval : lang_reiczigel, or delta.
    level : confidence level.

    Returns
    -------
    The share; the interval covers the errors of both samples.

    Raises
    ------
    EstimationError : an unknown interval, a class hardly better than chance, an interval outside 0 to 1.

    References
    ----------
    Forman G. Quantifying counts and costs via classification. Data Min Knowl Discov 2008;17:164-206. Lang Z,
    Reiczigel J. Prev Vet Med 2014;113:13-22.

    Examples
    --------
    90 of 100 labelled men and 20 of 100 women score above one half, as do 550 of 1,000: (.55 - .2) / .7.

    >>> men, women = score_counts([0.4, 0.9], [10, 90]), score_counts([0.1, 0.6], [80, 20])
    >>> round(acc(score_counts([0.3, 0.7], [450, 550]), men=men, women=women).point, 6)
    0.5
    """
    limits = {"lang_reiczigel": lang_reiczigel, "delta": rogan_gladen_delta}
    if interval not in limits:
        raise EstimationError(f"no interval {interval!r}; there are {', '.join(limits)}")
    t, m, w = (
        score_counts(one, what=what)
        for one, what in ((target, "target"), (men, "labelled men"), (women, "labelled women"))
    )
    accuracy = ClassAccuracy(
        correct_men=m.at_least(threshold), n_men=m.n, correct_women=w.n - w.at_least(threshold), n_women=w.n
    )
    return limits[interval](t.at_least(threshold), t.n, accuracy=accuracy, level=level)
