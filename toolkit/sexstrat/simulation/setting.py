"""The settings under which every estimator is judged: one frozen value each, with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from sexstrat.values.design import ValidationDesign

__all__ = ["AGES", "Setting", "joint_shares", "setting", "settings", "true_composition", "true_prevalence_ratio"]

AGES = np.arange(20, 96)
MEAN_AGE, SD_AGE = 60.0, 14.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a simulated cohort comes about; defaults are the baseline of the methods page.

    Parameters
    ----------
    name : name of the setting.
    design : validation design that is declared for it.
    prevalence, male_share : marginal shares of the population.
    disease_by_male, disease_by_age, disease_by_male_age : log odds ratios of disease: men,
        per decade, and their product.
    auc : area under the curve of one eye.
    eye_correlation : correlation between the two eyes' errors.
    trained_male_share : share of men for which the score is calibrated; None means ``male_share``.
    slope, intercept : reported logit = intercept + slope x calibrated logit.
    shift_men, shift_women : shift of the score's z in diseased men and women.
    shift_by_age, separation_by_age : change of z per decade; relative loss of separation per decade.
    one_eye, one_eye_diseased : share with one photographed eye, overall and among the diseased.
    no_image : share without a gradable photograph.
    validated : share of patients whose sex is recorded.
    recorded_by_age, recorded_by_disease, recorded_by_male, recorded_by_score : log odds ratios of being recorded
        (per decade, diseased, men, per unit of the calibrated logit over 4).

    Examples
    --------
    >>> setting("rare").prevalence
    0.01
    """

    name: str
    design: ValidationDesign = ValidationDesign.random
    prevalence: float = 0.15
    male_share: float = 0.48
    disease_by_male: float = 0.50
    disease_by_age: float = 0.45
    disease_by_male_age: float = 0.0
    auc: float = 0.95
    eye_correlation: float = 0.6
    trained_male_share: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    shift_men: float = 0.0
    shift_women: float = 0.0
    shift_by_age: float = 0.0
    separation_by_age: float = 0.0
    one_eye: float = 0.10
    one_eye_diseased: float | None = None
    no_image: float = 0.0
    validated: float = 0.05
    recorded_by_age: float = 0.0
    recorded_by_disease: float = 0.0
    recorded_by_male: float = 0.0
    recorded_by_score: float = 0.0

    @property
    def separation(self) -> float:
        """Distance between the sexes in standard deviations of one eye's z: sqrt(2) x probit(AUC)."""
        return float(np.sqrt(2) * norm.ppf(self.auc))


_KNOWN = ValidationDesign.known_probability
_BASE = Setting(name="baseline")
_BY_DISEASE = replace(_BASE, name="error_by_disease", shift_men=0.6, shift_women=0.6)
_SETTINGS = (
    _BASE,
    replace(_BASE, name="weak", auc=0.85),
    _BY_DISEASE,
    replace(_BY_DISEASE, name="null_error_by_disease", disease_by_male=0.0),
    replace(_BASE, name="error_by_age", shift_by_age=0.15, separation_by_age=0.10),
    replace(_BASE, name="label_shift", male_share=0.40, trained_male_share=0.60),
    replace(_BASE, name="label_shift_calibrated", male_share=0.40),
    replace(
        _BASE,
        name="recording_by_age_disease_score",
        design=_KNOWN,
        recorded_by_age=-0.4,
        recorded_by_disease=1.0,
        recorded_by_score=0.3,
    ),
    replace(_BASE, name="recording_by_sex", design=_KNOWN, recorded_by_male=0.8),
    replace(_BASE, name="recording_by_sex_unknown", design=ValidationDesign.may_depend_on_sex, recorded_by_male=0.8),
    replace(
        _BASE,
        name="everything",
        design=_KNOWN,
        auc=0.92,
        slope=1.7,
        shift_men=0.5,
        shift_women=0.3,
        shift_by_age=0.15,
        separation_by_age=0.10,
        male_share=0.42,
        trained_male_share=0.55,
        recorded_by_age=-0.3,
        recorded_by_disease=0.8,
        recorded_by_score=0.3,
        one_eye_diseased=0.30,
        disease_by_male_age=-0.1,
        no_image=0.03,
    ),
    replace(_BASE, name="rare", prevalence=0.01, validated=0.01),
    replace(_BASE, name="no_validation", design=ValidationDesign.none, validated=0.0),
    replace(_BASE, name="overconfident", slope=2.0, intercept=0.4),
    replace(
        _BASE,
        name="small_clinic",
        auc=0.635,
        validated=0.20,
        prevalence=0.06,
        shift_men=-0.1,
        shift_women=0.1,
        no_image=0.02,
    ),
)


