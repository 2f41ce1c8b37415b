"""Show a result in a notebook: its figures as matplotlib figures, its numbers as an HTML table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sexstrat.reporting.notebook_audit
import sexstrat.reporting.notebook_cohort
import sexstrat.reporting.notebook_estimates
import sexstrat.reporting.notebook_planning
import sexstrat.reporting.notebook_what_if  # noqa: F401  (the five register what they show)
from sexstrat.errors import EstimationError
from sexstrat.reporting.figure_style import Svg
from sexstrat.reporting.notebook_table import notebook_html
from sexstrat.reporting.notebook_view import view_of

if TYPE_CHECKING:
    from sexstrat.reporting.house_figure import HouseFigure

__all__ = ["plot", "table_html"]


def plot(result: object, which: str | None = None) -> HouseFigure:
    """Return a figure of a result, drawn by the code that draws the report's, with its title and what it leaves out.

    The figure is matplotlib's own: axes can be changed, and ``savefig`` writes it. Not through disclosure control: it
    may show numbers of few people, and must not leave the place where the data are kept.

    Parameters
    ----------
    result : a Composition, Estimates, AuditResult, WhatIf, TippingPoint, NoisyRecordedSex, BiasAnalysis,
        ImputationComparison, DesignPlan, a Comparison of networks, or a Cohort.
    which : name of the figure, where a result has several; None for the first.

    Returns
    -------
    A figure that a notebook shows; bars and bands are the intervals of the table, at the level it says.

    Raises
    ------
    EstimationError : nothing of this kind is drawn, there is no figure of that name (those there are, are listed), or
        it has no number to draw.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> plot(one.contrast("ratio")).title
    'Disease: prevalence ratio 1.67 (1.27 to 2.18), men to women, all ages'
    >>> plot(one, "flow")
    Traceback (most recent call last):
    sexstrat.errors.EstimationError: a Composition has no figure 'flow'; it has prevalence, male_share, ...
    """
    view, kind = view_of(result), type(result).__name__
    name = next(iter(view.figures), None) if which is None else which
    if name is None or name not in view.figures:
        asked = "no figure" if which is None else f"no figure {which!r}"
        raise EstimationError(f"a {kind} has {asked}; it has {', '.join(view.figures) or 'a table only'}")
    drawn = view.figures[name]()
    figure = drawn.svg.figure if drawn is not None and isinstance(drawn.svg, Svg) else None
    if drawn is None or figure is None:
        why = f". {view.why}" if view.why else ", or nothing but zeros"
        raise EstimationError(f"nothing to draw for {name!r} of this {kind}: no number stands here{why}")
    gone = f"Not drawn: {drawn.not_drawn}." if drawn.not_drawn else ""
    figure.title = drawn.title or figure.title
    figure.stand_alone(note=gone, titled=view.titled)
    return figure


def table_html(result: object) -> str:
    """Return a result as HTML: numbers with intervals, people and states, then what they assume.

    A state without a number stands as its word, never as an empty cell or a number. All text is escaped; tables carry
    captions and scopes for people who hear them. Not through disclosure control, and it says so.

    Parameters
    ----------
    result : as in :func:`plot`, and an Allocation or Diagnostics.

    Raises
    ------
    EstimationError : nothing of this kind is shown.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> html = table_html(compose(worked_cells(), bands=worked_bands(), design="random").contrast("ratio"))
    >>> "<caption>" in html, "1.67 (1.27 to 2.18)" in html, "Not yet through disclosure control" in html
    (True, True, True)
    """
    return notebook_html(view_of(result))
