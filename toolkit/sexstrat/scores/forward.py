"""Take listed files through decoding and the model, both ahead of whoever takes the rows, which come out in order."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import ImageError
from sexstrat.images import InferredEye, Quality, prepare
from sexstrat.scores.freed_memory import keep_freed_memory
from sexstrat.scores.reading import read_photograph

__all__ = ["ListedFile", "Scorer", "score_files"]

_In = TypeVar("_In")
_Out = TypeVar("_Out")

_ALLOWED = {"prob_male": (1.0, "probability"), "predicted_age": (130.0, "age")}
_THREADS = max(2, min(16, os.cpu_count() or 2))
_ROWS_AHEAD = 256  # rows given out at the latest, however few of them hold pixels


class Scorer(Protocol):
    """What scoring asks of a model: eight-bit crops in, probabilities of male, or ages, out."""

    def predict(self, pixels: NDArray[np.uint8], eyes: Sequence[str | None]) -> NDArray[np.float64]:
        """Return the probability of male, or years, shape (n,), for crops (n, size, size, 3) of these eyes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One file to score.

    Parameters
    ----------
    key : identity of the row that is to come out, see :mod:`sexstrat.scores.checkpoints`.
    path : path as listed.
    eye : R, L, or None when neither list nor DICOM header says.
    frame : number of the frame of a DICOM file of several, from 1, or None.
    sha256 : digest that the list gives, or None.
    """

    key: str
    path: str
    eye: str | None = None
    frame: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ready:
    key: str
    status: str
    reason: str | None = None
    pixels: NDArray[np.uint8] | None = None
    eye: str | None = None
    measures: Quality | None = None
    inferred: InferredEye | None = None
    field_of_view: float = np.nan


def score_files(
    files: Iterable[ListedFile],
    model: Scorer,
    *,
    size: int,
    batch_size: int = 32,
    root: str | None = None,
    decode: str = "safe",
    column: str = "prob_male",
) -> Iterator[pd.DataFrame]:
    """Score files in the order given; memory holds four batches of crops, whatever the number of files.

    Threads decode ahead while the model works in a thread of its own, which goes on while the caller keeps the
    rows. Batches are filled in the order of the list, so neither values nor order depend on which thread is
    faster. A file or a model that fails gives a row that says so. When the caller stops, by an interrupt or by
    taking no more rows, what is being decoded or computed is finished and the rest is dropped.

    Parameters
    ----------
    files : what to score.
    model : gives the probability of male, or the age.
    size : side of the crops the model takes, in pixels.
    batch_size : crops that go through the model together, at least 1.
    root : folder that every file must lie under, or None.
    decode : ``exact``, ``safe`` or ``fast``, see :data:`sexstrat.images.DECODES`.
    column : what the model estimates, ``prob_male`` or ``predicted_age``.

    Yields
    ------
    Rows with the key and the columns of the score contract that the photograph decides; a batch at a time.
    """
    keep_freed_memory()
    make_ready = partial(_make_ready, size=size, root=root, decode=decode)
    # Pillow warns about every odd tag of every file; what matters is in the row's status and reason.
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(_THREADS, thread_name_prefix="decode") as decoders,
        ThreadPoolExecutor(1, thread_name_prefix="forward") as forward,
    ):
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom|sexstrat\.images)\.")
        ready = _ahead(decoders, make_ready, files, ahead=batch_size)
        batches = _batches(ready, batch_size)
        with (
            closing(ready),
            closing(_ahead(forward, partial(_scored, model=model, column=column), batches, ahead=1)) as scored,
        ):
            yield from scored


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[_In], _Out], inputs: Iterable[_In], *, ahead: int
) -> Generator[_Out]:
    """Do the work of each input in the pool, at most ``ahead`` inputs before the caller, and give it in order."""
    waiting: deque[Future[_Out]] = deque()
    try:
        for given in inputs:
            waiting.append(pool.submit(work, given))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _batches(ready: Iterable[_Ready], batch_size: int) -> Iterator[list[_Ready]]:
    rows: list[_Ready] = []
    n_crops = 0
    for row in ready:
        rows.append(row)
        n_crops += row.pixels is not None
        if n_crops == batch_size or len(rows) == _ROWS_AHEAD:
            yield rows
            rows, n_crops = [], 0
    if rows:
        yield rows


def _make_ready(file: ListedFile, *, size: int, root: str | None, decode: str) -> _Ready:
    try:
        data = read_photograph(file.path, root=root, sha256=file.sha256)
        prepared = prepare(data, size, decode=decode, frame=file.frame)
    except ImageError as err:
        return _Ready(key=file.key, status=err.status, reason=err.reason)
    except Exception as err:  # noqa: BLE001  (a decoder may raise anything on a hostile file; the row must come out)
        return _Ready(key=file.key, status="unreadable", reason=f"cannot be decoded: {_in_words(err)}")
    return _Ready(
        key=file.key,
        status="ok",
        pixels=prepared.pixels,
        eye=file.eye,
        measures=prepared.measures,
        inferred=prepared.inferred,
        field_of_view=prepared.relative_diameter,
    )


def _scored(rows: list[_Ready], model: Scorer, column: str) -> pd.DataFrame:
    with_pixels = [i for i, row in enumerate(rows) if row.pixels is not None]
    crops = [(row.pixels, row.eye) for row in rows if row.pixels is not None]
    values = np.full(len(rows), np.nan)
    status = [row.status for row in rows]
    reason = [row.reason for row in rows]
    for i, (value, failure) in zip(with_pixels, _estimates(crops, model, column), strict=True):
        values[i] = value
        if failure is not None:
            status[i], reason[i] = "model_failed", failure
    return pd.DataFrame(
        {
            "key": pd.Series([row.key for row in rows], dtype="str"),
            column: values,
            "status": pd.Series(status, dtype="str"),
            "reason": pd.Series(reason, dtype="str"),
            **_measured([row.measures for row in rows]),
            "field_of_view": [row.field_of_view for row in rows],
            "inferred_eye": pd.Series([row.inferred.eye if row.inferred else None for row in rows], dtype="str"),
            "eye_confidence": [row.inferred.confidence if row.inferred else np.nan for row in rows],
        }
    )


def _measured(measures: list[Quality | None]) -> dict[str, list[float]]:
    names = {"quality": "readable", "exposure": "exposure", "sharpness": "sharpness", "contrast": "contrast"}
    return {
        column: [np.nan if one is None else getattr(one, name) for one in measures] for column, name in names.items()
    }


def _estimates(
    crops: list[tuple[NDArray[np.uint8], str | None]], model: Scorer, column: str
) -> list[tuple[float, str | None]]:
    """Return (estimate, None) or (NaN, what failed) for each crop; one bad crop does not cost the batch."""
    if not crops:
        return []
    try:
        pixels, eyes = zip(*crops, strict=True)
        values = np.asarray(model.predict(np.stack(pixels), eyes), dtype=float).reshape(len(crops))
    except Exception as err:  # noqa: BLE001  (a runtime may raise anything; the rows must come out)
        if len(crops) == 1:
            return [(np.nan, f"the model failed: {_in_words(err)}")]
        return [outcome for crop in crops for outcome in _estimates([crop], model, column)]
    return [_checked(float(value), column) for value in values]


def _checked(value: float, column: str) -> tuple[float, str | None]:
    most, noun = _ALLOWED[column]
    if 0.0 <= value <= most:
        return value, None
    return np.nan, f"the model returned {value:g}, which is no {noun}"


def _in_words(err: Exception) -> str:
    text = " ".join(str(err).split())
    return f"{type(err).__name__}: {text[:200]}" if text else type(err).__name__
