"""What a notebook shows of a cohort: who was in it and who was lost, never a patient's row."""

from __future__ import annotations

from functools import partial

from sexstrat.cohort import Cohort
from sexstrat.reporting.flow_figure import flow_figure
from sexstrat.reporting.flow_view import flow_table
from sexstrat.reporting.losses_view import losses_table
from sexstrat.reporting.notebook_view import NotebookView, view_of
from sexstrat.reporting.rows import Rows

__all__: list[str] = []


@view_of.register
def _(result: Cohort) -> NotebookView:
    flow = Rows.of(result.flow(by_characteristic=True), "flow")
    tables = (flow_table(flow), losses_table(flow))
    return NotebookView(
        tables=tuple(table for table in tables if table is not None),
        sentences=(f"Conditions: {', '.join(result.conditions) or 'none'}.",),
        warnings=tuple(map(str, result.problems)),
        figures={"flow": partial(flow_figure, flow)},
    )
