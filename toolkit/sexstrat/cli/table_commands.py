"""The command about tables: audit any predictions."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_rules, print_table
from sexstrat.errors import StudyError
from sexstrat.values.design import ValidationDesign

if TYPE_CHECKING:
    from sexstrat.study.predictions import AuditSummary

__all__ = ["audit", "register"]

BANDS = "20,30,40,50,60,70,80"
RULE_FAILED = 4  # exit code of a failed audit rule
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(audit)


def audit(
    predictions: Annotated[
        Path, typer.Argument(help="CSV or Parquet: patient_id, prob_male or predicted, recorded_sex, age_years.")
    ],
    bands: Annotated[str, typer.Option("--bands", help="First years of the age bands, or auto.")] = BANDS,
    by: Annotated[
        str, typer.Option("--by", help="Columns to group by, comma-separated; age_band for ages.")
    ] = "age_band",
    intersect: Annotated[
        list[str] | None, typer.Option("--intersect", help="Intersection, for instance site,age_band; repeatable.")
    ] = None,
    cut: Annotated[
        list[str] | None, typer.Option("--cut", help="Cut points of a number: quality=0.5,0.8; repeatable.")
    ] = None,
    reference: Annotated[
        list[str] | None, typer.Option("--reference", help="Group to compare with: site=north; repeatable.")
    ] = None,
    unit: Annotated[str, typer.Option("--unit", help="image, or patient for mean scores of patients.")] = "image",
    level: Annotated[float, typer.Option("--level", help="Confidence level.")] = 0.95,
    threshold: Annotated[float, typer.Option("--threshold", help="Called positive from this probability.")] = 0.5,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="TOML file of [[audit.rules]]; exit code 4 when one fails.")
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option("--condition", help="Column of a disease: what errors do to its ratio; repeatable."),
    ] = None,
    design: Annotated[
        ValidationDesign, typer.Option("--design", help="How sex came to be recorded, which decides what repairs it.")
    ] = ValidationDesign.random,
    full: Annotated[bool, typer.Option("--full", help="Compare groups in every way, and over age; see --out.")] = False,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Another name of a column: recorded_sex=smoking; repeatable.")
    ] = None,
    positive: Annotated[str, typer.Option("--positive", help="Value that is the positive class.")] = "male",
    negative: Annotated[str, typer.Option("--negative", help="Value that is the negative class.")] = "female",
    profile: Annotated[str, typer.Option("--profile", help="Disclosure profile.")] = "uk-5",
    reason: Annotated[str, typer.Option("--reason", help="Why profile 'none' is right for these data.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Write the released tables into this folder.")] = None,
    json: Json = False,
) -> None:
    """Audit any table of predictions of a binary attribute against what was recorded, by any group."""
    from sexstrat.study.prediction_table import Classes
    from sexstrat.study.predictions import audit_predictions

    names = [name.strip() for name in by.split(",") if name.strip()]
    names += [" x ".join(part.strip() for part in one.split(",")) for one in intersect or ()]
    released = audit_predictions(
        predictions,
        bands=bands,
        groups=names,
        cuts={name: _numbers(name, value) for name, value in _pairs("--cut", cut).items()},
        reference=_pairs("--reference", reference),
        unit=unit,
        level=level,
        threshold=threshold,
        rules=rules,
        conditions=tuple(condition or ()),
        design=design,
        full=full,
        columns=_pairs("--column", column),
        classes=Classes(positive=positive, negative=negative),
        profile=profile,
        reason=reason,
        out=out,
    )
    _show(released, level, json)
    if released.failed:
        raise typer.Exit(RULE_FAILED)


def _show(released: AuditSummary, level: float, json: bool) -> None:
    if json:
        classes = {"positive": released.classes.positive, "negative": released.classes.negative}
        emit_json(
            {
                "ok": not released.failed,
                "classes": classes,
                "audit": released.document(),
                "consequences": released.document("consequence"),
                "rules": released.outcomes,
            }
        )
        return
    print_table(["figure", f"estimate ({100 * level:g}% interval)", "patients"], released.rows(), numeric=[2])
    print_rules(released.outcomes)
    for notice in (*released.consequences, *released.notices):
        print_line(fill(notice, width=80))


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    found = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not (name.strip() and sign and value.strip()):
            raise StudyError(f"{option} {text!r}: must be a name and a value, for instance site=north")
        found[name.strip()] = value.strip()
    return found


def _numbers(name: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError as err:
        raise StudyError(f"--cut {name}={text}: must be numbers such as 0.5,0.8") from err
