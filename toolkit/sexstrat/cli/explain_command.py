"""The command that draws where a model looks in one photograph; it prints no sex and no score."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from sexstrat.cli.terminal import emit_json, print_line, progress_line

__all__ = ["explain", "register"]

_TITLES = {
    "occlusion": "Where hiding a small square changes the network's output most",
    "grad-cam": "Which places of the last feature maps speak for the network's output",
}


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(explain)


def explain(
    image: Annotated[str, typer.Argument(help="One JPEG, PNG, TIFF or DICOM photograph.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Figure to write, .png or .svg.")],
    model: Annotated[
        str, typer.Option("--model", help="'shipped' or the path of a model card or its folder.")
    ] = "shipped",
    method: Annotated[
        str, typer.Option("--method", help="occlusion: any model; grad-cam: gradients of the Keras network.")
    ] = "occlusion",
    eye: Annotated[str | None, typer.Option("--eye", help="R or L; default: what a DICOM header says.")] = None,
    frame: Annotated[
        int | None, typer.Option("--frame", min=1, help="Frame of a DICOM file of several, from 1.")
    ] = None,
    decode: Annotated[str, typer.Option("--decode", help="exact, safe or fast, as in 'sexstrat score'.")] = "safe",
    runtime: Annotated[
        str | None, typer.Option("--runtime", help="keras or openvino, for occlusion; default: the faster one here.")
    ] = None,
    precision: Annotated[str, typer.Option("--precision", help="float32 or bf16, for occlusion.")] = "float32",
    trust: Annotated[
        bool, typer.Option("--trust", help="Read the arrays of a SavedModel folder, whose maker you trust.")
    ] = False,
    patch: Annotated[
        float, typer.Option("--patch", help="Side of the hidden square over the picture's, 0.02 to 0.5.")
    ] = 0.125,
    grid: Annotated[int, typer.Option("--grid", help="Places of the square along a side.")] = 24,
    json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")] = False,
) -> None:
    """Draw where a model looks in one photograph: a sanity check; prints no sex and no score."""
    from sexstrat.reporting.explanation_figure import ExplanationChart, figure_suffix, write_explanation_figure
    from sexstrat.scores import explain_image

    figure_suffix(out)
    if model == "shipped":
        progress_line("model: the shipped demonstration model; for science use JOIR's released models or your own")
    found = explain_image(
        image,
        model=None if model == "shipped" else model,
        method=method,
        eye=eye,
        frame=frame,
        decode=decode,
        runtime=runtime,
        precision=precision,
        trust=trust,
        patch=patch,
        grid=grid,
    )
    told, seen = _told(found), found.explanation
    chart = ExplanationChart(
        pixels=seen.pixels,
        importance=seen.importance,
        flat=seen.flat,
        title=_TITLES[seen.method],
        under=f"{found.card.model_id}, {seen.method}: {seen.detail}{_turned(seen.mirrored)}",
        bar=told["meaning"],
        caveat=found.caveat,
    )
    write_explanation_figure(chart, out)
    if json:
        emit_json({"ok": True, "out": str(out), **told})
        return
    print_line(f"{chart.title}. {chart.under}.")
    for text in (told["meaning"], found.caveat):
        for line in wrap(text, 100):
            print_line(line)
    print_line(f"written: {out}")


def _told(found: Any) -> dict[str, Any]:
    seen, prepared, rim = found.explanation, found.prepared, found.rim
    return {
        "method": seen.method,
        "detail": seen.detail,
        "model_id": found.card.model_id,
        "model_sha256": found.card.weights_sha256,
        "runtime": found.runtime,
        "precision": found.precision,
        "eye": found.eye,
        "mirrored": seen.mirrored,
        "flat": seen.flat,
        "largest": seen.largest,
        "unit": seen.unit,
        "half_share": found.half_share,
        "rim_share": None if rim is None else rim[0],
        "rim_area": None if rim is None else rim[1],
        "quality": prepared.quality,
        "field_of_view": prepared.field_of_view.method,
        "note": prepared.note,
        "meaning": _meaning(found),
        "caveat": found.caveat,
    }


def _meaning(found: Any) -> str:
    seen, rim = found.explanation, found.rim
    if seen.flat or rim is None:
        return "No place changes the output by more than rounding does: there is no map to see."
    what = {
        "occlusion": f"Hiding the brightest place changes the output by {_amount(seen)}",
        "grad-cam": f"The brightest place adds {_amount(seen)} to the output given",
    }[seen.method]
    return (
        f"{what}; {found.half_share:.0%} of the retina holds half of the importance, "
        f"the rim and beyond ({rim[1]:.0%} of the picture) {rim[0]:.0%} of it."
    )


def _amount(seen: Any) -> str:
    number = f"{seen.largest:.2f}" if seen.largest >= 0.1 else f"{seen.largest:.1g}"
    return f"{number} {'years' if seen.unit == 'years' else 'on the logit scale'}"


def _turned(mirrored: bool | None) -> str:
    return {True: "; mirrored, as the network looks at right eyes", None: "; looked at both ways round"}.get(
        mirrored, ""
    )
