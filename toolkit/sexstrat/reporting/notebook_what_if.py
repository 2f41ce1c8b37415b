"""What a notebook shows of errors that no data check, and of ways to impute."""

from __future__ import annotations

from functools import partial

from sexstrat.estimates import BiasAnalysis, ImputationComparison, NoisyRecordedSex, TippingPoint, WhatIf
from sexstrat.estimates.sensitivity_table import typed_frame
from sexstrat.reporting.figures import Drawn
from sexstrat.reporting.forest import ForestRow, forest_plot
from sexstrat.reporting.headline import Headline
from sexstrat.reporting.imputation_view import METHODS, imputation_table
from sexstrat.reporting.notebook_estimates import ratio_forest
from sexstrat.reporting.notebook_view import NotebookView, view_of
from sexstrat.reporting.number_format import count, is_number
from sexstrat.reporting.rows import Rows, has_number, printed
from sexstrat.reporting.texts import sentence_case
from sexstrat.reporting.what_if_view import NEVER, what_if_view

__all__: list[str] = []

_RATIO = "prevalence_ratio"
_STATED = "as stated"
_VALID = {"valid": "corrected", "wrong": "naive_weighted", "if_recorded_at_random": "complete_case"}


def _lead(condition: str) -> Headline:
    return Headline(condition=condition, standard="crude", estimator=None)


def _curve(rows: Rows, condition: str) -> Drawn | None:
    view = what_if_view(rows, _lead(condition), "notebook")
    return view.figures[0] if view is not None and view.figures else None


def _believed(rows: Rows, condition: str) -> Drawn:
    """Draw the ratio that stated beliefs allow, of all ages and each band."""
    shown = next((row for row in rows.rows if has_number(row)), None)
    number = "" if shown is None else " ".join(printed(shown, _RATIO))
    text = f"ratio {number} if predicted sex errs as believed" if number else "no ratio"
    return ratio_forest(rows, _RATIO, f"{sentence_case(condition)}: {text}")


def _people(rows: Rows) -> str:
    """Say whom the numbers are about, and at which level."""
    first = rows.rows[0]
    named = {"n_patients": "patients", "n_diseased": "with the condition", "n_validated": "with recorded sex"}
    told = [f"{count(first[name])} {word}" for name, word in named.items() if is_number(first.get(name))]
    levels = sorted({float(row["level"]) for row in rows.rows if is_number(row["level"])})
    return "; ".join([*told, *(f"intervals at {100 * level:g}%" for level in levels)]) + "."


def _view(found: WhatIf) -> NotebookView:
    rows = Rows.of(found.to_frame(), "sensitivity")
    if not rows.rows:
        return NotebookView(tables=(), sentences=("Nothing was supposed about errors that the data cannot check.",))
    view = what_if_view(rows, _lead(found.condition), "notebook")
    told = () if view is None else view.sentences
    believed = rows.where(analysis="bias_analysis", statistic="estimate", measure=_RATIO)
    figures = {"bias_analysis": partial(_believed, believed, found.condition)} if believed.rows else {}
    keys = dict.fromkeys((str(row["analysis"]), str(row["scenario"])) for row in rows.where(statistic="tipping").rows)
    curves = {
        "_".join(key): partial(_curve, rows.where(analysis=key[0], scenario=key[1]), found.condition) for key in keys
    }
    return NotebookView(
        tables=tuple(table for table in (view.table, view.curves) if table is not None) if view is not None else (),
        sentences=(*found.statements, *(told or (NEVER,)), _people(rows)),
        assumptions=found.assumptions,
        warnings=() if found.bias is None else found.bias.warnings,
        figures={**figures, **curves},
        why=" ".join(map(str, dict.fromkeys(row["note"] for row in rows.rows if row["note"] and not has_number(row)))),
    )


@view_of.register
def _(result: WhatIf) -> NotebookView:
    return _view(result)


@view_of.register
def _(result: TippingPoint) -> NotebookView:
    one = WhatIf(
        condition=result.condition,
        tipping=(result,),
        n_patients=result.n_patients,
        n_diseased=result.n_diseased,
        n_validated=result.n_validated,
    )
    return _view(one)


@view_of.register
def _(result: NoisyRecordedSex) -> NotebookView:
    first = result.rows[0][0]
    one = WhatIf(
        condition=str(first["condition"]),
        noisy=result,
        n_patients=result.n_patients,
        n_diseased=int(first.get("n_diseased") or 0),
        n_validated=result.n_validated,
    )
    return _view(one)


@view_of.register
def _(result: BiasAnalysis) -> NotebookView:
    if not result.measures:
        return NotebookView(tables=(), sentences=(result.why,), assumptions=result.assumptions)
    first = result.measures[0].place
    one = WhatIf(condition=str(first["condition"]), bias=result, beliefs_of=_STATED, n_patients=result.n_patients)
    return _view(one)


def _imputed(rows: Rows) -> Drawn:
    """Draw the ratio by every way to treat the sexes that are not recorded."""
    lines = [
        ForestRow(
            condition=str(row["condition"] or ""),
            role=_VALID.get(str(row["validity"]), "also"),
            label=METHODS.get(str(row["method"]), str(row["method"])),
            row=row,
        )
        for row in rows.rows
    ]
    told = [
        f"{word} {' '.join(printed(row, _RATIO))}"
        for name, word in (("proper_imputation", "imputed properly"), ("single_imputation", "imputed once"))
        if (row := rows.first(method=name)) is not None and has_number(row)
    ]
    name = sentence_case(str(next(iter(rows.values("condition")), ""))) or "Imputation"
    title = f"{name}: prevalence ratio, {'; '.join(told)}" if told else f"{name}: no imputation"
    words = "; ".join(f"{line.label} {' '.join(printed(line.row, _RATIO)).strip()}" for line in lines)
    svg = forest_plot(lines, title=title, description=words) if any(map(has_number, rows.rows)) else ""
    return Drawn(title=title, svg=svg, words=words)


@view_of.register
def _(result: ImputationComparison) -> NotebookView:
    rows = Rows.of(
        typed_frame([{**row, "condition": result.condition} for row in result.rows], "imputation"), "imputation"
    )
    table = imputation_table(rows, result.condition, "")
    crude = rows.where(measure=_RATIO, standard="crude")
    return NotebookView(
        tables=() if table is None else (table,),
        sentences=(_people(crude),) if crude.rows else ("Nothing was imputed.",),
        assumptions=(IMPUTED,) if crude.rows else (),
        figures={_RATIO: partial(_imputed, crude)} if crude.rows else {},
    )


IMPUTED = (
    "Proper imputation: given score, disease and age, patients without recorded sex are like those with it. What each "
    "other way gets wrong stands beside it; the interval of a way called not valid covers less than it says."
)
