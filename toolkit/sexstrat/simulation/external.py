"""The setting of an external validation cohort: other people, everybody's sex known, the same model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sexstrat.errors import StudyError
from sexstrat.simulation.setting import Setting
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["external_generator", "external_setting"]


def external_setting(one: Setting) -> Setting:
    """Return the setting from which the external cohort of ``one`` is drawn.

    Ages, prevalence and share of men are its own, and how much commoner the disease is in men may be. The model is the
    main cohort's, calibrated for the same share of men with the same slope and errors given sex, disease and age:
    P(score | sex, disease, age) transports, unless the AUC or the shifts are its own. It has no hospitals, no survey.

    Parameters
    ----------
    one : a setting with an external cohort.

    Raises
    ------
    StudyError : the setting has none.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> there = external_setting(setting("external_broken"))
    >>> there.auc, there.shift_men, there.male_share, there.model_male_share, there.validated
    (0.97, 0.0, 0.6, 0.48, 1.0)
    """
    other = one.external
    if other is None:
        raise StudyError(f"setting {one.name} has no external cohort; give it one, or take a setting named external")
    return replace(
        one,
        name=f"{one.name}, external cohort",
        design=ValidationDesign.random,
        target=Target.population,
        patients=other.patients,
        mean_age=other.mean_age,
        prevalence=other.prevalence,
        male_share=other.male_share,
        disease_by_male=one.disease_by_male if other.disease_by_male is None else other.disease_by_male,
        trained_male_share=one.model_male_share,
        auc=one.auc if other.auc is None else other.auc,
        shift_men=one.shift_men if other.shift_men is None else other.shift_men,
        shift_women=one.shift_women if other.shift_women is None else other.shift_women,
        validated=1.0,
        recorded_by_age=0.0,
        recorded_by_disease=0.0,
        recorded_by_male=0.0,
        recorded_by_score=0.0,
        clusters=None,
        survey=None,
        external=None,
    )


def external_generator(seed: int) -> np.random.Generator:
    """Return the source of randomness of the external cohort, apart from that of the main cohort of the same seed.

    Parameters
    ----------
    seed : seed of the cohort.

    Examples
    --------
    >>> bool(external_generator(1).random() == np.random.default_rng(1).random())
    False
    """
    return np.random.default_rng([seed, 1])
