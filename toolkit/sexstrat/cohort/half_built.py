"""A cohort file in the making: beside its target until it is whole; what killed runs left there is cleared away."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from sexstrat.errors import StudyError
from sexstrat.scores.replacing import FULL, refusal_told

__all__ = ["built_aside", "clear_leftovers"]

SUFFIX = ".building"
_mine: set[Path] = set()  # being built by this process, which its own locks would not tell


@contextmanager
def built_aside(target: Path) -> Iterator[Path]:
    """Give a path to build at; it becomes the target when the block ends well, and disappears when it does not.

    A build that was killed cannot clear up after itself, so the next one of the same target does.

    Parameters
    ----------
    target : file to write in the end; an older one stays as it was until then.

    Raises
    ------
    StudyError : the disk is full, or the place is closed to writing.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with built_aside(folder / "c.duckdb") as path:
    ...     _ = path.write_text("whole")
    >>> [path.name for path in folder.iterdir()]
    ['c.duckdb']
    """
    with refusal_told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(target)
    path = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{SUFFIX}")
    _mine.add(path)
    try:
        yield path
        path.replace(target)
    except duckdb.Error as err:
        if path.name not in str(err):
            raise
        first = str(err).splitlines()[0]
        raise StudyError(f"{target} cannot be written: {first}; {FULL}") from err
    finally:
        _mine.discard(path)
        _remove(path)


def clear_leftovers(target: Path) -> None:
    """Remove what killed builds of a target left beside it; a build that another process is at stays.

    Parameters
    ----------
    target : the file that was to be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("c.duckdb.0a1b2c3d.building", "other.duckdb"):
    ...     _ = (folder / name).write_text("half a file")
    >>> clear_leftovers(folder / "c.duckdb")
    >>> [path.name for path in folder.iterdir()]
    ['other.duckdb']
    """
    known = _mine.copy()
    for spill in target.parent.glob(f"{_escaped(target.name)}.*{SUFFIX}.*"):  # whose own file is gone already
        owner = spill.with_name(spill.name[: spill.name.rindex(SUFFIX)] + SUFFIX)
        if owner not in known and not owner.exists():
            _remove(owner)
    for path in target.parent.glob(f"{_escaped(target.name)}.*{SUFFIX}"):
        if path not in known and not _in_use(path):
            _remove(path)


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _in_use(path: Path) -> bool:
    """Tell whether a process holds the lock that DuckDB puts on a file it may write."""
    try:
        duckdb.connect(str(path), config={"enable_external_access": "false"}).close()
    except duckdb.IOException as err:
        return "lock" in str(err).lower() or "being used by another process" in str(err)
    except duckdb.Error:
        return False  # half a file, and nobody's
    return False


def _remove(path: Path) -> None:
    """Remove a half-built file with its write-ahead log and spilled results."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)
