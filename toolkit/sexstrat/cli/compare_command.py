"""The command that compares networks trained by one recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sexstrat.cli.image_commands import Groups, Json, LabelledImages, LabelledPersons, Split
from sexstrat.cli.meter import training_shown
from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

if TYPE_CHECKING:
    from sexstrat.training.compare import Comparison

__all__ = ["compare", "register"]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(compare)


def compare(
    images: LabelledImages,
    persons: LabelledPersons,
    out: Annotated[Path, typer.Option("--out", help="Folder for tables, figure and networks; a run resumes there.")],
    network: Annotated[
        list[str] | None, typer.Option("--network", help="A backbone; repeatable; default: all sixteen.")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", help="backbone=file of start weights: a row more; repeatable."),
    ] = None,
    groups: Groups = None,
    conditions: Annotated[
        Path | None, typer.Option("--conditions", help="CSV of diseases: helps the training.")
    ] = None,
    placeholder_age: Annotated[
        list[float] | None, typer.Option("--placeholder-age", help="An age that means 'not entered'; repeatable.")
    ] = None,
    phases: Annotated[str, typer.Option("--phases", help="Pixels x epochs, in order: 96x4,128x8.")] = "128x8",
    learning_rate: Annotated[float, typer.Option("--learning-rate", min=1e-7, max=1.0)] = 1e-3,
    views: Annotated[
        str, typer.Option("--views", help="as_left_eye mirrors right eyes; both; as_taken.")
    ] = "as_left_eye",
    prepared: Annotated[
        int | None, typer.Option("--prepared", min=32, help="Side of the prepared crops; default: 8/7 of the input.")
    ] = None,
    split: Split = "stratified",
    cache: Annotated[Path | None, typer.Option("--cache", help="Folder of the prepared crops.")] = None,
    at_most: Annotated[
        int | None, typer.Option("--at-most", min=0, help="Networks to train now; 0 writes tables and figure again.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 20240501,
    json: Json = False,
) -> None:
    """Train networks by one recipe, measure all on the same unseen people: one table, one figure; resumes."""
    from sexstrat.training.comparison_command import run_comparison
    from sexstrat.training.tables import TrainingTables

    recipe: dict[str, Any] = {
        "phases": phases,
        "learning_rate": learning_rate,
        "views": views,
        "split": split,
        "seed": seed,
    }
    with training_shown(progress_line) as (tell, meter):
        found = run_comparison(
            tables=TrainingTables(
                images=images,
                persons=persons,
                conditions=conditions,
                groups=groups,
                placeholder_ages=tuple(placeholder_age or ()),
            ),
            networks=network or (),
            weights=weights or (),
            recipe=recipe | {"prepared_size": prepared, "out": out},
            cache=cache,
            at_most=at_most,
            tell=tell,
            meter=meter,
        )
    _write(found, out)
    _print(found, out, json)


def _write(found: Comparison, out: Path) -> None:
    """Write what people read: the table as Markdown and the figure as SVG and PNG."""
    from sexstrat.reporting.comparison_figure import write_comparison_figure
    from sexstrat.reporting.comparison_text import comparison_markdown

    (out / "comparison.md").write_text(comparison_markdown(found.networks), encoding="utf-8")
    for ending in ("svg", "png"):
        write_comparison_figure(found.networks, out / f"comparison.{ending}")


def _print(found: Comparison, out: Path, json: bool) -> None:
    table = found.networks
    if json:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        emit_json({"ok": True, "out": str(out), "networks": rows, "waiting": list(found.waiting)})
        return
    shown = [
        [
            row["network"],
            row["start"],
            row["phases"],
            _interval(row, "auc_patient"),
            _interval(row, "accuracy_patient"),
            _interval(row, "auc_difference"),
            f"{row['file_bytes'] / 1e6:.1f}",
            f"{row['images_per_second']:,.0f}",
        ]
        for _, row in table.sort_values("auc_patient", ascending=False).iterrows()
    ]
    header = ["network", "start", "trained", "AUC (patients)", "accuracy", "AUC minus the best", "MB", "images/s"]
    print_table(header, shown, numeric=[6, 7])
    print_line(f"table: {out / 'comparison.csv'}; by sex and age: {out / 'comparison_group.csv'}")
    print_line(f"for readers: {out / 'comparison.md'}; figure: {out / 'comparison.svg'} and .png")
    if found.waiting:
        print_line(f"not trained yet: {', '.join(found.waiting)}")


def _interval(row: Any, name: str) -> str:
    """Return value and limits as text; the note of the table says why there are none."""
    import math

    if math.isnan(row[name]):
        return "the best" if row["compared_with"] == row["network"] and name == "auc_difference" else "undefined"
    return f"{row[name]:.3f} ({row[name + '_low']:.3f} to {row[name + '_high']:.3f})"
