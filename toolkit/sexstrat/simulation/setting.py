"""A setting: how a simulated cohort comes about, every knob of it in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from sexstrat.errors import StudyError
from sexstrat.simulation.parts import Clusters, ExternalCohort, EyeDisease, Survey
from sexstrat.simulation.ranges import check_ranges
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["Setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a simulated cohort comes about; defaults are the baseline of the methods page.

    Parameters
    ----------
    name : name of the setting.
    about : what is special about it, in one sentence.
    design : validation design that is declared for it.
    target : whom its estimates are about.
    patients : patients of a cohort when nothing else is asked.
    mean_age : location of the ages (normal, SD 14, cut to 20 to 95), in years.
    prevalence, male_share : marginal shares of the population.
    male_by_age : log odds of being a man per decade.
    disease_by_male, disease_by_age, disease_by_male_age : log odds ratios of disease: men,
        per decade, and their product.
    auc : area under the curve of one eye at age 60.
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
    recorded_wrong : share of the recorded sexes that are wrong, whatever else is true of the patient.
    clusters : hospitals, or sampling units of the survey, with random intercepts; None for none.
    survey : strata with unequal sampling fractions and weights; None for none.
    external : an external validation cohort; None for none.
    eye_disease : the disease is recorded by eye; None when it is about the person.

    Raises
    ------
    StudyError : a knob is outside its range, or two knobs contradict each other.

    Examples
    --------
    The separation of an eye with AUC 0.95 is sqrt(2) x 1.645.

    >>> round(Setting(name="mine").separation, 3)
    2.326
    >>> Setting(name="mine", auc=1.2)
    Traceback (most recent call last):
    sexstrat.errors.StudyError: setting mine: auc is 1.2; allowed: above 0 and below 1
    """

    name: str
    about: str = ""
    design: ValidationDesign = ValidationDesign.random
    target: Target = Target.population
    patients: int = 20_000
    mean_age: float = 60.0
    prevalence: float = 0.15
    male_share: float = 0.48
    male_by_age: float = -0.10
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
    recorded_wrong: float = 0.0
    clusters: Clusters | None = None
    survey: Survey | None = None
    external: ExternalCohort | None = None
    eye_disease: EyeDisease | None = None

    def __post_init__(self) -> None:
        check_ranges(self, f"setting {self.name}")
        if self.design is ValidationDesign.external and self.external is None:
            raise StudyError(f"setting {self.name}: the design is external, but there is no external cohort; add one")
        if self.recording_varies and self.validated in {0, 1}:
            raise StudyError(
                f"setting {self.name}: validated is {self.validated:g}, so that recording cannot depend on anything; "
                "choose a share between 0 and 1, or set every recorded_by_ knob to 0"
            )

    @property
    def recording_varies(self) -> bool:
        """Tell whether the probability that sex is recorded differs between patients."""
        knobs = (self.recorded_by_age, self.recorded_by_disease, self.recorded_by_male, self.recorded_by_score)
        return any(knobs)

    @property
    def separation(self) -> float:
        """Distance between the sexes in standard deviations of one eye's z: sqrt(2) x probit(AUC)."""
        return float(np.sqrt(2) * norm.ppf(self.auc))

    @property
    def model_male_share(self) -> float:
        """Share of men for which the model's score is calibrated."""
        return self.male_share if self.trained_male_share is None else self.trained_male_share
