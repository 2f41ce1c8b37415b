"""Score every listed image: one row each in the list's order, whatever happens to it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import sexstrat
from sexstrat.errors import StudyError
from sexstrat.models import LoadedModel, card_to_json, load_model
from sexstrat.scores.breaches import typed_columns
from sexstrat.scores.checkpoints import Checkpoints, empty_rows, row_key
from sexstrat.scores.forward import ListedFile, score_files
from sexstrat.scores.listing import list_images
from sexstrat.scores.paths import lies_under
from sexstrat.scores.table import table_suffix, write_scores
from sexstrat.values.tables import table_schema

__all__ = ["PART_ROWS", "score_images"]

PART_ROWS = 256
"""Images between two checkpoints: what a run that is killed loses at most."""

_PART_SECONDS = 60.0  # a slow model writes its part after this time, however few rows it holds

_PROGRESS_SECONDS = 5.0

Progress = Callable[[str], None]


def score_images(
    source: str | Path | pd.DataFrame,
    *,
    model: str | Path | LoadedModel | None = None,
    out: str | Path | None = None,
    root: str | Path | None = None,
    batch_size: int = 32,
    decode: str = "exact",
    progress: Progress | None = None,
    runtime: str = "keras",
) -> pd.DataFrame:
    """Score the images of a folder, a glob or a list.

    Every listed image gives one row, in the list's order: a photograph that cannot be read or a model that fails
    gives a row with status and reason and no probability. Male is the positive class. Scores are for research on
    groups, never for a decision about a person.

    With ``out``, rows are kept in ``<out>.parts`` while the run goes on. A run that was killed goes on from there;
    rows of files that have not changed (path, size, time of change, the list's sha256), scored the same way by the
    same weights, are not scored again.

    Parameters
    ----------
    source : as in :func:`sexstrat.scores.list_images`.
    model : path of a model's card or of the folder that holds it, a loaded model, or None for the shipped
        demonstration model.
    out : where to write the table, ``.parquet`` or ``.csv``; None writes nothing and keeps no checkpoints.
    root : as in :func:`sexstrat.scores.list_images`; when given, files outside it are not opened.
    batch_size : images handed to the model together; it does not change a score.
    decode : how photographs are decoded; ``exact`` decodes every pixel.
    progress : called every few seconds with a line that says how many images are done.
    runtime : what computes the forward pass of a model given by path; ``keras`` in float32 is the reference.

    Returns
    -------
    Rows of the score contract, as many as images are listed.

    Raises
    ------
    StudyError
        The source holds no image, or an argument is not one of those allowed.
    SchemaError
        The list breaks the image contract.
    ModelError
        The model cannot be trusted, found or used.
    """
    _check_arguments(batch_size, decode, out)
    listing = _without_own_files(list_images(source, root=root), out, str(source))
    loaded = model if isinstance(model, LoadedModel) else load_model(model, runtime=runtime)
    recipe = _Recipe.of(loaded, decode)
    listing = listing.assign(key=_keys(listing, recipe.text))
    checkpoints = None if out is None else Checkpoints(Path(f"{out}.parts"))
    known = _known(checkpoints, listing["key"])
    todo = listing[~listing["key"].isin(known["key"])].drop_duplicates("key")
    tally = _Tally(progress, done=int(listing["key"].isin(known["key"]).sum()), total=len(listing))
    boundary = None if root is None else str(root)
    batches = score_files(_files(todo), loaded, size=recipe.size, batch_size=batch_size, root=boundary)
    rows = pd.concat([known, *_parts(batches, checkpoints, tally)], ignore_index=True)
    if checkpoints is not None:
        checkpoints.merge(rows)
    scores = _table(listing, rows, recipe)
    if out is not None:
        write_scores(scores, out)
    return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """What, besides the photograph, decides a score."""

    model_id: str
    model_sha256: str
    precision: str
    decode: str
    size: int
    text: str

    @classmethod
    def of(cls, loaded: LoadedModel, decode: str) -> _Recipe:
        precision = "float32"
        text = "\0".join([card_to_json(loaded.card), loaded.runtime, precision, decode, sexstrat.__version__])
        return cls(
            model_id=loaded.card.model_id,
            model_sha256=loaded.card.weights_sha256,
            precision=precision,
            decode=decode,
            size=loaded.card.prepared_size,
            text=hashlib.sha256(text.encode()).hexdigest(),
        )


class _Tally:
    """Count images and tell about it from time to time."""

    def __init__(self, progress: Progress | None, *, done: int, total: int) -> None:
        self.progress, self.done, self.total = progress, done, total
        self.told = time.monotonic()
        if progress is not None and done:
            progress(f"{done:,} of {total:,} images were scored before")

    def add(self, n: int) -> None:
        self.done += n
        if self.progress is not None and time.monotonic() - self.told >= _PROGRESS_SECONDS:
            self.progress(f"{self.done:,} of {self.total:,} images done")
            self.told = time.monotonic()


def _check_arguments(batch_size: int, decode: str, out: str | Path | None) -> None:
    if batch_size < 1:
        raise StudyError(f"batch_size must be at least 1; found {batch_size}")
    if decode != "exact":
        raise StudyError(f"unknown decode {decode!r}; allowed: exact")
    if out is not None:
        table_suffix(Path(out))


def _without_own_files(listing: pd.DataFrame, out: str | Path | None, source: str) -> pd.DataFrame:
    """Leave out the table and the parts that an earlier run wrote into the folder it scores."""
    if out is None:
        return listing
    own = [lies_under(path, out) or lies_under(path, f"{out}.parts") for path in listing["path"]]
    if all(own):
        raise StudyError(f"{source}: holds no image, only what an earlier run wrote")
    return listing[[not mine for mine in own]].reset_index(drop=True)


def _keys(listing: pd.DataFrame, recipe: str) -> list[str]:
    told = zip(listing["path"], listing["eye"].fillna(""), listing["sha256"].fillna(""), strict=True)
    return [row_key(path, recipe=recipe, eye=eye, sha256=sha) for path, eye, sha in told]


def _files(todo: pd.DataFrame) -> Iterator[ListedFile]:
    columns = (todo["key"], todo["path"], todo["eye"].fillna(""), todo["sha256"].fillna(""))
    for key, path, eye, sha in zip(*columns, strict=True):
        yield ListedFile(key=key, path=path, eye=eye or None, sha256=sha or None)


def _known(checkpoints: Checkpoints | None, keys: pd.Series) -> pd.DataFrame:
    rows = empty_rows() if checkpoints is None else checkpoints.load()
    return rows[rows["key"].isin(keys)]


def _parts(batches: Iterator[pd.DataFrame], checkpoints: Checkpoints | None, tally: _Tally) -> Iterator[pd.DataFrame]:
    """Gather batches to parts and write each before the next is begun."""
    waiting: list[pd.DataFrame] = []
    started = time.monotonic()
    for batch in batches:
        waiting.append(batch)
        tally.add(len(batch))
        if sum(map(len, waiting)) >= PART_ROWS or time.monotonic() - started > _PART_SECONDS:
            yield _kept(waiting, checkpoints)
            waiting, started = [], time.monotonic()
    if waiting:
        yield _kept(waiting, checkpoints)


def _kept(batches: list[pd.DataFrame], checkpoints: Checkpoints | None) -> pd.DataFrame:
    rows = pd.concat(batches, ignore_index=True)
    if checkpoints is not None:
        checkpoints.add(rows)
    return rows


def _table(listing: pd.DataFrame, rows: pd.DataFrame, recipe: _Recipe) -> pd.DataFrame:
    scored = rows.set_index("key").reindex(listing["key"]).reset_index(drop=True)
    frame = listing[["image_id", "path", "patient_id", "eye"]].join(scored)
    frame = frame.assign(
        model_id=recipe.model_id, model_sha256=recipe.model_sha256, precision=recipe.precision, decode=recipe.decode
    )
    return typed_columns(frame, table_schema("score"))
