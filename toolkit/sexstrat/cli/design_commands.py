"""The command that plans a study: how many validated patients, what AUC, and where to validate next."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table

__all__ = ["design", "register"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(design)


def design(
    patients: Annotated[int | None, typer.Option("--patients", min=1, help="Patients in all.")] = None,
    prevalence: Annotated[float | None, typer.Option("--prevalence", help="Of the disease, 0 to 1.")] = None,
    male_share: Annotated[float, typer.Option("--male-share", help="Share of men, 0 to 1.")] = 0.5,
    ratio: Annotated[float | None, typer.Option("--ratio", help="Expected prevalence ratio, men to women.")] = None,
    difference: Annotated[
        float | None, typer.Option("--difference", help="Or expected difference, men minus women.")
    ] = None,
    auc: Annotated[str, typer.Option("--auc", help="Of a patient's score; up to four, as 0.85,0.95.")] = "",
    validated: Annotated[str, typer.Option("--validated", help="Numbers or shares, as 500,1000 or 5%.")] = "",
    measure: Annotated[
        str,
        typer.Option(
            "--measure", help="ratio, difference, odds_ratio, prevalence_male, prevalence_female, male_share."
        ),
    ] = "ratio",
    width: Annotated[
        float | None,
        typer.Option("--width", help="Wanted: upper over lower limit of a ratio, else upper minus lower (0 to 1)."),
    ] = None,
    power: Annotated[float | None, typer.Option("--power", help="Wanted power, as 0.8.")] = None,
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.999, help="Confidence level.")] = 0.95,
    target: Annotated[str, typer.Option("--target", help="population, or cohort: these very people.")] = "population",
    cells: Annotated[
        Path | None, typer.Option("--cells", help="A pilot's cells (Parquet or CSV), in place of stated values.")
    ] = None,
    condition: Annotated[str | None, typer.Option("--condition", help="Disease among the cells.")] = None,
    bands: Annotated[str, typer.Option("--bands", help="First years of the age bands.")] = "20,30,40,50,60,70,80",
    pilot_design: Annotated[
        str, typer.Option("--design", help="How sex came to be recorded in the pilot: random, known_probability.")
    ] = "random",
    standard: Annotated[str | None, typer.Option("--standard", help="Standard population, for a pilot.")] = None,
    age_band: Annotated[str | None, typer.Option("--age-band", help="Plan for one band, as 60-69.")] = None,
    further: Annotated[
        int | None, typer.Option("--further", min=1, help="Place so many further validations in the pilot's strata.")
    ] = None,
    minimum: Annotated[
        int | None, typer.Option("--minimum", min=0, help="Fewest validated in each stratum in the end.")
    ] = None,
    score_cuts: Annotated[str, typer.Option("--score-cuts", help="Split strata by prob_male, as 0.1,0.5,0.9.")] = "",
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw into this .svg or .png file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the allocation into this CSV file.")] = None,
    json: Json = False,
) -> None:
    """Say how many validated patients, or what AUC, a width or power needs, and where to validate next."""
    from sexstrat.study.design import plan_design
    from sexstrat.study.design_document import design_document
    from sexstrat.study.design_files import write_files
    from sexstrat.study.design_request import DesignRequest, numbers
    from sexstrat.study.design_text import design_notes, design_tables

    plan = plan_design(
        DesignRequest(
            patients=patients,
            prevalence=prevalence,
            male_share=male_share,
            ratio=ratio,
            difference=difference,
            aucs=numbers(auc, "--auc"),
            validated=numbers(validated, "--validated"),
            measure=measure,
            width=width,
            power=power,
            level=level,
            target=target,
            cells=cells,
            condition=condition,
            bands=bands,
            design=pilot_design,
            standard=standard,
            age_band=age_band,
            further=further,
            minimum=minimum,
            score_cuts=numbers(score_cuts, "--score-cuts"),
        )
    )
    written = write_files(plan, figure=figure, out=out)
    if json:
        emit_json({"ok": True, "design": design_document(plan), "written": [str(path) for path in written]})
        return
    for table in design_tables(plan):
        print_line(table.title)
        print_table(table.header, table.rows, numeric=table.numeric)
        print_line()
    for note in design_notes(plan):
        for line in wrap(note, 80):
            print_line(line)
    for path in written:
        print_line(f"written: {path}")
