"""Estimate rows about eyes, beside those about persons: prevalence among eyes by sex, and its contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.eye_composition import eye_composition
from sexstrat.estimates.eye_informative import informative_eyes, informative_warning
from sexstrat.estimates.places import band_places, crude_place, standardised_place
from sexstrat.estimates.prevalence import SEXES, prevalence_row

__all__ = ["choice_with_eyes", "eye_rows"]


def eye_rows(
    given: ComposeInput, one: Composition, standards: Sequence[str | Mapping[int, float]] = ()
) -> Iterator[dict[str, Any]]:
    """Yield prevalence among eyes by sex and its contrasts: crude, by band and standardised; none without eyes.

    Parameters
    ----------
    given : the input that the answer about persons was made from.
    one : that answer.
    standards : standard populations; ``cohort`` weights by the ages of persons, as for persons.

    Returns
    -------
    Rows of ``eye_prevalence``, ``eye_prevalence_ratio``, ``eye_prevalence_difference`` and
    ``eye_prevalence_odds_ratio``. Their numbers of patients are persons; their intervals cover the prevalence among
    eyes, patients being what varies.

    Examples
    --------
    Cells about the person have none.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> list(eye_rows(worked_input(), compose(worked_cells(), bands=worked_bands(), design="random")))
    []
    """
    if given.arrays.eyes is None:
        return
    eyes = eye_composition(given, one)
    for place in (crude_place(eyes), *band_places(eyes), *(standardised_place(eyes, name) for name in standards)):
        rows = [prevalence_row(place, sex) for sex in SEXES] + [contrast_at(place, kind) for kind in CONTRASTS]
        for row in rows:
            yield {**row, "measure": f"eye_{row['measure']}"}


def choice_with_eyes(given: ComposeInput, one: Composition) -> dict[str, Any]:
    """Return what was chosen and why, with a warning where the number of graded eyes is informative.

    Parameters
    ----------
    given : the input.
    one : the composition of persons that ``auto`` chose.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> persons = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> choice_with_eyes(worked_input(), persons) == persons.choice()
    True
    """
    choice = one.choice()
    if given.arrays.eyes is None:
        return choice
    found = informative_eyes(given)
    eyes: dict[str, Any] = {
        "n_one_graded_eye": found.n_one,
        "n_two_graded_eyes": found.n_two,
        "informative_eyes_difference": found.point,
        "informative_eyes_p_value": found.p_value,
    }
    warning = informative_warning(found)
    warnings = [*choice["warnings"], *([warning] if warning else [])]
    return {**choice, "warnings": warnings, "diagnostics": {**choice["diagnostics"], **eyes}}
