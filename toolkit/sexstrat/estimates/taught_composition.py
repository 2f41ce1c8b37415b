"""From shares that labelled people taught to a composition: what is pooled, what is refused, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.mean_value_shares import hidden_people
from sexstrat.estimates.recording_model import with_estimated_recording
from sexstrat.estimates.refusal import labelled_refusal
from sexstrat.estimates.taught_shares import TaughtShares, all_ages, taught_margin, taught_over_units, within_range
from sexstrat.estimates.transported import carried
from sexstrat.values.design import ValidationDesign

__all__ = ["TRANSPORTED", "from_labelled", "taught_composition"]

TRANSPORTED = (
    "Among men, and among women, of the same age and disease the score is distributed among the patients without "
    "recorded sex as among the people it was learned from, weighted by their probability of being recorded where that "
    "is known. (The cohort's own data cannot show it, only contradict it.)"
)
NOT_LOOKED_AT = "the external cohort was not looked at for this disease, so errors cannot differ by it"
NOBODY_TOLD = (
    "predicted sex does not differ between labelled men and women by more than chance explains (sensitivity + "
    "specificity - 1 is near 0) in the cells of"
)


def from_labelled(
    given: ComposeInput, estimator: str, made: Callable[[ComposeInput], Composition], *, by_disease: bool = True
) -> Composition:
    """Return an estimate learned from labelled people, or why the declared design does not allow it.

    Random or weighted recording makes the cohort's own validated patients like the others by design. From another
    cohort, or where recording may depend on sex, the transport test must not reject.

    Parameters
    ----------
    given : the input.
    estimator : its name.
    made : makes the estimate of an input whose labelled people carry weights.
    by_disease : the labelled people must have been looked at for the disease.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = replace(worked_input(), design=ValidationDesign.none)
    >>> from_labelled(given, "matrix", lambda one: refused(one, "matrix", "not asked")).why[-40:]
    'at least 20 of them diseased and 20 not.'
    """
    reason = labelled_refusal(given)
    if reason is None and by_disease and not given.external_has_disease:
        reason = NOT_LOOKED_AT
    if reason is not None:
        return refused(given, estimator, f"No corrected estimate: {reason}.")
    if given.design is ValidationDesign.modelled:
        given = replace(given, arrays=with_estimated_recording(given.arrays))
    tested = given.design in {ValidationDesign.external, ValidationDesign.may_depend_on_sex}
    if tested and given.external_has_disease:
        return carried(given, estimator, lambda: made(given))
    return made(given)


def taught_composition(
    given: ComposeInput, labelled: CellArrays, shares: TaughtShares, *, estimator: str, state: str, **parts: Any
) -> Composition:
    """Return the composition of shares of men by cell, those outside 0 to 1 pooled with neighbouring bands.

    Parameters
    ----------
    given : the input.
    labelled : the people who taught them.
    shares : by cell, as found.
    estimator, state : of the composition.
    parts : further fields of :class:`Composition`.

    Returns
    -------
    Refused where the share of men of all ages lies outside 0 to 1.
    """
    hidden, _ = hidden_people(given.arrays)
    people = given.arrays.weights[0].ravel()
    whole = all_ages(given, shares)
    asked = hidden.reshape(-1, 2).sum(axis=0) > 0
    if bool((asked & ~((whole.pi > 0) & (whole.pi < 1))).any()):
        found = " and ".join(f"{share:.3g}" for share in whole.pi[asked])
        return refused(
            given,
            estimator,
            f"No corrected estimate: the shares of men that the scores ask for, {found}, do not lie within 0 to 1, so "
            "that the cohort is no mixture of men and women like the labelled ones.",
        )
    by_cell, pooled = within_range(shares, people, hidden)
    bands = pooled.reshape(-1, 2).any(axis=1)
    names = [label for label, one in zip(given.bands.labels, bands, strict=True) if one]
    warnings = parts.pop("warnings", ())
    if names:
        warnings = (
            *warnings,
            f"In band {', '.join(names)} a share of men would lie outside 0 to 1: it is taken from neighbouring bands "
            "together.",
        )
    one = Composition(
        condition=given.condition,
        bands=given.bands,
        estimator=estimator,
        target=given.target,
        by_band=taught_margin(given, labelled, by_cell),
        overall=taught_margin(given, labelled, whole),
        band_state=(state,) * len(given.bands),
        state=state,
        level=given.level,
        warnings=warnings,
        **parts,
    )
    return taught_over_units(given, labelled, by_cell, whole, one)


def untold(given: ComposeInput, told: np.ndarray[Any, Any]) -> str:
    """Return why cells with patients of unknown sex have no labelled people who tell of them, or ""."""
    missing = ((hidden_people(given.arrays)[0] > 0) & ~told).reshape(-1, 2).any(axis=1)
    names = [label for label, one in zip(given.bands.labels, missing, strict=True) if one]
    return f"No corrected estimate: {NOBODY_TOLD} band {', '.join(names)}." if names else ""
