"""Prevalence by sex, and the share of men, from a composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sexstrat.estimates.composition import Composition
from sexstrat.estimates.estimate_rows import Estimates, Place, share_row
from sexstrat.estimates.measures import logit_of, male_share_of, prevalence_of
from sexstrat.estimates.places import band_places, crude_place, places

__all__ = ["SEXES", "male_share_rows", "prevalence_row", "prevalence_rows"]

SEXES = ("male", "female")


def prevalence_row(place: Place, sex: str) -> dict[str, Any]:
    """Return the row of one sex's prevalence at one place.

    Parameters
    ----------
    place : where in a composition.
    sex : male or female.

    Examples
    --------
    In each band 100 of 300 men have the disease.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> [round(float(prevalence_row(place, "male")["point"]), 4) for place in band_places(one)]
    [0.3333, 0.3333]
    """
    share = prevalence_of(place.margin, sex, place.weights)
    return share_row(place, "prevalence", sex, share, logit_of(share))


def prevalence_rows(one: Composition, standardise: str | Mapping[int, float] | None = None) -> Estimates:
    """Return prevalence by sex: all ages, each band and, if asked, age-standardised.

    Parameters
    ----------
    one : the composition.
    standardise : name of a standard population, weights by first year of age, or None.

    Returns
    -------
    Rows whose intervals cover the prevalence in the population or the cohort, as the composition's target says.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> [round(point, 4) for point in prevalence_rows(one).to_frame()["point"][:2]]
    [0.3333, 0.2]
    """
    rows = tuple(prevalence_row(place, sex) for place in places(one, standardise) for sex in SEXES)
    return Estimates(rows, assumptions=one.assumptions, warnings=one.warnings)


def male_share_rows(one: Composition) -> Estimates:
    """Return the share of men: all ages and each band.

    Parameters
    ----------
    one : the composition of any disease known for the whole cohort.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> round(male_share_rows(one).to_frame().loc[0, "point"], 4) == round(600 / 1100, 4)
    np.True_
    """
    rows = []
    for found in (crude_place(one), *band_places(one)):
        # one cell without information leaves a band without a ratio, not without the share of men of all its patients
        place = replace(found, state=found.source.state) if found.state == "refused" else found
        share = male_share_of(place.margin, place.band)
        rows.append({**share_row(place, "male_share", None, share, logit_of(share)), "condition": None})
    return Estimates(tuple(rows), assumptions=one.assumptions, warnings=one.warnings)
