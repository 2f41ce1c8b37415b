"""What a notebook shows of an audit, of a comparison of networks, and of who was in a cohort and who was lost."""

from __future__ import annotations

from functools import partial

import pandas as pd

from sexstrat.audit import AuditResult
from sexstrat.reporting.ageing_view import ageing_view
from sexstrat.reporting.audit_figures import AUDIT_FIGURES, audit_figure
from sexstrat.reporting.audit_tables import audit_table, gap_table
from sexstrat.reporting.comparison_figure import comparison_figure, network_name
from sexstrat.reporting.consequence_view import consequence_table
from sexstrat.reporting.figures import Drawn
from sexstrat.reporting.group_tests_view import group_test_table, rule_table
from sexstrat.reporting.missing_view import absence_table, bounds_table
from sexstrat.reporting.notebook_view import NotebookView, view_of
from sexstrat.reporting.number_format import interval
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.table_view import Cell, Group, TableView, table_view
from sexstrat.training.compare import Comparison

__all__: list[str] = []


def _curves(result: AuditResult) -> Drawn | None:
    view = ageing_view(Rows.of(result.curves, "age_curve"), Rows.of(result.trends, "age_trend"))
    return None if view is None else view.figure


@view_of.register
def _(result: AuditResult) -> NotebookView:
    audit = Rows.of(result.audit, "audit")
    groups = [str(name) for name in audit.values("group") if name != "overall"]
    tables: list[TableView | None] = [audit_table(audit, name) for name in groups or ["overall"]]
    tables += [gap_table(Rows.of(result.gaps, "gap")), rule_table(Rows.of(result.rules, "audit_rule"))]
    tables += [group_test_table(Rows.of(result.tests, "audit_test"))]
    ageing = ageing_view(Rows.of(result.curves, "age_curve"), Rows.of(result.trends, "age_trend"))
    tables += [] if ageing is None else [ageing.trends, ageing.curves]
    missing = Rows.of(result.missingness, "missingness")
    tables += [absence_table(missing), bounds_table(missing)]
    tables += [consequence_table(Rows.of(result.consequences, "consequence"))]
    unit = {"image": "photographs", "patient": "patients"}.get(result.unit, result.unit)
    figures = {name: partial(audit_figure, audit, name) for name in AUDIT_FIGURES if "age_band" in groups}
    return NotebookView(
        tables=tuple(table for table in tables if table is not None),
        sentences=(
            f"Audit of predicted against recorded sex, over {unit}; called male where prob_male is at least "
            f"{result.threshold:g}; intervals at {100 * result.level:g}%, counting patients; a group with fewer than "
            f"{result.min_patients} patients in a metric's own denominator has none.",
            *(() if ageing is None else ageing.sentences),
        ),
        warnings=result.notices,
        figures={**figures, **({"age": partial(_curves, result)} if len(result.curves) else {})},
    )


def _compared(table: pd.DataFrame) -> Drawn:
    return Drawn(title="", svg=comparison_figure(table))


def _network(row: pd.Series) -> tuple[Cell, ...]:
    def cell(name: str, measure: str) -> Cell:
        point, low, high = (row[name + end] for end in ("", "_low", "_high"))
        text, limits = interval(measure, point, low, high, "undefined" if pd.isna(point) else "measured")
        return Cell(text=text, note=limits, kind="word" if pd.isna(point) else "number")

    return (
        Cell(text=network_name(row), kind="head"),
        cell("auc_patient", "auc"),
        cell("accuracy_patient", "accuracy"),
        Cell(text=f"{int(row['n_patients']):,}"),
        Cell(text=f"{row['file_bytes'] / 1e6:.1f}"),
        Cell(text=str(row["note"] or "") if not pd.isna(row["note"]) else "", kind="text"),
    )


@view_of.register
def _(result: Comparison) -> NotebookView:
    table = result.networks
    ordered = table.sort_values("auc_patient", ascending=False, na_position="last")
    lines = tuple(_network(row) for _, row in ordered.iterrows())
    columns = ("Network", "AUC, patients", "Right, patients", "Patients", "File, MB", "Remark")
    waiting = (f"Not trained yet: {', '.join(result.waiting)}.",) if result.waiting else ()
    levels = sorted({100 * float(level) for level in table["level"].dropna()}) if len(table) else []
    told = tuple(f"Intervals at {level:g}% count people, whom no network saw." for level in levels)
    return NotebookView(
        tables=(table_view("Networks on the same people", columns, [Group(heading="", rows=lines)]),) if lines else (),
        sentences=(*told, *waiting) if lines else ("No network is finished yet.", *waiting),
        figures={"accuracy": partial(_compared, table)} if lines else {},
        titled=True,
    )
