"""The parts a setting may have beside its plain knobs: clusters, a survey, an external cohort, disease by eye."""

from __future__ import annotations

from dataclasses import dataclass

from sexstrat.simulation.ranges import check_ranges

__all__ = ["Clusters", "ExternalCohort", "EyeDisease", "Survey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Hospitals, or the primary sampling units of a survey, that differ by random intercepts, drawn anew each time.

    Parameters
    ----------
    number : clusters (within each stratum when there is a survey), 2 or more.
    size_sd : standard deviation of the logarithm of their expected sizes.
    prevalence_sd, male_sd : standard deviation of the intercepts of disease and of sex, log odds.
    score_sd : standard deviation of the shift of the score's z, which all patients of a cluster share.

    Examples
    --------
    >>> Clusters(number=12).number
    12
    """

    number: int = 40
    size_sd: float = 0.5
    prevalence_sd: float = 0.3
    male_sd: float = 0.2
    score_sd: float = 0.3

    def __post_init__(self) -> None:
        check_ranges(self, "clusters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Strata sampled with unequal fractions, and a response that depends on age; weights undo both.

    A patient's weight is (share of the stratum and age in the population) / (expected share in the sample): its mean
    over samples is 1. Strata that differ in disease and sex make the weights informative.

    Parameters
    ----------
    population : share of each stratum in the target population; they add up to 1.
    sampled : expected share of each stratum in the sample; they add up to 1.
    disease, male : log odds added in each stratum.
    response_by_age : log odds of responding per decade of age; about a half respond at the mean age.

    Examples
    --------
    Half the sample comes from the rarest stratum: its patients count 0.2 each when no age is favoured.

    >>> survey = Survey()
    >>> round(survey.population[-1] / survey.sampled[-1], 3)
    0.2
    """

    population: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    sampled: tuple[float, ...] = (0.1, 0.15, 0.25, 0.5)
    disease: tuple[float, ...] = (-0.3, 0.0, 0.2, 0.6)
    male: tuple[float, ...] = (0.1, 0.0, 0.0, -0.3)
    response_by_age: float = -0.3

    def __post_init__(self) -> None:
        check_ranges(self, "survey")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCohort:
    """People of another place, all of known sex, scored by the same model.

    P(score | sex, disease, age) is that of the main cohort unless ``auc`` or the shifts say otherwise.

    Parameters
    ----------
    patients : people in it.
    mean_age : location of their ages, in years (normal, SD 14, cut to 20 to 95).
    prevalence, male_share : their marginal shares.
    disease_by_male : log odds ratio of disease, men over women, there; None takes the main cohort's. Another one is a
        label shift: predictive values and calibration change, P(score | sex, disease, age) does not.
    auc, shift_men, shift_women : as in the setting; None takes the main cohort's.

    Examples
    --------
    >>> ExternalCohort().patients, ExternalCohort(auc=0.97).auc
    (1000, 0.97)
    """

    patients: int = 1_000
    mean_age: float = 52.0
    prevalence: float = 0.30
    male_share: float = 0.60
    disease_by_male: float | None = None
    auc: float | None = None
    shift_men: float | None = None
    shift_women: float | None = None

    def __post_init__(self) -> None:
        check_ranges(self, "external")


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeDisease:
    """Disease recorded by eye: one or both eyes of a diseased patient are affected; photographed eyes are graded.

    A patient without a gradable photograph is graded in both eyes at the lamp. Only an affected eye's score shifts.

    Parameters
    ----------
    both : share of diseased women in whom both eyes are affected.
    both_by_male : log odds ratio of that, men over women.

    Examples
    --------
    >>> EyeDisease().both
    0.5
    """

    both: float = 0.5
    both_by_male: float = 0.4

    def __post_init__(self) -> None:
        check_ranges(self, "eye disease")
