"""From shares that labelled people taught to a composition: what is pooled, what is refused, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.mean_value_shares import hidden_people
from sexstrat.estimates.recording_model import with_estimated_recording
from sexstrat.estimates.refusal import labelled_refusal
from sexstrat.estimates.taught_shares import TaughtShares, all_ages, taught_margin, within_range
from sexstrat.estimates.taught_units import taught_over_units
from sexstrat.estimates.transported import carried
from sexstrat.values.design import ValidationDesign

__all__ = ["TRANSPORTED", "from_labelled", "hidden_shares", "outside_range", "taught_composition", "untold"]

Array = NDArray[np.float64]

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
    given: ComposeInput,
    labelled: CellArrays,
    shares: TaughtShares,
    *,
    estimator: str,
    state: str,
    counted: bool = True,
    **parts: Any,
) -> Composition:
    """Return the composition of shares of men by cell, those outside 0 to 1 pooled with neighbouring bands.

    Parameters
    ----------
    given : the input.
    labelled : the people who taught them.
    shares : by cell, as found.
    estimator, state : of the composition.
    counted : recorded sexes are counted as they are; otherwise everybody's share is estimated.
    parts : further fields of :class:`Composition`.

    Returns
    -------
    Refused where the share of men of all ages lies outside 0 to 1.

    Examples
    --------
    >>> from sexstrat.estimates.labelled_windows import labelled_means
    >>> from sexstrat.estimates.mean_value_shares import mean_value_shares
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> called = given.arrays.predicted_male.astype(float)
    >>> means = labelled_means(given.arrays, called, by_disease=True, level=0.95)
    >>> shares = mean_value_shares(given.arrays, given.arrays, (called, called), means)
    >>> said = {"estimator": "matrix", "state": "model_based", "why": "an example"}
    >>> taught_composition(given, given.arrays, shares, **said).crude_pi.round(6).tolist()
    [0.5, 0.666667]
    """
    people = given.arrays.weights[0].ravel()
    hidden, hidden_men = hidden_shares(given.arrays, shares.pi) if counted else (people, people * shares.pi)
    if reason := outside_range(hidden, hidden_men):
        return refused(given, estimator, reason)
    whole = all_ages(given, shares)
    by_cell, pooled = within_range(shares, people, hidden, hidden_men)
    bands = np.asarray(pooled.reshape(-1, 2).any(axis=1))
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


def hidden_shares(arrays: CellArrays, pi: Array) -> tuple[Array, Array]:
    """Return patients without recorded sex by cell, and how many of them are men if the cell's share is ``pi``.

    Parameters
    ----------
    arrays : the cohort.
    pi : share of men of everybody, recorded sexes counted, shape (2A,).

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> [one.tolist() for one in hidden_shares(worked_arrays(), np.array([0.5, 0.6, 0.5, 0.6]))]
    [[200.0, 75.0, 200.0, 75.0], [100.0, 40.0, 100.0, 40.0]]
    """
    men = arrays.total(np.where(arrays.male, arrays.w, 0.0), arrays.validated).ravel()
    return hidden_people(arrays)[0], arrays.weights[0].ravel() * np.nan_to_num(pi) - men


def outside_range(hidden: Array, men: Array) -> str:
    """Return why no share of men of all ages lies within 0 to 1, or "".

    Parameters
    ----------
    hidden, men : patients without recorded sex by cell, and how many of them are estimated to be men, shape (2A,).

    Examples
    --------
    >>> outside_range(np.array([100.0, 10.0]), np.array([40.0, 11.0]))[:59]
    'No corrected estimate: the share of men that the scores ask'
    """
    total, found = hidden.reshape(-1, 2).sum(axis=0), np.nan_to_num(men).reshape(-1, 2).sum(axis=0)
    for d, name in ((1, "with"), (0, "without")):
        if total[d] > 0 and not 0 < found[d] < total[d]:
            return (
                f"No corrected estimate: the share of men that the scores ask for among patients {name} the disease, "
                f"{found[d] / total[d]:.3g}, does not lie within 0 to 1: these patients are too few, or no mixture of "
                "men and women like the labelled ones."
            )
    return ""


def untold(given: ComposeInput, told: NDArray[np.bool_]) -> str:
    """Return why cells with patients of unknown sex have no labelled people who tell of them, or "".

    Parameters
    ----------
    given : the input.
    told : of which cells, shape (2A,), labelled people tell.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> untold(worked_input(), np.array([True, True, True, False]))[-18:]
    'cells of band 60+.'
    """
    missing = np.asarray(((hidden_people(given.arrays)[0] > 0) & ~told).reshape(-1, 2).any(axis=1))
    names = [label for label, one in zip(given.bands.labels, missing, strict=True) if one]
    return f"No corrected estimate: {NOBODY_TOLD} band {', '.join(names)}." if names else ""
