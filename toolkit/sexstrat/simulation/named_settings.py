"""The named settings under which every estimator is judged, with the parameters of the methods page."""

from __future__ import annotations

from dataclasses import replace

from sexstrat.simulation.parts import Clusters, ExternalCohort, EyeDisease, Survey
from sexstrat.simulation.setting import Setting
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["setting", "settings"]

_KNOWN = ValidationDesign.known_probability
_EXTERNAL = ValidationDesign.external
_BASE = Setting(name="baseline", about="calibrated score, eye AUC .95, a twentieth validated at random")


def _named(name: str, about: str, base: Setting = _BASE, **knobs: object) -> Setting:
    return replace(base, name=name, about=about, **knobs)  # type: ignore[arg-type]  # knobs are fields of Setting


_BY_DISEASE = _named(
    "error_by_disease", "the score shifts towards male in the diseased of both sexes", shift_men=0.6, shift_women=0.6
)
_BY_SEX = _named(
    "recording_by_sex", "men's sex is recorded more often, with known probability", design=_KNOWN, recorded_by_male=0.8
)
_OUTSIDE = _named(
    "external",
    "nobody validated; 1,000 other people of known sex, younger, sicker, 60% men, same score given sex, disease, age",
    design=_EXTERNAL,
    validated=0.0,
    external=ExternalCohort(),
)
_OUTSIDE_BY_DISEASE = _named(
    "external_error_by_disease", "external, and the score errs by disease in both places alike", _OUTSIDE,
    shift_men=0.6, shift_women=0.6,
)  # fmt: skip
_RECORDING = _named(
    "recording_by_age_disease_score",
    "recording depends on age, disease and the score, with known probability",
    design=_KNOWN,
    recorded_by_age=-0.4,
    recorded_by_disease=1.0,
    recorded_by_score=0.3,
)

_JUDGED = (
    _BASE,
    _named("weak", "eye AUC .85", auc=0.85),
    _BY_DISEASE,
    _named(
        "error_by_disease_and_sex", "the score shifts towards female in diseased men, towards male in diseased women",
        shift_men=-0.5, shift_women=0.5,
    ),
    _named(
        "null_error_by_disease", "no difference between the sexes given age, but error by disease", _BY_DISEASE,
        disease_by_male=0.0,
    ),
    _named(
        "null_crude_error_by_disease", "no difference between the sexes, given age or not, but error by disease",
        _BY_DISEASE, disease_by_male=0.0, male_by_age=0.0,
    ),
    _named(
        "error_by_age", "with age the score shifts towards male and separates less",
        shift_by_age=0.15, separation_by_age=0.10,
    ),
    _named("label_shift", "model trained at 60% men, applied at 40%", male_share=0.40, trained_male_share=0.60),
    _named("label_shift_calibrated", "40% men, and the model knows it", male_share=0.40),
    _named(
        "recording_by_age_disease", "recording depends on age and disease, with known probability",
        design=_KNOWN, recorded_by_age=-0.4, recorded_by_disease=1.0,
    ),
    _RECORDING,
    _named(
        "recording_modelled", "recording depends on age, disease and the score in an unknown way", _RECORDING,
        design=ValidationDesign.modelled,
    ),
    _BY_SEX,
    _named(
        "recording_by_sex_unknown", "men's sex is recorded more often, how much is not known", _BY_SEX,
        design=ValidationDesign.may_depend_on_sex,
    ),
    # the fall of the sex effect is what gives the stated prevalence ratio of 1.35
    _named(
        "everything",
        "weak overconfident score, error by disease and age, label shift, informative recording and eyes",
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
        disease_by_male_age=-0.15,
    ),
    _named("rare", "prevalence .01, one in a hundred validated", prevalence=0.01, validated=0.01),
    _named("no_validation", "nobody's sex is recorded", design=ValidationDesign.none, validated=0.0),
    _named("overconfident", "reported logit = .4 + 2 x the calibrated one", slope=2.0, intercept=0.4),
    _named(
        "informative_eyes", "half the diseased have one eye, and the eyes' errors correlate .9",
        one_eye_diseased=0.5, eye_correlation=0.9,
    ),
    _OUTSIDE,
    _OUTSIDE_BY_DISEASE,
    _named(
        "external_broken", "external, but there the score is better and does not err by disease", _OUTSIDE_BY_DISEASE,
        auc=0.90, external=ExternalCohort(auc=0.97, shift_men=0.0, shift_women=0.0),
    ),
)  # fmt: skip

_FURTHER = (
    _named("some_without_photograph", "one in twenty has no gradable photograph", no_image=0.05),
    _named(
        "site_clusters", "40 hospitals that differ in prevalence, share of men and score", _BY_DISEASE,
        clusters=Clusters(),
    ),
    _named(
        "survey_weights", "four strata sampled unequally, 15 sampling units in each, response by age", _BY_DISEASE,
        survey=Survey(), clusters=Clusters(number=15, score_sd=0.15),
    ),
    _named(
        "small_cohort", "2,700 patients, a fifth validated, estimates about these very people",
        target=Target.cohort, patients=2_700, validated=0.20,
    ),
    _named(
        "small_clinic", "2,686 patients, eye AUC .635, 6% diseased, a fifth validated", patients=2_686,
        auc=0.635, validated=0.20, prevalence=0.06, shift_men=-0.1, shift_women=0.1, no_image=0.02,
    ),
    _named(
        "eye_level_disease", "disease recorded by eye, the affected eye's score errs, fewer eyes in the diseased",
        _BY_DISEASE, eye_disease=EyeDisease(), one_eye_diseased=0.25,
    ),
    _named("noisy_recorded_sex", "one recorded sex in fifty is wrong", recorded_wrong=0.02),
)  # fmt: skip
_SETTINGS = (*_JUDGED, *_FURTHER)


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
    >>> setting("rare").prevalence
    0.01
    """
    for one in _SETTINGS:
        if one.name == name:
            return one
    raise KeyError(f"no setting {name!r}; there are {', '.join(settings())}")
