"""Damaged model files: each loads to the right output or ends in a ModelError; none crashes, hangs or runs anything."""

from __future__ import annotations

import io
import json
import os
import queue
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sexstrat.models import file_sha256, read_card, write_card
from sexstrat.models.card_drafting import draft_card
from sexstrat.models.converting import convert_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SIZE = 32
LONGEST = 10.0  # seconds of processor time a file
WATCHDOG = 120.0  # seconds on the clock: other work may hold the processors
ANSWERS: dict[str, Any] = {
    "model_id": "fuzz", "title": "t", "scaling": "tf", "channel_order": "RGB", "class_order": ("male",),
    "training_ages": (17.0, 94.0), "terms": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(foreign_networks: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the cards of one small network in five formats."""
    folder = tmp_path_factory.mktemp("sound")
    cards: dict[str, Path] = {}
    for name, package, ending in (("k2", "tf_keras", ".h5"), ("k3", "keras", ".h5"), ("keras", "keras", ".keras")):
        network = foreign_networks.sex_network(foreign_networks.keras_named(package), "mobilenet", size=SIZE)
        place = folder / name / "sound"
        place.mkdir(parents=True)
        card = draft_card(foreign_networks.save(network, place / f"m{ending}"), ANSWERS)
        write_card(card, place / "card.json")
        cards[name] = place / "card.json"
    for to in ("npz", "onnx"):
        place = folder / to / "sound"
        convert_model(cards["keras"], to, place)
        cards[to] = place / "card.json"
    return cards


class Worker:
    """A process that loads models; a new one takes over from one that died or hangs."""

    def __init__(self, warm: list[Path], cache: Path) -> None:
        self.warm, self.cache = warm, cache
        self.process: subprocess.Popen[str] | None = None

    def ask(self, card: Path) -> dict[str, Any]:
        """Return how loading ended: loaded, refused, crashed, died or hung."""
        if self.process is None:
            self._start()
            for path in self.warm:
                answer = self._answer(path, 600)
                assert answer["outcome"] == "loaded", answer
        return self._answer(card, WATCHDOG)

    def _start(self) -> None:
        program = Path(__file__).parents[1] / "model_fuzz_worker.py"
        environment = os.environ | {"SEXSTRAT_CACHE": str(self.cache), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(program)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, self.lines), daemon=True).start()

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    def _answer(self, card: Path, patience: float) -> dict[str, Any]:
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(f"{card}\n")
        self.process.stdin.flush()
        try:
            line = self.lines.get(timeout=patience)
        except queue.Empty:
            line = '{"outcome": "hung", "detail": "", "seconds": 0, "violations": []}'
            self.stop()
        if not line:
            code = self.process.wait()
            self.process = None
            return {"outcome": "died", "detail": f"exit code {code}", "seconds": 0.0, "violations": []}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def worker(sound: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Return a worker that has loaded every sound file once."""
    found = Worker(list(sound.values()), tmp_path_factory.mktemp("cache"))
    yield found
    found.stop()


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


def mutated(data: bytes, archive: bool, rng: np.random.Generator) -> bytes:
    """Damage a file; of an archive half the time one entry, so that its checksum is right."""
    if not archive or rng.integers(0, 2):
        return damaged(data, rng)
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(written, "w") as target:
        names = source.namelist()
        chosen = names[int(rng.integers(0, len(names)))]
        for name in names:
            held = source.read(name)
            target.writestr(name, damaged(held, rng) if name == chosen else held)
    return written.getvalue()


def fuzz(number: int, seed: int, sound: dict[str, Path], worker: Worker, folder: Path) -> Counter[str]:
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    slowest = 0.0
    for i in range(number):
        name = list(sound)[i % len(sound)]
        card = read_card(sound[name])
        place = folder / "model"
        place.mkdir(exist_ok=True)
        weights = place / card.weights_file
        weights.write_bytes(
            mutated((sound[name].parent / card.weights_file).read_bytes(), name in ("keras", "npz"), rng)
        )
        write_card(replace(card, weights_sha256=file_sha256(weights)), place / "card.json")
        answer = worker.ask(place / "card.json")
        counts[answer["outcome"]] += 1
        slowest = max(slowest, answer["seconds"])
        assert answer["outcome"] in ("loaded", "refused"), (name, i, answer)
        assert answer["violations"] == [], (name, i, answer)
        assert answer["seconds"] <= LONGEST, (name, i, answer)
        weights.unlink()
    print(f"{number} damaged model files: {dict(counts)}, slowest {slowest:.1f} s")  # noqa: T201 - the count is the result
    return counts


def test_damaged_files_load_rightly_or_are_refused(sound: dict[str, Path], worker: Worker, tmp_path: Path) -> None:
    """Twenty damaged files of five formats, each with a card that vouches for its digest."""
    assert sum(fuzz(20, 1, sound, worker, tmp_path).values()) == 20


@pytest.mark.slow
def test_two_hundred_damaged_files(sound: dict[str, Path], worker: Worker, tmp_path: Path) -> None:
    """Two hundred damaged files of five formats, each with a card that vouches for its digest."""
    counts = fuzz(200, 2, sound, worker, tmp_path)
    assert counts["refused"] > 100
