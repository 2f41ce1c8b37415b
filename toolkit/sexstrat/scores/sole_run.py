"""Let one run at a time write a table: the lock goes with its process, so a run that was killed leaves none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sexstrat.errors import StudyError

__all__ = ["sole_run"]

_NAME = ".running"


@contextmanager
def sole_run(folder: str | Path) -> Iterator[None]:
    """Hold a folder for this process; a second run that would write to it is refused.

    Where the file system knows no locks (some network drives), nothing is held and nothing refused.

    Parameters
    ----------
    folder : folder of the run's parts on this machine; made if need be.

    Raises
    ------
    StudyError
        Another process holds the folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, sole_run(folder):
    ...     with sole_run(folder):
    ...         pass
    Traceback (most recent call last):
    sexstrat.errors.StudyError: another run is writing to ...
    """
    path = Path(folder, _NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not _lock(file):
            raise StudyError(
                f"another run is writing to {folder}; wait for it to end, or give another --out (see also --shard)"
            )
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file; an empty one that nobody holds does no harm
                path.unlink()


def _lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; False when another process, or another place in this one, has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True
