"""Tipping point of E5: how far the diseased may shift a score whose errors were learned without the disease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sexstrat.estimates.cell_em import nondifferential_em
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.contrasts import contrast_at
from sexstrat.estimates.places import crude_place, standardised_place
from sexstrat.estimates.refusal import labelled_refusal
from sexstrat.estimates.sensitivity.crossing import Crossings, crossings, grid_of
from sexstrat.estimates.sensitivity.tipping_point import LIMIT_OF_SCORE, TippingPoint

__all__ = ["tipping_point_of_transport"]

WHY = (
    "The errors of the score were learned from people who were not looked at for the disease; its logit is taken to be "
    "shifted by the stated amount in the diseased of this cohort, alike in men and women, which nothing here can check."
)
ASSUMPTIONS = (
    "In the diseased the logit of the score is shifted by the stated amount, alike in men and women; but for that its "
    "errors given sex and age are those of the people whose sex is known.",
)
STEPS = 8


def tipping_point_of_transport(
    given: ComposeInput,
    *,
    standardise: str | Mapping[int, float] | None = None,
    limit: float = LIMIT_OF_SCORE,
    steps: int = STEPS,
) -> TippingPoint:
    """Return how far the disease must shift the score's logit before the conclusion of E5 about the ratio changes.

    For each shift the cohort's diseased are given back the logit they would have without it, and E5 is run anew.

    Parameters
    ----------
    given : the input, with people of known sex who were not looked at for the disease.
    standardise : name of a standard population, weights by first year of age, or None for crude.
    limit : largest shift of logit p looked at.
    steps : grid steps on each side of 0.

    Returns
    -------
    The ratio along the shift, with E5's interval, and the shift nearest 0 at which it comes to include or exclude 1;
    refused where E5 is.

    Raises
    ------
    EstimationError : an unknown standard or a bad limit.

    References
    ----------
    Lash TL et al. Good practices for quantitative bias analysis. Int J Epidemiol 2014;43:1969-1985.

    Examples
    --------
    Ratio 5/3 without a shift; a disease that makes eyes look more male explains some of it.

    >>> from sexstrat.estimates.worked_example import worked_arrays, worked_input
    >>> given = replace(worked_input(), external=worked_arrays(), external_has_disease=False)
    >>> one = tipping_point_of_transport(given, limit=2.0)
    >>> one.state, bool(0 < one.tipping < 2)
    ('bias_analysis', True)
    """
    grid, arrays = grid_of(limit, steps), given.arrays
    ages = arrays.total(arrays.w).sum(axis=1)

    def ratio_at(shift: float) -> dict[str, object]:
        moved = replace(arrays, logit=arrays.logit - shift * arrays.diseased)
        one = replace(nondifferential_em(replace(given, arrays=moved), given.labelled, why=WHY), cohort_ages=ages)
        place = crude_place(one) if standardise is None else standardised_place(one, standardise)
        return contrast_at(place, "ratio")

    reason = labelled_refusal(given)
    found: Crossings | None = None
    if reason is None:
        found = crossings(ratio_at, grid)
        if found.includes_one is None:
            found, reason = None, "without a shift there is no interval"
    patients = arrays.n_patients.sum(axis=0)
    return TippingPoint(
        condition=given.condition,
        parameter="shift of logit prob_male in the diseased",
        pattern="diseased",
        estimator="E5",
        standard="crude" if standardise is None else standardise if isinstance(standardise, str) else "own",
        level=given.level,
        limit=limit,
        found=found,
        n_patients=int(patients.sum()),
        n_diseased=int(patients[1]),
        n_validated=int(arrays.n_validated.sum()),
        state="refused" if found is None else "bias_analysis",
        why=WHY if reason is None else f"No tipping point: {reason}.",
        assumptions=ASSUMPTIONS,
    )
