"""Draw people with a known sex, a disease and the scores of their eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from sexstrat.simulation.setting import AGES, MEAN_AGE, Setting, age_shares, disease_probability, male_probability

__all__ = ["People", "draw_people"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Simulated patients as arrays of equal length; sex is the truth, hidden where not ``validated``.

    Parameters
    ----------
    age_years, male, diseased : the patient.
    n_eyes : eyes with a gradable photograph, 0 to 2.
    eye_logit : reported logit of each eye, shape (patients, 2); NaN where there is no photograph.
    validation_probability : probability that the sex was recorded.
    validated : it was.
    site, psu, stratum : integer codes of the hospital, primary sampling unit and stratum; None when there are none.
    weight : survey weight, above 0; None weighs everybody 1.
    """

    age_years: NDArray[np.int64]
    male: NDArray[np.bool_]
    diseased: NDArray[np.bool_]
    n_eyes: NDArray[np.int64]
    eye_logit: Array
    validation_probability: Array
    validated: NDArray[np.bool_]
    site: NDArray[np.int64] | None = None
    psu: NDArray[np.int64] | None = None
    stratum: NDArray[np.int64] | None = None
    weight: Array | None = None


def _eyes(
    one: Setting, male: NDArray[np.bool_], diseased: NDArray[np.bool_], decades: Array, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array]:
    """Return eyes per patient and the calibrated logit of each eye, shape (patients, 2)."""
    n = male.size
    separation = one.separation * np.maximum(1 - one.separation_by_age * decades, 0.1)
    shift = np.where(diseased, np.where(male, one.shift_men, one.shift_women), 0.0) + one.shift_by_age * decades
    common = rng.standard_normal(n) * np.sqrt(one.eye_correlation)
    noise = common[:, None] + rng.standard_normal((n, 2)) * np.sqrt(1 - one.eye_correlation)
    z = (separation * (male - 0.5) + shift)[:, None] + noise
    base = one.male_share if one.trained_male_share is None else one.trained_male_share
    single = np.where(diseased & (one.one_eye_diseased is not None), one.one_eye_diseased or 0.0, one.one_eye)
    eyes = np.where(rng.random(n) < single, 1, 2)
    eyes = np.where(rng.random(n) < one.no_image, 0, eyes)
    calibrated = one.separation * z + logit(base)
    calibrated[eyes < 2, 1] = np.nan
    calibrated[eyes < 1, 0] = np.nan
    return eyes.astype(np.int64), calibrated


def _recording(
    one: Setting, male: NDArray[np.bool_], diseased: NDArray[np.bool_], decades: Array, score: Array
) -> Array:
    """Return each patient's probability that sex is recorded; the mean over the cohort is ``validated``."""
    line = (
        one.recorded_by_age * decades
        + one.recorded_by_disease * diseased
        + one.recorded_by_male * male
        + one.recorded_by_score * score / 4
    )
    if one.validated <= 0:
        return np.zeros(male.size)
    if not line.any():
        return np.full(male.size, one.validated)
    start = brentq(lambda b: float(expit(b + line).mean()) - one.validated, -20, 10)
    return np.asarray(expit(start + line))


def draw_people(one: Setting, n: int, rng: np.random.Generator) -> People:
    """Draw patients of a setting.

    Parameters
    ----------
    one : the setting.
    n : patients.
    rng : source of randomness.

    Examples
    --------
    >>> from sexstrat.simulation.setting import setting
    >>> people = draw_people(setting("baseline"), 1000, np.random.default_rng(1))
    >>> people.eye_logit.shape
    (1000, 2)
    """
    position = rng.choice(AGES.size, size=n, p=age_shares())
    decades = (AGES[position] - MEAN_AGE) / 10
    male = rng.random(n) < male_probability(one)[position]
    diseased = rng.random(n) < disease_probability(one)[position, male.astype(int)]
    eyes, calibrated = _eyes(one, male, diseased, decades, rng)
    counted = np.maximum(eyes, 1)
    score = np.where(eyes > 0, np.nansum(calibrated, axis=1) / counted, 0.0)
    r = _recording(one, male, diseased, decades, score)
    return People(
        age_years=AGES[position].astype(np.int64),
        male=male,
        diseased=diseased,
        n_eyes=eyes,
        eye_logit=one.intercept + one.slope * calibrated,
        validation_probability=r,
        validated=rng.random(n) < r,
    )
