"""From an answer about persons to the same estimator's answer about eyes, or the reason why there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.eye_aipw import eye_aipw
from sexstrat.estimates.eye_counting import eye_counting
from sexstrat.estimates.eye_imputation import eye_imputation
from sexstrat.estimates.eye_patterns import graded_eyes_of
from sexstrat.estimates.recording_model import with_estimated_recording
from sexstrat.values.design import ValidationDesign

__all__ = ["eye_composition"]

COUNTED = ("naive_threshold", "naive_weighted", "complete_case", "recorded", "truth")


def eye_composition(given: ComposeInput, one: Composition) -> Composition:
    """Return the composition of eyes that belongs to one of persons: the same estimator, sexes, bands and target.

    Prevalence among men's eyes is sum k N pi / sum n N pi over patients with k of n graded eyes affected, pi the share
    of men among such patients; women's with 1 - pi.

    Parameters
    ----------
    given : the input that the answer about persons was made from.
    one : that answer, by any estimator.

    Returns
    -------
    Eyes by E1 (thin bands by E2 where persons have them so), E2, E7 or as recorded; state ``refused`` with the reason
    where persons are refused, where the estimator cannot tell patients with one affected eye from those with two, and
    where some patients' disease is about the person.

    Raises
    ------
    EstimationError : the condition is recorded about the person.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> given = worked_input()
    >>> eyes = 2.0 * np.column_stack([1 - given.arrays.diseased, given.arrays.diseased])
    >>> given = replace(given, arrays=replace(given.arrays, eyes=eyes))
    >>> persons = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> eye_composition(given, persons).crude_pi.round(4).tolist()
    [0.5, 0.6667]
    >>> eye_composition(given, replace(persons, estimator="E3")).why[:52]
    'E3 estimates shares of men with and without the dise'
    """
    without = float(given.arrays.n[graded_eyes_of(given.arrays).sum(axis=1) == 0].sum())
    if one.state == "refused":
        return refused(given, one.estimator, one.why)
    if without:
        reason = f"for {without:,.0f} patients the condition is about the person, so that their eyes are not counted"
        return refused(given, one.estimator, f"No estimate about eyes: {reason}.")
    if one.estimator == "E1":
        return _weighted(given, one)
    if one.estimator == "E2":
        return eye_imputation(given, shrink=bool(one.diagnostics.get("shrunk", False)), why=one.why)
    if one.estimator in COUNTED:
        return eye_counting(given, one.estimator, state=one.state, why=one.why)
    reason = "estimates shares of men with and without the disease, not by the number of eyes affected"
    return refused(given, one.estimator, f"{one.estimator} {reason}: no estimate about eyes.")


def _weighted(given: ComposeInput, one: Composition) -> Composition:
    """Return E1 among eyes, with E2 for the bands that are too thin where persons have them so."""
    chosen = given
    if given.design is ValidationDesign.modelled:
        chosen = replace(given, arrays=with_estimated_recording(given.arrays))
    found = eye_aipw(chosen, why=one.why)
    if found.state == "refused" or one.fallback is None:
        return found
    other = eye_imputation(given)
    thin = np.array([state != "corrected" for state in found.band_state])
    states = tuple(other.band_state[band] if each else "corrected" for band, each in enumerate(thin))
    return replace(found, band_state=states, fallback=other if thin.any() else None)
