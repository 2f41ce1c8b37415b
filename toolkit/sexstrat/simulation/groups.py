"""Who belongs where: hospitals, or the strata and sampling units of a survey, with what they share and weigh."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.simulation.population import population
from sexstrat.simulation.setting import Setting

__all__ = ["Groups", "Membership", "draw_groups", "draw_membership"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The groups of one cohort: one row a hospital, or a sampling unit within its stratum, or one for everybody.

    Parameters
    ----------
    share : expected share of the sample; adds up to 1.
    stratum : stratum of each group.
    male, disease : random intercepts, log odds.
    score : shift of the score's z.
    """

    share: Array
    stratum: Codes
    male: Array
    disease: Array
    score: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What each patient has from the group: codes, shifts and the survey weight; None or 0 where there are none.

    Parameters
    ----------
    site, psu, stratum : integer codes.
    male_shift, disease_shift, score_shift : the group's intercepts and shift.
    weight : survey weight, with a mean of 1 over samples.
    """

    site: Codes | None = None
    psu: Codes | None = None
    stratum: Codes | None = None
    male_shift: Array | float = 0.0
    disease_shift: Array | float = 0.0
    score_shift: Array | float = 0.0
    weight: Array | None = None


def draw_groups(one: Setting, rng: np.random.Generator) -> Groups:
    """Draw the groups of a cohort, and nothing from ``rng`` where the setting has none.

    Parameters
    ----------
    one : the setting.
    rng : source of randomness.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> groups = draw_groups(setting("survey_weights"), np.random.default_rng(1))
    >>> groups.share.size, round(float(groups.share[groups.stratum == 3].sum()), 3)
    (60, 0.5)
    """
    sampled = population(one).sampled
    within = one.clusters.number if one.clusters else 1
    size = (sampled.size, within)
    if one.clusters is None:
        share, male, disease, score = np.ones(size), np.zeros(size), np.zeros(size), np.zeros(size)
    else:
        share = np.exp(one.clusters.size_sd * rng.standard_normal(size))
        male = one.clusters.male_sd * rng.standard_normal(size)
        disease = one.clusters.prevalence_sd * rng.standard_normal(size)
        score = one.clusters.score_sd * rng.standard_normal(size)
    share = sampled[:, None] * share / share.sum(axis=1, keepdims=True)
    return Groups(
        share=share.ravel(),
        stratum=np.repeat(np.arange(sampled.size), within),
        male=male.ravel(),
        disease=disease.ravel(),
        score=score.ravel(),
    )


def draw_membership(one: Setting, groups: Groups, position: NDArray[np.int64], rng: np.random.Generator) -> Membership:
    """Draw each patient's group, and nothing from ``rng`` where the setting has none.

    Parameters
    ----------
    one : the setting.
    groups : its groups.
    position : index of each patient's age among the years 20 to 95.
    rng : source of randomness.

    Returns
    -------
    Hospitals are sampling units too, since patients of one hospital are alike; under a survey the clusters are units
    within strata, and codes are unique over strata.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> rng, one = np.random.default_rng(1), setting("site_clusters")
    >>> who = draw_membership(one, draw_groups(one, rng), np.zeros(500, dtype=int), rng)
    >>> bool((who.site == who.psu).all()), who.weight is None
    (True, True)
    """
    if one.clusters is None and one.survey is None:
        return Membership()
    group = rng.choice(groups.share.size, size=position.size, p=groups.share)
    who = Membership(
        psu=group if one.clusters else None,
        male_shift=groups.male[group],
        disease_shift=groups.disease[group],
        score_shift=groups.score[group],
    )
    if one.survey is None:
        return replace(who, site=group)
    everybody = population(one)
    stratum = groups.stratum[group]
    by_age = everybody.ages / everybody.sampled_ages
    weight = (everybody.strata / everybody.sampled)[stratum] * by_age[position]
    return replace(who, stratum=stratum, weight=weight)
