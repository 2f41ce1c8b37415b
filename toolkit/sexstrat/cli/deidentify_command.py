"""The command that de-identifies photographs for hand-over."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

__all__ = ["deidentify", "register"]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(deidentify)


def deidentify(
    images: Annotated[
        str,
        typer.Argument(
            help="Folder, glob, CSV/Parquet list, or a URL of one (s3://, gs://, zip://).", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write: new, empty, or of an earlier run.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="Key file of the hashes; default: OUT.key, made when there is none.")
    ] = None,
    linkage: Annotated[
        Path | None,
        typer.Option("--linkage", help="Who is behind each hash, for its owner alone; default: OUT.linkage.csv."),
    ] = None,
    root: Annotated[
        str | None, typer.Option("--root", help="Folder that ids and relative paths start from; none outside is read.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")] = False,
) -> None:
    """Strip photographs of what identifies patients, hash their names, keep every pixel; resumable."""
    from sexstrat.scores import deidentify_images

    found = deidentify_images(images, out, key=key, linkage=linkage, root=root, progress=progress_line)
    if json:
        emit_json({"ok": True, **asdict(found)})
        return
    print_table(["status", "files"], [[name, f"{n:,}"] for name, n in found.by_status.items()], numeric=[1])
    print_line(f"{found.n_files:,} files, {found.n_reused:,} of them done before; folder: {found.out}")
    suspected = found.by_burned_in.get("suspected", 0) + found.by_burned_in.get("stated", 0)
    if suspected:
        print_line(
            f"{suspected:,} photographs may hold burnt-in text: look at them before they leave (deidentified.csv)"
        )
    if unchecked := found.by_burned_in.get("not_checked", 0):
        print_line(f"{unchecked:,} photographs have no dark ground around the retina, where text would have been seen")
    print_line("Letters over the retina itself are not found, and a retina is itself a trait of its person:")
    print_line("what is written is pseudonymous, not anonymous.")
    print_line(f"keep apart, for yourself alone: {found.key} and {found.linkage}")
