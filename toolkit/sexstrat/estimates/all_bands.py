"""All age bands of a composition as one place, for measures that combine them by weights of their own."""

from __future__ import annotations

import numpy as np

from sexstrat.estimates.composition import Composition
from sexstrat.estimates.estimate_rows import Place
from sexstrat.estimates.places import NEGLIGIBLE_WEIGHT

__all__ = ["all_bands_place"]


def all_bands_place(one: Composition, standard: str, *, note: str = "") -> Place:
    """Return all bands at once, each with the share of patients that it holds.

    As for a standard population: where more than 5 % of the patients are in bands whose own number is not that of the
    estimator, all bands come from the fallback, so that one joint covariance holds for them; without a fallback the
    number is ``model_based``.

    Parameters
    ----------
    one : the composition.
    standard : what the row's column ``standard`` says.
    note : what the reader must know besides.

    Examples
    --------
    Two bands of 550 patients.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> place = all_bands_place(one, "mantel_haenszel")
    >>> place.weights.tolist(), place.band, place.state
    ([0.5, 0.5], None, 'corrected')
    """
    people = one.by_band.n.sum(axis=1)
    weights = people / people.sum() if people.sum() > 0 else np.full(people.size, 1 / people.size)
    thin = np.array([state != one.state for state in one.band_state])
    share = float(weights[thin].sum())
    source, state, reason = one, one.state, ""
    if share > NEGLIGIBLE_WEIGHT:
        source, state = one if one.fallback is None else one.fallback, "model_based"
        how = "all bands imputed" if one.fallback is not None else "their correction leans on other bands"
        reason = f"{share:.0%} of the patients are in bands with too few validated patients: {how}"
    return Place(
        source=source,
        margin=source.by_band,
        weights=weights,
        band=None,
        standard=standard,
        state=state,
        note="; ".join(part for part in (note, reason) if part),
    )
