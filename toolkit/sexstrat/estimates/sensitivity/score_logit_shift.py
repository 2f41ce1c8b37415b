"""The composition that a score implies when its logit is shifted in the diseased: no recorded sex is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.clustered_margin import ClusteredMargin, clustered_margin, over_units
from sexstrat.estimates.compose_input import ComposeInput, margin
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores

__all__ = ["SHIFT_ESTIMATORS", "ScoreModel", "shifted_composition"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

SHIFT_ESTIMATORS = ("em", "weighted")
_HALVINGS = 60  # the share is found to 2^-60

WHY = (
    "Nobody's predicted sex is checked here: the score is taken at its word except for a stated shift of its logit in "
    "the diseased, so that no number can be called corrected."
)
ASSUMPTIONS: Mapping[str, tuple[str, ...]] = {
    "em": (
        "The score is calibrated for patients without the disease at the stated share of men; its errors given sex do "
        "not change with age or with that share; in the diseased its logit is shifted, alike in both sexes.",
    ),
    "weighted": (
        "In each disease state the shifted score is the share of men among patients with that score: it is already "
        "calibrated for this cohort, within each disease state.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreModel:
    """What is declared about a score that this cohort cannot check.

    Parameters
    ----------
    trained_male_share : share of men for which the score is calibrated (the model card's); used by ``em``.
    two_eye_slope : what the mean logit of two eyes must be multiplied by to be calibrated: 2 / (1 + correlation of
        their errors), or 1 where the score was calibrated on patients.

    Raises
    ------
    EstimationError : a share outside 0 to 1 or a slope that is not positive.

    Examples
    --------
    >>> ScoreModel().trained_male_share
    0.5
    """

    trained_male_share: float = 0.5
    two_eye_slope: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.trained_male_share < 1 and 0 < self.two_eye_slope < np.inf):
            raise EstimationError(
                "a score model needs a trained_male_share inside 0 to 1 and a positive two_eye_slope; found "
                f"{self.trained_male_share} and {self.two_eye_slope}"
            )


def _log_likelihood_ratio(arrays: CellArrays, delta: float, model: ScoreModel) -> Array:
    """Return log P(score | man) / P(score | woman): the logit less the trained share's, corrected in the diseased."""
    slope = np.where(arrays.n_eyes == 2, model.two_eye_slope, 1.0)
    return np.asarray(slope * (arrays.logit - delta * arrays.diseased - logit(model.trained_male_share)))


def _mixing_share(weight: Array, log_ratio: Array, group: Codes, groups: int) -> Array:
    """Return the maximum-likelihood share of men in each group, by bisection of the score of its concave likelihood."""
    low, high = np.zeros(groups), np.ones(groups)
    ratio = np.exp(log_ratio)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = (ratio - 1) / (1 + middle[group] * (ratio - 1))
        rises = np.bincount(group, weights=weight * slope, minlength=groups) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return (low + high) / 2


def _shares(
    arrays: CellArrays, group: Codes, groups: int, log_ratio: Array, estimator: str, base: float
) -> tuple[Array, Array, Array, Array]:
    """Return the shares, their variances for a population and for these very people, and what a unit of weight moves.

    Everything is by group, but what a unit of weight moves, which is by row.
    """
    rows = arrays.n_eyes > 0
    w, w2, g, ratio = arrays.w[rows], arrays.w2[rows], group[rows], log_ratio[rows]

    def total(values: Array) -> Array:
        return np.asarray(np.bincount(g, weights=values, minlength=groups), dtype=float)

    n, squares = total(w), total(w2)
    safe = np.where(n > 0, n, np.nan)
    if estimator == "em":
        pi = np.where(n > 0, _mixing_share(w, ratio, g, groups), np.nan)
        p = expit(ratio + logit(np.clip(pi, 1e-15, 1 - 1e-15))[g])
    else:
        p = expit(ratio + logit(base))
        pi = total(w * p) / safe
    hidden = total(w * p * (1 - p)) / safe
    with np.errstate(divide="ignore", invalid="ignore"):
        informed = 1 - hidden / (pi * (1 - pi)) if estimator == "em" else np.ones(groups)
        sampling = total(w2 * (p - pi[g]) ** 2) / safe**2 / informed**2
        realised = squares / safe**2 * (pi * (1 - pi) * (1 / informed - 1) if estimator == "em" else hidden)
        moved = np.zeros(arrays.n.size)
        moved[rows] = np.nan_to_num((p - pi[g]) / safe[g] / informed[g], posinf=0.0, neginf=0.0)
    return pi, sampling, realised, moved


def _margin(given: ComposeInput, delta: float, model: ScoreModel, estimator: str, *, whole: bool) -> Margin:
    arrays = given.arrays
    group, groups = (arrays.diseased, 2) if whole else (arrays.group, 2 * len(given.bands))
    ratio = _log_likelihood_ratio(arrays, delta, model)
    pi, sampling, realised, moved = _shares(arrays, group, groups, ratio, estimator, model.trained_male_share)
    variance = np.nan_to_num(sampling if given.sampled else realised, posinf=0.0)
    shape = pi.reshape(-1, 2)
    plain = margin(given, shape, np.diag(variance), variance_df=np.full(shape.shape, np.inf))
    if not given.clustered:
        return plain
    counts = np.zeros((arrays.n.size, groups))
    counts[np.arange(group.size), group] = 1.0
    influence = RowInfluence.counted(arrays, counts * moved[:, None], counts)
    return clustered_margin(plain, (unit_scores(arrays, influence),))


def _undetermined(found: Margin) -> NDArray[np.bool_]:
    """Tell which bands have a cell whose share is unknown or at its limit, where it has no normal approximation."""
    inside = (found.pi > 1e-9) & (found.pi < 1 - 1e-9)
    return np.asarray(((found.n > 0) & ~inside).any(axis=1))


def shifted_composition(
    given: ComposeInput, delta: float, *, estimator: str = "em", model: ScoreModel | None = None
) -> Composition:
    """Return the shares of men that the score implies if its logit is too high by ``delta`` in the diseased.

    em: the share that maximises the likelihood of the scores of a cell, a mixture whose likelihood ratio of man to
    woman is exp(slope (logit p - delta D - logit(trained share))): it needs no calibration at this cohort's share of
    men. weighted: the mean of expit(logit p - delta D). Variance, with c = 1 - mean(P (1 - P)) / (pi (1 - pi)) the
    information in the scores (c = 1 for weighted): var(P) / (N c^2) for the population; for these very people
    pi (1 - pi) (1 / c - 1) / N, weighted mean(P (1 - P)) / N. In a sample drawn in units or strata it is that of sums
    over units of w (P - pi) / (N c).

    Parameters
    ----------
    given : the input; recorded sexes in it are not used.
    delta : shift of logit p in the diseased, positive where the disease makes eyes look male.
    estimator : em or weighted.
    model : what is declared about the score; None takes a share of men of one half and a slope of 1.

    Returns
    -------
    State ``bias_analysis``; a band without scores, or whose scores put its share at 0 or 1, is ``refused``.

    Raises
    ------
    EstimationError : unknown estimator, or a delta that is not finite.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41 (em). Chen J et al. FAT* 2019 (weighted).

    Examples
    --------
    In the worked example the score is calibrated for equal numbers of men and women: half of the well and 2/3 of the
    diseased are men (0.01 off, because the middle of the score's bin stands for the score).

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = shifted_composition(worked_input(), 0.0)
    >>> one.state, bool(np.abs(one.crude_pi - [1 / 2, 2 / 3]).max() < 0.02)
    ('bias_analysis', True)
    """
    if estimator not in SHIFT_ESTIMATORS:
        raise EstimationError(f"no estimator {estimator!r}; there are {', '.join(SHIFT_ESTIMATORS)}")
    if not np.isfinite(delta):
        raise EstimationError(f"the shift must be a number; found {delta}")
    declared = ScoreModel() if model is None else model
    by_band = _margin(given, delta, declared, estimator, whole=False)
    overall = _margin(given, delta, declared, estimator, whole=True)
    lost = bool(_undetermined(overall).any())
    states = tuple("refused" if one or lost else "bias_analysis" for one in _undetermined(by_band))
    why = "the scores put the share of men of a disease state at 0 or 1, or nobody in it has a score"
    one = Composition(
        condition=given.condition,
        bands=given.bands,
        estimator=f"shifted_{estimator}",
        target=given.target,
        by_band=by_band,
        overall=replace(overall, pi=np.full_like(overall.pi, np.nan)) if lost else overall,
        band_state=states,
        state="refused" if lost else "bias_analysis",
        why=f"No number: {why}." if lost else WHY,
        assumptions=ASSUMPTIONS[estimator],
        diagnostics={"delta": delta},
        level=given.level,
    )
    if lost or not isinstance(overall, ClusteredMargin) or not isinstance(by_band, ClusteredMargin):
        return one
    return over_units(given, one, by_band, overall)
