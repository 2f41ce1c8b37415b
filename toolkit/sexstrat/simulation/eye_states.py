"""What the eyes of a patient may be like: how many are photographed, and how many of those graded are affected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.simulation.setting import Setting

__all__ = ["EyeState", "eye_states", "graded_eyes", "recorded_share", "share_both_affected"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeState:
    """One of the states a patient's eyes may be in.

    Parameters
    ----------
    probability : of the state, given whether the patient is diseased; one value for women, one for men.
    n_eyes : photographed eyes.
    shown : share of the photographed eyes that show the disease.
    affected, graded : affected eyes of those graded.
    """

    probability: Array
    n_eyes: int
    shown: float
    affected: int
    graded: int


def graded_eyes(n_eyes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many eyes are graded: the photographed ones, or both at the lamp where there is no photograph.

    Parameters
    ----------
    n_eyes : photographed eyes, 0 to 2.

    Examples
    --------
    >>> graded_eyes(np.array([0, 1, 2])).tolist()
    [2, 1, 2]
    """
    return np.where(n_eyes == 0, 2, n_eyes)


def share_both_affected(one: Setting) -> Array:
    """Return the share of diseased women and of diseased men in whom both eyes are affected.

    Parameters
    ----------
    one : the setting; a disease that is about the person counts as in both eyes.

    Examples
    --------
    >>> share_both_affected(Setting(name="about the person")).tolist()
    [1.0, 1.0]
    """
    if one.eye_disease is None:
        return np.ones(2)
    return np.asarray(expit(logit(one.eye_disease.both) + np.array([0.0, one.eye_disease.both_by_male])))


def eye_states(one: Setting, diseased: bool) -> tuple[EyeState, ...]:
    """Return the states of the eyes of patients who are, or are not, diseased in any eye; probabilities add up to 1.

    Parameters
    ----------
    one : the setting.
    diseased : whether any of the two eyes is affected, graded or not.

    Examples
    --------
    A tenth of the well have one photographed eye.

    >>> [round(float(state.probability[0]), 3) for state in eye_states(Setting(name="b"), diseased=False)]
    [0.0, 0.1, 0.9]
    """
    single = one.one_eye if not diseased or one.one_eye_diseased is None else one.one_eye_diseased
    none, left = one.no_image, 1 - one.no_image
    if not diseased:
        by_count = ((0, none), (1, left * single), (2, left * (1 - single)))
        return tuple(
            EyeState(probability=np.full(2, share), n_eyes=count, shown=0.0, affected=0, graded=count or 2)
            for count, share in by_count
        )
    both = share_both_affected(one)
    just_one = 1 - both
    rows = (
        (none * both, 0, 1.0, 2, 2),
        (none * just_one, 0, 0.5, 1, 2),
        (left * single * (both + just_one / 2), 1, 1.0, 1, 1),
        (left * single * just_one / 2, 1, 0.0, 0, 1),
        (left * (1 - single) * both, 2, 1.0, 2, 2),
        (left * (1 - single) * just_one, 2, 0.5, 1, 2),
    )
    return tuple(
        EyeState(probability=probability, n_eyes=n, shown=shown, affected=affected, graded=graded)
        for probability, n, shown, affected, graded in rows
    )


def recorded_share(one: Setting) -> Array:
    """Return the share of the diseased, by sex, in whom a graded eye is affected, so that the disease is recorded.

    Parameters
    ----------
    one : the setting.

    Examples
    --------
    One eye of a tenth is graded and half the diseased have one affected eye, so that 0.1 x 0.5 / 2 are missed.

    >>> from sexstrat.simulation.parts import EyeDisease
    >>> recorded_share(Setting(name="by eye", eye_disease=EyeDisease(both_by_male=0.0))).round(6).tolist()
    [0.975, 0.975]
    """
    states = eye_states(one, diseased=True)
    return np.asarray(sum((state.probability for state in states if state.affected > 0), np.zeros(2)))
