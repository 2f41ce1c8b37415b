"""The commands about tables: simulate a cohort, audit any predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table

__all__ = ["audit", "register", "simulate"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    app.command()(audit)
    app.command()(simulate)


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder for the study file and its tables.")] = Path("simulated"),
    setting: Annotated[
        str, typer.Option("--setting", help="What is wrong with the scores; see the message for names.")
    ] = "error_by_disease",
    patients: Annotated[int, typer.Option("--patients", min=100, max=5_000_000)] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    json: Json = False,
) -> None:
    """Write a simulated cohort with known truth, and a study file that runs on it."""
    from sexstrat.study.simulated import write_simulated_study

    study = write_simulated_study(out, setting=setting, n_patients=patients, seed=seed)
    if json:
        emit_json({"ok": True, "study": str(study), "setting": setting, "patients": patients, "seed": seed})
        return
    print_line(f"{patients:,} simulated patients, setting {setting}: {study}")
    print_line(f"next: sexstrat run {study} --out {out / 'out'}")


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
