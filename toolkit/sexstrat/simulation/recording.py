"""Whose sex is recorded: each patient's probability, and the one intercept that gives the share asked for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from sexstrat.simulation.eye_states import EyeState, eye_states
from sexstrat.simulation.population import DECADES, expected_expit, population
from sexstrat.simulation.setting import Setting

__all__ = ["recording_intercept", "recording_probability", "score_separation"]

Array = NDArray[np.float64]
LEAST_SEPARATION = 0.1  # of the separation at the mean age, however old a patient is
SCORE_UNIT = 4.0  # the log odds of being recorded are per 4 units of the calibrated logit


def score_separation(one: Setting, decades: Array) -> Array:
    """Return the distance between the sexes in z at each age, in standard deviations of one eye.

    Parameters
    ----------
    one : the setting.
    decades : decades from the mean age.

    Examples
    --------
    >>> score_separation(Setting(name="loses", separation_by_age=0.1), np.array([0.0, 2.0])).round(3).tolist()
    [2.326, 1.861]
    """
    return np.asarray(one.separation * np.maximum(1 - one.separation_by_age * decades, LEAST_SEPARATION))


def recording_probability(
    one: Setting,
    *,
    male: NDArray[np.bool_],
    diseased: NDArray[np.bool_],
    decades: Array,
    score: Array,
) -> Array:
    """Return each patient's probability that the sex is recorded: a function of this patient alone.

    Parameters
    ----------
    one : the setting.
    male, diseased, decades : the patients; disease as recorded, decades from the mean age.
    score : mean calibrated logit of the photographed eyes, 0 without one.

    Returns
    -------
    Probabilities whose mean over the population, as sampled, is ``validated``.

    Examples
    --------
    >>> two = {"male": np.array([True, False]), "diseased": np.zeros(2, bool)}
    >>> r = recording_probability(Setting(name="random"), **two, decades=np.zeros(2), score=np.zeros(2))
    >>> r.tolist()
    [0.05, 0.05]
    """
    if not one.recording_varies:
        return np.full(male.size, one.validated)
    line = (
        one.recorded_by_age * decades
        + one.recorded_by_disease * diseased
        + one.recorded_by_male * male
        + one.recorded_by_score * score / SCORE_UNIT
    )
    return np.asarray(expit(recording_intercept(one) + line))


@lru_cache(maxsize=128)
def recording_intercept(one: Setting) -> float:
    """Return the intercept of the log odds of being recorded, by quadrature over age, disease, sex, eyes and score.

    It is a constant of the setting, not of a cohort, so that the probabilities are known by design.

    Parameters
    ----------
    one : the setting.

    Examples
    --------
    Log odds of 0 in women and 0.8 in men, half the people each, a twentieth recorded.

    >>> by_sex = Setting(name="by sex", male_share=0.5, male_by_age=0.0, recorded_by_male=0.8)
    >>> start = recording_intercept(by_sex)
    >>> round(float(expit(start) + expit(start + 0.8)) / 2, 6)
    0.05
    """
    parts = [_part(one, diseased, state) for diseased in (False, True) for state in eye_states(one, diseased)]

    def share(start: float) -> float:
        return sum(float((weight * expected_expit(start + line, sd)).sum()) for weight, line, sd in parts)

    return float(brentq(lambda start: share(start) - one.validated, -60, 60))


def _part(one: Setting, diseased: bool, state: EyeState) -> tuple[Array, Array, float]:
    """Return share, mean log odds (ages, sexes) and spread of one state of the eyes; normal given these."""
    male = np.array([0.0, 1.0])
    weight = population(one).shares(sample=True)[:, int(diseased)] * state.probability
    shown = state.shown * np.array([one.shift_women, one.shift_men])
    centre = score_separation(one, DECADES)[:, None] * (male - 0.5) + shown + one.shift_by_age * DECADES[:, None]
    between = one.clusters.score_sd**2 if one.clusters else 0.0
    within = 1.0 if state.n_eyes == 1 else (1 + one.eye_correlation) / 2
    mean = one.separation * centre + float(logit(one.model_male_share)) if state.n_eyes else np.zeros_like(centre)
    spread = one.separation * np.sqrt(within + between) if state.n_eyes else 0.0
    recorded = bool(state.affected)
    line = one.recorded_by_age * DECADES[:, None] + one.recorded_by_disease * recorded + one.recorded_by_male * male
    slope = one.recorded_by_score / SCORE_UNIT
    return weight, line + slope * mean, float(abs(slope) * spread)
