"""Ask a separate process, which may crash or hang, to take damaged files; and damage files by seed."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

LONGEST = 10.0  # seconds of processor time a file
WATCHDOG = 120.0  # seconds on the clock: other work may hold the processors


class Worker:
    """A process that takes one file a line; a new one takes over from one that died or hangs."""

    def __init__(self, program: str, cache: Path, warm: Sequence[Path] = ()) -> None:
        self.program, self.cache, self.warm = Path(__file__).with_name(program), cache, warm
        self.process: subprocess.Popen[str] | None = None

    def ask(self, path: Path) -> dict[str, Any]:
        """Return how the file ended: what the program says, or ``died`` or ``hung``."""
        if self.process is None:
            self._start()
            for sound in self.warm:
                answer = self._answer(sound, 600)
                assert answer["outcome"] == "loaded", answer
        return self._answer(path, WATCHDOG)

    def _start(self) -> None:
        environment = os.environ | {"SEXSTRAT_CACHE": str(self.cache), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(self.program)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, args=(self.process, self.lines), daemon=True)
        self.reader.start()

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
        lines.put("")

    def _answer(self, path: Path, patience: float) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        try:
            line = self.lines.get(timeout=patience)
        except queue.Empty:
            self.stop()
            return {"outcome": "hung", "detail": f"over {patience:g} s", "seconds": patience, "violations": []}
        if not line:
            return {"outcome": "died", "detail": f"exit code {self._gone()}", "seconds": 0.0, "violations": []}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self._gone()

    def _gone(self) -> int:
        """Take leave of a process that has ended; return its exit code."""
        assert self.process is not None
        assert self.process.stdin is not None
        code = self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.reader.join()
        self.process = None
        return code


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with one kind of damage, more often near the beginning, where the structure lies."""
    held = bytearray(data)
    start = int(rng.integers(0, min(len(held), int(rng.choice([256, 8192, 200_000, len(held)])))))
    length = int(rng.integers(1, 64))
    kind = rng.integers(0, 6)
    if kind == 0:
        for place in rng.integers(start, min(start + 4096, len(held)), length):
            held[place] ^= 1 << int(rng.integers(0, 8))
    elif kind == 1:
        held[start : start + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    elif kind == 2:
        del held[start:]
    elif kind == 3:
        del held[start : start + length]
    elif kind == 4:
        held[start:start] = held[start : start + length]
    else:
        held[start : start + length] = b"\xff" * length
    return bytes(held)
