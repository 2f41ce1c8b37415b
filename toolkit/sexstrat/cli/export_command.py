"""The command that writes tables of a study for others to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

__all__ = ["export", "register"]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(export)


def export(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder of the tables; made when absent.")] = Path("export"),
    run: Annotated[Path, typer.Option("--run", help="Run folder of the study; made when absent.")] = Path("out"),
    patients_for_the_owner: Annotated[
        bool,
        typer.Option(
            "--patients-for-the-owner", help="Write a row for each patient instead: only for the owner of the data."
        ),
    ] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", help="Most memory of the database, such as 4GB; it puts the rest on disk.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")] = False,
) -> None:
    """Write a study's cells without small counts as Parquet and CSV, with a codebook and an R script."""
    from sexstrat.cohort import memory_limited
    from sexstrat.study.file import load_study
    from sexstrat.study.table_export import export_tables

    with memory_limited(memory):
        found = export_tables(
            load_study(study), run, out, patients_for_the_owner=patients_for_the_owner, tell=progress_line
        )
    if json:
        emit_json({"ok": True, **found.document()})
        return
    print_line(f"{found.kind}: {found.detail}")
    rows = [[row["condition"], f"{row['n']:,}", _share(row["prevalence"])] for row in found.headline]
    print_table(["condition", "patients", "prevalence"], rows, numeric=[1, 2])
    print_line(f"written: {found.folder}")


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{100 * value:.2f} %"
