"""The commands of analyses over several sites: write a site's cells, pool those of all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

if TYPE_CHECKING:
    from sexstrat.study.site_pooling import PooledFiles

__all__ = ["cells", "pool", "register"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    app.command()(cells)
    app.command()(pool)


def cells(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).", show_default=False)],
    site: Annotated[str, typer.Option("--site", help="Name of this site.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder of the site file; made when absent.")] = Path("site"),
    run: Annotated[Path, typer.Option("--run", help="Run folder of the study; made when absent.")] = Path("out"),
    memory: Annotated[
        str | None, typer.Option("--memory", help="Most memory of the database, such as 4GB; it puts the rest on disk.")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="Where cells are counted: local or dask.")] = "local",
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of the Dask scheduler; left out: two processes here.")
    ] = None,
    json: Json = False,
) -> None:
    """Write the cells of a study that may leave the site, so that sites can be pooled without moving a patient."""
    from sexstrat.cohort import memory_limited
    from sexstrat.study.file import load_study
    from sexstrat.study.site_export import export_site

    with memory_limited(memory):
        loaded = load_study(study)
        found = export_site(loaded, run, out, site=site, engine=engine, scheduler=scheduler, tell=progress_line)
    if json:
        emit_json({"ok": True, **found.document()})
        return
    print_line(f"{site}: {found.kind} ({found.detail})")
    rows = [[name, f"{found.n_patients[name]:,}", f"{found.withheld[name]:,}"] for name in found.n_patients]
    print_table(["condition", "patients", "withheld"], rows, numeric=[1, 2])
    print_line(f"written: {found.folder}")


def pool(
    sites: Annotated[list[Path], typer.Argument(help="Site files: folders that `sexstrat cells` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the tables; made when absent.")] = Path("pooled"),
    json: Json = False,
) -> None:
    """Pool the cells of several sites: all together, each alone, without each, and how much they differ."""
    from sexstrat.study.site_pooling import pool_files

    found = pool_files(sites, out)
    if json:
        emit_json({"ok": True, **found.document()})
        return
    _print_pool(found)


def _print_pool(found: PooledFiles) -> None:
    from sexstrat.study.pool_text import pool_rows

    for title, header, rows in pool_rows(found):
        print_line(title)
        print_table(header, rows, numeric=range(1, len(header)))
        print_line()
    for note in found.notes:
        print_line(f"note: {note}")
    print_line(f"tables: {found.out}")
