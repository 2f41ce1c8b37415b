"""Score every listed image: one row each in the list's order, whatever happens to it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.models import LoadedModel
from sexstrat.scores.breaches import typed_columns
from sexstrat.scores.checkpoints import Checkpoints, empty_rows
from sexstrat.scores.engine_dask import score_on_dask
from sexstrat.scores.ensemble import ensemble_recipe, ensemble_scores
from sexstrat.scores.forward import ListedFile, score_files
from sexstrat.scores.identifiers import hashed_listing, read_key
from sexstrat.scores.listing import list_images
from sexstrat.scores.members import Member, members_of
from sexstrat.scores.parts import kept_parts
from sexstrat.scores.recipe import row_key
from sexstrat.scores.replacing import clear_leftovers
from sexstrat.scores.scored import Scored
from sexstrat.scores.scoring import Meter, Models, Progress, Scoring
from sexstrat.scores.shards import Shard
from sexstrat.scores.sole_run import sole_run
from sexstrat.scores.summary import ScoreSummary, StatusCount
from sexstrat.scores.table import write_scores
from sexstrat.scores.tally import Tally
from sexstrat.scores.urls import is_remote, without_file_scheme
from sexstrat.values.tables import table_schema

__all__ = ["score_images", "score_to_table"]


def score_images(
    source: str | Path | pd.DataFrame,
    *,
    model: Models | Sequence[Models] = None,
    out: str | Path | None = None,
    root: str | Path | None = None,
    batch_size: int = 32,
    decode: str = "safe",
    precision: str = "float32",
    runtime: str | None = None,
    views: str | None = None,
    keep_members: bool = False,
    engine: str = "local",
    scheduler: str | None = None,
    workers: int = 2,
    shard: Shard | None = None,
    hash_ids: str | Path | None = None,
    trust: bool = False,
    progress: Progress | None = None,
    meter: Meter | None = None,
) -> pd.DataFrame:
    """Score the images of a folder, a glob or a list.

    Every listed image gives one row, in the list's order: a photograph that cannot be read or a model that fails
    gives a row with status and reason and no probability. Male is the positive class. Scores are for research on
    groups, never for a decision about a person.

    With ``out``, rows are kept in ``<out>.parts`` while the run goes on. A run that was killed goes on from there;
    rows of files that have not changed (path, size, time of change, the list's sha256), scored the same way by the
    same weights, are not scored again. One run at a time may write to a table.

    Parameters
    ----------
    source : as in :func:`sexstrat.scores.list_images`.
    model : path of a model's card or of the folder that holds it, a loaded model, or None for the shipped
        demonstration model; several make one ensemble, see :func:`sexstrat.scores.ensemble_rows`.
    out : where to write the table, ``.parquet`` or ``.csv``, a path or a URL such as ``s3://bucket/scores.parquet``;
        None writes nothing and keeps no checkpoints.
    root : as in :func:`sexstrat.scores.list_images`; when given, files outside it are not opened.
    batch_size : images handed to the model together; it does not change a score.
    decode : how JPEG photographs are decoded: ``exact`` decodes every pixel, ``safe`` at least twice as many along a
        side as the model sees, ``fast`` at least as many; see :data:`sexstrat.images.DECODES`.
    precision : arithmetic of the forward pass of a model given by path, ``float32`` or ``bf16``.
    runtime : what computes the forward pass of a model given by path, ``keras`` (the reference) or ``openvino``;
        None takes the faster one here, see :func:`sexstrat.models.default_runtime`.
    views : which way round photographs are looked at, in place of what the card says: ``as_taken``, ``both`` (the
        mean logit of photograph and mirror image) or ``as_left_eye``; written into model_id.
    keep_members : for an ensemble, whether the table of each member is written as well, beside ``out``.
    engine : ``local``, or ``dask`` for the workers of a Dask cluster.
    scheduler : address of the cluster; None starts one of ``workers`` processes on this machine.
    workers : processes of a cluster that is started here.
    shard : piece of the list to score, for job arrays; its table lies beside ``out``, see
        :func:`sexstrat.scores.join_shards`.
    hash_ids : key file; patient_id, image_id and path are then written as keyed hashes, see
        :func:`sexstrat.scores.hashed_listing`. The key is written nowhere.
    trust : whether the makers of the SavedModels among the models are trusted; other formats need no trust.
    progress : called every few seconds with a line that says how many images are done.
    meter : called after every batch with the number of rows that are done, of all, and of those scored before.

    Returns
    -------
    Rows of the score contract, as many as images are listed.

    Raises
    ------
    StudyError
        The source holds no image, an argument is not one of those allowed, or another run writes to ``out``.
    SchemaError
        The list breaks the image contract.
    ModelError
        The model cannot be trusted, found or used.
    """
    scoring = Scoring(
        models=_models(model),
        out=None if out is None else str(out),
        root=None if root is None else str(root),
        batch_size=batch_size,
        decode=decode,
        precision=precision,
        runtime=runtime,
        views=views,
        keep_members=keep_members,
        engine=engine,
        scheduler=scheduler,
        workers=workers,
        shard=shard,
        hash_ids=None if hash_ids is None else str(hash_ids),
        trust=trust,
        progress=progress,
        meter=meter,
    )
    frames: list[pd.DataFrame] = []
    score_to_table(source, scoring, frames.append)
    schema = table_schema("score")  # a shard may have no image at all
    return (
        pd.concat(frames, ignore_index=True) if frames else typed_columns(pd.DataFrame(columns=schema.columns), schema)
    )


def score_to_table(
    source: str | Path | pd.DataFrame, scoring: Scoring, keep: Callable[[pd.DataFrame], object] | None = None
) -> ScoreSummary:
    """Score images as :func:`score_images` does, without holding their table in memory.

    Parameters
    ----------
    source : as in :func:`sexstrat.scores.list_images`.
    scoring : the ways of scoring, and where to write.
    keep : called with each piece of the table, in the order of the list; None keeps nothing.

    Returns
    -------
    How many images were listed and what became of them.

    Raises
    ------
    StudyError, SchemaError, ModelError
        As :func:`score_images`.
    """
    started = time.monotonic()
    out = scoring.table
    members = members_of(scoring)
    recipe = ensemble_recipe([member.recipe for member in members])
    whole = _without_own_files(list_images(source, root=scoring.root), scoring.out, str(source))
    if scoring.hash_ids is not None:
        whole = hashed_listing(whole, read_key(scoring.hash_ids))
    listing = whole if scoring.shard is None else whole.iloc[scoring.shard.rows(len(whole))].reset_index(drop=True)
    notes = None if scoring.shard is None else scoring.shard.notes(whole, recipe.text)
    checkpoints = None if out is None else Checkpoints(f"{out}.parts")
    tally = Tally(total=len(listing) * len(members), progress=scoring.progress, meter=scoring.meter)
    count = StatusCount()
    with nullcontext() if out is None or is_remote(out) else sole_run(f"{out}.parts"):
        scored = [_scored(listing, member, scoring, checkpoints, tally) for member in members]
        if checkpoints is not None:
            checkpoints.merge(pd.concat([one.rows for one in scored], ignore_index=True).drop_duplicates("key"))
        chunks = count.noting(ensemble_scores([one.chunks() for one in scored], recipe))
        table = _kept(chunks, keep)
        if out is None:
            for _ in table:
                pass
        else:
            clear_leftovers(out)
            write_scores(table, out, notes=notes)
            if scoring.keep_members and len(members) > 1:
                for number, one in enumerate(scored, 1):
                    clear_leftovers(_member_table(out, number))
                    write_scores(one.chunks(), _member_table(out, number))
    return ScoreSummary(
        n_images=count.n_images,
        by_status=count.by_status,
        n_patients=count.n_patients,
        by_eye_source=count.by_eye_source,
        by_eye_disagreement=count.by_eye_disagreement,
        n_reused=tally.reused // len(members),
        seconds=time.monotonic() - started,
    )


def _models(model: Models | Sequence[Models]) -> tuple[Models, ...]:
    if model is None or isinstance(model, str | Path | LoadedModel):
        return (model,)
    return tuple(model)


def _member_table(out: str, number: int) -> str:
    suffix = Path(out).suffix
    return f"{out[: -len(suffix)]}.member-{number}{suffix}"


def _kept(chunks: Iterator[pd.DataFrame], keep: Callable[[pd.DataFrame], object] | None) -> Iterator[pd.DataFrame]:
    for chunk in chunks:
        if keep is not None:
            keep(chunk)
        yield chunk


def _scored(
    listing: pd.DataFrame, member: Member, scoring: Scoring, checkpoints: Checkpoints | None, tally: Tally
) -> Scored:
    """Score what no earlier run has scored with this model, and return all rows."""
    listing = listing.assign(key=_keys(listing, member.recipe.text))
    keys = pd.Index(listing["key"].unique())
    known = empty_rows() if checkpoints is None else checkpoints.load(keys)
    done = listing["key"].isin(known["key"])
    reused = int(done.sum())
    tally.found(reused)
    todo = listing[~done].drop_duplicates("key")
    batches = _batches(_files(todo), member, scoring)
    rows = pd.concat([known, *kept_parts(tally.counting(batches), checkpoints)], ignore_index=True)
    return Scored(listing=listing, rows=rows, recipe=member.recipe, reused=reused)


def _batches(files: Iterator[ListedFile], member: Member, scoring: Scoring) -> Iterator[pd.DataFrame]:
    if scoring.engine == "dask":
        yield from score_on_dask(files, member, scoring)
        return
    first = next(files, None)
    if first is None:
        return  # no network is loaded for a run that has all its rows
    yield from score_files(
        chain([first], files),
        member.model,
        size=member.recipe.size,
        column=member.recipe.column,
        batch_size=scoring.batch_size,
        root=scoring.root,
        decode=scoring.decode,
    )


def _without_own_files(listing: pd.DataFrame, out: str | None, source: str) -> pd.DataFrame:
    """Leave out the table and the parts that an earlier run wrote into the folder it scores."""
    place = None if out is None else without_file_scheme(out)
    if place is None or is_remote(place):
        return listing
    own = [_is_own(path, place) for path in listing["path"]]
    if all(own):
        raise StudyError(f"{source}: holds no image, only what an earlier run wrote")
    return listing[[not mine for mine in own]].reset_index(drop=True)


def _is_own(path: str, out: str) -> bool:
    """Tell whether a file is the table, one of its shards' or members' tables, or a part of any of them."""
    stem = re.escape(os.path.abspath(out[: -len(Path(out).suffix)]))  # noqa: PTH100  (resolve follows links)
    suffix = re.escape(Path(out).suffix)
    table = rf"{stem}(\.shard-\d+-of-\d+\.parquet|(\.shard-\d+-of-\d+)?(\.member-\d+)?{suffix})"
    return re.fullmatch(rf"{table}(\.parts([/\\].*)?)?", os.path.abspath(path)) is not None  # noqa: PTH100


def _keys(listing: pd.DataFrame, recipe: str) -> list[str]:
    told = zip(
        listing["path"],
        listing["eye"].fillna(""),
        listing["sha256"].fillna(""),
        listing["frame"].fillna(0),
        strict=True,
    )
    return [
        row_key(path, recipe=recipe, eye=eye, sha256=sha, frame=int(frame) or None) for path, eye, sha, frame in told
    ]


def _files(todo: pd.DataFrame) -> Iterator[ListedFile]:
    columns = (todo["key"], todo["path"], todo["eye"].fillna(""), todo["sha256"].fillna(""), todo["frame"].fillna(0))
    for key, path, eye, sha, frame in zip(*columns, strict=True):
        yield ListedFile(key=key, path=path, eye=eye or None, sha256=sha or None, frame=int(frame) or None)
