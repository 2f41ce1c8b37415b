"""Where a composition can be read: all ages crude, each band, all ages standardised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sexstrat.estimates.composition import Composition
from sexstrat.estimates.estimate_rows import Place
from sexstrat.estimates.standardise import standard_weights

# An error of 0.5 in the log ratio of bands with this weight moves the standardised one by 0.025, about a quarter of the
# standard error that 1,000 validated patients give.
NEGLIGIBLE_WEIGHT = 0.05

__all__ = ["band_places", "crude_place", "places", "standardised_place"]


def crude_place(one: Composition) -> Place:
    """Return all ages together, as they are.

    Parameters
    ----------
    one : the composition.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> crude_place(one).margin.n.tolist(), crude_place(one).standard
    ([[800.0, 300.0]], 'crude')
    """
    return Place(source=one, margin=one.overall, weights=np.ones(1), band=None, standard="crude", state=one.state)


def band_places(one: Composition) -> Iterator[Place]:
    """Yield each age band, from the fallback where the band is too thin for the estimator.

    Parameters
    ----------
    one : the composition.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> [(place.weights.tolist(), place.state) for place in band_places(one)]
    [([1.0, 0.0], 'corrected'), ([0.0, 1.0], 'corrected')]
    """
    for band, state in enumerate(one.band_state):
        source = one.fallback if one.fallback is not None and state != one.state else one
        yield Place(
            source=source,
            margin=source.by_band,
            weights=np.eye(len(one.bands))[band],
            band=band,
            standard="crude",
            state=state,
        )


def standardised_place(one: Composition, standard: str | Mapping[int, float]) -> Place:
    """Return all ages together, weighted to a standard population.

    Where more than 5 % of the standard's weight lies in bands whose own number is not corrected, neither is the
    standardised one: it comes whole from the fallback, so that one joint variance holds for all bands, and without a
    fallback it is ``model_based``. The note says so.

    Parameters
    ----------
    one : the composition.
    standard : name of a standard population, or weights by first year of age.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> standardised_place(one, {40: 1.0, 60: 3.0}).weights.round(12).tolist()
    [0.25, 0.75]
    """
    ages = one.by_band.n.sum(axis=1) if one.cohort_ages is None else one.cohort_ages
    if not ages.sum() > 0:
        named = standard_weights(standard, one.bands, np.ones(len(one.bands)))
        return Place(
            source=one,
            margin=one.by_band,
            weights=np.zeros(len(one.bands)),
            band=None,
            standard=named.name,
            state="refused",
            note="nobody is inside the age bands",
        )
    chosen = standard_weights(standard, one.bands, ages)
    thin = np.array([state != one.state for state in one.band_state])
    share = float(chosen.weights[thin].sum())
    source, state, note = one, one.state, chosen.note
    if share > NEGLIGIBLE_WEIGHT:
        source, state = one if one.fallback is None else one.fallback, "model_based"
        how = "all bands imputed" if one.fallback is not None else "their correction leans on other bands"
        reason = f"{share:.0%} of this standard's weight is in bands with too few validated patients: {how}"
        note = "; ".join(part for part in (reason, chosen.note) if part)
    return Place(
        source=source,
        margin=source.by_band,
        weights=chosen.weights,
        band=None,
        standard=chosen.name,
        state=state,
        note=note,
    )


def places(one: Composition, standardise: str | Mapping[int, float] | None) -> Iterator[Place]:
    """Yield all ages crude, each band, and all ages standardised if asked.

    Parameters
    ----------
    one : the composition.
    standardise : name of a standard population, weights by first year of age, or None.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> [(place.standard, place.band) for place in places(one, "cohort")]
    [('crude', None), ('crude', 0), ('crude', 1), ('cohort', None)]
    """
    yield crude_place(one)
    yield from band_places(one)
    if standardise is not None:
        yield standardised_place(one, standardise)
