"""The command about tables: audit any predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table

__all__ = ["audit", "register"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(audit)


def audit(
    predictions: Annotated[
        Path, typer.Argument(help="CSV or Parquet: patient_id, prob_male, recorded_sex, age_years.")
    ],
    bands: Annotated[str, typer.Option("--bands", help="First years of the age bands.")] = "20,30,40,50,60,70,80",
    profile: Annotated[str, typer.Option("--profile", help="Disclosure profile.")] = "uk-5",
    reason: Annotated[str, typer.Option("--reason", help="Why profile 'none' is right for these data.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Write the released tables into this folder.")] = None,
    json: Json = False,
) -> None:
    """Audit any table of predictions against recorded sex, by age band."""
    from sexstrat.study.predictions import audit_predictions

    released = audit_predictions(predictions, bands=bands, profile=profile, reason=reason, out=out)
    if json:
        emit_json({"ok": True, "audit": released.document()})
        return
    print_table(["figure", "estimate (95% interval)", "patients"], released.rows(), numeric=[2])
    for notice in released.notices:
        print_line(notice)
