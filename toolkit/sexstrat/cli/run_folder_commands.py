"""The commands about finished runs: report, verify, diff and release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table

__all__ = ["diff", "register", "release", "report", "verify"]

Folder = Annotated[Path, typer.Argument(help="Run folder, or a copy of what it released.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    for command in (report, verify, diff, release):
        app.command()(command)


def verify(folder: Folder, json: Json = False) -> None:
    """Check that every file a run released is as the run left it; exit code 3 if one is not."""
    from sexstrat.study.manifest import verify_run

    found = verify_run(folder)
    if json:
        emit_json({"ok": found.holds, **found.document()})
    else:
        print_table(["file", "state"], found.rows())
        for statement in found.statements:
            print_line(statement)
        verdict = "every released file is as the run left it" if found.holds else "not as the run left it"
        print_line(f"run {found.run_id}: {verdict}")
    if not found.holds:
        raise typer.Exit(3)


def diff(before: Folder, after: Folder, json: Json = False) -> None:
    """Say which released numbers differ between two runs, and what changed that can explain it."""
    from sexstrat.study.differences import diff_runs

    found = diff_runs(before, after)
    if json:
        emit_json({"ok": True, **found.document()})
        return
    print_line(found.summary())
    for title, changes in (("what changed", found.causes), ("what differs", found.results)):
        if changes:
            print_line(f"\n{title}")
            print_table(
                ["  where", "what", "before", "after"],
                [[f"  {one.where}", one.what, one.before, one.after] for one in changes],
            )


def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option("--out", help="Page to write; left out: the run's own.")] = None,
    json: Json = False,
) -> None:
    """Write the page of a finished run again from what it released."""
    from sexstrat.reporting import report as write_report
    from sexstrat.study.finished import finished_results

    page = write_report(finished_results(folder), folder / "report.html" if out is None else out)
    if json:
        emit_json({"ok": True, "report": str(page)})
        return
    print_line(f"report: {page}")


def release(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="Folder of the pack; absent or empty.", show_default=False)],
    json: Json = False,
) -> None:
    """Write the release pack: tables, figures, text, codebook, an R script, and what each file holds."""
    from sexstrat.reporting.release_pack import write_release
    from sexstrat.study.finished import finished_results

    packed = write_release(finished_results(folder), out)
    if json:
        emit_json({"ok": True, "release": str(out), "files": [one.row() for one in packed]})
        return
    rows = [[one.path, "" if one.rows is None else f"{one.rows:,}", one.holds] for one in packed]
    print_table(["file", "rows", "holds"], rows, numeric=[1])
    print_line(f"release: {out}; files.csv says which checks each file passed")
