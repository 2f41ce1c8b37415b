"""The words that the page, the tables and the terminal print for names of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "DESIGNS",
    "ESTIMATORS",
    "MEASURES",
    "METRICS",
    "SEXES",
    "STANDARDS",
    "STATE_MEANINGS",
    "STATE_WORDS",
    "TARGETS",
    "number_word",
    "sentence_case",
]

STATE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "suppressed": "suppressed",
        "missing": "missing",
        "undefined": "not defined",
        "refused": "refused",
        "too_few": "too few",
        "not_applicable": "not applicable",
        "absent": "none",
    }
)

STATE_MEANINGS: tuple[tuple[str, str], ...] = (
    ("0", "zero: counted, and nobody was found"),
    ("suppressed", "there is a number; it is withheld because it could point to a person"),
    ("missing", "the data needed for it were not there"),
    ("not defined", "the quantity does not exist here, for instance a rate among nobody"),
    ("refused", "no estimator can give an honest number for this design and these data"),
    ("too few", "a diagnostic that would rest on too few patients with recorded sex to tell anything"),
)

ESTIMATORS: Mapping[str, str] = MappingProxyType(
    {
        "E1": "Doubly robust (E1)",
        "E2": "Imputation (E2)",
        "E3": "Maximum likelihood (E3)",
        "E4": "External validation (E4)",
        "E5": "Equal errors assumed (E5)",
        "E6": "Recalibrated score (E6)",
        "matrix": "Error rates by disease",
        "matrix_pooled": "Error rates pooled",
        "pacc": "Label shift (PACC)",
        "emq": "Label shift (EMQ)",
        "ppi": "Prediction-powered (PPI++)",
        "simex": "Simulated errors (MC-SIMEX)",
        "pooled": "Sites pooled",
        "naive_threshold": "Naive: predicted sex",
        "naive_weighted": "Naive: weighted",
        "complete_case": "Recorded sex only",
        "recorded": "Recorded sex, everyone",
        "truth": "Truth",
    }
)

SEXES: Mapping[str, str] = MappingProxyType({"male": "Men", "female": "Women"})

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "male_share": "male share",
        "prevalence": "prevalence",
        "prevalence_ratio": "prevalence ratio, men to women",
        "prevalence_difference": "prevalence difference, men minus women",
        "prevalence_odds_ratio": "prevalence odds ratio, men to women",
        "eye_prevalence": "prevalence among eyes",
        "eye_prevalence_ratio": "prevalence ratio among eyes, men to women",
        "eye_prevalence_difference": "prevalence difference among eyes, men minus women",
        "eye_prevalence_odds_ratio": "prevalence odds ratio among eyes, men to women",
        "mantel_haenszel_odds_ratio": "Mantel\N{EN DASH}Haenszel odds ratio, men to women",
        "mantel_haenszel_prevalence_ratio": "Mantel\N{EN DASH}Haenszel prevalence ratio, men to women",
        "mantel_haenszel_prevalence_difference": "Mantel\N{EN DASH}Haenszel prevalence difference, men minus women",
        "regression_prevalence_ratio": "prevalence ratio, modified Poisson regression",
        "regression_odds_ratio": "odds ratio, logistic regression",
        "odds_ratio_per_decade": "odds ratio per decade of age",
        "prevalence_ratio_per_decade": "prevalence ratio per decade of age",
        "ratio_of_odds_ratios_per_decade": "odds ratio per decade, men to women (interaction)",
        "ratio_of_prevalence_ratios_per_decade": "prevalence ratio per decade, men to women (interaction)",
    }
)

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "n_images": "Photographs",
        "n_patients": "Patients",
        "correct_among_men": "Correct among men",
        "correct_among_women": "Correct among women",
        "accuracy": "Correct among all",
        "balanced_accuracy": "Balanced accuracy",
        "correct_among_called_men": "Correct among those called men",
        "correct_among_called_women": "Correct among those called women",
        "f1": "F1, men being the positive class",
        "predicted_male_share": "Predicted male share",
        "predicted_sex_ratio": "Called men per person called a woman",
        "log_predicted_observed_ratio": "Log of predicted over observed men",
        "brier": "Brier score",
        "scaled_brier": "Scaled Brier score",
        "log_loss": "Log loss",
        "calibration_slope": "Calibration slope",
        "ici": "Integrated calibration index, biased",
        "e50": "Median calibration error, biased",
        "e90": "90th percentile of it, biased",
        "ece": "Expected calibration error, biased",
        "ece_if_calibrated": "The same if every probability were right",
        "auc": "Area under the ROC curve",
        "calibration_in_the_large": "Calibration in the large (log odds)",
        "predicted_minus_observed_male_share": "Predicted minus observed male share",
        "observed_male_share": "Observed male share",
        "below_declared_quality": "Below the declared quality",
        "age_bias": "Predicted minus recorded age (years)",
        "age_absolute_error": "Mean absolute error (years)",
        "age_band_agreement": "In the band of the recorded age",
        "ungradable": "Without a gradable photograph",
    }
)

STANDARDS: Mapping[str, str] = MappingProxyType(
    {
        "crude": "crude",
        "cohort": "age distribution of this cohort",
        "who_2000_2025": "WHO world standard 2000\N{EN DASH}2025",
        "esp_2013": "European standard 2013",
        "japan_1985": "Japan 1985 model population",
        "japan_2015": "Japan 2015 model population",
        "mantel_haenszel": "Mantel\N{EN DASH}Haenszel over the age bands",
        "regression": "regression on sex and age",
    }
)

DESIGNS: Mapping[str, str] = MappingProxyType(
    {
        "random": "sex is recorded for a simple random part of the cohort",
        "known_probability": "sex is recorded with a probability that is known for every patient",
        "modelled": "sex is recorded with a probability that is modelled on age, disease and the score",
        "may_depend_on_sex": "whether sex is recorded may depend on sex itself",
        "external": "sex is known in another cohort, photographed and scored in the same way",
        "none": "sex is recorded for nobody",
    }
)

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "population": "the population of which the cohort is a sample",
        "cohort": "these very people, not a population behind them",
    }
)


def sentence_case(name: str) -> str:
    """Print a machine name as words: underscores become spaces, the first letter a capital.

    Examples
    --------
    >>> sentence_case("diabetic_retinopathy"), sentence_case("緑内障"), sentence_case("AMD")
    ('Diabetic retinopathy', '緑内障', 'AMD')
    """
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


_SMALL = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number_word(number: int) -> str:
    """Print a small count as a word, as prose does.

    Examples
    --------
    >>> number_word(0), number_word(3), number_word(12)
    ('none', 'three', '12')
    """
    return _SMALL[number] if 0 <= number < len(_SMALL) else f"{number:,}"
