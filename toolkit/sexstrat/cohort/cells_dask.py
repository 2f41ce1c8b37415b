"""Cells on a Dask cluster: the same query on a part of the patients at each worker, whole numbers added up.

The patient table has one row a patient, so that a part of its rows never divides a patient. Each worker reads its part
of the cohort's file; what comes back is the part's sums as whole numbers, which add up to one machine's exactly.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.cohort.cells_query import CellQuery, add_parts
from sexstrat.cohort.sql import Connection, connect, single_row
from sexstrat.errors import StudyError

__all__ = ["cells_on_dask", "parts_of", "whole_numbers_of_part"]

ROW_GROUP = 122_880  # rows that the file keeps together: a part of whole groups reads no row of another part
PARTS_A_WORKER = 4
RETRIES = 2  # of a part that failed although its worker lives
ANSWER_SECONDS = 15
SAMPLE = 65_536


def parts_of(n_patients: int, workers: int) -> list[tuple[int, int]]:
    """Return the parts of the patient table, from their first row to the one after the last; together all rows.

    Parameters
    ----------
    n_patients : rows of the table.
    workers : processes that share the work.

    Examples
    --------
    >>> parts_of(300_000, 1)
    [(0, 122880), (122880, 245760), (245760, 300000)]
    >>> parts_of(5, 2)
    [(0, 5)]
    """
    groups = -(-n_patients // ROW_GROUP)
    each = max(-(-groups // (PARTS_A_WORKER * max(workers, 1))), 1) * ROW_GROUP
    return [(first, min(first + each, n_patients)) for first in range(0, n_patients, each)]


def whole_numbers_of_part(
    path: str, fingerprint: str, queries: Sequence[CellQuery], first: int, end: int, memory_limit: str | None = None
) -> pd.DataFrame:
    """Return the sums of some patients' cells as whole numbers; 128-bit sums are text, which keeps every digit.

    Parameters
    ----------
    path : the cohort's file, as this machine sees it.
    fingerprint : of the file at the machine that asks.
    queries : one a condition.
    first, end : the rows of the patient table: the first, and the one after the last.
    memory_limit : as in :func:`sexstrat.cohort.sql.connect`.

    Raises
    ------
    StudyError : the file is not here, or is another one.
    """
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"a Dask worker does not see {path}; give the workers the same file system")
    if fingerprint_of(file) != fingerprint:
        raise StudyError(f"a Dask worker sees another file at {path}; give the workers the same file system")
    connection = connect(file, read_only=True, memory_limit=memory_limit, threads=1)
    try:
        found = [
            connection.execute(query.as_text, [query.place.condition, first, end]).df().astype("object")
            for query in queries
        ]
    finally:
        connection.close()
    return pd.concat(found, ignore_index=True)


def fingerprint_of(path: Path) -> str:
    """Return a digest of a file's size, beginning and end: enough to tell one build of a cohort from another.

    Parameters
    ----------
    path : the file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "c.duckdb"
    >>> _ = path.write_bytes(b"cohort")
    >>> before = fingerprint_of(path)
    >>> _ = path.write_bytes(b"cohorts")
    >>> len(before), fingerprint_of(path) == before
    (64, False)
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(SAMPLE)
        stream.seek(max(size - SAMPLE, 0))
        return hashlib.sha256(b"%d" % size + start + stream.read(SAMPLE)).hexdigest()


def cells_on_dask(
    connection: Connection,
    path: Path,
    queries: Sequence[CellQuery],
    *,
    scheduler: str | None = None,
    workers: int = 2,
    memory_limit: str | None = None,
) -> pd.DataFrame:
    """Return the cells of conditions, counted by the workers of a Dask cluster, equal to those of one machine.

    A part whose worker is lost goes to another one.

    Parameters
    ----------
    connection : the cohort, open here.
    path : its file, which every worker must see at the same place.
    queries : one a condition, from :func:`sexstrat.cohort.cells_query.cell_queries`.
    scheduler : the cluster's address; None starts processes here.
    workers : how many, where they are started here.
    memory_limit : of each worker's database.

    Raises
    ------
    StudyError : Dask is not installed, no scheduler answers, a worker died again and again, or sees another file.
    """
    (n_patients,) = single_row(connection, "SELECT count(*) FROM patient")
    file = path.resolve()
    known = fingerprint_of(file)
    with _client(scheduler, workers) as client:
        parts = parts_of(n_patients, max(len(client.nthreads()), 1))
        futures = [
            client.submit(
                whole_numbers_of_part, str(file), known, queries, *part, memory_limit, pure=False, retries=RETRIES
            )
            for part in parts
        ]
        found = _gathered(client, futures)
    return add_parts(connection, queries, found)


def _gathered(client: Any, futures: list[Any]) -> list[pd.DataFrame]:
    from distributed import CancelledError
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        rows: list[pd.DataFrame] = client.gather(futures)
    except KilledWorker as err:
        raise StudyError(
            "the Dask workers died again and again while they counted; give each more memory, or the study a lower "
            "memory limit"
        ) from err
    except (CancelledError, CommClosedError) as err:
        raise StudyError("the connection to the Dask scheduler was lost; run the same command again") from err
    except (ImportError, AttributeError) as err:
        raise StudyError(f"a Dask worker cannot run sexstrat: {err}; install the same version on every worker") from err
    return rows


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator[Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as err:
        raise StudyError("the engine dask is not installed; install sexstrat[distributed]") from err
    if scheduler is None:
        with (
            LocalCluster(
                n_workers=workers,
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
        client = Client(scheduler, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as err:
        raise StudyError(
            f"no Dask scheduler answers at {scheduler}; give the address that it printed at its start, "
            "such as tcp://10.0.0.5:8786"
        ) from err
    with client:
        yield client
