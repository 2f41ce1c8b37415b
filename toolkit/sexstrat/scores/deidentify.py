"""De-identify listed photographs for hand-over: metadata stripped, names hashed, pixels kept, no file lost."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from sexstrat.errors import ImageError
from sexstrat.images import Cleaned, clean_photograph
from sexstrat.scores.handover import HANDOVER_TABLE, IMAGE_LIST, PHOTOGRAPHS, Handover, handover
from sexstrat.scores.linkage import LinkageRow
from sexstrat.scores.reading import file_state, read_photograph
from sexstrat.scores.replacing import replace_file
from sexstrat.scores.sole_run import sole_run
from sexstrat.scores.storage import url_state
from sexstrat.scores.table import write_table
from sexstrat.scores.urls import is_remote
from sexstrat.values.tables import table_schema

__all__ = ["Deidentified", "deidentify_images"]

_REPEATED = ("missing_file", "unreadable")  # may be the machine's fault: tried again
_THREADS = max(2, min(8, os.cpu_count() or 2))
_REASONS = {
    "missing_file": "no such file, or outside the root folder",
    "empty_file": "the file has no content",
    "unreadable": "damaged, or coded in a way that cannot be cleaned",
    "not_an_image": "not a photograph of a kind that is read",
    "too_small": "fewer pixels than a photograph of the retina has",
    "too_large": "more pixels or bytes than are read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deidentified:
    """What became of the files.

    Parameters
    ----------
    n_files : input files.
    by_status : files by status, ``ok`` first.
    by_burned_in : written files by what was seen around the retina.
    n_reused : files that an earlier run had written.
    n_without_patient : written files whose patient neither list nor header names.
    key, linkage, out : the files and the folder that were used.
    seconds : time taken.
    """

    n_files: int
    by_status: dict[str, int] = field(default_factory=dict)
    by_burned_in: dict[str, int] = field(default_factory=dict)
    n_reused: int = 0
    n_without_patient: int = 0
    key: str
    linkage: str
    out: str
    seconds: float


def deidentify_images(
    source: str | Path | pd.DataFrame,
    out: str | Path,
    *,
    key: str | Path | None = None,
    linkage: str | Path | None = None,
    root: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Deidentified:
    """Write photographs without what identifies their patients, under names that only a key leads back from.

    In the folder ``out`` come ``photographs/``, one file each under its keyed hash; ``images.csv``, a list of them
    that scoring reads; and ``deidentified.csv``, one row for each input file with status, reason and what to look at.
    Nothing in the folder holds an identifier. Pixels are the same to the last bit; text that may be burnt into them is
    told, never altered. Metadata are stripped from JPEG, PNG and TIFF; DICOM files are cleaned by the basic profile of
    the standard. The same key gives the same names and UIDs in every run. A run that was stopped goes on where it
    stopped.

    A photograph of a retina is itself a trait of its person: what is written here is pseudonymous, not anonymous.

    Parameters
    ----------
    source, root : as in :func:`sexstrat.scores.list_images`.
    out : folder to write; new, empty, or that of an earlier run with the same key and linkage file.
    key : file of the secret key; None is ``out`` with ``.key`` added. Made when there is none.
    linkage : file that tells which hash stands for whom; None is ``out`` with ``.linkage.csv`` added. Its owner alone
        may read it, and it may not lie in ``out``.
    progress : called every few seconds with a line that says how many files are done.

    Returns
    -------
    What became of the files.

    Raises
    ------
    StudyError
        A place is not allowed, or holds what is not of an earlier run with the same key.
    SchemaError
        The list breaks the image contract.
    """
    started = time.monotonic()
    plan = handover(source, out, key=key, linkage=linkage, root=root)
    rows: list[LinkageRow] = []
    reused, told = 0, started
    with (
        sole_run(plan.out),
        warnings.catch_warnings(),
        ThreadPoolExecutor(_THREADS, thread_name_prefix="clean") as pool,
    ):
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom|sexstrat\.images)\.")
        plan.mend()
        for row, old in _in_order(pool, plan):
            reused += old
            if not old:
                plan.linkage.add(row)
            rows.append(row)
            if progress is not None and time.monotonic() - told > 5:
                told = time.monotonic()
                progress(f"{len(rows):,} of {len(plan.files):,} files done")
        plan.linkage.replace(rows)
        _write_tables(rows, plan.out)
    written = [row for row in rows if row.status == "ok"]
    return Deidentified(
        n_files=len(rows),
        by_status=dict(sorted(Counter(row.status for row in rows).items(), key=lambda item: (item[0] != "ok", item))),
        by_burned_in=dict(Counter(row.burned_in for row in written)),
        n_reused=reused,
        n_without_patient=sum(not row.patient_id for row in written),
        key=str(plan.key_path),
        linkage=str(plan.linkage.path),
        out=str(plan.out),
        seconds=time.monotonic() - started,
    )


def _in_order(pool: ThreadPoolExecutor, plan: Handover) -> Iterator[tuple[LinkageRow, bool]]:
    """Give the row of each file in the order of the list, and whether an earlier run had made it."""
    waiting: deque[Future[tuple[LinkageRow, bool]]] = deque()
    try:
        for row in plan.files:
            waiting.append(pool.submit(_outcome, row, plan))
            if len(waiting) > 2 * _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _outcome(row: LinkageRow, plan: Handover) -> tuple[LinkageRow, bool]:
    size, modified = _state(row.path)
    row = replace(row, source_size=size, source_modified=modified)
    known = plan.linkage.rows.get(row.image_id)
    if known is not None and _still_holds(known, row, plan.out):
        return known, True
    done = _tried(row, plan)
    if known is not None and known.deidentified_path not in ("", done.deidentified_path):
        (plan.out / PHOTOGRAPHS / Path(known.deidentified_path).name).unlink(missing_ok=True)  # of what it was before
    return done, False


def _tried(row: LinkageRow, plan: Handover) -> LinkageRow:
    try:
        found = _cleaned(row, plan)
    except ImageError as err:
        return replace(row, status=err.status, reason=err.reason)
    except Exception as err:  # noqa: BLE001  (a decoder may raise anything on a hostile file; the row must come out)
        return replace(row, status="unreadable", reason=f"cannot be cleaned: {type(err).__name__}")
    return _written(row, plan, found)  # a full disk is no fault of the photograph


def _cleaned(row: LinkageRow, plan: Handover) -> Cleaned:
    data = read_photograph(row.path, root=plan.root, sha256=plan.digests.get(row.image_id))
    stem = PurePosixPath(row.path.replace("\\", "/")).stem
    more = [row.patient_id, *([stem] if len(stem) >= 6 else [])]
    return clean_photograph(data, plan.key, patient=row.deidentified_patient_id or None, more=more)


def _written(row: LinkageRow, plan: Handover, found: Cleaned) -> LinkageRow:
    place = f"{PHOTOGRAPHS}/{row.deidentified_image_id}{found.suffix}"
    replace_file(plan.out / place, lambda target: target.write_bytes(found.data))
    return replace(
        row,
        deidentified_path=place,
        format=found.format,
        burned_in=found.burned_in,
        removed="; ".join(found.removed),
        sha256=hashlib.sha256(found.data).hexdigest(),
    )


def _state(path: str) -> tuple[str, str]:
    if is_remote(path):
        size, mark = url_state(path)
        return str(size), str(mark)
    state = file_state(path)
    return str(state.size), str(state.modified)


def _still_holds(known: LinkageRow, row: LinkageRow, out: Path) -> bool:
    """Tell whether an earlier run's row is that of the same file, and what it wrote is there unchanged."""
    names = ("path", "patient_id", "eye", "deidentified_image_id", "source_size", "source_modified")
    if known.status in _REPEATED or any(getattr(known, name) != getattr(row, name) for name in names):
        return False
    if known.status != "ok":
        return True
    try:
        return hashlib.sha256((out / known.deidentified_path).read_bytes()).hexdigest() == known.sha256
    except OSError:
        return False


def _write_tables(rows: Iterable[LinkageRow], out: Path) -> None:
    """Write the account of all files and the list of those written; neither holds an identifier."""
    account = pd.DataFrame([_told(row) for row in rows])
    write_table([account], out / HANDOVER_TABLE, table_schema("deidentified"))
    listed = pd.DataFrame([_told(row) | {"eye": row.eye or None} for row in rows if row.status == "ok"])
    columns = ["image_id", "patient_id", "eye", "path", "sha256"]
    images = listed.reindex(columns=columns)  # no column of the image contract that a header of a DICOM file tells
    replace_file(out / IMAGE_LIST, lambda target: images.to_csv(target, index=False, lineterminator="\n"))


def _told(row: LinkageRow) -> dict[str, str | None]:
    told = {
        "image_id": row.deidentified_image_id,
        "patient_id": row.deidentified_patient_id,
        "path": row.deidentified_path,
        "format": row.format,
        "status": row.status,
        "reason": _REASONS.get(row.status, ""),
        "burned_in": row.burned_in,
        "removed": row.removed,
        "sha256": row.sha256,
    }
    return {name: value or None for name, value in told.items()}
