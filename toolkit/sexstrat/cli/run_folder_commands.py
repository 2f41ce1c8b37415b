"""The commands about finished runs: verify and diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table

__all__ = ["diff", "register", "verify"]

Folder = Annotated[Path, typer.Argument(help="Run folder, or a copy of what it released.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    for command in (verify, diff):
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
