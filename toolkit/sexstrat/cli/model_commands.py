"""The commands about models: list, card, inspect, verify, convert, measure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

__all__ = ["card", "convert", "inspect", "list_models", "measure_model", "register", "verify"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
Trust = Annotated[bool, typer.Option("--trust", help="Open a SavedModel folder, whose maker you trust.")]
ModelPath = Annotated[Path, typer.Argument(help="A model card, or the folder that holds card.json.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    models = typer.Typer(help="Model cards and backbones.", no_args_is_help=True, rich_markup_mode=None)
    models.command("list")(list_models)
    models.command("card")(card)
    models.command("inspect")(inspect)
    models.command("verify")(verify)
    models.command("convert")(convert)
    models.command("measure")(measure_model)
    app.add_typer(models, name="models")


def list_models(json: Json = False) -> None:
    """List the sixteen backbones that a card may name."""
    from sexstrat.models import BACKBONES

    if json:
        names = [
            {"name": b.name, "size": b.native_size, "scaling": b.scaling, "channel_order": b.channel_order}
            for b in BACKBONES.values()
        ]
        emit_json({"ok": True, "backbones": names})
        return
    rows = [[b.name, str(b.native_size), b.scaling, b.channel_order] for b in BACKBONES.values()]
    print_table(["backbone", "pixels", "scaling", "channels"], rows, numeric=[1])


def card(
    weights: Annotated[
        Path | None, typer.Argument(help="Weights file or SavedModel folder; none prints the template.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Card to write; default: card.json beside the file.")
    ] = None,
    template: Annotated[str | None, typer.Option("--template", help="Texts that a registry asks for: joir.")] = None,
    model_id: Annotated[str | None, typer.Option("--model-id", help="Name written into every score row.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="One line for people.")] = None,
    backbone: Annotated[str | None, typer.Option("--backbone", help="Only where the file does not tell.")] = None,
    input_size: Annotated[int | None, typer.Option("--input-size", help="Side of the input in pixels.")] = None,
    prepared_size: Annotated[
        int | None,
        typer.Option("--prepared-size", help="Side of the crop whose middle is the input; default: the same."),
    ] = None,
    scaling: Annotated[str | None, typer.Option("--scaling", help="tf, torch, raw or unit.")] = None,
    channel_order: Annotated[str | None, typer.Option("--channel-order", help="RGB or BGR.")] = None,
    output_kind: Annotated[
        str | None, typer.Option("--output-kind", help="logit, sigmoid, softmax or age_years; only where unclear.")
    ] = None,
    class_order: Annotated[
        str | None, typer.Option("--class-order", help="Class of each output: male, female, or two with a comma.")
    ] = None,
    views: Annotated[str | None, typer.Option("--views", help="as_taken (default), both or as_left_eye.")] = None,
    training_ages: Annotated[str | None, typer.Option("--training-ages", help="Youngest,oldest: 17,94.")] = None,
    terms: Annotated[str | None, typer.Option("--terms", help="Conditions of use of the weights.")] = None,
    citation: Annotated[list[str] | None, typer.Option("--citation", help="What to cite; repeatable.")] = None,
    acknowledgement: Annotated[str | None, typer.Option("--acknowledgement")] = None,
    pooling: Annotated[str | None, typer.Option("--pooling", help="Of weights alone: average, max or flatten.")] = None,
    hidden_activation: Annotated[
        str | None, typer.Option("--hidden-activation", help="Of weights alone: of hidden dense layers.")
    ] = None,
    imagenet_rescaling: Annotated[
        bool | None,
        typer.Option("--imagenet-rescaling/--no-imagenet-rescaling", help="Of an EfficientNet's weights alone."),
    ] = None,
    golden: Annotated[
        Path | None, typer.Option("--golden", help="JSON list of seed and prob_male (or age_years) from its maker.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Write a model card for a weights file: asks what the file does not tell, guesses nothing."""
    from sexstrat.models.card_templates import card_template

    texts = card_template(template) if template else {}
    if weights is None:
        _print_template(texts, json)
        return
    given: dict[str, Any] = {
        "model_id": model_id, "title": title, "backbone": backbone, "input_size": input_size,
        "prepared_size": prepared_size, "scaling": scaling, "channel_order": channel_order, "output_kind": output_kind,
        "class_order": class_order, "views": views, "training_ages": training_ages, "terms": terms,
        "citation": citation, "acknowledgement": acknowledgement, "pooling": pooling,
        "hidden_activation": hidden_activation, "imagenet_rescaling": imagenet_rescaling,
    }  # fmt: skip
    _write_card(weights, out, texts | {name: value for name, value in given.items() if value is not None}, golden,
                trust, json)  # fmt: skip


def _print_template(texts: dict[str, Any], json: bool) -> None:
    from json import dumps

    from sexstrat.errors import StudyError

    if not texts:
        raise StudyError("name a weights file, or a --template whose texts to print: joir")
    if json:
        emit_json({"ok": True, "template": texts})
    else:
        print_line(dumps(texts, indent=2, ensure_ascii=False))