def settings() -> tuple[str, ...]:
    """List the named settings.

    Examples
    --------
    >>> settings()[:2]
    ('baseline', 'weak')
    """
    return tuple(one.name for one in _SETTINGS)


def setting(name: str) -> Setting:
    """Return a setting by name.

    Raises
    ------
    KeyError : no such setting; the message lists those there are.

    Examples
    --------
    >>> round(setting("baseline").separation, 3)
    2.326
    """
    for one in _SETTINGS:
        if one.name == name:
            return one
    raise KeyError(f"no setting {name!r}; there are {', '.join(settings())}")


def age_shares() -> Array:
    """Return the share of each completed year 20 to 95: a normal (60, 14) cut to that range."""
    density = norm.pdf(AGES, MEAN_AGE, SD_AGE)
    return np.asarray(density / density.sum())


def male_probability(one: Setting) -> Array:
    """Return P(male | age) for each year: log odds fall by 0.10 a decade, the margin is ``male_share``."""
    decades = (AGES - MEAN_AGE) / 10
    start = brentq(lambda b: float(age_shares() @ expit(b - 0.10 * decades)) - one.male_share, -9, 9)
    return np.asarray(expit(start - 0.10 * decades))


def disease_probability(one: Setting) -> Array:
    """Return P(diseased | age, sex), shape (ages, 2), column 1 for men; the margin is ``prevalence``."""
    decades = ((AGES - MEAN_AGE) / 10)[:, None]
    male = np.array([0.0, 1.0])
    line = (one.disease_by_age + one.disease_by_male_age * male) * decades + one.disease_by_male * male
    men = male_probability(one)
    sexes = age_shares()[:, None] * np.column_stack([1 - men, men])
    start = brentq(lambda b: float((sexes * expit(b + line)).sum()) - one.prevalence, -15, 9)
    return np.asarray(expit(start + line))


def joint_shares(one: Setting) -> Array:
    """Return P(age, disease, male), shape (ages, 2, 2): the population the cohort is drawn from.

    Examples
    --------
    >>> shares = joint_shares(setting("baseline"))
    >>> round(float(shares[:, 1].sum()), 4), round(float(shares[:, :, 1].sum()), 4)
    (0.15, 0.48)
    """
    men = male_probability(one)
    sexes = age_shares()[:, None] * np.column_stack([1 - men, men])
    diseased = disease_probability(one)
    return np.stack([sexes * (1 - diseased), sexes * diseased], axis=1)


def true_composition(one: Setting, lows: tuple[int, ...]) -> Array:
    """Return P(band, disease, male), shape (bands, 2, 2), for bands that start at ``lows`` (the last is open).

    Examples
    --------
    >>> round(float(true_composition(setting("baseline"), (20,)).sum()), 6)
    1.0
    """
    band = np.searchsorted(np.asarray(lows), AGES, side="right") - 1
    out = np.zeros((len(lows), 2, 2))
    np.add.at(out, band[band >= 0], joint_shares(one)[band >= 0])
    return out


def true_prevalence_ratio(one: Setting) -> float:
    """Return the crude prevalence ratio, men over women, of the population.

    Examples
    --------
    >>> round(true_prevalence_ratio(setting("baseline")), 2)
    1.4
    """
    shares = joint_shares(one).sum(axis=0)
    return float((shares[1, 1] / shares[:, 1].sum()) / (shares[1, 0] / shares[:, 0].sum()))
