"""What a notebook shows of a design: the tables of the terminal, what to know to read them, and the figure."""

from __future__ import annotations

from sexstrat.reporting.design_figure import design_figure
from sexstrat.reporting.figures import Drawn
from sexstrat.reporting.notebook_view import NotebookView
from sexstrat.reporting.table_view import Cell, Group, TableView, table_view
from sexstrat.study.design import DesignPlan
from sexstrat.study.design_chart import design_chart
from sexstrat.study.design_text import TextTable, design_notes, design_tables

__all__ = ["design_view"]


def _table(table: TextTable) -> TableView:
    lines = tuple(
        tuple(Cell(text=text, kind="text" if k else "head") for k, text in enumerate(row)) for row in table.rows
    )
    columns = [name[:1].upper() + name[1:] for name in table.header]
    return table_view(table.title, columns, [Group(heading="", rows=lines)])


def _figure(plan: DesignPlan) -> Drawn:
    chart = design_chart(plan)
    return Drawn(title=chart.title, svg=design_figure(chart), words=chart.description)


def design_view(plan: DesignPlan) -> NotebookView:
    """Return what a notebook shows of a design.

    Parameters
    ----------
    plan : the answer to a design request.

    Examples
    --------
    >>> from sexstrat.study.design import plan_design
    >>> from sexstrat.study.design_request import DesignRequest
    >>> plan = plan_design(DesignRequest(patients=400, prevalence=0.25, ratio=1.5, aucs=(0.9,), validated=(400,)))
    >>> design_view(plan).tables[0].caption, plan.to_frame().loc[0, "width"].round(2)
    ('What a number validated at random gives', np.float64(2.02))
    """
    return NotebookView(
        tables=tuple(map(_table, design_tables(plan))),
        warnings=design_notes(plan),
        figures={"design": lambda: _figure(plan)},
        titled=True,
        why="; ".join(dict.fromkeys(row.why_not for row in plan.reached if row.why_not)),
    )
