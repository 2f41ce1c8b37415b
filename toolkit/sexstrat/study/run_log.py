"""Keep the log of a run folder: what ran, when, why, how long it took, and with which versions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sexstrat.scores.replacing import refusal_told

__all__ = ["LOG", "RunLog", "resident_megabytes"]

LOG = "private/run.log"  # times differ from run to run: the log is no result, and the seal does not cover it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    r"""The log of one run folder; every run adds its lines at the end.

    It lies in ``private``: its lines tell counts of patients that no disclosure gate has seen.

    Parameters
    ----------
    folder : the run folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> log = RunLog(folder=folder)
    >>> log.add("run begins")
    >>> log.path.read_text().endswith("Z run begins\n")
    True
    """

    folder: Path

    @property
    def path(self) -> Path:
        """Where the log lies."""
        return self.folder / LOG

    def add(self, text: str) -> None:
        """Add lines, each with the time (UTC)."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        with refusal_told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8", newline="\n") as log:
                log.writelines(f"{now}Z {line}\n" for line in text.splitlines() or [""])

    @contextmanager
    def stage(self, name: str, why: str) -> Iterator[Callable[[str], None]]:
        """Log the beginning and the end of a stage, or how it failed; give what its result is told to."""
        self.add(f"{name}: begins ({why})")
        wall, processor = time.monotonic(), time.process_time()
        told: list[str] = []
        try:
            yield told.append
        except BaseException as err:
            self.add(f"{name}: failed after {_took(wall, processor)}: {type(err).__name__}: {err}")
            raise
        self.add(f"{name}: ends after {_took(wall, processor)}: {'; '.join(told)}")


def _took(wall: float, processor: float) -> str:
    seconds = f"{time.monotonic() - wall:.1f} s ({time.process_time() - processor:.1f} s of processor time)"
    resident = resident_megabytes()
    return seconds + (f", most memory so far {resident:,.0f} MB" if resident is not None else "")


def resident_megabytes() -> float | None:
    """Return the most memory that this process has had in use, in MB (10^6 bytes); None where nobody counts it.

    Examples
    --------
    >>> found = resident_megabytes()
    >>> found is None or found > 1
    True
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
