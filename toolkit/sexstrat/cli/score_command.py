"""The commands about scores: score photographs, join the shards of a job array, combine images to patients."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sexstrat.cli.meter import progress_shown
from sexstrat.cli.persons_text import described_persons, print_persons
from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

__all__ = ["register", "score"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
RecordedSex = Annotated[
    str | None,
    typer.Option("--recorded-sex", help="CSV/Parquet with patient_id and recorded_sex: recalibrate on them."),
]
InferredEye = Annotated[
    bool,
    typer.Option("--accept-inferred-eye", help="Count an eye known from the side of the disc alone as known."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    app.command()(score)
    scores = typer.Typer(help="Score tables: join shards, combine images.", no_args_is_help=True, rich_markup_mode=None)
    scores.command("combine")(combine)
    scores.command("join")(join)
    app.add_typer(scores, name="scores")


def score(
    images: Annotated[
        str,
        typer.Argument(
            help="Folder, glob, CSV/Parquet list, or a URL of one (s3://, gs://, zip://).", show_default=False
        ),
    ],
    out: Annotated[str, typer.Option("--out", help="Score table to write (.parquet or .csv), path or URL.")] = (
        "scores.parquet"
    ),
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", help="'shipped' or a model card's path; repeated: an ensemble.", show_default="shipped"
        ),
    ] = None,
    keep_members: Annotated[
        bool, typer.Option("--keep-members", help="Write the table of each member of an ensemble as well.")
    ] = False,
    views: Annotated[
        str | None, typer.Option("--views", help="as_taken, both or as_left_eye, in place of what the card says.")
    ] = None,
    decode: Annotated[
        str, typer.Option("--decode", help="exact: every pixel; safe: twice the model's pixels or more; fast: as many.")
    ] = "safe",
    precision: Annotated[
        str, typer.Option("--precision", help="float32, or bf16: faster on processors made for it, less exact.")
    ] = "float32",
    runtime: Annotated[
        str | None, typer.Option("--runtime", help="keras or openvino; default: keras on a GPU, openvino elsewhere.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, max=1024, help="Images handed on together; changes no score.")
    ] = 32,
    root: Annotated[
        str | None, typer.Option("--root", help="Folder that ids and relative paths start from; none outside is read.")
    ] = None,
    hash_ids: Annotated[
        Path | None, typer.Option("--hash-ids", help="Key file: patient_id, image_id and path become keyed hashes.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Read the arrays of a SavedModel folder, whose maker you trust.")
    ] = False,
    patients: Annotated[
        str | None, typer.Option("--patients", help="Table to write with one row a patient (.parquet or .csv).")
    ] = None,
    recorded_sex: RecordedSex = None,
    accept_inferred_eye: InferredEye = False,
    persons: Annotated[
        str | None, typer.Option("--persons", help="Table to write with the sex and age that DICOM headers record.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="i/n: score piece i of n of the list; see 'sexstrat scores join'.")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="local, or dask: workers of a Dask cluster.")] = "local",
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of the cluster; default: start one on this machine.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes of a cluster started here.")] = 2,
    json: Json = False,
) -> None:
    """Score photographs: one row per image listed, whatever happens to it; resumable."""
    from sexstrat.scores import Scoring, Shard, score_to_table

    names = model or ["shipped"]
    _check_patients(patients, recorded_sex, shard, accept_inferred_eye)
    described = {} if persons is None else described_persons(images, persons, root, hash_ids, (out, patients))
    if "shipped" in names:
        progress_line("model: the shipped demonstration model; for science use JOIR's released models or your own")
    with progress_shown(progress_line) as (progress, meter):
        scoring = Scoring(
            models=tuple(None if name == "shipped" else name for name in names),
            out=out,
            root=root,
            batch_size=batch_size,
            decode=decode,
            precision=precision,
            runtime=runtime,
            views=views,
            keep_members=keep_members,
            engine=engine,
            scheduler=scheduler,
            workers=workers,
            shard=None if shard is None else Shard.parse(shard),
            hash_ids=None if hash_ids is None else str(hash_ids),
            trust=trust,
            progress=progress,
            meter=meter,
        )
        summary = score_to_table(images, scoring)
    table = scoring.table
    skip = patients is None or table is None
    combined = {} if skip else _combined(str(table), str(patients), recorded_sex, accept_inferred_eye)
    if json:
        emit_json({"ok": True, "out": table, **summary.to_document(), **combined, **described})
        return
    print_table(["status", "images"], [[k, f"{n:,}"] for k, n in summary.by_status.items()], numeric=[1])
    print_line(f"{summary}; table: {table}")
    _print_combined(combined)
    print_persons(described)


def combine(
    scores: Annotated[str, typer.Argument(help="Score table, as 'sexstrat score' writes it.", show_default=False)],
    out: Annotated[str, typer.Option("--out", help="Table to write (.parquet or .csv).")] = "patients.parquet",
    recorded_sex: RecordedSex = None,
    accept_inferred_eye: InferredEye = False,
    json: Json = False,
) -> None:
    """Combine a score table to one row a patient; recalibrate by number of eyes where recorded sex is given."""
    combined = _combined(scores, out, recorded_sex, accept_inferred_eye)
    if json:
        emit_json({"ok": True, **combined})
        return
    _print_combined(combined)


def join(
    out: Annotated[str, typer.Argument(help="The whole table, as --out named it to every shard.", show_default=False)],
    json: Json = False,
) -> None:
    """Join the tables of all shards of a job array to the whole one, in the order of the list."""
    from sexstrat.scores import join_shards

    rows = join_shards(out)
    if json:
        emit_json({"ok": True, "out": out, "rows": rows})
        return
    print_line(f"{rows:,} rows; table: {out}")


def _check_patients(patients: str | None, recorded_sex: str | None, shard: str | None, inferred: bool) -> None:
    """Refuse what would only fail after all images are scored."""
    from sexstrat.errors import StudyError
    from sexstrat.scores import read_recorded_sex
    from sexstrat.scores.table import table_suffix

    if patients is not None:
        table_suffix(patients)
        if shard is not None:
            raise StudyError(
                "a shard holds some images of a patient only; join the shards, then 'sexstrat scores combine'"
            )
    elif inferred:
        raise StudyError("--accept-inferred-eye is about patients; say --patients OUT as well")
    elif recorded_sex is not None:
        raise StudyError("--recorded-sex recalibrates patients; say --patients OUT as well")
    if recorded_sex is not None:
        read_recorded_sex(recorded_sex)


def _combined(scores: str, out: str, recorded_sex: str | None, accept_inferred_eye: bool) -> dict[str, Any]:
    from sexstrat.scores import patient_scores, read_recorded_sex, read_scores, recalibrated_patients
    from sexstrat.scores.table import write_table
    from sexstrat.values.tables import table_schema

    table = read_scores(scores)
    rows, lines = patient_scores(table, accept_inferred_eye=accept_inferred_eye), []
    if recorded_sex is not None:
        found = recalibrated_patients(rows, read_recorded_sex(recorded_sex))
        rows, lines = found.patients, [asdict(line) for line in found.lines]
    write_table([rows], out, table_schema("patient_score"))
    return {
        "patients_out": out,
        "patients": len(rows),
        "patients_without_score": int((rows["n_eyes"] == 0).sum()),
        "images_without_patient": int(table["patient_id"].isna().sum()),
        "calibration": lines,
    }


def _print_combined(combined: dict[str, Any]) -> None:
    if not combined:
        return
    if combined["calibration"]:
        shown = ["n_eyes", "n_male", "n_female", "slope", "intercept"]
        print_table(shown, [_line_cells(line) for line in combined["calibration"]], numeric=range(5))
    text = f"{combined['patients']:,} patients, {combined['patients_without_score']:,} of them without a score"
    if lost := combined["images_without_patient"]:
        text += f"; {lost:,} images name no patient and are left out"
    print_line(f"{text}; table: {combined['patients_out']}")


def _line_cells(line: dict[str, Any]) -> list[str]:
    cells = [f"{line[name]:,}" for name in ("n_eyes", "n_male", "n_female")]
    if line["state"] != "ok":
        return [*cells, "too few", "too few"]
    return [
        *cells,
        *(f"{line[n]:.3f} ({line[f'{n}_low']:.3f} to {line[f'{n}_high']:.3f})" for n in ("slope", "intercept")),
    ]
