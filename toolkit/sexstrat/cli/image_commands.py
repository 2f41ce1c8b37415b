"""The command that trains a backbone on photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sexstrat.cli.meter import training_shown
from sexstrat.cli.terminal import emit_json, print_line, progress_line

__all__ = ["register", "train"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
LabelledImages = Annotated[Path, typer.Argument(help="CSV/Parquet list of photographs with patient_id.")]
LabelledPersons = Annotated[Path, typer.Argument(help="CSV of persons with recorded_sex and age_years.")]
Groups = Annotated[Path | None, typer.Option("--groups", help="CSV patient_id, group: one person, several ids.")]
Split = Annotated[
    str, typer.Option("--split", help="stratified: parts alike in sex and age; stable: nobody ever changes the part.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    app.command()(train)


def train(
    images: LabelledImages,
    persons: LabelledPersons,
    out: Annotated[Path, typer.Option("--out", help="Folder for checkpoints, log and result; a run resumes there.")],
    weights: Annotated[
        Path | None, typer.Option("--weights", help="ImageNet weights of the backbone, no top; none starts at random.")
    ] = None,
    conditions: Annotated[
        Path | None, typer.Option("--conditions", help="CSV of diseases: helps the training.")
    ] = None,
    groups: Groups = None,
    placeholder_age: Annotated[
        list[float] | None, typer.Option("--placeholder-age", help="An age that means 'not entered'; repeatable.")
    ] = None,
    about: Annotated[Path | None, typer.Option("--about", help="TOML with the texts of the model card.")] = None,
    folds: Annotated[
        int, typer.Option("--folds", min=0, help="Cross-fit: score every patient by a model that never saw them.")
    ] = 0,
    backbone: Annotated[str, typer.Option("--backbone")] = "mobilenet",
    phases: Annotated[str, typer.Option("--phases", help="Pixels x epochs, in order: 160x4,224x8.")] = "224x8",
    freeze_to: Annotated[
        str, typer.Option("--freeze-to", help="Last layer kept as it is; its features are computed once.")
    ] = "",
    views: Annotated[
        str, typer.Option("--views", help="as_left_eye mirrors right eyes; both; as_taken.")
    ] = "as_left_eye",
    members: Annotated[int, typer.Option("--members", min=1, max=20, help="Runs whose weights are averaged.")] = 1,
    shared_epochs: Annotated[int, typer.Option("--shared-epochs", min=0, help="Epochs before the runs part.")] = 0,
    start: Annotated[
        Path | None,
        typer.Option("--start", help="Card of a published model to go on from, instead of --weights alone."),
    ] = None,
    teacher: Annotated[
        list[Path] | None, typer.Option("--teacher", help="Card of a published model to learn from; repeatable.")
    ] = None,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Epochs without a better model to stop after.")
    ] = 6,
    warm_up: Annotated[float, typer.Option("--warm-up", min=0.0, help="Epochs of rising learning rate.")] = 1.0,
    prepared: Annotated[int, typer.Option("--prepared", min=32, help="Side in pixels of the prepared crops.")] = 256,
    unmeasured: Annotated[
        bool, typer.Option("--unmeasured", help="Leave the test part alone: for a model that will only teach.")
    ] = False,
    average_decay: Annotated[
        float, typer.Option("--average-decay", min=0.0, max=0.9999, help="Share of the running average a step keeps.")
    ] = 0.98,
    learning_rate: Annotated[float, typer.Option("--learning-rate", min=1e-7, max=1.0)] = 1e-4,
    learn: Annotated[
        list[str] | None, typer.Option("--learn", help="sex, age, disease; repeatable; default: all that is labelled.")
    ] = None,
    precision: Annotated[
        str, typer.Option("--precision", help="float32, or mixed_bfloat16 where the machine has it.")
    ] = "float32",
    blur: Annotated[float, typer.Option("--blur", min=0.0, max=1.0, help="Share of windows that are blurred.")] = 0.0,
    split: Split = "stratified",
    cache: Annotated[Path | None, typer.Option("--cache", help="Folder of the prepared crops.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 20240501,
    json: Json = False,
) -> None:
    """Train a backbone on labelled photographs, or cross-fit it; resumes where it was interrupted."""
    from sexstrat.training.commands import run_training

    with training_shown(progress_line) as (tell, meter):
        document = run_training(
            images=images,
            persons=persons,
            conditions=conditions,
            groups=groups,
            placeholder_ages=tuple(placeholder_age or ()),
            about=about,
            folds=folds,
            cache=cache,
            measured=not unmeasured,
            tell=tell,
            meter=meter,
            recipe={
                "weights": weights,
                "out": out,
                "backbone": backbone,
                "phases": phases,
                "freeze_to": freeze_to,
                "views": views,
                "members": members,
                "shared_epochs": shared_epochs,
                "average_decay": average_decay,
                "patience": patience,
                "warm_up_epochs": warm_up,
                "start": start,
                "teachers": tuple(teacher or ()),
                "prepared_size": prepared,
                "learning_rate": learning_rate,
                "learns": tuple(learn or ("sex", "age", "disease")),
                "precision": precision,
                "blur": blur,
                "split": split,
                "seed": seed,
            },
        )
    if "card" in document:
        document["figure"] = _draw_log(Path(document["card"]), out)
    if json:
        emit_json({"ok": True, **document})
        return
    for key, value in document.items():
        print_line(f"{key}: {value}")


def _draw_log(card: Path, out: Path) -> str:
    """Draw the log of a finished run beside its table, and return the figure's path."""
    from sexstrat.models import read_card
    from sexstrat.reporting.training_figure import write_training_figure

    recipe = read_card(card).recipe
    write_training_figure(recipe["log"], recipe["kept_epoch"], out / "log.svg")
    return str(out / "log.svg")
