"""The population a setting describes: sex given age, disease given both, before anybody is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from sexstrat.errors import StudyError
from sexstrat.simulation.eye_states import recorded_share
from sexstrat.simulation.setting import Setting

__all__ = ["AGES", "MEAN_AGE", "Population", "expected_expit", "population"]

AGES = np.arange(20, 96)
MEAN_AGE, SD_AGE = 60.0, 14.0  # decades are counted from MEAN_AGE whoever the people are
DECADES = (AGES - MEAN_AGE) / 10
GAUSS_HERMITE_NODES = 40  # the error of a mean of expit is 2e-8 at a spread of 2, and less below

Array = NDArray[np.float64]


def expected_expit(line: Array, sd: float) -> Array:
    """Return the mean of expit(line + sd x standard normal), by Gauss-Hermite quadrature.

    Parameters
    ----------
    line : log odds, any shape.
    sd : standard deviation of the random intercept, 0 or more.

    Examples
    --------
    A symmetric spread around even odds leaves them even.

    >>> expected_expit(np.array([0.0]), 1.5).round(9).tolist()
    [0.5]
    """
    if sd == 0:
        return np.asarray(expit(line))
    nodes, weights = np.polynomial.hermite_e.hermegauss(GAUSS_HERMITE_NODES)
    return np.asarray(expit(line[..., None] + sd * nodes) @ (weights / weights.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Log odds and shares of a setting's population; strata are the first axis, one where there is no survey.

    Parameters
    ----------
    strata, sampled : share of each stratum in the population and in the sample.
    ages, sampled_ages : share of each year of age in the population and in the sample.
    male_line : log odds of being a man, shape (strata, ages), at a cluster's intercept of 0.
    disease_line : log odds of disease in any eye, shape (strata, ages, 2), column 1 for men, at an intercept of 0.
    male_sd, disease_sd : standard deviations of the clusters' intercepts.
    """

    strata: Array
    sampled: Array
    ages: Array
    sampled_ages: Array
    male_line: Array
    disease_line: Array
    male_sd: float
    disease_sd: float

    def shares(self, *, sample: bool = False) -> Array:
        """Return P(age, disease in any eye, male), shape (ages, 2, 2), of the population or as sampled.

        Parameters
        ----------
        sample : as the sample is expected to be, before any weight.
        """
        strata, ages = (self.sampled, self.sampled_ages) if sample else (self.strata, self.ages)
        return _joint(strata, ages, self.male_line, expected_expit(self.disease_line, self.disease_sd), self.male_sd)


def _joint(strata: Array, ages: Array, male_line: Array, diseased: Array, male_sd: float) -> Array:
    men = expected_expit(male_line, male_sd)
    sexes = strata[:, None, None] * ages[:, None] * np.stack([1 - men, men], axis=-1)
    return np.asarray(np.stack([sexes * (1 - diseased), sexes * diseased], axis=-2).sum(axis=0))


def _age_shares(one: Setting) -> Array:
    density = norm.pdf(AGES, one.mean_age, SD_AGE)
    return np.asarray(density / density.sum())


@lru_cache(maxsize=128)
def population(one: Setting) -> Population:
    """Return the population of a setting: intercepts are solved so that the margins are those asked for.

    The share of men and the prevalence are those of the target population, over clusters yet to be drawn; where the
    disease is recorded by eye, the prevalence is that of disease in any graded eye. Intercepts of clusters for sex and
    for disease are independent, so that the means over them factorise.

    Parameters
    ----------
    one : the setting.

    Raises
    ------
    StudyError : so few affected eyes are graded that the prevalence asked for cannot be recorded.

    Examples
    --------
    >>> round(float(population(Setting(name="b")).shares()[:, 1].sum()), 9)
    0.15
    """
    survey, clusters = one.survey, one.clusters
    male_sd, disease_sd = (clusters.male_sd, clusters.prevalence_sd) if clusters else (0.0, 0.0)
    ages = _age_shares(one)
    responding = ages * expit((survey.response_by_age if survey else 0.0) * DECADES)
    strata, sampled = (np.array(survey.population), np.array(survey.sampled)) if survey else (np.ones(1), np.ones(1))
    male_shift, disease_shift = (np.array(survey.male), np.array(survey.disease)) if survey else (np.zeros(1),) * 2
    male_line = male_shift[:, None] + one.male_by_age * DECADES
    by_sex = np.array([0.0, 1.0])
    slope = (one.disease_by_age + one.disease_by_male_age * by_sex) * DECADES[:, None]
    disease_line = disease_shift[:, None, None] + slope + one.disease_by_male * by_sex
    weight = strata[:, None] * ages
    start = brentq(lambda b: float((weight * expected_expit(b + male_line, male_sd)).sum()) - one.male_share, -30, 30)
    male_line = male_line + start
    seen = recorded_share(one)

    def prevalence(b: float) -> float:
        joint = _joint(strata, ages, male_line, expected_expit(b + disease_line, disease_sd), male_sd)
        return float((joint[:, 1] * seen).sum())

    if one.prevalence >= seen.min():
        raise StudyError(
            f"setting {one.name}: prevalence is {one.prevalence:g}, but a graded eye shows the disease in only "
            f"{seen.min():.3f} of the diseased; allowed: below that, or fewer patients with one photographed eye"
        )
    disease_line = disease_line + brentq(lambda b: prevalence(b) - one.prevalence, -40, 40)
    return Population(
        strata=strata,
        sampled=sampled,
        ages=ages,
        sampled_ages=responding / responding.sum(),
        male_line=male_line,
        disease_line=disease_line,
        male_sd=male_sd,
        disease_sd=disease_sd,
    )
