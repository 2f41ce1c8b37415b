"""Draw what the disclosure gate released: figures, tables, one self-contained page.

Order: ``texts`` and ``number_format`` (words, numbers), ``rows`` and ``headline`` (what to show), ``figure_style``,
``forest``, ``band_chart``, ``figures`` and ``audit_figures``, ``table_view`` and the tables, ``flow_view``,
``summary``, ``methods``, ``references``, ``outline``, ``gate``, ``page``; ``tables`` writes files beside
it. No cohort is read here.
"""

from __future__ import annotations

from sexstrat.reporting.audit_figures import audit_figures
from sexstrat.reporting.figures import Drawn, forest_figure, prevalence_figures
from sexstrat.reporting.headline import Headline, headlines
from sexstrat.reporting.page import page, report
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.tables import estimates_table, write_tables

__all__ = [
    "Drawn",
    "Headline",
    "Rows",
    "audit_figures",
    "estimates_table",
    "forest_figure",
    "headlines",
    "page",
    "prevalence_figures",
    "report",
    "write_tables",
]
