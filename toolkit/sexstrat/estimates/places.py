"""Where a composition can be read: all ages crude, each band, all ages standardised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sexstrat.estimates.composition import Composition
from sexstrat.estimates.estimate_rows import Place
from sexstrat.estimates.standardise import standard_weights

__all__ = ["band_places", "crude_place", "places", "standardised_place"]


def crude_place(one: Composition) -> Place:
    """Return all ages together, as they are."""
    return Place(source=one, margin=one.overall, weights=np.ones(1), band=None, standard="crude", state=one.state)


def band_places(one: Composition) -> Iterator[Place]:
    """Yield each age band, from the fallback where the band is too thin for the estimator."""
    for band, state in enumerate(one.band_state):
        source = one
        if one.fallback is not None and state == "model_based":
            source = one.fallback
        yield Place(
            source=source,
            margin=source.by_band,
            weights=np.eye(len(one.bands))[band],
            band=band,
            standard="crude",
            state=state,
        )


def standardised_place(one: Composition, standard: str | Mapping[int, float]) -> Place:
    """Return all ages together, weighted to a standard population."""
    ages = one.by_band.n.sum(axis=1) if one.cohort_ages is None else one.cohort_ages
    chosen = standard_weights(standard, one.bands, ages)
    return Place(
        source=one,
        margin=one.by_band,
        weights=chosen.weights,
        band=None,
        standard=chosen.name,
        state=one.state,
        note=chosen.note,
    )


def places(one: Composition, standardise: str | Mapping[int, float] | None) -> Iterator[Place]:
    """Yield all ages crude, each band, and all ages standardised if asked."""
    yield crude_place(one)
    yield from band_places(one)
    if standardise is not None:
        yield standardised_place(one, standardise)
