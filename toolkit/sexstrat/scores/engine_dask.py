"""Score on a Dask cluster: the same function for each piece of the list, the same rows, a lost worker's work redone."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.models import LoadedModel
from sexstrat.scores.forward import ListedFile, score_files
from sexstrat.scores.members import Member
from sexstrat.scores.parts import PART_ROWS
from sexstrat.scores.reading import file_state
from sexstrat.scores.scoring import Scoring
from sexstrat.scores.urls import is_remote

__all__ = ["results_of", "score_on_dask"]

_ANSWER_SECONDS = 15
_RETRIES = 2  # of a task that failed although its worker lives, such as one whose file system was away for a moment
_DEADLY = "the process that scored it died, again and again, with nothing else to do"
_loaded: dict[str, LoadedModel] = {}
_turn = threading.Lock()


def score_on_dask(files: Iterator[ListedFile], member: Member, scoring: Scoring) -> Iterator[pd.DataFrame]:
    """Score files on the workers of a Dask cluster.

    Each worker process loads the model once and makes sure that it is the run's. Pieces of 256 files go to whichever
    worker is free; a piece whose worker is lost goes to another. A piece that costs its workers' lives again and
    again is halved until the file that does it is found: that file's row says so. Memory here holds the rows of the
    pieces under way.

    Parameters
    ----------
    files : what to score; workers must see the same paths, or URLs in object storage.
    member : the model.
    scoring : the ways of scoring; ``scheduler`` is the cluster's address, None starts ``workers`` processes here.

    Yields
    ------
    Rows of one piece, in the order in which pieces are done.

    Raises
    ------
    StudyError
        Dask is not installed, no scheduler answers, it was lost, or a worker does not see the files.
    ModelError
        A worker's model or version of sexstrat is another one.
    """
    first = next(files, None)
    if first is None:
        return  # no cluster is started, and no network loaded, for a run that has all its rows
    work = partial(
        _score_piece,
        load=member.load,
        recipe=member.recipe.text,
        size=member.recipe.size,
        column=member.recipe.column,
        batch_size=scoring.batch_size,
        decode=scoring.decode,
        root=None if scoring.root is None else _everywhere(scoring.root),
    )
    with _client(scoring) as client:
        yield from results_of(client, _pieces(first, files), work)


def _score_piece(
    files: Sequence[ListedFile], *, load: Callable[[], LoadedModel], recipe: str, **options: Any
) -> pd.DataFrame:
    """Score one piece on a worker; tasks of one process take turns, as the model they share."""
    with _turn:
        if recipe not in _loaded:
            _loaded.clear()
            _loaded[recipe] = load()
        return pd.concat(score_files(files, _loaded[recipe], **options), ignore_index=True)


def _pieces(first: ListedFile, rest: Iterator[ListedFile]) -> Iterator[tuple[ListedFile, ...]]:
    files = (replace(file, path=_everywhere(file.path)) for file in chain([first], rest))
    return iter(lambda: tuple(islice(files, PART_ROWS)), ())


def _everywhere(path: str) -> str:
    """Return a path that means the same in a process with another working folder."""
    return path if is_remote(path) else os.path.abspath(path)  # noqa: PTH100  (resolve follows links)


def results_of(
    client: Any, pieces: Iterator[tuple[ListedFile, ...]], work: Callable[..., pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Send pieces to workers as they become free, and give the rows of each piece when it is done.

    A piece whose workers died, more often than the scheduler allows, is halved. A single file is only blamed when
    it costs its workers' lives while nothing else of this run is on the cluster: a scheduler blames whatever a lost
    worker held.

    Parameters
    ----------
    client : Dask's.
    pieces : files, in pieces of any size.
    work : makes the rows of a piece; must be picklable.

    Yields
    ------
    Rows of a piece, or of what is left of it when its workers died; every file's row comes out once.
    """
    from distributed import as_completed

    suspects: list[ListedFile] = []
    under_way: dict[str, tuple[ListedFile, ...]] = {}
    waiting = as_completed([], loop=client.loop)

    def send(piece: tuple[ListedFile, ...]) -> None:
        future = client.submit(work, piece, pure=False, retries=_RETRIES)
        under_way[future.key] = piece
        waiting.add(future)

    def fill() -> None:
        while len(under_way) < 2 * sum(client.nthreads().values()) + 2:
            piece = next(pieces, None)
            if piece is None:
                return
            send(piece)

    fill()
    for future in waiting:
        piece = under_way.pop(future.key)
        rows = _rows_or_none(future, piece)
        if rows is None and len(piece) == 1:
            suspects.extend(piece)
        elif rows is None:
            send(piece[: len(piece) // 2])
            send(piece[len(piece) // 2 :])
        fill()
        if rows is not None:
            yield rows
    for file in suspects:
        rows = _rows_or_none(client.submit(work, (file,), pure=False, retries=_RETRIES), (file,))
        yield pd.DataFrame([{"key": file.key, "status": "unreadable", "reason": _DEADLY}]) if rows is None else rows


def _rows_or_none(future: Any, piece: tuple[ListedFile, ...]) -> pd.DataFrame | None:
    """Return the rows of a piece, or None when its workers died again and again."""
    from distributed import CancelledError
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        return _seen_by_worker(future.result(), piece)
    except KilledWorker:
        return None
    except (CancelledError, CommClosedError) as err:
        raise StudyError(
            "the connection to the Dask scheduler was lost; the same command goes on from what is kept"
        ) from err
    except (ImportError, AttributeError) as err:
        raise StudyError(f"a Dask worker cannot run sexstrat: {err}; install the same version on every worker") from err


def _seen_by_worker(rows: pd.DataFrame, piece: tuple[ListedFile, ...]) -> pd.DataFrame:
    missing = set(rows.loc[rows["status"] == "missing_file", "key"])
    for file in piece:
        if file.key in missing and not is_remote(file.path) and file_state(file.path).size >= 0:
            raise StudyError(
                f"a Dask worker does not see {file.path}, which is there on this machine; give the workers the same "
                "file system, or keep the photographs in object storage"
            )
    return rows


@contextmanager
def _client(scoring: Scoring) -> Iterator[Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as err:
        raise StudyError("the engine dask is not installed; install sexstrat[distributed]") from err
    if scoring.scheduler is None:
        with (
            LocalCluster(
                n_workers=scoring.workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = Client(scoring.scheduler, timeout=_ANSWER_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as err:
        raise StudyError(
            f"no Dask scheduler answers at {scoring.scheduler}; give the address that it printed at its start, "
            "such as tcp://10.0.0.5:8786"
        ) from err
    with client:
        yield client
