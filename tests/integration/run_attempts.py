"""Run commands in forks of one process that is warm, killed at a chosen moment or held to small files.

Run as a program it is that process: it imports once and forks for every attempt. An attempt kills itself at a moment,
which is either the number of a change of the disk (each has one moment before it and one after) or "before NAME" or
"after NAME", where NAME is the file that is put in its place. A limit is the largest size in bytes that a file may
reach, beyond which the system refuses to write, as it does when a disk is full.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended: its exit code, -9 when it was killed, and what it wrote to stderr."""

    code: int
    told: str


class Attempts:
    """The process that forks, asked one attempt at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def outcome(self, words: Iterable[object], fatal: str = "", limit: int | None = None) -> Outcome:
        """Run a command that is killed at a moment, or that may write no file above a size."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(map(str, words)), fatal, limit]) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def code(self, words: Iterable[object], fatal: str = "") -> int:
        """Return the exit code alone."""
        return self.outcome(words, fatal).code

    def close(self) -> None:
        self._process.communicate(timeout=60)


def bytes_of(folder: pathlib.Path) -> dict[str, bytes]:
    """Return every file but the log, whose times differ, and the databases, whose pages DuckDB places as it likes."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: b"" if path.suffix in {".duckdb", ".log"} else path.read_bytes() for name, path in sorted(files.items())
    }


def assert_same_bytes(found: pathlib.Path, expected: pathlib.Path) -> None:
    """Compare all files of two folders, and so what was left lying about."""
    ours, theirs = bytes_of(found), bytes_of(expected)
    assert list(ours) == list(theirs)
    assert [name for name in theirs if ours[name] != theirs[name]] == []


class Fatal:
    """The moments of one attempt, counted."""

    def __init__(self, fatal: str) -> None:
        self.fatal, self.moment = fatal, 0

    def reached(self, words: str) -> None:
        self.moment += 1
        if self.fatal in {str(self.moment), words}:
            os.kill(os.getpid(), signal.SIGKILL)

    def guard(self, name: str) -> None:
        """Make a method of Path, which changes the disk, a moment to die before and after."""
        plain: Any = getattr(pathlib.Path, name)

        def called(path: pathlib.Path, *arguments: Any, **options: Any) -> Any:
            target = pathlib.Path(arguments[0]).name if name == "replace" else f"removal of {path.name}"
            self.reached(f"before {target}")
            done = plain(path, *arguments, **options)
            self.reached(f"after {target}")
            return done

        setattr(pathlib.Path, name, called)


def attempt(words: list[str], fatal: str, limit: int | None, told: int) -> int:
    import resource

    import sexstrat.cli.app

    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(told, 2)
        if fatal:
            deadly = Fatal(fatal)
            deadly.guard("replace")
            deadly.guard("unlink")
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        os._exit(sexstrat.cli.app.run(words))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serve() -> None:
    import tempfile

    import seaborn  # noqa: F401
    import statsmodels.api  # noqa: F401

    import sexstrat.audit
    import sexstrat.cli.app
    import sexstrat.disclosure
    import sexstrat.estimates.study_tables
    import sexstrat.reporting
    import sexstrat.study.site_export
    import sexstrat.study.site_pooling  # noqa: F401
    from sexstrat.study.plan import code_digest

    code_digest()  # once: nobody must edit the code between two attempts
    for line in sys.stdin:
        words, fatal, limit = json.loads(line)
        with tempfile.TemporaryFile() as told:
            code = attempt(words, fatal, limit, told.fileno())
            told.seek(0)
            answer = {"code": code, "told": told.read().decode("utf-8", "replace")}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
