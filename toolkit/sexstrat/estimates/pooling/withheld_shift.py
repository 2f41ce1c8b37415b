"""What leaving out the patients of small cells does to a site's own crude figures, in standard errors."""

from __future__ import annotations

import math

from sexstrat.estimates.compose import compose
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import contrast_at
from sexstrat.estimates.places import crude_place
from sexstrat.estimates.pooling.site_pool import Question
from sexstrat.estimates.prevalence import SEXES, prevalence_row
from sexstrat.values.cells import Cells

__all__ = ["MOST_MOVED", "largest_shift"]

MOST_MOVED = 0.1  # standard errors: coverage of a 95 % interval that is off by this much is still .949


def largest_shift(whole: Cells, sent: Cells, question: Question) -> float:
    """Return the largest move of a crude prevalence or of their ratio, in standard errors of the whole.

    A withheld validated patient stands for many without recorded sex, so that the share of patients withheld does not
    tell how far the estimates move: both are computed.

    Parameters
    ----------
    whole : cells of every patient.
    sent : the same without the small ones.
    question : what is asked of the site.

    Returns
    -------
    Over all conditions; infinite where one of the two has a number and the other has none.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> from sexstrat.values.design import ValidationDesign
    >>> question = Question(bands=worked_bands(), design=ValidationDesign.random)
    >>> cells = worked_cells()
    >>> largest_shift(cells, cells, question)
    0.0
    >>> frame = cells.frame
    >>> no_diseased_men = frame[~((frame["recorded_sex"] == "male") & frame["diseased"])]
    >>> largest_shift(cells, Cells(frame=no_diseased_men, edges=cells.edges), question) > 1
    True
    """
    return max((_shift(whole, sent, condition, question) for condition in whole.conditions), default=0.0)


def _shift(whole: Cells, sent: Cells, condition: str, question: Question) -> float:
    if condition not in sent.conditions:
        return math.inf
    before, after = (_scaled(_composed(cells, condition, question)) for cells in (whole, sent))
    if before.keys() != after.keys():
        return math.inf
    return max((abs(after[name][0] - value) / se for name, (value, se) in before.items()), default=0.0)


def _composed(cells: Cells, condition: str, question: Question) -> Composition:
    return compose(
        cells,
        condition=condition,
        bands=question.bands,
        design=question.design,
        target=question.target,
        level=question.level,
        seed=question.seed,
    )


def _scaled(one: Composition) -> dict[str, tuple[float, float]]:
    """Return crude figures on the scale of their intervals, with standard errors; those without one are left out."""
    place = crude_place(one)
    found = {}
    for name, row in [*((sex, prevalence_row(place, sex)) for sex in SEXES), ("ratio", contrast_at(place, "ratio"))]:
        point, se = row.get("point"), row.get("se")
        if point is not None and se is not None and se > 0:
            found[name] = (math.log(point) if name == "ratio" else math.log(point / (1 - point)), float(se))
    return found