def _write_card(
    weights: Path, out: Path | None, answers: dict[str, Any], golden: Path | None, trust: bool, json: bool
) -> None:
    from sexstrat.errors import StudyError
    from sexstrat.models import CARD_NAME, file_contents, write_card
    from sexstrat.models.card_answers import parsed_answers, read_golden
    from sexstrat.models.card_drafting import draft_card, open_questions

    place = out or weights.parent / CARD_NAME
    if place.exists():
        raise StudyError(f"{place} exists; give another --out")
    if place.parent.resolve() != weights.parent.resolve():
        raise StudyError(f"a card lies beside its weights; --out must be in {weights.parent}")
    contents = file_contents(weights, trust=trust)
    questions = open_questions(contents, answers)
    if questions and not (sys.stdin.isatty() and not json):
        lines = [f"--{entry.name.replace('_', '-')}: {entry.text}; allowed: {entry.allowed}" for entry in questions]
        raise StudyError("\n  ".join([f"{weights} does not tell, and nothing is guessed; say:", *lines]))
    for entry in questions:
        answers[entry.name] = typer.prompt(f"{entry.text} ({entry.allowed})")
    rows = () if golden is None else read_golden(golden)
    written = draft_card(weights, parsed_answers(answers), golden=rows, trust=trust)
    write_card(written, place)
    if json:
        emit_json({"ok": True, "card": str(place), "model_id": written.model_id, "sha256": written.weights_sha256})
        return
    print_line(f"card: {place}")
    print_line(f"next: sexstrat models verify {place} --labels photographs.csv")


def inspect(
    model: Annotated[str, typer.Argument(help="'shipped' or a model card's path.")] = "shipped",
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Show a model card and what its weights file holds."""
    from dataclasses import asdict
    from json import loads

    from sexstrat.cli.card_text import print_card
    from sexstrat.models import card_path_of, card_to_json, file_contents, read_card, shipped_card

    if model == "shipped":
        known, held = shipped_card(), None
    else:
        path = card_path_of(model)
        known = read_card(path)
        weights = path.parent / known.weights_file
        held = file_contents(weights, trust=trust) if weights.exists() and (trust or weights.is_file()) else None
    values = loads(card_to_json(known))
    if json:
        emit_json({"ok": True, "card": values, "file": None if held is None else asdict(held)})
        return
    print_card(values)
    if held is not None:
        print_line()
        print_line("The weights file holds:")
        for name, value in asdict(held).items():
            print_line(f"  {name.replace('_', ' ')}: {'not told' if value in (None, ()) else value}")


def verify(
    model: ModelPath,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="CSV of photographs: path, recorded_sex; maybe patient_id, eye.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Check digest, weights, golden outputs and, on labelled photographs, that the classes are not swapped."""
    from dataclasses import asdict

    from sexstrat.errors import ModelError
    from sexstrat.models.verification import verify_model
    from sexstrat.training.orientation import orientation_checks, read_labels

    known = None if labels is None else read_labels(labels)
    loaded, checks = verify_model(model, trust=trust)
    if loaded is not None and known is not None:
        checks += orientation_checks(loaded, model, known, trust=trust)
    broken = [f"{check.name}: {check.detail}" for check in checks if check.held is False]
    if broken:
        raise ModelError(f"{model} is refused: " + "; ".join(broken))
    if json:
        emit_json({"ok": True, "checks": [asdict(check) for check in checks]})
        return
    words = {True: "holds", None: "cannot tell"}
    print_table(["check", "result", "found"], [[c.name, words[c.held], c.detail] for c in checks])
    if known is None:
        progress_line("without --labels nothing shows that male and female are not swapped")


def convert(
    model: ModelPath,
    to: Annotated[str, typer.Option("--to", help="npz, openvino or onnx.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; not the model's own.")],
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Write a checked model in another format, in float32; npz and onnx come with a card of their own."""
    from sexstrat.models.converting import convert_model

    written = convert_model(model, to, out, trust=trust)
    if json:
        emit_json({"ok": True, "out": str(out), "sha256": None if written is None else written.weights_sha256})
        return
    print_line(f"{to}: {out}" + ("" if written is None else f"; golden outputs hold; SHA-256 {written.weights_sha256}"))


def measure_model(
    images: Annotated[Path, typer.Argument(help="CSV/Parquet list of photographs with patient_id.")],
    persons: Annotated[Path, typer.Argument(help="CSV of persons with recorded_sex and age_years.")],
    model: Annotated[Path | None, typer.Option("--model", help="Card or folder; default: the shipped one.")] = None,
    conditions: Annotated[
        Path | None, typer.Option("--conditions", help="CSV of diseases: figures by disease.")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option("--groups", help="CSV patient_id, group: one person, several ids.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="Name of the data in the figures.")] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Folder to keep the prepared crops in.")] = None,
    add_to_card: Annotated[bool, typer.Option("--add-to-card", help="Write the figures into the card.")] = False,
    json: Json = False,
) -> None:
    """Measure a model on people it never saw: AUC and shares correct, with intervals that count people."""
    from sexstrat.training.commands import run_measurement

    document = run_measurement(
        images=images,
        persons=persons,
        conditions=conditions,
        groups=groups,
        model=model,
        data=data,
        cache=cache,
        add_to_card=add_to_card,
        tell=progress_line,
    )
    if json:
        emit_json({"ok": True, **document})
        return
    rows = document["performance"]
    shown = ["unit", "metric", "group", "level", "n_patients", "point", "low", "high"]
    print_table(shown, [[_cell(row[name]) for name in shown] for row in rows], numeric=[4, 5, 6, 7])


def _cell(value: object) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
