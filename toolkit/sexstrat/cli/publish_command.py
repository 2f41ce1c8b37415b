"""The command that publishes a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.image_commands import Json
from sexstrat.cli.terminal import emit_json, print_line, print_table

__all__ = ["publish", "register"]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(publish)


def publish(
    model: Annotated[Path, typer.Argument(help="A model card, or the folder that holds card.json.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; must be empty or absent.")],
    json: Json = False,
) -> None:
    """Write weights, exports held to Keras, a card for people, golden pictures that show nobody, and checksums."""
    from dataclasses import asdict

    from sexstrat.models.release import release_model

    found = release_model(model, out)
    if json:
        emit_json({"ok": True, "out": str(out), "exports": [asdict(export) for export in found.exports]})
        return
    rows = [
        [
            export.file,
            export.format,
            f"{export.bytes / 1e6:.1f}",
            f"{export.largest_difference:.1e}",
            export.sha256[:12],
        ]
        for export in found.exports
    ]
    print_table(["file", "format", "MB", "largest difference", "SHA-256"], rows, numeric=[2, 3])
    print_line(f"published: {out}; check it with: sexstrat models verify {out}")
