"""Draw people with a known sex, a disease and the scores of their eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.simulation.eye_states import graded_eyes, share_both_affected
from sexstrat.simulation.groups import Groups, Membership, draw_groups, draw_membership
from sexstrat.simulation.population import AGES, DECADES, population
from sexstrat.simulation.recording import recording_probability, score_separation
from sexstrat.simulation.setting import Setting

__all__ = ["People", "draw_people"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Simulated patients as arrays of equal length; sex is the truth, hidden where not ``validated``.

    Parameters
    ----------
    age_years, male, diseased : the patient; diseased as recorded, in any graded eye where recorded by eye.
    n_eyes : eyes with a gradable photograph, 0 to 2.
    eye_logit : reported logit of each eye, shape (patients, 2); NaN where there is no photograph.
    validation_probability : probability that the sex was recorded.
    validated : it was.
    site, psu, stratum : integer codes of the hospital, primary sampling unit and stratum; None when there are none.
    weight : survey weight, above 0; None weighs everybody 1.
    affected : right and left eye affected, shape (patients, 2); None when the disease is about the person.
    recorded_male : sex as it would be recorded; None when no record is wrong.
    """

    age_years: NDArray[np.int64]
    male: Flags
    diseased: Flags
    n_eyes: NDArray[np.int64]
    eye_logit: Array
    validation_probability: Array
    validated: Flags
    site: NDArray[np.int64] | None = None
    psu: NDArray[np.int64] | None = None
    stratum: NDArray[np.int64] | None = None
    weight: Array | None = None
    affected: Flags | None = None
    recorded_male: Flags | None = None

    @property
    def graded(self) -> Flags:
        """Tell which eyes are graded, shape (patients, 2): the photographed ones, or both where there is none."""
        return _graded(self.n_eyes)


def _graded(n_eyes: NDArray[np.int64]) -> Flags:
    return np.arange(2) < graded_eyes(n_eyes)[:, None]


def _affected(one: Setting, male: Flags, diseased: Flags, rng: np.random.Generator) -> Flags:
    """Return which eyes the disease is in, shape (patients, 2)."""
    both = diseased & (rng.random(male.size) < share_both_affected(one)[male.astype(int)])
    right = rng.random(male.size) < 0.5
    return np.column_stack([both | (diseased & right), both | (diseased & ~right)])


def _eyes(
    one: Setting, male: Flags, affected: Flags, decades: Array, common_shift: Array | float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array]:
    """Return eyes per patient and the calibrated logit of each eye, shape (patients, 2)."""
    n = male.size
    shift = affected * np.where(male, one.shift_men, one.shift_women)[:, None]
    common = rng.standard_normal(n) * np.sqrt(one.eye_correlation)
    noise = common[:, None] + rng.standard_normal((n, 2)) * np.sqrt(1 - one.eye_correlation)
    centre = score_separation(one, decades) * (male - 0.5) + one.shift_by_age * decades + common_shift
    z = centre[:, None] + shift + noise
    diseased = affected.any(axis=1)
    single = np.where(diseased & (one.one_eye_diseased is not None), one.one_eye_diseased or 0.0, one.one_eye)
    eyes = np.where(rng.random(n) < single, 1, 2)
    eyes = np.where(rng.random(n) < one.no_image, 0, eyes)
    calibrated = one.separation * z + logit(one.model_male_share)
    calibrated[eyes < 2, 1] = np.nan
    calibrated[eyes < 1, 0] = np.nan
    return eyes.astype(np.int64), calibrated


def _probabilities(one: Setting, position: NDArray[np.int64], who: Membership) -> tuple[Array, Array]:
    """Return the log odds of being a man, and of disease for women and men, of each patient."""
    all_of_them = population(one)
    stratum = 0 if who.stratum is None else who.stratum
    return (
        all_of_them.male_line[stratum, position] + who.male_shift,
        all_of_them.disease_line[stratum, position] + np.asarray(who.disease_shift)[..., None],
    )


def draw_people(one: Setting, n: int, rng: np.random.Generator, groups: Groups | None = None) -> People:
    """Draw patients of a setting.

    Parameters
    ----------
    one : the setting.
    n : patients.
    rng : source of randomness.
    groups : its hospitals or sampling units as drawn before, so that a cohort can be drawn in parts; None draws them.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> people = draw_people(setting("baseline"), 1000, np.random.default_rng(1))
    >>> people.eye_logit.shape
    (1000, 2)
    """
    groups = draw_groups(one, rng) if groups is None else groups
    position = rng.choice(AGES.size, size=n, p=population(one).sampled_ages)
    decades = DECADES[position]
    who = draw_membership(one, groups, position, rng)
    male_line, disease_line = _probabilities(one, position, who)
    male = rng.random(n) < expit(male_line)
    diseased = rng.random(n) < expit(np.where(male, disease_line[:, 1], disease_line[:, 0]))
    by_eye = one.eye_disease is not None
    affected = _affected(one, male, diseased, rng) if by_eye else np.column_stack([diseased, diseased])
    eyes, calibrated = _eyes(one, male, affected, decades, who.score_shift, rng)
    recorded: Flags = np.any(affected & _graded(eyes), axis=1)
    score = np.where(eyes > 0, np.nansum(calibrated, axis=1) / np.maximum(eyes, 1), 0.0)
    r = recording_probability(one, male=male, diseased=recorded, decades=decades, score=score)
    validated = rng.random(n) < r
    return People(
        age_years=AGES[position].astype(np.int64),
        male=male,
        diseased=recorded,
        n_eyes=eyes,
        eye_logit=one.intercept + one.slope * calibrated,
        validation_probability=r,
        validated=validated,
        site=who.site,
        psu=who.psu,
        stratum=who.stratum,
        weight=who.weight,
        affected=affected if by_eye else None,
        recorded_male=male ^ (rng.random(n) < one.recorded_wrong) if one.recorded_wrong > 0 else None,
    )
